/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What the journal of a run says, for a second console and for automation. */
#ifndef CRLAGENT_DRIVER_STATUS_H
#define CRLAGENT_DRIVER_STATUS_H

#include "driver/journal.h"

/* Opens the journal of a change without taking its lock. dir NULL = the system's place. */
MUST_CHECK int status_open(const char *dir, const char *change, struct journal **ret,
                           struct err *err);
MUST_CHECK int status_text(struct journal *j, const char *change, int64_t now, struct buf *out,
                           struct err *err);
/* exit_code < 0: not known (the run may be going on). */
MUST_CHECK int status_json(struct journal *j, const char *change, int exit_code, struct buf *out,
                           struct err *err);

#endif
