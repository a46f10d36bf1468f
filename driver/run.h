/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The whole change: gates, agents' hooks, every appliance's steps, hooks again; and going on after
 * a stop. Each returns a hu_exit and has said why. */
#ifndef CRLAGENT_DRIVER_RUN_H
#define CRLAGENT_DRIVER_RUN_H

#include "driver/driver.h"

int run_begin(struct driver *drv);  /* 'run' */
int run_resume(struct driver *drv); /* 'resume' */
int run_abort(struct driver *drv);  /* 'abort' */

/* Waits for a step's proof after an action whose answer is known (settle) or lost (patience).
 * ERR_TIMEOUT: the appliance did not come back; ERR_STATE: it shows the old state. */
struct step;
MUST_CHECK int run_await(struct site *s, const struct step *step, int64_t patience, int64_t settle,
                         struct err *err);

#endif
