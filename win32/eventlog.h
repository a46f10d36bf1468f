/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The Windows event log, source "crlagent" in Application; ids and texts are those of the finding
 * catalogue, compiled into the program. */
#ifndef CRLAGENT_WIN32_EVENTLOG_H
#define CRLAGENT_WIN32_EVENTLOG_H

#include "base/event.h"
#include "base/err.h"

#define EVENT_LOG_SOURCE "crlagent"

/* Registers the source with message_file (full path of crlagent.exe). Needs administrator rights.
 */
MUST_CHECK int event_log_register(const char *source, const char *message_file, struct err *err);
/* Fine when there is none. */
MUST_CHECK int event_log_unregister(const char *source, struct err *err);

struct event_log;
MUST_CHECK int event_log_open(const char *source, struct event_log **ret, struct err *err);
void event_log_close(struct event_log *log);

/* Emits to the log: insertion string 1 is ev->text, 2.. are ev->params. Events with id 0 are
 * progress only and are left out. Any thread. */
struct event_sink event_log_sink(struct event_log *log);

#endif
