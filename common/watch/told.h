/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Which events and alarms are told to people by mail and webhook, and in which words. */
#ifndef CRLAGENT_WATCH_TOLD_H
#define CRLAGENT_WATCH_TOLD_H

#include "base/buf.h"
#include "watch/alarm.h"

/* Should this event become a notice? From the minimum on; the stages of a maintenance always, so
 * that teams are told before, during and after it; notices about notices never. */
bool told_event(uint32_t id, enum severity severity, enum severity minimum);

/* Should this news of an alarm? */
bool told_news(const struct alarm_news *news, enum severity minimum);

/* One line: "The CRL served has expired: http://... at 10.0.0.7: expected ..., found ..." */
void told_line(const struct alarm_news *news, const struct findings *findings, struct buf *out);

/* All news that are told, one line each, the worst first and what is over last. */
void told_lines(const struct alarm_news *news, size_t n, enum severity minimum,
                const struct findings *findings, struct buf *out);

/* Which report of the maintenance ("before", "after"; snapshot_page) goes with that event of it;
 * NULL = none. */
const char *told_report(uint32_t id);

/* The title of one notice for all of them, and the worst of them. */
void told_title(const struct alarm_news *news, size_t n, enum severity minimum, const char *ca,
                char *dst, size_t dst_size, size_t *ret_worst);

#endif
