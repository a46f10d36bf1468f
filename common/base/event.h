/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Typed events from common/ to whoever listens: the event log, the log file, a progress line, a
 * test. common/ never logs by itself. */
#ifndef CRLAGENT_BASE_EVENT_H
#define CRLAGENT_BASE_EVENT_H

#include <stddef.h>
#include <stdint.h>

enum severity { SEV_OK = 0, SEV_INFO = 1, SEV_WARNING = 2, SEV_CRITICAL = 3 };

#define EVENT_PARAMS_MAX 8

struct event {
    uint32_t id; /* catalogue id, one per kind of event (common/health/findings.def); 0 = progress
                    only */
    enum severity severity;
    int64_t when;     /* UTC seconds */
    const char *text; /* one line for people, UTF-8; says what happens next */
    size_t n_params;  /* insertion strings in the order of the catalogue */
    const char *params[EVENT_PARAMS_MAX];
};

struct event_sink {
    /* Called on the thread that raised it; must not block. The event lives only during the call. */
    void (*emit)(void *self, const struct event *ev);
    void *self;
};

static inline void event_emit(const struct event_sink *sink, const struct event *ev)
{
    if (sink && sink->emit)
        sink->emit(sink->self, ev);
}

#endif
