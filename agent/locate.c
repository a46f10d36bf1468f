/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/locate.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cdp/climb.h"
#include "cdp/url.h"

#define DCS_MAX 64

static int add_properties(struct locations *l, const struct ca_key *k, struct err *err)
{
    int rc = locations_add_property(l, buf_str(&k->cdp_urls), ROLE_CRL_BASE, k->key_index, err);
    if (!rc)
        rc = locations_add_property(l, buf_str(&k->aia_urls), ROLE_AIA, k->key_index, err);
    return rc ? rc
              : locations_add_property(l, buf_str(&k->ocsp_urls), ROLE_OCSP, k->key_index, err);
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

static int add_configured(struct locations *l, const struct ca_view *v,
                          const struct config_location *loc, struct err *err)
{
    enum location_role role = loc->role == CONFIG_ROLE_DELTA ? ROLE_CRL_DELTA : ROLE_CRL_BASE;
    const struct location_key named = {loc->key, loc->partition};
    struct location_key otherwise = {0, 0};
    size_t i = 0;
    while (i < v->n_keys && !v->key[i].living)
        i++;
    if (i < v->n_keys)
        otherwise.key_index = v->key[i].key_index;
    i = 0;
    int rc;
    do {
        const char *address = loc->addresses.n ? loc->addresses.item[i] : "";
        rc = locations_add_configured(l, loc->url, address, role, loc->has_key ? &named : NULL,
                                      otherwise, err);
    } while (!rc && ++i < loc->addresses.n);
    return rc;
}

static bool is_living(const struct ca_view *v, uint32_t key_index)
{
    for (size_t i = 0; i < v->n_keys; i++) {
        if (v->key[i].living && v->key[i].key_index == key_index)
            return true;
    }
    return false;
}

/* What living certificates carry. The same URL from elsewhere, also of a CRL partition, is one row.
 */
static int add_carried(struct locations *l, const struct store_carried *c, struct err *err)
{
    struct err skip = ERR_INIT;
    bool found = false;
    for (size_t i = 0; i < l->n; i++) {
        struct probe_target *t = &l->item[i];
        if ((uint32_t)t->role != c->role || t->key_index != c->key_index || t->parent ||
            !url_same(t->url, c->url))
            continue;
        t->origin |= FROM_CERTIFICATE;
        t->carried_until = c->until;
        found = true;
    }
    if (found)
        return ERR_OK;
    if (!url_may_follow(c->url)) {
        const struct probe_target like = {.role = (enum location_role)c->role,
                                          .origin = FROM_CERTIFICATE,
                                          .key_index = c->key_index};
        locations_skip(l, c->url, &like, SKIP_FOREIGN, LOCATIONS_FOREIGN);
        return ERR_OK;
    }
    size_t before = l->n;
    int rc = locations_add_url(l, c->url, (enum location_role)c->role, FROM_CERTIFICATE,
                               c->key_index, &skip);
    if (l->n > before)
        l->item[before].carried_until = c->until;
    return rc == ERR_NOMEM ? err_nomem(err) : ERR_OK;
}

static int add_all_carried(struct locations *l, const struct ca_view *v, struct err *err)
{
    int rc = ERR_OK;
    for (size_t i = 0; i < v->n_carried && !rc; i++) {
        if (is_living(v, v->carried[i].key_index))
            rc = add_carried(l, &v->carried[i], err);
    }
    return rc;
}

/* This CA's own certificates, and above them what the host knows. */
static int collect_issuers(const struct locate *self, const struct ca_view *v,
                           struct crl_issuers **ret, struct err *err)
{
    SCOPED(buf_free) struct buf own = BUF_INIT;
    SCOPED(buf_free) struct buf above = BUF_INIT;
    struct err ignored = ERR_INIT;
    for (size_t i = 0; i < v->n_keys; i++)
        buf_add(&own, v->key[i].cert.data, v->key[i].cert.len);
    if (own.len && self->parents &&
        self->parents((const uint8_t *)own.data, own.len, &above, &ignored))
        buf_clear(&above);
    int rc = buf_check(&own, "CA certificates", err);
    if (!rc && own.len)
        rc = crl_issuers_add(ret, "CA certificates", own.data, own.len, err);
    if (!rc && above.len && crl_issuers_add(ret, "parents", above.data, above.len, &ignored))
        err_clear(&ignored);
    return rc;
}

/* What OCSP responders can be asked about, and the chain of each living key. */
struct chains {
    struct climb *climb; /* per key of the view */
    size_t n;
    struct ocsp_subject *subject;
    size_t n_subjects;
};

static void chains_free(struct chains *c)
{
    for (size_t i = 0; c->climb && i < c->n; i++)
        climb_free(&c->climb[i]);
    free(c->climb);
    free(c->subject);
}

static void add_subjects(struct chains *c, const struct ca_key *k, const struct climb *up)
{
    if (k->issued.len)
        c->subject[c->n_subjects++] =
            (struct ocsp_subject){k->issued.data, k->issued.len, k->key_index, 0};
    for (size_t i = 0; i < up->n; i++)
        c->subject[c->n_subjects++] = (struct ocsp_subject){up->cert[i].data, up->cert[i].len,
                                                            k->key_index, (uint8_t)(i + 1)};
}

/* CertSvc checks every certificate below the root when it starts. */
static int add_chains(struct chains *c, struct locations *l, const struct ca_view *v,
                      struct crl_issuers **issuers, struct err *err)
{
    int rc = ERR_OK;
    c->climb = calloc(v->n_keys + 1, sizeof *c->climb);
    c->subject = calloc(v->n_keys * (CLIMB_LEVELS + 1) + 1, sizeof *c->subject);
    c->n = v->n_keys;
    if (!c->climb || !c->subject)
        return err_nomem(err);
    for (size_t i = 0; i < v->n_keys && !rc; i++) {
        const struct ca_key *k = &v->key[i];
        if (!k->living)
            continue;
        rc = locations_climb(l, k->cert.data, k->cert.len, k->key_index, issuers, NULL,
                             &c->climb[i], err);
        add_subjects(c, k, &c->climb[i]);
    }
    return rc;
}

/* The maintenance is about CRLs: certificates and OCSP responders are looked at by the watch. */
static void keep_wanted(struct locations *l, bool all, int64_t timeout_ms)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (!all && l->item[i].role != ROLE_CRL_BASE && l->item[i].role != ROLE_CRL_DELTA)
            continue;
        l->item[i].timeout_ms = timeout_ms;
        if (n != i)
            l->item[n] = l->item[i];
        n++;
    }
    l->n = n;
}

static bool goes_direct(const struct config_list *direct, const struct probe_target *t)
{
    struct url u;
    bool found = url_parse(t->url, &u, NULL) != ERR_OK;
    for (size_t i = 0; i < direct->n && !found; i++) {
        const char *d = direct->item[i];
        found = *d == '.' ? str_ends_nocase(u.host, d) : str_eq_nocase(u.host, d);
    }
    return found;
}

/* As the proxy settings of any client: by name through it, except what goes past it. */
static void use_proxy(const struct locate *self, struct locations *l)
{
    const char *proxy = self->config->probe.proxy;
    for (size_t i = 0; i < l->n && proxy && *proxy; i++) {
        struct probe_target *t = &l->item[i];
        if (t->kind != LOC_HTTP && t->kind != LOC_HTTPS)
            continue;
        t->direct = goes_direct(&self->config->probe.direct, t);
        t->by_name = !t->direct && !t->address[0];
    }
}

static int spread(const struct locate *self, struct locations *l, struct err *err)
{
    SCOPED(locations_free) struct locations names = {0};
    char(*dcs)[80] = calloc(DCS_MAX, sizeof *dcs);
    size_t n = 0;
    struct err ignored = ERR_INIT;
    if (!dcs)
        return err_nomem(err);
    use_proxy(self, l);
    bool view = self->all && self->config->probe.as_client;
    int rc = view ? locations_copy(l, &names, err) : ERR_OK;
    /* Outside a domain there are none; a hostless LDAP location then reports it by itself. */
    if (self->ldap && self->ldap->servers(self->ldap->self, dcs, DCS_MAX, &n, &ignored))
        n = 0;
    if (!rc)
        rc = locations_spread(l, self->resolver, self->config->probe.timeout * 1000,
                              (const char(*)[80])dcs, n, err);
    free(dcs);
    return rc || !view ? rc : locations_add_client_view(l, &names, err);
}

int locate_collect(const struct locate *self, const struct ca_view *view, struct locations *ret,
                   struct crl_issuers **issuers, struct err *ret_unknown, struct err *err)
{
    SCOPED(chains_free) struct chains chains = {.n = 0};
    int rc = collect_issuers(self, view, issuers, err);
    for (size_t i = 0; i < view->n_keys && !rc; i++) {
        if (view->key[i].living)
            rc = add_key(ret, view, &view->key[i], err);
    }
    if (!rc)
        rc = add_chains(&chains, ret, view, issuers, err);
    err_clear(ret_unknown);
    for (size_t i = 0; i < chains.n && !rc && !ret_unknown->code; i++) {
        if (chains.climb[i].n && !chains.climb[i].rooted)
            *ret_unknown = chains.climb[i].why;
    }
    for (size_t i = 0; i < self->config->n_locations && !rc; i++)
        rc = add_configured(ret, view, &self->config->locations[i], err);
    if (!rc)
        rc = add_all_carried(ret, view, err);
    if (!rc && self->all)
        rc = locations_ask_ocsp(ret, chains.subject, chains.n_subjects, *issuers, false, err);
    return rc;
}

static int locate(void *arg, const struct ca_view *view, struct probe_target **ret, size_t *ret_n,
                  struct err *err)
{
    struct locate *self = arg;
    SCOPED(locations_free) struct locations l = {0};
    SCOPED(crl_issuers_free) struct crl_issuers *issuers = NULL;
    int rc = locate_collect(self, view, &l, &issuers, &self->unknown_parent, err);
    if (rc)
        return rc;
    keep_wanted(&l, self->all, self->config->probe.timeout * 1000);
    rc = spread(self, &l, err);
    if (rc)
        return rc;
    *ret_n = l.n;
    *ret = steal_ptr(l.item);
    return ERR_OK;
}

struct maint_locate locate_seam(struct locate *l)
{
    return (struct maint_locate){locate, l, &l->unknown_parent};
}
