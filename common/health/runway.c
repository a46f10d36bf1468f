/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "health/runway.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"

/* Where relying parties look; a location that only the CA writes to counts for the weakest figure
 * alone. */
#define CLIENT_ORIGINS                                                                             \
    (FROM_CA_CDP | FROM_CERTIFICATE | FROM_CONFIG | FROM_COMMAND_LINE | FROM_FRESHEST)

static bool is_crl_target(const struct probe_target *t)
{
    return !t->parent && (t->role == ROLE_CRL_BASE || t->role == ROLE_CRL_DELTA);
}

static bool on_line(const struct probe_target *t, const struct runway_line *l)
{
    return is_crl_target(t) && t->key_index == l->key_index && t->partition == l->partition &&
           (t->role == ROLE_CRL_DELTA) == l->delta;
}

bool runway_serves(const struct probe_target *t, const struct probe_result *r)
{
    return (r->status == PROBE_OK || r->status == PROBE_NOT_MODIFIED) &&
           crl_is_delta(&r->facts) == (t->role == ROLE_CRL_DELTA) &&
           (r->signature == CRL_SIG_GOOD || r->signature == CRL_SIG_NOT_CHECKED);
}

/* Without a nextUpdate there is nothing to compute with. */
static bool usable(const struct probe_target *t, const struct probe_result *r)
{
    return runway_serves(t, r) && r->facts.next_update != WHEN_NONE;
}

static struct runway_line *line_of(struct runway *rw, const struct probe_target *t)
{
    for (size_t i = 0; i < rw->n; i++) {
        if (on_line(t, &rw->line[i]))
            return &rw->line[i];
    }
    if (rw->n == RUNWAY_LINES_MAX)
        return NULL;
    struct runway_line *l = &rw->line[rw->n++];
    *l = (struct runway_line){.key_index = t->key_index,
                              .partition = t->partition,
                              .delta = t->role == ROLE_CRL_DELTA,
                              .weakest = INT64_MAX,
                              .effective = INT64_MIN,
                              .weakest_until = WHEN_NONE,
                              .effective_until = WHEN_NONE};
    return l;
}

static void weaken(struct runway_line *l, size_t probe, bool is_usable, int64_t until,
                   int64_t spent)
{
    int64_t left = is_usable ? until - spent : INT64_MIN;
    if (left >= l->weakest)
        return;
    l->weakest = left;
    l->weakest_until = is_usable ? until : WHEN_NONE;
    l->weakest_probe = probe;
}

struct place {
    const struct probe_target *t;
    size_t i;
};

static int compare_urls(const struct place *x, const struct place *y)
{
    if (x->t->key_index != y->t->key_index)
        return x->t->key_index < y->t->key_index ? -1 : 1;
    if (x->t->partition != y->t->partition)
        return x->t->partition < y->t->partition ? -1 : 1;
    if (x->t->role != y->t->role)
        return x->t->role < y->t->role ? -1 : 1;
    return strcmp(x->t->url, y->t->url);
}

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int c = compare_urls(x, y);
    return c ? c : x->i < y->i ? -1 : 1;
}

#define NOT_THE_FIRST INT64_MAX

/* For the first probe of each URL the worst that its servers hand out, WHEN_NONE when none of them
 * serves anything usable; NOT_THE_FIRST for the others. For free(); NULL without memory. */
static int64_t *worst_of_urls(const struct probe_target *targets,
                              const struct probe_result *results, size_t n)
{
    SCOPED(scope_free) struct place *list = calloc(n + 1, sizeof *list);
    int64_t *ret = calloc(n + 1, sizeof *ret);
    size_t crls = 0, first = 0;
    for (size_t i = 0; list && ret && i < n; i++) {
        ret[i] = NOT_THE_FIRST;
        if (is_crl_target(&targets[i]))
            list[crls++] = (struct place){&targets[i], i};
    }
    if (!list || !ret) {
        free(ret);
        return NULL;
    }
    qsort(list, crls, sizeof *list, compare_places);
    for (size_t k = 0; k < crls; k++) {
        size_t i = list[k].i;
        if (k == 0 || compare_urls(&list[k - 1], &list[k]) != 0) {
            first = i;
            ret[first] = WHEN_NONE;
        }
        int64_t until = results[i].facts.next_update;
        if (usable(&targets[i], &results[i]) && (ret[first] == WHEN_NONE || until < ret[first]))
            ret[first] = until;
    }
    return ret;
}

/* A client takes the first URL that gives it a CRL which has not expired (RFC 5280 section 6.3.3
 * leaves the order to the client; Windows follows the certificate). When all have expired the best
 * of them tells how long ago. */
static void effective(const struct probe_target *targets, const int64_t *worst, size_t n,
                      int64_t now, uint32_t origins, struct runway_line *l)
{
    for (size_t i = 0; i < n; i++) {
        if (worst[i] == NOT_THE_FIRST || worst[i] == WHEN_NONE || !on_line(&targets[i], l) ||
            (origins && !(targets[i].origin & origins)))
            continue;
        if (l->effective_until == WHEN_NONE || worst[i] > l->effective_until)
            l->effective_until = worst[i];
        if (worst[i] > now)
            return;
    }
}

static void sum_up(struct runway *rw, int64_t spent)
{
    rw->weakest = rw->effective = rw->n ? INT64_MAX : INT64_MIN;
    rw->weakest_until = rw->effective_until = WHEN_NONE;
    for (size_t i = 0; i < rw->n; i++) {
        struct runway_line *l = &rw->line[i];
        l->effective = l->effective_until == WHEN_NONE ? INT64_MIN : l->effective_until - spent;
        if (l->weakest < rw->weakest) {
            rw->weakest = l->weakest;
            rw->weakest_until = l->weakest_until;
            rw->weakest_line = i;
        }
        if (l->effective < rw->effective) {
            rw->effective = l->effective;
            rw->effective_until = l->effective_until;
        }
    }
}

void runway_compute(const struct probe_target *targets, const struct probe_result *results,
                    size_t n, int64_t now, int64_t propagation, struct runway *ret)
{
    memset(ret, 0, sizeof *ret);
    int64_t spent = now + propagation;
    for (size_t i = 0; i < n; i++) {
        /* A dead location of earlier certificates is a finding, and no runway that can end. */
        bool counts = is_crl_target(&targets[i]) &&
                      (usable(&targets[i], &results[i]) ||
                       !(probe_carried_only(&targets[i]) || targets[i].as_client));
        struct runway_line *l = counts ? line_of(ret, &targets[i]) : NULL;
        if (l)
            weaken(l, i, usable(&targets[i], &results[i]), results[i].facts.next_update, spent);
    }
    SCOPED(scope_free) int64_t *worst = worst_of_urls(targets, results, n);
    for (size_t i = 0; worst && i < ret->n; i++) {
        struct runway_line *l = &ret->line[i];
        effective(targets, worst, n, now, CLIENT_ORIGINS, l);
        if (l->effective_until == WHEN_NONE)
            effective(targets, worst, n, now, 0, l);
    }
    sum_up(ret, spent);
}
