/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/lazyadmin.h"

#include <windows.h>

#include <stdlib.h>

#include "win32/caadmin.h"
#include "win32/casettings.h"

struct lazy_admin {
    const struct config *config;
    SRWLOCK lock;
    bool open;
    struct ca_admin inner;
};

static int open_inner(struct lazy_admin *l, struct err *err)
{
    static const enum ca_admin_way ways[] = {
        [CONFIG_ADMIN_AUTO] = CA_ADMIN_AUTO,
        [CONFIG_ADMIN_COM] = CA_ADMIN_COM,
        [CONFIG_ADMIN_CERTUTIL] = CA_ADMIN_CERTUTIL,
    };
    SCOPED(ca_settings_free) struct ca_settings s = {0};
    const struct ca_settings_reader *reader = ca_settings_registry();
    int rc = reader->read(reader->self, &s, err);
    if (rc)
        return rc;
    const struct ca_admin_setup setup = {
        .config_string = s.config_string,
        .way = ways[l->config->ca.administration],
        .timeout_ms = l->config->ca.answer_timeout * 1000,
        .publish_timeout_ms = l->config->ca.publish_timeout * 1000,
    };
    return ca_admin_open(&setup, &l->inner, err);
}

/* The opened object, or NULL with err. */
static const struct ca_admin *inner(void *self, struct err *err)
{
    struct lazy_admin *l = self;
    AcquireSRWLockExclusive(&l->lock);
    if (!l->open)
        l->open = open_inner(l, err) == ERR_OK;
    bool open = l->open;
    ReleaseSRWLockExclusive(&l->lock);
    return open ? &l->inner : NULL;
}

static int failed(const struct err *err)
{
    return err->code ? (int)err->code : ERR_UNAVAILABLE;
}

static int lazy_publish(void *self, unsigned what, int64_t until, struct err *err)
{
    const struct ca_admin *a = inner(self, err);
    return a ? a->ops->publish(a->self, what, until, err) : failed(err);
}

static int lazy_long(void *self, enum ca_prop id, int32_t index, int32_t *ret, struct err *err)
{
    const struct ca_admin *a = inner(self, err);
    return a ? a->ops->prop_long(a->self, id, index, ret, err) : failed(err);
}

static int lazy_text(void *self, enum ca_prop id, int32_t index, struct buf *ret, struct err *err)
{
    const struct ca_admin *a = inner(self, err);
    return a ? a->ops->prop_text(a->self, id, index, ret, err) : failed(err);
}

static int lazy_blob(void *self, enum ca_prop id, int32_t index, struct buf *ret, struct err *err)
{
    const struct ca_admin *a = inner(self, err);
    return a ? a->ops->prop_blob(a->self, id, index, ret, err) : failed(err);
}

static int lazy_ping(void *self, struct err *err)
{
    const struct ca_admin *a = inner(self, err);
    return a ? a->ops->ping(a->self, err) : failed(err);
}

static int lazy_roles(void *self, uint32_t *ret, struct err *err)
{
    const struct ca_admin *a = inner(self, err);
    return a ? a->ops->roles(a->self, ret, err) : failed(err);
}

static int lazy_issued(void *self, const struct ca_issued_query *query, struct buf *ret,
                       struct err *err)
{
    const struct ca_admin *a = inner(self, err);
    return a ? a->ops->issued(a->self, query, ret, err) : failed(err);
}

static const struct ca_admin_ops ops = {
    "CA administration", lazy_publish, lazy_long,  lazy_text,
    lazy_blob,           lazy_ping,    lazy_roles, lazy_issued,
};

int lazy_admin_new(const struct config *config, struct lazy_admin **ret, struct err *err)
{
    struct lazy_admin *l = calloc(1, sizeof *l);
    if (!l)
        return err_nomem(err);
    l->config = config;
    InitializeSRWLock(&l->lock);
    *ret = l;
    return ERR_OK;
}

struct ca_admin lazy_admin_seam(struct lazy_admin *l)
{
    return (struct ca_admin){&ops, l};
}

void lazy_admin_free(struct lazy_admin **l)
{
    if (*l && (*l)->open)
        ca_admin_close(&(*l)->inner);
    free(*l);
    *l = NULL;
}
