/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A failover cluster of two nodes, of which this computer is CA01. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "support/world_int.h"

struct world_resource *world_resource_of(struct world *w, const char *service)
{
    for (size_t i = 0; i < w->cluster.n && w->cluster.on; i++) {
        if (str_eq_nocase(w->cluster.resource[i].service, service))
            return &w->cluster.resource[i];
    }
    return NULL;
}

static struct world_resource *by_name(struct world *w, const char *name)
{
    for (size_t i = 0; i < w->cluster.n; i++) {
        if (str_eq_nocase(w->cluster.resource[i].name, name))
            return &w->cluster.resource[i];
    }
    return NULL;
}

bool world_ca_runs_elsewhere(struct world *w)
{
    return w->cluster.on && w->cluster.away && w->cluster.resource[0].state == CLUSTER_ONLINE;
}

/* What the resource does to the service of this node. */
static void move_service(struct world *w, const struct world_resource *r, enum svc_state state)
{
    for (size_t i = 0; i < w->n_services && !w->cluster.away; i++) {
        struct world_service *s = &w->service[i];
        if (!r->service[0] || strcmp(s->info.name, r->service) != 0)
            continue;
        s->starts += state == SVC_START_PENDING;
        s->info.state = state;
        if (i == 0 && state == SVC_STOPPED)
            w->ca_stopped_at = w->now;
    }
}

static bool comes_online(struct world *w, const struct world_resource *r)
{
    const struct world_service *s = r->service[0] ? world_service(w, r->service) : NULL;
    return !(s && s->fails_start) && !(r == &w->cluster.resource[0] && w->hsm_away);
}

static void settle_one(struct world *w, struct world_resource *r)
{
    bool up = r->state == CLUSTER_ONLINE_PENDING;
    if ((!up && r->state != CLUSTER_OFFLINE_PENDING) || r->lame || w->mono_ms < r->settles)
        return;
    if (!up) {
        r->state = CLUSTER_OFFLINE;
        move_service(w, r, SVC_STOPPED);
    } else if (comes_online(w, r)) {
        r->state = CLUSTER_ONLINE;
        move_service(w, r, SVC_RUNNING);
    } else {
        r->state = CLUSTER_FAILED;
        move_service(w, r, SVC_STOPPED);
        if (w->cluster.bounces) {
            w->cluster.away = true;
            r->state = CLUSTER_ONLINE;
        }
    }
}

void world_cluster_settle(struct world *w)
{
    for (size_t i = 0; i < w->cluster.n && w->cluster.on; i++)
        settle_one(w, &w->cluster.resource[i]);
}

static void describe(struct world *w, const struct world_resource *r, struct cluster_resource *ret)
{
    memset(ret, 0, sizeof *ret);
    str_copy(ret->name, sizeof ret->name, r->name);
    str_copy(ret->service, sizeof ret->service, r->service);
    str_copy(ret->owner, sizeof ret->owner, w->cluster.away ? "CA02" : "CA01");
    ret->here = !w->cluster.away;
    ret->state = r->state;
}

static int silent(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, "the cluster service of this node does not answer");
}

static int find(void *self, const char *what, bool name, struct cluster_resource *ret,
                struct err *err)
{
    struct world *w = self;
    if (world_dies(w))
        return world_gone(err);
    if (w->cluster.deaf)
        return silent(err);
    world_cluster_settle(w);
    const struct world_resource *r = name ? by_name(w, what) : world_resource_of(w, what);
    if (!r)
        return err_set(err, ERR_NOT_FOUND, "no resource for '%s'", what);
    describe(w, r, ret);
    return ERR_OK;
}

static int dependants(void *self, const char *resource, struct cluster_resource *ret, size_t max,
                      size_t *ret_n, struct err *err)
{
    struct world *w = self;
    if (world_dies(w))
        return world_gone(err);
    *ret_n = 0;
    for (size_t i = w->cluster.n; i-- > 0;) {
        const struct world_resource *r = &w->cluster.resource[i];
        if (r->needs && strcmp(r->needs, resource) == 0 && *ret_n < max)
            describe(w, r, &ret[(*ret_n)++]);
    }
    return ERR_OK;
}

/* The cluster's own rule: what depends on a resource goes offline before it, and stays so. */
static void go_down(struct world *w, struct world_resource *r, int64_t ms)
{
    for (size_t i = 0; i < w->cluster.n; i++) {
        struct world_resource *d = &w->cluster.resource[i];
        if (d->needs && strcmp(d->needs, r->name) == 0 && d->state == CLUSTER_ONLINE)
            go_down(w, d, 0);
    }
    r->persistent_down = true;
    r->state = CLUSTER_OFFLINE_PENDING;
    r->settles = w->mono_ms + ms;
    move_service(w, r, SVC_STOP_PENDING);
    world_cluster_settle(w);
}

static void go_up(struct world *w, struct world_resource *r)
{
    const struct world_resource *n = r->needs ? by_name(w, r->needs) : NULL;
    if (n && n->state != CLUSTER_ONLINE)
        world_crime(w, "brought online before what it needs", r->name);
    if (r->service[0])
        world_check_gap(w, world_service(w, r->service));
    r->persistent_down = false;
    r->state = CLUSTER_ONLINE_PENDING;
    r->settles = w->mono_ms + 700;
    move_service(w, r, SVC_START_PENDING);
}

static int turn(void *self, const char *resource, bool online, struct err *err)
{
    struct world *w = self;
    if (world_dies(w))
        return world_gone(err);
    struct world_resource *r = by_name(w, resource);
    if (w->cluster.deaf)
        return silent(err);
    if (!r || r->refuses)
        return err_set_os(err, ERR_STATE, 5023, "the cluster refuses: '%s'", resource);
    if (w->on_touch)
        w->on_touch(w, online ? "start" : "stop", r->service[0] ? r->service : r->name);
    if (!r->service[0] && !r->needs)
        world_crime(w, "something that the CA needs was touched", resource);
    r->turns++;
    if (online && r->state != CLUSTER_ONLINE)
        go_up(w, r);
    else if (!online && r->state != CLUSTER_OFFLINE)
        go_down(w, r, 300);
    return ERR_OK;
}

struct cluster world_cluster_seam(struct world *w)
{
    static const struct cluster_ops ops = {find, dependants, turn};
    return (struct cluster){&ops, w};
}

void world_make_cluster(struct world *w)
{
    static const struct world_resource made[] = {
        {.name = "Lab CA", .service = "CertSvc", .needs = "Lab Disk", .state = CLUSTER_ONLINE},
        {.name = "Lab Disk", .service = "", .state = CLUSTER_ONLINE},
        {.name = "Lab Web", .service = "", .needs = "Lab CA", .state = CLUSTER_ONLINE},
        {.name = "Lab Enroll",
         .service = "RunningDependant",
         .needs = "Lab CA",
         .state = CLUSTER_ONLINE},
    };
    memcpy(w->cluster.resource, made, sizeof made);
    w->cluster.n = ARRAY_LEN(made);
    w->cluster.on = true;
    w->clustered = true; /* what the registry says */
    for (size_t i = 0; i < 2; i++) {
        w->service[i].info.start = SVC_DEMAND;
        w->service[i].info.delayed_auto = false;
    }
}
