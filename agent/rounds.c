/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/rounds.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "store/history.h"

void look_free(struct look *l)
{
    probe_round_free(&l->round);
    ca_view_free(&l->view);
}

static bool ca_runs(const struct conductor *c)
{
    struct svc_info info;
    struct err err = ERR_INIT;
    const struct svc_control *svc = &c->seams.svc;
    return svc->ops->query(svc->self, c->setup.policy->service, &info, &err) == ERR_OK &&
           info.state == SVC_RUNNING;
}

static int keep_one(struct store *store, const struct probe_target *t, const struct probe_result *r,
                    struct err *err)
{
    struct store_probe p = {
        .when = r->started,
        .key_index = t->key_index,
        .partition = t->partition,
        .delta = t->role == ROLE_CRL_DELTA,
        .status = (int32_t)r->status,
        .this_update = WHEN_NONE,
        .next_update = WHEN_NONE,
        .bytes = r->bytes,
        .total_ms = r->total_ms,
        .visible_seconds = WHEN_NONE,
    };
    (void)str_copy(p.url, sizeof p.url, t->url);
    (void)str_copy(p.address, sizeof p.address, r->address);
    (void)str_copy(p.number, sizeof p.number, "-");
    if (r->status == PROBE_OK) {
        crl_number_format(&r->facts.number, p.number);
        p.this_update = r->facts.this_update;
        p.next_update = r->facts.next_update;
        str_hex(p.sha256, r->facts.sha256, sizeof r->facts.sha256);
    }
    return store_probe_add(store, &p, err);
}

static int keep(struct conductor *c, const struct probe_round *round, struct err *err)
{
    int rc = store_begin(c->store, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < round->n && !rc; i++)
        rc = keep_one(c->store, &round->target[i], &round->result[i], err);
    if (rc) {
        store_rollback(c->store);
        return rc;
    }
    return store_commit(c->store, err);
}

static void remember(struct conductor *c, const struct look *l)
{
    AcquireSRWLockExclusive(&c->lock);
    c->round.known = true;
    c->round.when = l->round.when;
    c->round.runway = l->round.runway;
    (void)str_copy(c->round.ca, sizeof c->round.ca,
                   l->view.settings.common_name ? l->view.settings.common_name : "");
    ReleaseSRWLockExclusive(&c->lock);
}

int look_take(struct conductor *c, struct look *ret, struct err *err)
{
    struct look *l = calloc(1, sizeof *l);
    if (!l)
        return err_nomem(err);
    int rc = ca_view_read(&c->seams.settings, &c->seams.admin, c->store, ca_runs(c),
                          clock_now(c->seams.clock), &l->view, err);
    if (!rc)
        rc = probe_round_run(&c->seams.locate, &c->seams.prober, &l->view,
                             c->setup.policy->propagation, c->seams.clock, &l->round, err);
    if (!rc) {
        remember(c, l);
        rc = keep(c, &l->round, err);
    }
    if (rc)
        look_free(l);
    else
        *ret = *l;
    free(l);
    return rc;
}

int round_look(struct conductor *c, struct err *err)
{
    struct look *l = calloc(1, sizeof *l);
    if (!l)
        return err_nomem(err);
    int rc = look_take(c, l, err);
    if (!rc) {
        int64_t now = clock_now(c->seams.clock);
        rc = store_prune(c->store, now - c->setup.config->probe.history, now - 30 * 86400, err);
        look_free(l);
    }
    free(l);
    return rc;
}
