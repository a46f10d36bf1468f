/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What each platform does for base/process.c. */
#ifndef CRLAGENT_BASE_PROCESS_INT_H
#define CRLAGENT_BASE_PROCESS_INT_H

#include "base/lines.h"
#include "base/process.h"

/* lines NULL: standard error goes with the output. Otherwise as process_run_heard. */
MUST_CHECK int process_talk(const char *const *argv, const char *input, int64_t timeout_ms,
                            struct lines *lines, struct process_result *ret, struct err *err);

#endif
