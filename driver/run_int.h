/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#ifndef CRLAGENT_DRIVER_RUN_INT_H
#define CRLAGENT_DRIVER_RUN_INT_H

#include "driver/driver.h"

struct step;

/* The run itself: step "run" of owner "". */
enum step_state run_state(struct driver *drv);
int run_set(struct driver *drv, enum step_state state, const char *detail);
/* Says the error; HU_FAILED. */
int run_failed(struct driver *drv, const struct err *err);

/* Is it the plan that the run began with, and does it name everything that has begun? HU_DONE, or
 * HU_PLAN_CHANGED when it was said why. Writes down the digest. */
int run_check_plan(struct driver *drv);

/* Where every appliance stands, as the journal has it. */
void run_tell_where(struct driver *drv);
/* Notes that the run is held, and says how things stand and what to do. Returns code. */
int run_stands(struct driver *drv, int code);

/* Does the option name the step that the site is in ("hsm-a:update")? */
bool run_chosen(const struct opt_list *list, const struct site *s);
bool run_window_over(const struct driver *drv);

/* A step that is needed and not done yet: does it, journalled. Returns a hu_exit. */
int run_one_step(struct site *s, const struct step *step);

#endif
