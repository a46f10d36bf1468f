/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The failover cluster of this computer. Each question opens the cluster anew and closes it: a
 * handle does not outlive a restart of the cluster service. The cluster's calls are remote
 * procedure calls that can hang when a node is lost, so each runs on a thread of its own. */
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/str.h"
#include "win32/clusterapi.h"
#include "win32/deadline.h"
#include "win32/service.h"
#include "win32/utf.h"
#include "win32/werr.h"

#define NAME_CHARS 1024
#define RESOURCES_MAX 1024
#define DEPENDANTS_MAX 32
#define PROPERTIES_MAX (1024u * 1024)
#define TIMEOUT_MS 30000

/* NODE_CLUSTER_STATE */
#define NODE_NOT_CONFIGURED 1
#define NODE_RUNNING 19

struct cluster_way {
    const struct cluster_api *api; /* NULL = loaded from System32, when ClusSvc is there */
    int64_t timeout_ms;
};

enum call_kind { CALL_FIND, CALL_DEPENDANTS, CALL_TURN };

struct call {
    struct deadline_job job;
    enum call_kind kind;
    struct cluster_api api;
    wchar_t *name;
    bool by_name, online;
    struct cluster_resource found[DEPENDANTS_MAX];
    size_t n;
};

/* One call's handles. */
struct session {
    const struct cluster_api *api;
    cluster_h cluster;
};

static void session_close(struct session *s)
{
    if (s->cluster)
        s->api->close(s->cluster);
}

static int session_open(struct session *s, struct err *err)
{
    DWORD state = 0;
    DWORD e = s->api->node_state(NULL, &state);
    if (e)
        return err_set_win32(err, e, "asking whether this computer is a node of a cluster");
    if (state <= NODE_NOT_CONFIGURED)
        return err_set(err, ERR_NOT_FOUND, "this computer is in no failover cluster");
    if (state != NODE_RUNNING)
        return err_set(err, ERR_UNAVAILABLE,
                       "this computer is a node of a failover cluster, but its cluster service "
                       "does not run: net start ClusSvc");
    s->cluster = s->api->open(NULL);
    if (!s->cluster)
        return err_set_win32(err, GetLastError(),
                             "opening the failover cluster (its account needs access: "
                             "Grant-ClusterAccess -Full)");
    return ERR_OK;
}

static int copy_text(const wchar_t *from, char *dst, size_t dst_size, struct err *err)
{
    SCOPED(scope_free) char *text = NULL;
    int rc = utf_from_wide(from, &text, err);
    if (!rc && !str_copy(dst, dst_size, text))
        rc = err_set(err, ERR_LIMIT, "the name '%.60s...' is longer than %zu bytes", text,
                     dst_size - 1);
    return rc;
}

/* Node names are NetBIOS names. */
static bool is_this_computer(const wchar_t *node)
{
    wchar_t own[NAME_CHARS];
    DWORD len = NAME_CHARS;
    return GetComputerNameExW(ComputerNamePhysicalNetBIOS, own, &len) && _wcsicmp(own, node) == 0;
}

/* The answer of a control code, malloc'ed, with two zero bytes behind it. */
static int ask(const struct session *s, cluster_resource_h resource, DWORD code, void **ret,
               DWORD *ret_n, struct err *err)
{
    DWORD room = 1024;
    for (;;) {
        SCOPED(scope_free) void *data = calloc(1, room + sizeof(wchar_t));
        if (!data)
            return err_nomem(err);
        DWORD n = 0;
        DWORD e = s->api->control(resource, NULL, code, NULL, 0, data, room, &n);
        if (e == ERROR_SUCCESS) {
            *ret = steal_ptr(data);
            *ret_n = n < room ? n : room;
            return ERR_OK;
        }
        if (e != ERROR_MORE_DATA || room >= PROPERTIES_MAX)
            return err_set_win32(err, e, "asking the cluster for the properties of a resource");
        room = n > room && n < PROPERTIES_MAX ? n : room * 4;
    }
}

/* The private property ServiceName of a Generic Service; "" for resources of other types. */
static int service_of(const struct session *s, cluster_resource_h resource, char *dst,
                      size_t dst_size, struct err *err)
{
    SCOPED(scope_free) void *type = NULL;
    SCOPED(scope_free) void *list = NULL;
    wchar_t *name = NULL;
    DWORD n = 0;
    dst[0] = '\0';
    int rc = ask(s, resource, CLUSTER_CONTROL_GET_TYPE, &type, &n, err);
    if (rc || _wcsicmp(type, L"Generic Service") != 0)
        return rc;
    rc = ask(s, resource, CLUSTER_CONTROL_GET_PRIVATE, &list, &n, err);
    if (rc)
        return rc;
    DWORD e = s->api->find_text(list, n, L"ServiceName", &name);
    if (e == ERROR_FILE_NOT_FOUND)
        return ERR_OK;
    if (e)
        return err_set_win32(err, e, "reading the service name of a cluster resource");
    rc = name ? copy_text(name, dst, dst_size, err) : ERR_OK;
    LocalFree(name);
    return rc;
}

static int describe(const struct session *s, const wchar_t *name, struct cluster_resource *ret,
                    struct err *err)
{
    wchar_t node[NAME_CHARS] = L"";
    DWORD len = NAME_CHARS;
    memset(ret, 0, sizeof *ret);
    int rc = copy_text(name, ret->name, sizeof ret->name, err);
    if (rc)
        return rc;
    cluster_resource_h resource = s->api->open_resource(s->cluster, name);
    if (!resource)
        return err_set_win32(err, GetLastError(), "opening the cluster resource '%s'", ret->name);
    rc = service_of(s, resource, ret->service, sizeof ret->service, err);
    int state = rc ? CLUSTER_STATE_UNKNOWN : s->api->state(resource, node, &len, NULL, NULL);
    DWORD e = GetLastError();
    s->api->close_resource(resource);
    if (rc)
        return err_context(err, "cluster resource '%s'", ret->name);
    if (state == CLUSTER_STATE_UNKNOWN)
        return err_set_win32(err, e, "asking for the state of the cluster resource '%s'",
                             ret->name);
    ret->state = (enum cluster_state)state;
    ret->here = is_this_computer(node);
    return copy_text(node, ret->owner, sizeof ret->owner, err);
}

/* ---- find ---- */

static int match(struct call *c, const struct cluster_resource *r, const char *wanted,
                 struct err *err)
{
    if (!str_eq_nocase(c->by_name ? r->name : r->service, wanted))
        return ERR_OK;
    if (c->n)
        return err_set(err, ERR_STATE, "two cluster resources name the service '%s': '%s' and '%s'",
                       wanted, c->found[0].name, r->name);
    c->found[c->n++] = *r;
    return ERR_OK;
}

static int find(struct call *c, const struct session *s, struct err *err)
{
    SCOPED(scope_free) char *wanted = NULL;
    int rc = utf_from_wide(c->name, &wanted, err);
    cluster_enum_h list = rc ? NULL : s->api->open_enum(s->cluster, CLUSTER_ENUM_RESOURCES);
    if (!rc && !list)
        rc = err_set_win32(err, GetLastError(), "listing the resources of the cluster");
    for (DWORD i = 0; !rc && i < RESOURCES_MAX; i++) {
        wchar_t name[NAME_CHARS];
        struct cluster_resource r;
        DWORD type = 0, len = NAME_CHARS;
        DWORD e = s->api->next(list, i, &type, name, &len);
        if (e == ERROR_NO_MORE_ITEMS)
            break;
        rc = e ? err_set_win32(err, e, "listing the resources of the cluster")
               : describe(s, name, &r, err);
        if (!rc)
            rc = match(c, &r, wanted, err);
    }
    if (list)
        s->api->close_enum(list);
    if (!rc && !c->n)
        rc = err_set(err, ERR_NOT_FOUND, "the cluster has no resource for '%s'", wanted);
    return rc;
}

/* ---- dependants ---- */

static bool have(const struct call *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (str_eq_nocase(c->found[i].name, name))
            return true;
    }
    return false;
}

static int walk(struct call *c, const struct session *s, const wchar_t *name, int depth,
                struct err *err);

/* What depends on it first: that goes offline first. */
static int take(struct call *c, const struct session *s, const wchar_t *name, int depth,
                struct err *err)
{
    struct cluster_resource r;
    int rc = describe(s, name, &r, err);
    if (rc || have(c, r.name))
        return rc;
    rc = walk(c, s, name, depth + 1, err);
    if (rc || have(c, r.name))
        return rc;
    if (c->n == DEPENDANTS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d cluster resources depend on one",
                       DEPENDANTS_MAX);
    c->found[c->n++] = r;
    return ERR_OK;
}

static int walk(struct call *c, const struct session *s, const wchar_t *name, int depth,
                struct err *err)
{
    if (depth > DEPENDANTS_MAX)
        return err_set(err, ERR_LIMIT, "cluster resources depend on each other in a circle");
    cluster_resource_h resource = s->api->open_resource(s->cluster, name);
    if (!resource)
        return err_set_win32(err, GetLastError(), "opening a cluster resource");
    cluster_resource_enum_h list =
        s->api->open_resource_enum(resource, CLUSTER_RESOURCE_ENUM_DEPENDANTS);
    int rc = list
                 ? ERR_OK
                 : err_set_win32(err, GetLastError(), "listing what depends on a cluster resource");
    for (DWORD i = 0; !rc && i < RESOURCES_MAX; i++) {
        wchar_t *dependant = calloc(NAME_CHARS, sizeof *dependant);
        DWORD type = 0, len = NAME_CHARS;
        DWORD e = dependant ? s->api->next_resource(list, i, &type, dependant, &len)
                            : ERROR_NOT_ENOUGH_MEMORY;
        if (e && e != ERROR_NO_MORE_ITEMS)
            rc = err_set_win32(err, e, "listing what depends on a cluster resource");
        else if (!e)
            rc = take(c, s, dependant, depth, err);
        free(dependant);
        if (e)
            break;
    }
    if (list)
        s->api->close_resource_enum(list);
    s->api->close_resource(resource);
    return rc;
}

/* ---- online, offline ---- */

static int turn(struct call *c, const struct session *s, struct err *err)
{
    cluster_resource_h resource = s->api->open_resource(s->cluster, c->name);
    if (!resource)
        return err_set_win32(err, GetLastError(), "opening a cluster resource");
    DWORD e = c->online ? s->api->online(resource) : s->api->offline(resource);
    s->api->close_resource(resource);
    if (e == ERROR_SUCCESS || e == ERROR_IO_PENDING)
        return ERR_OK;
    /* It is down, and the cluster has noted that it is to stay so ([MS-CMRP] ApiOfflineResource).
     */
    if (!c->online && e == ERROR_RESOURCE_FAILED)
        return ERR_OK;
    return err_set_win32(err, e, "taking the cluster resource %s",
                         c->online ? "online" : "offline");
}

/* ---- the seam ---- */

static int call_run(struct deadline_job *job, struct err *err)
{
    struct call *c = (struct call *)(void *)job;
    SCOPED(session_close) struct session s = {.api = &c->api};
    int rc = session_open(&s, err);
    if (rc)
        return rc;
    if (c->kind == CALL_FIND)
        return find(c, &s, err);
    return c->kind == CALL_TURN ? turn(c, &s, err) : walk(c, &s, c->name, 0, err);
}

static void call_drop(struct deadline_job *job)
{
    struct call *c = (struct call *)(void *)job;
    free(c->name);
    free(c);
}

/* The cheapest question first, which needs no library: without the service there is no cluster. */
static int is_node(struct err *err)
{
    struct svc_info info;
    struct err why = ERR_INIT;
    const struct svc_control *scm = svc_control_scm();
    int rc = scm->ops->query(scm->self, "ClusSvc", &info, &why);
    return rc == ERR_NOT_FOUND ? err_set(err, rc, "this computer is in no failover cluster")
                               : ERR_OK;
}

static int call_new(const struct cluster_way *way, enum call_kind kind, const char *name,
                    struct call **ret, struct err *err)
{
    int rc = way->api ? ERR_OK : is_node(err);
    if (rc)
        return rc;
    struct call *c = calloc(1, sizeof *c);
    if (!c)
        return err_nomem(err);
    c->job = (struct deadline_job){.run = call_run, .drop = call_drop, .refs = 1};
    c->kind = kind;
    if (way->api)
        c->api = *way->api;
    else
        rc = cluster_api_load(&c->api, err);
    if (!rc)
        rc = utf_to_wide(name, &c->name, err);
    if (rc)
        call_drop(&c->job);
    else
        *ret = c;
    return rc;
}

static int run(const struct cluster_way *way, struct call *c, struct err *err)
{
    int rc = deadline_run(DEADLINE_CLUSTER, &c->job, way->timeout_ms, err);
    if (rc == ERR_TIMEOUT || rc == ERR_BUSY)
        return err_context(err, "asking the failover cluster");
    return rc;
}

static int cluster_find(void *self, const char *what, bool by_name, struct cluster_resource *ret,
                        struct err *err)
{
    const struct cluster_way *way = self;
    struct call *c = NULL;
    int rc = call_new(way, CALL_FIND, what, &c, err);
    if (rc)
        return rc;
    c->by_name = by_name;
    rc = run(way, c, err);
    if (!rc)
        *ret = c->found[0];
    deadline_release(&c->job);
    return rc;
}

static int cluster_dependants(void *self, const char *resource, struct cluster_resource *ret,
                              size_t max, size_t *ret_n, struct err *err)
{
    const struct cluster_way *way = self;
    struct call *c = NULL;
    int rc = call_new(way, CALL_DEPENDANTS, resource, &c, err);
    if (rc)
        return rc;
    rc = run(way, c, err);
    if (!rc && c->n > max)
        rc = err_set(err, ERR_LIMIT, "%zu cluster resources depend on '%s'; expected at most %zu",
                     c->n, resource, max);
    if (!rc) {
        memcpy(ret, c->found, c->n * sizeof *ret);
        *ret_n = c->n;
    }
    deadline_release(&c->job);
    return rc;
}

/* A request that has not come back has been made: whoever waits for the state sees what comes of
 * it. To call it a failure would have the opposite asked for while this one still runs. */
static int cluster_turn(void *self, const char *resource, bool online, struct err *err)
{
    const struct cluster_way *way = self;
    struct call *c = NULL;
    struct err why = ERR_INIT;
    int rc = call_new(way, CALL_TURN, resource, &c, err);
    if (rc)
        return rc;
    c->online = online;
    rc = run(way, c, &why);
    deadline_release(&c->job);
    if (rc == ERR_TIMEOUT)
        return ERR_OK;
    if (rc && err)
        *err = why;
    return rc ? err_context(err, "cluster resource '%s'", resource) : ERR_OK;
}

static const struct cluster_ops ops = {cluster_find, cluster_dependants, cluster_turn};

const struct cluster *cluster_system(void)
{
    static struct cluster_way way = {NULL, TIMEOUT_MS};
    static const struct cluster cluster = {&ops, &way};
    return &cluster;
}

struct cluster cluster__with(const struct cluster_api *api, int64_t timeout_ms)
{
    static struct cluster_way way;
    way = (struct cluster_way){api, timeout_ms};
    return (struct cluster){&ops, &way};
}
