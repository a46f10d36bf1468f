/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Events of the CA's own source (Microsoft-Windows-CertificationAuthority, Application log): the
 * seam that reads the recent ones, and the form in which Windows renders one as XML. What they mean
 * is told by rules_ca.c. */
#ifndef CRLAGENT_HEALTH_CAEVENT_H
#define CRLAGENT_HEALTH_CAEVENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CA_EVENTS_MAX 200                /* newest; what is older is not read */
#define CA_EVENTS_SECONDS (14ll * 86400) /* how far back */
#define CA_EVENT_XML_MAX (64u * 1024)

struct health_ca_event {
    uint64_t record; /* number in the log: eventvwr shows it as EventRecordID */
    uint32_t id;     /* 26, 62, 65 to 75, 100, 130 */
    int64_t when;    /* UTC seconds */
    int32_t key;     /* of the CA, -1 = not said */
    char where[300]; /* the location it is about, "" = none */
    char text[256];  /* its parameters, of which error texts are in the language of the host */
};

/* Seam. Windows: win32/caevents.h; tests have a fake. */
struct ca_event_log {
    /* Events of the last seconds, newest first, at most max. Ends within a few seconds.
     * ERR_UNSUPPORTED: there is no event log to read (Wine); ERR_DENIED, ERR_TIMEOUT, ERR_IO. */
    int (*read)(void *self, int64_t seconds, struct health_ca_event *ret, size_t max, size_t *ret_n,
                struct err *err);
    void *self;
};

/* One event as EvtRender gives it, in UTF-8: number, time and parameters, never the formatted
 * message, which is in another language on each host. ERR_PARSE names what is missing; *ret
 * untouched. ERR_LIMIT: longer than CA_EVENT_XML_MAX. */
MUST_CHECK int ca_event_parse(const char *xml, size_t len, struct health_ca_event *ret,
                              struct err *err);

#endif
