/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The same function over many items on a few threads that are waited for; those that may be left
 * behind are base/errand.h.
 * base/parallel_posix.c, win32/parallel.c. */
#ifndef CRLAGENT_BASE_PARALLEL_H
#define CRLAGENT_BASE_PARALLEL_H

#include <stddef.h>

#include "base/err.h"

struct parallel;

/* Starts each(arg, i) for i in 0..n-1 on at most threads threads and returns at once. arg must
 * live until parallel_wait. With n == 0 no thread is made. */
MUST_CHECK int parallel_start(size_t n, size_t threads, void (*each)(void *arg, size_t i),
                              void *arg, struct parallel **ret, struct err *err);

/* Waits until all items are done, then frees; takes NULL. For SCOPED(). */
void parallel_wait(struct parallel **p);

#endif
