/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "health/simulate.h"

#include <stdlib.h>

#include "health/runway.h"

/* What no client accepts, and what no later time makes better. An expired CRL is left to its times.
 */
#define NEVER_ACCEPTED                                                                             \
    (CRL_V_BAD_SIGNATURE | CRL_V_WRONG_ISSUER | CRL_V_WRONG_TYPE | CRL_V_FROM_FUTURE |             \
     CRL_V_UNKNOWN_CRITICAL)

/* When this CRL meets a threshold: a time before nextUpdate, or a share of its life. */
static int64_t threshold_time(const struct crl_facts *f, int64_t seconds, uint8_t percent)
{
    if (seconds)
        return f->next_update - seconds;
    if (!percent)
        return f->next_update;
    return f->this_update + (f->next_update - f->this_update) / 100 * percent;
}

static int64_t within(int64_t when, int64_t from, int64_t end)
{
    if (when >= end)
        return WHEN_NONE;
    return when < from ? from : when;
}

static int compare(const void *a, const void *b)
{
    const struct simulate_line *x = a;
    const struct simulate_line *y = b;
    if (x->unknown != y->unknown)
        return x->unknown ? -1 : 1;
    if (x->spare != y->spare)
        return x->spare < y->spare ? -1 : 1;
    return x->probe < y->probe ? -1 : 1;
}

void simulate_outage(const struct probe_target *targets, const struct probe_result *results,
                     size_t n, const struct simulate_outage *o, struct simulate_line *ret,
                     size_t *ret_n)
{
    int64_t from = o->from, end = o->from + o->seconds + o->propagation;
    size_t lines = 0;
    for (size_t i = 0; i < n; i++) {
        const struct crl_facts *f = &results[i].facts;
        struct simulate_line l = {i, WHEN_NONE, WHEN_NONE, WHEN_NONE, 0, false};
        if (targets[i].parent ||
            (targets[i].role != ROLE_CRL_BASE && targets[i].role != ROLE_CRL_DELTA))
            continue;
        const struct crl_thresholds *t =
            o->thresholds_of ? o->thresholds_of(o->thresholds_arg, &targets[i]) : o->thresholds;
        l.unknown = !runway_serves(&targets[i], &results[i]) ||
                    (o->verdicts && (o->verdicts[i] & NEVER_ACCEPTED));
        if (l.unknown || f->next_update == WHEN_NONE) {
            l.spare = l.unknown ? INT64_MIN : INT64_MAX;
        } else {
            int64_t warn = threshold_time(f, t->warn_seconds, t->warn_percent);
            int64_t planned =
                f->next_publish == WHEN_NONE ? warn : f->next_publish + t->overdue_grace;
            int64_t crit = threshold_time(f, t->crit_seconds, t->crit_percent);
            l.yellow = within(planned < warn ? planned : warn, from, end);
            l.red = within(crit, from, end);
            l.fatal = within(f->next_update, from, end);
            l.spare = f->next_update - end;
        }
        ret[lines++] = l;
    }
    if (lines)
        qsort(ret, lines, sizeof *ret, compare);
    *ret_n = lines;
}
