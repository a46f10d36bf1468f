/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Exit codes of hsmupgrade: a contract, listed in docs/hsmupgrade.md. check and watch use 0-3 as
 * monitoring plug-ins do. */
#ifndef CRLAGENT_DRIVER_EXITCODE_H
#define CRLAGENT_DRIVER_EXITCODE_H

enum hu_exit {
    HU_DONE = 0,
    HU_CHECK_WARNING = 1,
    HU_CHECK_CRITICAL = 2,
    HU_CHECK_UNKNOWN = 3,
    HU_REFUSED = 10,       /* a gate refused; nothing was touched */
    HU_BUSY = 11,          /* another hsmupgrade holds the change or an appliance */
    HU_NOT_PROVEN = 12,    /* a step said success and a fresh login does not show it */
    HU_AGENT_REFUSED = 13, /* an agent refused; those paused were resumed */
    HU_NOT_ACCEPTED = 14,  /* an agent did not accept the HSM; its CA stays paused */
    HU_HELD = 15,          /* stopped, needs a person; 'resume' or 'abort' go on */
    HU_WINDOW = 16,        /* outside of the window; nothing new was begun */
    HU_SO_LOGIN = 17,      /* the SO login failed or may not be tried */
    HU_PLAN_CHANGED = 18,  /* the plan is not the one the run began with */
    HU_USAGE = 20,         /* command line or plan */
    HU_NOT_PERMITTED = 21,
    HU_UNREACHABLE = 22, /* not reachable, does not let us in, or another host key */
    HU_FAILED = 23,
    HU_INTERRUPTED = 24, /* by a person or the system, at a safe point; 'resume' goes on */
};

#endif
