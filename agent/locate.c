/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/locate.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cdp/locations.h"
#include "cdp/url.h"

#define DCS_MAX 64

static int add_properties(struct locations *l, const struct ca_key *k, struct err *err)
{
    int rc = locations_add_property(l, buf_str(&k->cdp_urls), ROLE_CRL_BASE, k->key_index, err);
    if (rc)
        return rc;
    return locations_add_certificate(l, k->cert.data, k->cert.len, FROM_PARENT, k->key_index, err);
}

static int add_key(struct locations *l, const struct ca_view *v, const struct ca_key *k,
                   struct err *err)
{
    const struct token_values values = {
        .server_dns = v->settings.server_name,
        .ca_name = v->settings.common_name,
        .cert_index = (uint32_t)k->cert_index,
        .domain_dn = v->settings.domain_dn,
        .config_dn = v->settings.ds_config_dn,
        .key_index = k->key_index,
    };
    int rc = add_properties(l, k, err);
    return rc ? rc : locations_add_settings(l, &v->settings, &values, err);
}

static int add_at(struct locations *l, const struct config_location *loc, const char *address,
                  struct err *err)
{
    enum location_role role = loc->role == CONFIG_ROLE_DELTA ? ROLE_CRL_DELTA : ROLE_CRL_BASE;
    int rc = locations_add_url(l, loc->url, role, FROM_CONFIG, 0, err);
    if (rc || !*address)
        return rc;
    /* The row without an address is the one just added, or the one the CA's settings gave. */
    for (size_t i = l->n; i-- > 0;) {
        struct probe_target *t = &l->item[i];
        if (!*t->address && t->role == role && url_same(t->url, loc->url)) {
            (void)str_copy(t->address, sizeof t->address, address);
            return ERR_OK;
        }
    }
    return ERR_OK;
}

static int add_configured(struct locations *l, const struct config_location *loc, struct err *err)
{
    int rc = loc->addresses.n ? ERR_OK : add_at(l, loc, "", err);
    for (size_t i = 0; i < loc->addresses.n && !rc; i++)
        rc = add_at(l, loc, loc->addresses.item[i], err);
    return rc;
}

/* The maintenance is about CRLs: certificates and OCSP responders are looked at by check only. */
static void keep_crls(struct locations *l, int64_t timeout_ms)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (l->item[i].role != ROLE_CRL_BASE && l->item[i].role != ROLE_CRL_DELTA)
            continue;
        l->item[i].timeout_ms = timeout_ms;
        if (n != i)
            l->item[n] = l->item[i];
        n++;
    }
    l->n = n;
}

static int spread(const struct locate *self, struct locations *l, struct err *err)
{
    char(*dcs)[80] = calloc(DCS_MAX, sizeof *dcs);
    size_t n = 0;
    struct err ignored = ERR_INIT;
    if (!dcs)
        return err_nomem(err);
    /* Outside a domain there are none; a hostless LDAP location then reports it by itself. */
    if (self->ldap && self->ldap->servers(self->ldap->self, dcs, DCS_MAX, &n, &ignored))
        n = 0;
    int rc = locations_spread(l, self->resolver, self->config->probe.timeout * 1000,
                              (const char(*)[80])dcs, n, err);
    free(dcs);
    return rc;
}

static int locate(void *arg, const struct ca_view *view, struct probe_target **ret, size_t *ret_n,
                  struct err *err)
{
    const struct locate *self = arg;
    SCOPED(locations_free) struct locations l = {0};
    int rc = ERR_OK;
    for (size_t i = 0; i < view->n_keys && !rc; i++) {
        if (view->key[i].living)
            rc = add_key(&l, view, &view->key[i], err);
    }
    for (size_t i = 0; i < self->config->n_locations && !rc; i++)
        rc = add_configured(&l, &self->config->locations[i], err);
    if (rc)
        return rc;
    keep_crls(&l, self->config->probe.timeout * 1000);
    rc = spread(self, &l, err);
    if (rc)
        return rc;
    *ret_n = l.n;
    *ret = steal_ptr(l.item);
    return ERR_OK;
}

struct maint_locate locate_seam(struct locate *l)
{
    return (struct maint_locate){locate, l};
}
