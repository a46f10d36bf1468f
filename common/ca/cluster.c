/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "ca/cluster.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define BY_NAME "cluster:"
#define DEPENDANTS_MAX 32

const char *cluster_state_name(enum cluster_state state)
{
    switch (state) {
    case CLUSTER_INHERITED:
        return "inherited";
    case CLUSTER_INITIALIZING:
        return "initializing";
    case CLUSTER_ONLINE:
        return "online";
    case CLUSTER_OFFLINE:
        return "offline";
    case CLUSTER_FAILED:
        return "failed";
    case CLUSTER_PENDING:
        return "pending";
    case CLUSTER_ONLINE_PENDING:
        return "online pending";
    case CLUSTER_OFFLINE_PENDING:
        return "offline pending";
    }
    return "unknown";
}

static enum svc_state service_state(enum cluster_state state)
{
    switch (state) {
    case CLUSTER_ONLINE:
        return SVC_RUNNING;
    case CLUSTER_OFFLINE:
    case CLUSTER_FAILED:
        return SVC_STOPPED;
    case CLUSTER_OFFLINE_PENDING:
        return SVC_STOP_PENDING;
    default:
        return SVC_START_PENDING;
    }
}

static int find(const struct cluster_services *s, const char *name, struct cluster_resource *ret,
                struct err *err)
{
    bool by_name = str_starts(name, BY_NAME);
    struct err why = ERR_INIT;
    memset(ret, 0, sizeof *ret);
    int rc = s->cluster.ops->find(s->cluster.self, by_name ? name + strlen(BY_NAME) : name, by_name,
                                  ret, &why);
    if (rc == ERR_NOT_FOUND && !by_name)
        return rc;
    if (rc && err)
        *err = why;
    if (rc && !by_name)
        err_context(err,
                    "whether '%s' belongs to a failover cluster is not known, so nothing is done "
                    "to it",
                    name);
    return rc;
}

/* What the service control manager of this computer knows besides: exit code, check point, and
 * whether the service runs although its resource is offline. */
static void add_local(const struct cluster_services *s, const struct cluster_resource *r,
                      struct svc_info *info)
{
    struct svc_info local;
    struct err ignored = ERR_INIT;
    if (!r->here || !r->service[0] ||
        s->inner.ops->query(s->inner.self, r->service, &local, &ignored))
        return;
    info->pid = local.pid;
    info->checkpoint = local.checkpoint;
    info->wait_hint_ms = local.wait_hint_ms;
    info->exit_code = local.exit_code;
    if ((r->state == CLUSTER_OFFLINE || r->state == CLUSTER_FAILED) && local.state != SVC_STOPPED &&
        local.state != SVC_STOP_PENDING) {
        info->trouble = SVC_OUTSIDE;
        info->state = local.state;
    }
}

static void fill(const struct cluster_services *s, const char *name,
                 const struct cluster_resource *r, struct svc_info *ret)
{
    struct svc_info info = {.state = service_state(r->state),
                            .start = SVC_DEMAND,
                            .trouble = !r->here                     ? SVC_ELSEWHERE
                                       : r->state == CLUSTER_FAILED ? SVC_FAILED
                                                                    : SVC_FINE};
    str_copy(info.name, sizeof info.name, name);
    str_copy(info.resource, sizeof info.resource, r->name);
    str_copy(info.owner, sizeof info.owner, r->owner);
    add_local(s, r, &info);
    *ret = info;
}

static int services_query(void *self, const char *name, struct svc_info *ret, struct err *err)
{
    const struct cluster_services *s = self;
    struct cluster_resource r;
    int rc = find(s, name, &r, err);
    if (rc == ERR_NOT_FOUND && !str_starts(name, BY_NAME))
        return s->inner.ops->query(s->inner.self, name, ret, err);
    if (!rc)
        fill(s, name, &r, ret);
    return rc;
}

struct list {
    struct svc_info *item;
    size_t max, n; /* n may be more than max */
};

static bool listed(const struct list *l, const char *name)
{
    for (size_t i = 0; i < l->n && i < l->max; i++) {
        if (str_eq_nocase(l->item[i].name, name))
            return true;
    }
    return false;
}

static void put(struct list *l, const struct svc_info *info)
{
    if (listed(l, info->name))
        return;
    if (l->n < l->max)
        l->item[l->n] = *info;
    l->n++;
}

/* The cluster takes these offline by itself before the resource; it does not bring them back, so
 * they are listed, to be written down and restored. */
static int put_resources(const struct cluster_services *s, const char *resource, struct list *l,
                         struct err *err)
{
    struct cluster_resource r[DEPENDANTS_MAX];
    size_t n = 0;
    int rc = s->cluster.ops->dependants(s->cluster.self, resource, r, DEPENDANTS_MAX, &n, err);
    for (size_t i = 0; i < n && !rc; i++) {
        char name[sizeof BY_NAME + SVC_NAME_MAX];
        struct svc_info info;
        snprintf(name, sizeof name, "%s%s", r[i].service[0] ? "" : BY_NAME,
                 r[i].service[0] ? r[i].service : r[i].name);
        if (strlen(name) >= SVC_NAME_MAX)
            return err_set(err, ERR_LIMIT,
                           "the name of the cluster resource '%.40s...' is too long", r[i].name);
        fill(s, name, &r[i], &info);
        put(l, &info);
    }
    return rc;
}

/* One dependant that the service control manager names: it may be a resource as well. */
static int put_service(struct cluster_services *s, const char *name, struct list *l,
                       struct err *err)
{
    struct svc_info info;
    int rc = services_query(s, name, &info, err);
    if (!rc && info.resource[0])
        rc = put_resources(s, info.resource, l, err);
    if (!rc)
        put(l, &info);
    return rc;
}

static int services_dependants(void *self, const char *name, struct svc_info *ret, size_t max,
                               size_t *ret_n, struct err *err)
{
    struct cluster_services *s = self;
    struct svc_info plain[DEPENDANTS_MAX];
    struct cluster_resource r;
    struct list l = {.item = ret, .max = max};
    size_t n = 0;
    bool by_name = str_starts(name, BY_NAME);
    int rc = find(s, name, &r, err);
    bool clustered = rc == ERR_OK;
    if (rc == ERR_NOT_FOUND && !by_name)
        rc = ERR_OK;
    if (!rc && clustered)
        rc = put_resources(s, r.name, &l, err);
    if (!rc && !by_name)
        rc = s->inner.ops->dependants(s->inner.self, name, plain, DEPENDANTS_MAX, &n, err);
    for (size_t i = 0; i < n && i < DEPENDANTS_MAX && !rc; i++)
        rc = put_service(s, plain[i].name, &l, err);
    if (rc)
        return rc;
    *ret_n = l.n;
    return l.n > max ? err_set(err, ERR_LIMIT, "%zu services depend on '%s'; expected at most %zu",
                               l.n, name, max)
                     : ERR_OK;
}

static int services_set_start(void *self, const char *name, enum svc_start start, bool delayed_auto,
                              struct err *err)
{
    const struct cluster_services *s = self;
    struct cluster_resource r;
    int rc = find(s, name, &r, err);
    if (rc == ERR_NOT_FOUND && !str_starts(name, BY_NAME))
        return s->inner.ops->set_start(s->inner.self, name, start, delayed_auto, err);
    if (rc || start == SVC_DEMAND)
        return rc;
    return err_set(err, ERR_UNSUPPORTED,
                   "the start type of '%s' is the failover cluster's business: it is the resource "
                   "'%s'",
                   name, r.name);
}

static int runs_outside(const struct svc_info *info, struct err *err)
{
    return err_set(err, ERR_STATE,
                   "the service '%s' runs although its cluster resource '%s' is offline: it was "
                   "started outside the cluster; end it where it was started (net stop \"%s\")",
                   info->name, info->resource, info->name);
}

static int services_stop(void *self, const char *name, struct err *err)
{
    const struct cluster_services *s = self;
    struct cluster_resource r;
    struct svc_info info;
    int rc = find(s, name, &r, err);
    if (rc == ERR_NOT_FOUND && !str_starts(name, BY_NAME))
        return s->inner.ops->stop(s->inner.self, name, err);
    if (rc)
        return rc;
    fill(s, name, &r, &info);
    if (info.trouble == SVC_OUTSIDE)
        return runs_outside(&info, err);
    if (r.state == CLUSTER_OFFLINE || r.state == CLUSTER_OFFLINE_PENDING)
        return ERR_OK;
    return s->cluster.ops->turn(s->cluster.self, r.name, false, err);
}

static int services_start(void *self, const char *name, struct err *err)
{
    const struct cluster_services *s = self;
    struct cluster_resource r;
    struct svc_info info;
    int rc = find(s, name, &r, err);
    if (rc == ERR_NOT_FOUND && !str_starts(name, BY_NAME))
        return s->inner.ops->start(s->inner.self, name, err);
    if (rc || r.state == CLUSTER_ONLINE || r.state == CLUSTER_ONLINE_PENDING)
        return rc;
    fill(s, name, &r, &info);
    if (info.trouble == SVC_OUTSIDE)
        return runs_outside(&info, err);
    if (!r.here)
        return err_set(err, ERR_STATE,
                       "the cluster resource '%s' is %s and belongs to node %s now; this node has "
                       "tested the HSM only for itself: move the role back to this node (Failover "
                       "Cluster Manager, or Move-ClusterGroup), then repeat",
                       r.name, cluster_state_name(r.state), r.owner);
    return s->cluster.ops->turn(s->cluster.self, r.name, true, err);
}

struct svc_control cluster_services_seam(struct cluster_services *s)
{
    static const struct svc_ops ops = {
        .query = services_query,
        .dependants = services_dependants,
        .set_start = services_set_start,
        .stop = services_stop,
        .start = services_start,
    };
    return (struct svc_control){&ops, s};
}
