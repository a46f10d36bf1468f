/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Each call of the inner object runs as a job with a deadline. The job holds a reference to the
 * object, because the job may outlive the call, and results of its own, which are copied out only
 * when it came back in time. */
#include "win32/caadmin.h"

#include <windows.h>

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "win32/certutiladmin.h"
#include "win32/comadmin.h"
#include "win32/deadline.h"

#define TIMEOUT_MS 60000
#define PUBLISH_TIMEOUT_MS (15 * 60000)

struct timed {
    struct ca_admin inner;
    bool com;
    int64_t timeout_ms, publish_timeout_ms;
    volatile LONG refs;
};

enum call_kind {
    CALL_PUBLISH,
    CALL_LONG,
    CALL_TEXT,
    CALL_BLOB,
    CALL_PING,
    CALL_ROLES,
    CALL_ISSUED
};

struct call {
    struct deadline_job job;
    struct timed *timed;
    enum call_kind kind;
    unsigned what;
    int64_t until;
    enum ca_prop id;
    int32_t index, number;
    uint32_t roles;
    struct ca_issued_query query;
    struct buf bytes;
};

static void timed_release(struct timed *t)
{
    if (InterlockedDecrement(&t->refs))
        return;
    if (t->com)
        com_admin_close(&t->inner);
    else
        certutil_admin_close(&t->inner);
    free(t);
}

static int call_run(struct deadline_job *job, struct err *err)
{
    struct call *c = (struct call *)(void *)job;
    const struct ca_admin_ops *ops = c->timed->inner.ops;
    void *self = c->timed->inner.self;
    switch (c->kind) {
    case CALL_PUBLISH:
        return ops->publish(self, c->what, c->until, err);
    case CALL_LONG:
        return ops->prop_long(self, c->id, c->index, &c->number, err);
    case CALL_TEXT:
        return ops->prop_text(self, c->id, c->index, &c->bytes, err);
    case CALL_BLOB:
        return ops->prop_blob(self, c->id, c->index, &c->bytes, err);
    case CALL_PING:
        return ops->ping(self, err);
    case CALL_ROLES:
        return ops->roles(self, &c->roles, err);
    case CALL_ISSUED:
        return ops->issued(self, &c->query, &c->bytes, err);
    }
    return err_set(err, ERR_INTERNAL, "no such call");
}

static void call_drop(struct deadline_job *job)
{
    struct call *c = (struct call *)(void *)job;
    buf_clear(&c->bytes);
    timed_release(c->timed);
    free(c);
}

static struct call *call_make(void *self, enum call_kind kind)
{
    struct call *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->job.run = call_run;
    c->job.drop = call_drop;
    c->kind = kind;
    c->timed = self;
    InterlockedIncrement(&c->timed->refs);
    return c;
}

static int call_do(struct call *c, struct err *err)
{
    const struct timed *t = c->timed;
    int rc = deadline_run(DEADLINE_CA, &c->job,
                          c->kind == CALL_PUBLISH ? t->publish_timeout_ms : t->timeout_ms, err);
    if (rc == ERR_TIMEOUT || rc == ERR_BUSY)
        return err_context(err, "asking the CA (%s)", t->inner.ops->name);
    return rc;
}

static int timed_publish(void *self, unsigned what, int64_t until, struct err *err)
{
    struct call *c = call_make(self, CALL_PUBLISH);
    if (!c)
        return err_nomem(err);
    c->what = what;
    c->until = until;
    int rc = call_do(c, err);
    deadline_release(&c->job);
    return rc;
}

static int timed_prop_long(void *self, enum ca_prop id, int32_t index, int32_t *ret,
                           struct err *err)
{
    struct call *c = call_make(self, CALL_LONG);
    if (!c)
        return err_nomem(err);
    c->id = id;
    c->index = index;
    int rc = call_do(c, err);
    if (!rc)
        *ret = c->number;
    deadline_release(&c->job);
    return rc;
}

static int timed_bytes(void *self, enum call_kind kind, enum ca_prop id, int32_t index,
                       struct buf *ret, struct err *err)
{
    struct call *c = call_make(self, kind);
    if (!c)
        return err_nomem(err);
    c->id = id;
    c->index = index;
    int rc = call_do(c, err);
    if (!rc && buf_add(ret, buf_str(&c->bytes), c->bytes.len))
        rc = buf_check(ret, "a CA property", err);
    deadline_release(&c->job);
    return rc;
}

static int timed_prop_text(void *self, enum ca_prop id, int32_t index, struct buf *ret,
                           struct err *err)
{
    return timed_bytes(self, CALL_TEXT, id, index, ret, err);
}

static int timed_prop_blob(void *self, enum ca_prop id, int32_t index, struct buf *ret,
                           struct err *err)
{
    return timed_bytes(self, CALL_BLOB, id, index, ret, err);
}

static int timed_ping(void *self, struct err *err)
{
    struct call *c = call_make(self, CALL_PING);
    if (!c)
        return err_nomem(err);
    int rc = call_do(c, err);
    deadline_release(&c->job);
    return rc;
}

static int timed_roles(void *self, uint32_t *ret, struct err *err)
{
    struct call *c = call_make(self, CALL_ROLES);
    if (!c)
        return err_nomem(err);
    int rc = call_do(c, err);
    if (!rc)
        *ret = c->roles;
    deadline_release(&c->job);
    return rc;
}

static int timed_issued(void *self, const struct ca_issued_query *query, struct buf *ret,
                        struct err *err)
{
    struct call *c = call_make(self, CALL_ISSUED);
    if (!c)
        return err_nomem(err);
    c->query = *query;
    int rc = call_do(c, err);
    if (!rc && buf_add(ret, buf_str(&c->bytes), c->bytes.len))
        rc = buf_check(ret, "issued certificates", err);
    deadline_release(&c->job);
    return rc;
}

#define TIMED_OPS(shown)                                                                           \
    {                                                                                              \
        .name = shown, .publish = timed_publish, .prop_long = timed_prop_long,                     \
        .prop_text = timed_prop_text, .prop_blob = timed_prop_blob, .ping = timed_ping,            \
        .roles = timed_roles, .issued = timed_issued,                                              \
    }

static int open_inner(const struct ca_admin_setup *setup, struct timed *t, struct err *err)
{
    struct certutil_setup certutil = {
        .config_string = setup->config_string,
        .program = setup->certutil,
        .registry_root = setup->registry_root,
        .timeout_ms = t->timeout_ms,
        .publish_timeout_ms = t->publish_timeout_ms,
    };
    if (setup->way != CA_ADMIN_CERTUTIL) {
        int rc = com_admin_open(setup->config_string, &t->inner, err);
        t->com = rc == ERR_OK;
        if (rc != ERR_UNSUPPORTED || setup->way == CA_ADMIN_COM)
            return rc;
        err_clear(err);
    }
    return certutil_admin_open(&certutil, &t->inner, err);
}

int ca_admin_open(const struct ca_admin_setup *setup, struct ca_admin *ret, struct err *err)
{
    static const struct ca_admin_ops com_ops = TIMED_OPS("ICertAdmin2");
    static const struct ca_admin_ops certutil_ops = TIMED_OPS("certutil");
    struct timed *t = calloc(1, sizeof *t);
    if (!t)
        return err_nomem(err);
    t->refs = 1;
    t->timeout_ms = setup->timeout_ms ? setup->timeout_ms : TIMEOUT_MS;
    t->publish_timeout_ms =
        setup->publish_timeout_ms ? setup->publish_timeout_ms : PUBLISH_TIMEOUT_MS;
    int rc = open_inner(setup, t, err);
    if (rc) {
        free(t);
        return rc;
    }
    *ret = (struct ca_admin){t->com ? &com_ops : &certutil_ops, t};
    return ERR_OK;
}

void ca_admin_close(struct ca_admin *admin)
{
    if (admin->self)
        timed_release(admin->self);
    *admin = (struct ca_admin){NULL, NULL};
}
