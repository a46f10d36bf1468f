/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* States, steps and outcomes of a maintenance, and the one table that says which state may follow
 * which. docs/maintenance.md tells the same for people. */
#ifndef CRLAGENT_MAINT_STATE_H
#define CRLAGENT_MAINT_STATE_H

#include <stdbool.h>

#include "base/err.h"

enum maint_state {
    MAINT_NONE = 0,  /* no maintenance */
    MAINT_PREPARING, /* probes, gate, cover CRL, proof; nothing is touched yet */
    MAINT_READY,     /* safe for the asked window */
    MAINT_PAUSING,   /* services going down */
    MAINT_PAUSED,    /* the CA does not use the HSM */
    MAINT_RESUMING,  /* HSM acceptance, services coming up */
    MAINT_VERIFYING, /* publish and prove */
    MAINT_HELD,      /* needs a person */
    MAINT_CLOSED,    /* final: brought back and proven */
    MAINT_REFUSED,   /* final: the gate said no; nothing was touched */
    MAINT_ABORTED,   /* final: taken back; former state restored */
    MAINT_STATES
};
const char *maint_state_name(enum maint_state s); /* "paused"; "none" */
/* ERR_PARSE for a name that is none. */
MUST_CHECK int maint_state_parse(const char *name, enum maint_state *ret, struct err *err);
const char *maint_state_meaning(enum maint_state s); /* one sentence for people */
bool maint_state_final(enum maint_state s);
/* May 'to' follow 'from'? Staying is always allowed. */
bool maint_state_may(enum maint_state from, enum maint_state to);

enum maint_step {
    STEP_DISCOVER = 0,
    STEP_PROBE,
    STEP_GATE,
    STEP_COVER_PUBLISH,
    STEP_COVER_PROVE,
    STEP_RECORD,    /* former states are written down */
    STEP_KEEP_DOWN, /* start type set so that nobody starts it by accident */
    STEP_STOP,
    STEP_ACCEPT_HSM,
    STEP_MIN_GAP,    /* minimum time between stop and start */
    STEP_START_TYPE, /* former start type restored */
    STEP_START,
    STEP_ANSWER, /* the CA answers its administration interface */
    STEP_PUBLISH,
    STEP_PROVE,
    STEP_COMPARE,
    STEP_CLOSE,
    STEP_STOP_AGAIN, /* somebody started the CA while it was paused */
    STEP_RESERVE_MAKE,
    STEP_RESERVE_RELEASE,
    STEP_RESERVE_RECALL,
    STEP_RESERVE_DESTROY,
    MAINT_STEPS
};
const char *maint_step_name(enum maint_step s);  /* "stop", "accept-hsm" ... */
const char *maint_step_title(enum maint_step s); /* "stopping services" ... for progress lines */

/* What a verb came to; the values are the exit codes of agent/cli.h (DESIGN section 5). */
enum maint_outcome {
    MAINT_DONE = 0,
    MAINT_GATE_REFUSED = 10,
    MAINT_BUSY = 11, /* another maintenance, or another owner of it, holds the CA */
    MAINT_NOT_PROVEN = 12,
    MAINT_PAUSE_FAILED = 13, /* and undone */
    MAINT_HSM_NOT_ACCEPTED = 14,
    MAINT_RESUME_HELD = 15,
    MAINT_DEADLINE_PASSED = 16,
    MAINT_USAGE = 20,
    MAINT_NOT_PERMITTED = 21,
    MAINT_FAILED = 23 /* an operation failed; answer.err says which and what is left */
};
const char *maint_outcome_name(enum maint_outcome o); /* "gate-refused" ... */

#endif
