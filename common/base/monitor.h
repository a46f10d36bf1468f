/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A lock with a bell, and threads that nobody joins. base/monitor_posix.c, win32/monitor.c; what is
 * made of it is base/errand.h. */
#ifndef CRLAGENT_BASE_MONITOR_H
#define CRLAGENT_BASE_MONITOR_H

#include <stdint.h>

#include "base/err.h"

struct monitor;
MUST_CHECK int monitor_new(struct monitor **ret, struct err *err);
void monitor_free(struct monitor **m); /* nobody is inside or will enter; takes NULL */

void monitor_enter(struct monitor *m);
void monitor_leave(struct monitor *m);
/* Inside only. Wakes one that waits. */
void monitor_ring(struct monitor *m);
/* Inside only: leaves, waits for the bell or ms milliseconds, enters again. May return early. */
void monitor_wait(struct monitor *m, int64_t ms);

/* run(arg) on a thread of its own that ends by itself. ERR_NOMEM: there is no room for one. */
MUST_CHECK int monitor_spawn(void (*run)(void *arg), void *arg, struct err *err);

#endif
