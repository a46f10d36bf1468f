/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "support/bench.h"

#include <stdio.h>
#include <string.h>

#include "unit/cmocka_unit.h"

static int store_dies(void *arg, const char *what)
{
    (void)what;
    return world_dies(arg) ? ERR_IO : ERR_OK;
}

static void wire(struct bench *b)
{
    if (store_open(b->path, STORE_WRITE, b->w.now, &b->store, NULL, &b->err))
        fail_msg("%s", b->err.text);
    store__no_sync(b->store);
    store__set_fault(b->store, store_dies, &b->w);
    if (maint_new(&b->seams, b->store, &b->policy, &b->m, &b->err))
        fail_msg("%s", b->err.text);
}

void bench_open(struct bench *b, const char *name)
{
    memset(b, 0, sizeof *b);
    world_init(&b->w);
    world_seams(&b->w, &b->seams);
    b->policy = maint_policy_default();
    b->req = (struct maint_request){.sid = "S-1-5-21-1-2-3-500",
                                    .name = "LAB\\admin",
                                    .change = "CHG0012345",
                                    .reason = "firmware",
                                    .window = 4 * 3600,
                                    .reserve = -1,
                                    .deadline_action = -1};
    scratch_make(name, b->dir);
    snprintf(b->path, sizeof b->path, "%s/state.db", b->dir);
    bench_remember(b);
    wire(b);
}

void bench_cluster(struct bench *b)
{
    world_make_cluster(&b->w);
    world_seams(&b->w, &b->seams);
    bench_remember(b);
    maint_free(&b->m);
    if (maint_new(&b->seams, b->store, &b->policy, &b->m, &b->err))
        fail_msg("%s", b->err.text);
}

void bench_close(struct bench *b)
{
    maint_answer_free(&b->a);
    maint_free(&b->m);
    store_close(&b->store);
    scratch_remove(b->dir);
}

void bench_restart(struct bench *b)
{
    maint_answer_free(&b->a);
    maint_free(&b->m);
    store_close(&b->store);
    b->w.dead = b->w.stop_requested = false;
    b->w.die_at = 0;
    wire(b);
}

void bench_remember(struct bench *b)
{
    for (size_t i = 0; i < b->w.n_services; i++)
        b->before[i] = b->w.service[i].info;
}

enum maint_outcome bench_prepare(struct bench *b)
{
    maint_answer_free(&b->a);
    return maint_prepare(b->m, &b->req, &b->a);
}

enum maint_outcome bench_finish(struct bench *b)
{
    maint_answer_free(&b->a);
    return maint_finish(b->m, &b->req, &b->a);
}

enum maint_outcome bench_abort(struct bench *b)
{
    maint_answer_free(&b->a);
    return maint_abort(b->m, &b->req, &b->a);
}

enum maint_outcome bench_extend(struct bench *b)
{
    maint_answer_free(&b->a);
    return maint_extend(b->m, &b->req, &b->a);
}

enum maint_outcome bench_tick(struct bench *b)
{
    maint_answer_free(&b->a);
    return maint_tick(b->m, &b->a);
}

enum maint_outcome bench_reconcile(struct bench *b)
{
    maint_answer_free(&b->a);
    return maint_reconcile(b->m, &b->a);
}

void bench_expect(struct bench *b, enum maint_outcome got, enum maint_outcome want)
{
    if (b->w.crime[0])
        fail_msg("%s", b->w.crime);
    if (got != want)
        fail_msg("outcome %s, expected %s: %s", maint_outcome_name(got), maint_outcome_name(want),
                 b->a.err.text);
    if (got != MAINT_DONE && !b->a.err.text[0])
        fail_msg("outcome %s without a word", maint_outcome_name(got));
}

bool bench_restored(struct bench *b)
{
    for (size_t i = 0; i < b->w.n_services; i++) {
        const struct svc_info *was = &b->before[i], *is = &b->w.service[i].info;
        if (was->state != is->state || was->start != is->start ||
            was->delayed_auto != is->delayed_auto)
            return false;
    }
    for (size_t i = 0; i < b->w.cluster.n; i++) {
        const struct world_resource *r = &b->w.cluster.resource[i];
        if (r->state != CLUSTER_ONLINE || r->persistent_down)
            return false;
    }
    return true;
}

bool bench_untouched(struct bench *b)
{
    int starts = 0;
    for (size_t i = 0; i < b->w.n_services; i++)
        starts += b->w.service[i].starts;
    return bench_restored(b) && starts == 0 && b->w.ca_stopped_at == 0;
}
