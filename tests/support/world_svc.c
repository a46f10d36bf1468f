/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The service control manager of the world. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "support/world_int.h"

struct world_service *world_service(struct world *w, const char *name)
{
    for (size_t i = 0; i < w->n_services; i++) {
        if (str_eq_nocase(w->service[i].info.name, name) && !w->service[i].missing)
            return &w->service[i];
    }
    return NULL;
}

void world_settle(struct world *w, struct world_service *s)
{
    bool ca = s == &w->service[0];
    world_cluster_settle(w);
    if (world_resource_of(w, s->info.name))
        return;
    if (s->info.state == SVC_STOP_PENDING && !s->deaf && w->mono_ms >= s->pending_until) {
        s->info.state = SVC_STOPPED;
        if (ca)
            w->ca_stopped_at = w->now;
    } else if (s->info.state == SVC_START_PENDING && w->mono_ms >= s->pending_until) {
        bool fails = s->fails_start || (ca && w->hsm_away);
        s->info.state = fails ? SVC_STOPPED : SVC_RUNNING;
        s->info.exit_code = fails ? 1058 : 0;
    } else if (s->info.state == SVC_STOP_PENDING) {
        s->info.checkpoint++;
    }
}

static int svc_query(void *self, const char *name, struct svc_info *ret, struct err *err)
{
    struct world *w = self;
    if (world_dies(w))
        return world_gone(err);
    struct world_service *s = world_service(w, name);
    if (!s)
        return err_set(err, ERR_NOT_FOUND, "there is no service '%s'", name);
    world_settle(w, s);
    *ret = s->info;
    return ERR_OK;
}

/* Direct and indirect ones, each after those that depend on it: the order of the SCM. */
static void gather(struct world *w, const char *name, struct svc_info *ret, size_t max, size_t *n)
{
    for (size_t i = w->n_services; i-- > 0;) {
        struct world_service *s = &w->service[i];
        if (!s->needs || s->missing || strcmp(s->needs, name) != 0)
            continue;
        gather(w, s->info.name, ret, max, n);
        world_settle(w, s);
        if (*n < max)
            ret[*n] = s->info;
        ++*n;
    }
}

static int svc_dependants(void *self, const char *name, struct svc_info *ret, size_t max,
                          size_t *ret_n, struct err *err)
{
    struct world *w = self;
    if (world_dies(w))
        return world_gone(err);
    if (!world_service(w, name))
        return err_set(err, ERR_NOT_FOUND, "there is no service '%s'", name);
    *ret_n = 0;
    gather(w, name, ret, max, ret_n);
    return ERR_OK;
}

/* A clustered service that is touched here would be taken for a failure. */
static void only_through_the_cluster(struct world *w, const char *name)
{
    if (world_resource_of(w, name))
        world_crime(w, "a clustered service was touched through the SCM", name);
}

static int svc_set_start(void *self, const char *name, enum svc_start start, bool delayed,
                         struct err *err)
{
    struct world *w = self;
    if (world_dies(w))
        return world_gone(err);
    struct world_service *s = world_service(w, name);
    only_through_the_cluster(w, name);
    if (!s || s->fixed_start_type)
        return err_set(err, s ? ERR_DENIED : ERR_NOT_FOUND, "start type of '%s'", name);
    if (w->on_touch)
        w->on_touch(w, "set-start", name);
    s->info.start = start;
    s->info.delayed_auto = delayed;
    return ERR_OK;
}

static int svc_stop(void *self, const char *name, struct err *err)
{
    struct world *w = self;
    if (world_dies(w))
        return world_gone(err);
    struct world_service *s = world_service(w, name);
    if (!s)
        return err_set(err, ERR_NOT_FOUND, "there is no service '%s'", name);
    if (w->on_touch)
        w->on_touch(w, "stop", name);
    only_through_the_cluster(w, name);
    if (s->refuses_stop)
        return err_set_os(err, ERR_STATE, 1061, "'%s' cannot accept control messages", name);
    for (size_t i = 0; i < w->n_services; i++) {
        if (w->service[i].needs && strcmp(w->service[i].needs, name) == 0 &&
            w->service[i].info.state != SVC_STOPPED) {
            world_crime(w, "stopped while a dependant runs", name);
            return err_set_os(err, ERR_STATE, 1051, "a dependant of '%s' runs", name);
        }
    }
    if (s->info.state == SVC_RUNNING || s->info.state == SVC_START_PENDING) {
        s->info.state = SVC_STOP_PENDING;
        s->info.wait_hint_ms = 5000;
        s->pending_until = w->mono_ms + s->stop_ms;
    }
    return ERR_OK;
}

static int svc_start_fn(void *self, const char *name, struct err *err)
{
    struct world *w = self;
    if (world_dies(w))
        return world_gone(err);
    struct world_service *s = world_service(w, name);
    if (!s)
        return err_set(err, ERR_NOT_FOUND, "there is no service '%s'", name);
    only_through_the_cluster(w, name);
    world_settle(w, s);
    if (s->info.state != SVC_STOPPED)
        return ERR_OK;
    if (s->info.start == SVC_DISABLED)
        return err_set_os(err, ERR_STATE, 1058, "'%s' is disabled", name);
    if (w->on_touch)
        w->on_touch(w, "start", name);
    if (s->needs && world_service(w, s->needs)->info.state != SVC_RUNNING)
        world_crime(w, "started before what it needs", name);
    world_check_gap(w, s);
    s->starts++;
    s->info.state = SVC_START_PENDING;
    s->info.wait_hint_ms = 2000;
    s->pending_until = w->mono_ms + s->start_ms;
    return ERR_OK;
}

void world_check_gap(struct world *w, const struct world_service *s)
{
    if (s == &w->service[0] && w->provider && str_starts(w->provider, "SafeNet") &&
        w->now - w->ca_stopped_at < 60)
        world_crime(w, "restarted within a minute", s->info.name);
}

const struct svc_ops *world_svc_ops(void)
{
    static const struct svc_ops ops = {svc_query, svc_dependants, svc_set_start, svc_stop,
                                       svc_start_fn};
    return &ops;
}
