/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#ifndef CRLAGENT_DRIVER_RUN_INT_H
#define CRLAGENT_DRIVER_RUN_INT_H

#include "driver/driver.h"

struct step;

/* A step that is needed and not done yet: does it, journalled. Returns a hu_exit. */
int run_one_step(struct site *s, const struct step *step);

#endif
