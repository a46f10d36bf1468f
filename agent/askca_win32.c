/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/askca_win32.h"

#include <stdlib.h>
#include <string.h>

#include "agent/locate.h"
#include "base/str.h"
#include "cdp/issued.h"
#include "cdp/url.h"
#include "maint/view.h"
#include "win32/caadmin.h"
#include "win32/castorecert.h"

#define ISSUED_MAX 1000u
#define CARRIED_MAX 200u

static void close_admin(struct ca_admin *a)
{
    if (a->self)
        ca_admin_close(a);
}

/* There is no registry of another host to read: only its name is known. */
static int no_registry(void *self, struct ca_settings *ret, struct err *err)
{
    const char *config_string = self;
    const char *name = strchr(config_string, '\\');
    ret->config_string = str_dup(config_string);
    ret->common_name = str_dup(name ? name + 1 : "");
    return ret->config_string && ret->common_name ? ERR_OK : err_nomem(err);
}

static struct store_carried *row_of(struct ca_view *v, const char *url, uint32_t role, uint32_t key)
{
    for (size_t i = 0; i < v->n_carried; i++) {
        struct store_carried *c = &v->carried[i];
        if (c->role == role && c->key_index == key && url_same(c->url, url))
            return c;
    }
    if (v->n_carried == CARRIED_MAX)
        return NULL;
    struct store_carried *c = &v->carried[v->n_carried++];
    *c = (struct store_carried){.role = role, .key_index = key};
    (void)str_copy(c->url, sizeof c->url, url);
    return c;
}

static bool names_responder(const struct locations *names)
{
    for (size_t i = 0; i < names->n; i++) {
        if (names->item[i].role == ROLE_OCSP)
            return true;
    }
    return false;
}

static int take_one(void *arg, const void *cert, size_t len, uint32_t key_index, int64_t not_after,
                    const struct locations *names, struct err *err)
{
    struct ca_view *v = arg;
    for (size_t i = 0; i < names->n; i++) {
        struct store_carried *c =
            row_of(v, names->item[i].url, (uint32_t)names->item[i].role, key_index);
        if (c && not_after > c->until)
            c->until = not_after;
    }
    for (size_t i = 0; i < v->n_keys; i++) {
        struct buf *sample = &v->key[i].issued;
        if (v->key[i].key_index == key_index && !sample->len && names_responder(names) &&
            buf_add(sample, cert, len))
            return buf_check(sample, "an issued certificate", err);
    }
    return ERR_OK;
}

/* Without the right to read the database the rest is still worth a look. */
static int read_issued(const struct ca_admin *admin, struct ca_view *v, struct probing *p,
                       struct err *err)
{
    SCOPED(buf_free) struct buf certs = BUF_INIT;
    struct issued_ca ca[LIMIT_CA_CERTS];
    const struct ca_issued_query query = {.max = ISSUED_MAX, .now = clock_now(clock_system())};
    const struct issued_visit visit = {take_one, v};
    struct err why = ERR_INIT;
    size_t n = 0;
    v->carried = calloc(CARRIED_MAX, sizeof *v->carried);
    if (!v->carried)
        return err_nomem(err);
    for (size_t i = 0; i < v->n_keys && n < LIMIT_CA_CERTS; i++)
        ca[n++] =
            (struct issued_ca){buf_str(&v->key[i].cert), v->key[i].cert.len, v->key[i].key_index};
    int rc = admin->ops->issued(admin->self, &query, &certs, &why);
    if (!rc)
        rc = issued_walk(buf_str(&certs), certs.len, ca, n, &visit, &why);
    if (!rc)
        return ERR_OK;
    return findings_tell(&p->findings, FIND_ISSUED_UNREADABLE, "the newest issued certificates",
                         why.text, err);
}

static int add_certificates(const struct ca_view *v, struct probing *p, struct err *err)
{
    int rc = ERR_OK;
    for (size_t i = 0; i < v->n_keys && !rc; i++)
        rc = health_ca_certs_add(&p->certs, buf_str(&v->key[i].cert), v->key[i].cert.len,
                                 v->key[i].key_index, err);
    return rc;
}

int ask_ca(const char *config_string, struct probing *p, struct err *err)
{
    SCOPED(close_admin) struct ca_admin admin = {NULL, NULL};
    SCOPED(ca_view_free) struct ca_view view = {.asked = false};
    SCOPED(config_free) struct config config = {.n_locations = 0};
    const struct ca_admin_setup setup = {.config_string = config_string, .way = CA_ADMIN_COM};
    const struct ca_settings_reader reader = {no_registry, (void *)(uintptr_t)config_string};
    const struct locate all = {.config = &config, .all = true, .parents = ca_store_parents};
    if (!strchr(config_string, '\\'))
        return err_set(err, ERR_INVALID, "expected HOST\\CA name, as certutil prints it");
    int rc = ca_admin_open(&setup, &admin, err);
    if (!rc)
        rc = ca_view_read(&reader, &admin, NULL, true, clock_now(clock_system()), &view, err);
    if (!rc)
        rc = read_issued(&admin, &view, p, err);
    if (!rc)
        rc = add_certificates(&view, p, err);
    struct err unknown = ERR_INIT;
    if (!rc)
        rc = locate_collect(&all, &view, &p->locations, &p->issuers, &unknown, err);
    if (rc || !unknown.code)
        return rc;
    return findings_tell(&p->findings, FIND_PARENT_UNKNOWN, "each CA certificate up to the root",
                         unknown.text, err);
}
