/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The wish to stop: SIGINT, SIGTERM and SIGHUP, or Ctrl-C, Ctrl-Break, the closing of the console,
 * logoff and shutdown on Windows. The first one is only noted: the run leaves at its next safe
 * point. The second one ends the program at once with HU_INTERRUPTED, as a kill would: the journal
 * is written before and after every action, so it is true then, too. Nothing of it ever reaches the
 * appliance. stop_posix.c, win32/stop.c. */
#ifndef CRLAGENT_DRIVER_STOP_H
#define CRLAGENT_DRIVER_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/when.h"

/* From now on; only verbs with a journal do that, the others may be ended at any time. */
void stop_install(void);

bool stop_wanted(void);

/* The system's clock, whose sleep ends early (non-zero) when a stop is wanted. */
const struct clock *stop_clock(void);

/* Waits until standard input has something; false when a stop is wanted instead. */
bool stop_wait_input(void);

#endif
