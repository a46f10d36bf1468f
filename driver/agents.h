/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The hooks of the CAs' agents, called by any command line: ARGS hook pre-upgrade|post-upgrade
 * --change ID ... --json. Exit code 0 = done; everything else is theirs to explain. */
#ifndef CRLAGENT_DRIVER_AGENTS_H
#define CRLAGENT_DRIVER_AGENTS_H

#include "driver/driver.h"

enum hook { HOOK_PRE_DRY, HOOK_PRE, HOOK_POST };

/* ERR_OK with the agent's exit code and the last lines of what it said; ERR_NOT_FOUND, ERR_TIMEOUT
 * when it could not be asked. What it says on standard error is shown as it comes; raw (NULL = not
 * wanted) gets its standard output. */
MUST_CHECK int agent_ask(struct driver *drv, const struct plan_agent *a, enum hook hook,
                         uint32_t *ret_code, struct buf *raw, struct buf *said, struct err *err);

/* Pauses every CA. When one refuses, those paused so far are resumed (undo), or stay as they are,
 * because an appliance may be half way. Returns a hu_exit. */
int agents_pause(struct driver *drv, bool undo);
/* Resumes every CA that was paused; a hu_exit: HU_NOT_ACCEPTED, HU_HELD when one stays paused. */
int agents_resume(struct driver *drv);

/* Is a CA out of use for this change, as far as is known (no answer to pre-upgrade counts as yes)?
 */
bool agents_any_paused(struct driver *drv);
/* Would agents_pause call any agent? */
bool agents_to_pause(struct driver *drv);
/* Is the CA of that owner ("agent:NAME") out of use, and the plan does not name it? */
bool agents_forgotten(struct driver *drv, const char *owner);

/* Runs a configured check command; true when it ended with 0. */
bool command_passes(struct driver *drv, const struct plan_command *c, struct buf *said);

#endif
