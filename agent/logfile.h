/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The log file: UTF-8, one line per event, turned over at a size: crlagent.log, crlagent.log.1 ...
 */
#ifndef CRLAGENT_AGENT_LOGFILE_H
#define CRLAGENT_AGENT_LOGFILE_H

#include <stdint.h>

#include "base/err.h"
#include "base/event.h"

struct logfile;

/* Lines below the severity are left out; events with id 0 (progress) count as SEV_INFO. keep = old
 * files kept. */
MUST_CHECK int logfile_open(const char *path, uint64_t max_bytes, unsigned keep,
                            enum severity lowest, struct logfile **ret, struct err *err);
void logfile_close(struct logfile **f); /* for SCOPED(); takes NULL */

/* One caller at a time. A line that cannot be written is counted and reported with the next one. */
struct event_sink logfile_sink(struct logfile *f);

#endif
