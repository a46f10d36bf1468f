/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* One pass over all locations. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "maint/view.h"
#include "store/history.h"

int probe_round_run(const struct maint_locate *locate, const struct prober *prober,
                    const struct ca_view *view, int64_t propagation, const struct clock *clock,
                    struct probe_round *ret, struct err *err)
{
    struct probe_round r = {.began = clock_now(clock)};
    int rc = locate->locate(locate->self, view, &r.target, &r.n, err);
    if (!rc && r.n > LIMIT_LOCATIONS)
        rc = err_set(err, ERR_LIMIT, "%zu locations are known, at most %u are probed", r.n,
                     LIMIT_LOCATIONS);
    if (!rc && r.n) {
        r.result = calloc(r.n, sizeof *r.result);
        rc = r.result ? prober->run(prober->self, r.target, r.n, view->issuers, r.result, err)
                      : err_nomem(err);
    }
    if (rc) {
        probe_round_free(&r);
        return rc;
    }
    r.when = clock_now(clock);
    runway_compute(r.target, r.result, r.n, r.when, propagation, &r.runway);
    *ret = r;
    return ERR_OK;
}

void probe_round_seen(const struct probe_round *r, struct probe_seen *ret)
{
    const struct runway *rw = &r->runway;
    *ret = (struct probe_seen){r->began, r->when, rw->weakest_until, "no location is known", ""};
    if (!rw->n)
        return;
    size_t i = rw->line[rw->weakest_line].weakest_probe;
    probe_round_where(r, i, ret->where, sizeof ret->where);
    snprintf(ret->why, sizeof ret->why, "%s %.200s", probe_status_name(r->result[i].status),
             r->result[i].detail);
}

void probe_keep(struct store *store, const struct probe_target *t, const struct probe_result *p,
                int64_t visible, int64_t now)
{
    struct err ignored = ERR_INIT;
    struct store_probe h = {.when = now,
                            .key_index = t->key_index,
                            .partition = t->partition,
                            .delta = t->role == ROLE_CRL_DELTA,
                            .status = p->status,
                            .number = "-",
                            .this_update = WHEN_NONE,
                            .next_update = WHEN_NONE,
                            .bytes = p->bytes,
                            .total_ms = p->total_ms,
                            .visible_seconds = visible};
    str_copy(h.url, sizeof h.url, t->url);
    str_copy(h.address, sizeof h.address, t->address[0] ? t->address : p->address);
    if (p->status == PROBE_OK) {
        crl_number_format(&p->facts.number, h.number);
        h.this_update = p->facts.this_update;
        h.next_update = p->facts.next_update;
        str_hex(h.sha256, p->facts.sha256, sizeof p->facts.sha256);
    }
    int rc = store_probe_add(store, &h, &ignored);
    (void)rc;
}

void probe_round_drop_deltas(struct probe_round *r, int64_t propagation)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (r->target[i].role == ROLE_CRL_DELTA && !r->target[i].parent)
            continue;
        if (n != i) {
            r->target[n] = r->target[i];
            r->result[n] = r->result[i];
        }
        n++;
    }
    r->n = n;
    runway_compute(r->target, r->result, r->n, r->when, propagation, &r->runway);
}

void probe_round_free(struct probe_round *r)
{
    free(r->target);
    free(r->result);
    memset(r, 0, sizeof *r);
}

const char *probe_round_where(const struct probe_round *r, size_t i, char *dst, size_t dst_size)
{
    const char *at = r->target[i].address[0] ? r->target[i].address : r->result[i].address;
    if (at[0] && strcmp(at, r->target[i].url) != 0)
        snprintf(dst, dst_size, "%s (%s)", r->target[i].url, at);
    else
        snprintf(dst, dst_size, "%s", r->target[i].url);
    return dst;
}
