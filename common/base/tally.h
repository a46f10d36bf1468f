/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A counting semaphore, for handing blocks from one thread to another. base/tally_posix.c,
 * win32/tally.c. */
#ifndef CRLAGENT_BASE_TALLY_H
#define CRLAGENT_BASE_TALLY_H

#include "base/err.h"

struct tally;

/* Begins at count. */
MUST_CHECK int tally_new(unsigned count, struct tally **ret, struct err *err);
/* One more; wakes a waiting thread. */
void tally_post(struct tally *t);
/* Waits until there is one and takes it. */
void tally_wait(struct tally *t);
void tally_free(struct tally **t); /* for SCOPED(); nobody may be waiting */

#endif
