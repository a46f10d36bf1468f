/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "cdp/locations.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cdp/url.h"

void locations_free(struct locations *l)
{
    free(l->item);
    free(l->slot);
    for (size_t i = 0; i < l->n_skips; i++) {
        free(l->skip[i].url);
        free(l->skip[i].why);
    }
    free(l->skip);
    *l = (struct locations){.item = NULL};
}

static int grow(struct locations *l, struct err *err)
{
    if (l->n < l->cap)
        return ERR_OK;
    if (l->n >= LIMIT_LOCATIONS)
        return err_set(err, ERR_LIMIT, "more than %u locations", LIMIT_LOCATIONS);
    size_t cap = l->cap ? l->cap * 2 : 16;
    struct probe_target *p = realloc(l->item, cap * sizeof *p);
    if (!p)
        return err_nomem(err);
    l->item = p;
    l->cap = cap;
    return ERR_OK;
}

static bool same_target(const struct probe_target *a, const struct probe_target *b)
{
    return a->role == b->role && a->key_index == b->key_index && a->partition == b->partition &&
           a->parent == b->parent && strcmp(a->url, b->url) == 0 &&
           strcmp(a->address, b->address) == 0;
}

/* FNV-1a: spread is all that is asked of it, the number of locations is limited. */
static size_t hash_of(const struct probe_target *t)
{
    uint64_t h = 14695981039346656037ull;
    for (const char *p = t->url; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211ull;
    for (const char *p = t->address; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211ull;
    return (size_t)(h ^ h >> 32);
}

/* Puts the items that are not in the table yet into it; at most half of it is used. */
static int bring_up_to_date(struct locations *l, struct err *err)
{
    /* Somebody took items out: start again. */
    if ((l->n + 1) * 2 > l->n_slots || l->n_indexed > l->n) {
        size_t n = l->n_slots ? l->n_slots : 64;
        while ((l->n + 1) * 2 > n)
            n *= 2;
        uint32_t *slot = calloc(n, sizeof *slot);
        if (!slot)
            return err_nomem(err);
        free(l->slot);
        l->slot = slot;
        l->n_slots = n;
        l->n_indexed = 0;
    }
    for (; l->n_indexed < l->n; l->n_indexed++) {
        size_t k = hash_of(&l->item[l->n_indexed]) & (l->n_slots - 1);
        while (l->slot[k])
            k = (k + 1) & (l->n_slots - 1);
        l->slot[k] = (uint32_t)l->n_indexed + 1;
    }
    return ERR_OK;
}

/* Joins the origins when it is there already. */
static int add_target(struct locations *l, const struct probe_target *t, struct err *err)
{
    int rc = bring_up_to_date(l, err);
    if (rc)
        return rc;
    for (size_t k = hash_of(t) & (l->n_slots - 1); l->slot[k]; k = (k + 1) & (l->n_slots - 1)) {
        struct probe_target *o = &l->item[l->slot[k] - 1];
        if (same_target(o, t)) {
            o->origin |= t->origin;
            return ERR_OK;
        }
    }
    rc = grow(l, err);
    if (!rc)
        l->item[l->n++] = *t;
    return rc;
}

static int add(struct locations *l, const char *url, const struct probe_target *like,
               struct err *err)
{
    struct err why = ERR_INIT;
    struct url u;
    struct probe_target t = *like;
    int rc = url_parse(url, &u, &why);
    if (rc) {
        locations_skip(l, url, like, SKIP_UNUSABLE, why.text);
        if (err)
            *err = why;
        return rc;
    }
    t.kind = u.kind;
    str_copy(t.url, sizeof t.url, u.text);
    return add_target(l, &t, err);
}

int locations_add_url(struct locations *l, const char *url, enum location_role role,
                      uint32_t origin, uint32_t key_index, struct err *err)
{
    return locations_add_parent_url(l, url, role, origin, key_index, (origin & FROM_PARENT) != 0,
                                    err);
}

int locations_add_parent_url(struct locations *l, const char *url, enum location_role role,
                             uint32_t origin, uint32_t key_index, uint8_t level, struct err *err)
{
    const struct probe_target t = {
        .role = role, .origin = origin, .key_index = key_index, .parent = level};
    return add(l, url, &t, err);
}

static bool is_configured(const struct probe_target *t, const char *url, enum location_role role,
                          const struct location_key *named)
{
    return t->role == role && strcmp(t->url, url) == 0 &&
           (!named ||
            (!t->parent && t->key_index == named->key_index && t->partition == named->partition));
}

static bool same_crl(const struct probe_target *a, const struct probe_target *b)
{
    return a->role == b->role && a->key_index == b->key_index && a->partition == b->partition &&
           a->parent == b->parent && strcmp(a->url, b->url) == 0;
}

/* Row i is asked at that address too: the row itself while it has none. */
static int add_address(struct locations *l, size_t i, const char *address, struct err *err)
{
    struct probe_target t = l->item[i];
    for (size_t k = 0; k < l->n; k++) {
        if (same_crl(&l->item[k], &t) && strcmp(l->item[k].address, address) == 0)
            return ERR_OK;
    }
    if (!t.address[0]) {
        str_copy(l->item[i].address, sizeof l->item[i].address, address);
        l->n_indexed = SIZE_MAX; /* the address is part of what is looked up */
        return ERR_OK;
    }
    str_copy(t.address, sizeof t.address, address);
    return add_target(l, &t, err);
}

int locations_add_configured(struct locations *l, const char *url, const char *address,
                             enum location_role role, const struct location_key *named,
                             struct location_key otherwise, struct err *err)
{
    const struct location_key key = named ? *named : otherwise;
    struct url u;
    size_t n = l->n;
    bool found = false;
    bool readable = url_parse(url, &u, NULL) == ERR_OK;
    int rc = ERR_OK;
    for (size_t i = 0; i < n && !rc && readable; i++) {
        bool first = is_configured(&l->item[i], u.text, role, named);
        for (size_t k = 0; k < i && first && *address; k++)
            first = !same_crl(&l->item[k], &l->item[i]);
        if (!first)
            continue;
        found = true;
        l->item[i].origin |= FROM_CONFIG;
        if (*address)
            rc = add_address(l, i, address, err);
    }
    if (found || rc)
        return rc;
    struct probe_target t = {.role = role,
                             .origin = FROM_CONFIG,
                             .key_index = key.key_index,
                             .partition = key.partition};
    str_copy(t.address, sizeof t.address, address);
    return add(l, url, &t, err);
}

/* Only these end the whole list; a bad URL among good ones is counted and left out. */
static bool fatal(int rc)
{
    return rc == ERR_NOMEM || (rc == ERR_LIMIT);
}

int locations_add_property(struct locations *l, const char *lines, enum location_role role,
                           uint32_t key_index, struct err *err)
{
    struct probe_target t = {.role = role, .origin = FROM_CA_CDP, .key_index = key_index};
    for (const char *p = lines; *p;) {
        char line[LIMIT_URL_CHARS + 2];
        size_t len = strcspn(p, "\r\n");
        size_t keep = len < sizeof line - 1 ? len : sizeof line - 1;
        memcpy(line, p, keep);
        line[keep] = '\0';
        if (keep && fatal(add(l, line, &t, err)) && l->n >= LIMIT_LOCATIONS)
            return ERR_LIMIT;
        p += len + strspn(p + len, "\r\n");
    }
    return ERR_OK;
}

struct expansion {
    struct locations *l;
    const struct token_values *v;
    struct err *err;
};

/* One entry for one of (base, delta), key and partition. */
static int add_expanded(struct expansion *x, const char *pattern, uint32_t origin,
                        enum location_role role, uint32_t partition)
{
    struct token_values v = *x->v;
    struct err why = ERR_INIT;
    char url[LIMIT_URL_CHARS + 1];
    bool net = str_starts_nocase(pattern, "http") || str_starts_nocase(pattern, "ldap");
    struct probe_target t = {
        .role = role, .origin = origin, .key_index = v.key_index, .partition = partition};
    v.delta = role == ROLE_CRL_DELTA;
    v.partition = partition;
    v.url_encode = net;
    if (tokens_expand(pattern, &v, url, sizeof url, &why)) {
        locations_skip(x->l, pattern, &t, SKIP_UNUSABLE, why.text);
        return ERR_OK;
    }
    int rc = add(x->l, url, &t, x->err);
    return rc == ERR_NOMEM || x->l->n >= LIMIT_LOCATIONS ? rc : ERR_OK;
}

static uint32_t crl_origin(uint32_t flags, bool delta)
{
    uint32_t origin = 0;
    if (!delta && (flags & CA_URL_CERT_CDP))
        origin |= FROM_CA_CDP;
    if (delta && (flags & CA_URL_FRESHEST))
        origin |= FROM_FRESHEST;
    /* http entries are never write targets: the CA answers 0x800700A1. */
    if (flags & (delta ? CA_URL_PUBLISH_DELTA : CA_URL_PUBLISH_BASE))
        origin |= FROM_CA_PUBLISH;
    return origin;
}

static int add_crl_entry(struct expansion *x, const struct ca_url *entry, bool deltas,
                         uint32_t partitions)
{
    bool split = strstr(entry->url, "<CRLPartitionIndex>") != NULL;
    int rc = ERR_OK;
    for (uint32_t p = 0; !rc && p <= (split ? partitions : 0); p++) {
        uint32_t base = crl_origin(entry->flags, false);
        uint32_t delta = crl_origin(entry->flags, true);
        /* A Freshest URL is an address of the delta even where the CA does not write. */
        if (base)
            rc = add_expanded(x, entry->url, base, ROLE_CRL_BASE, p);
        if (!rc && deltas && delta)
            rc = add_expanded(x, entry->url, delta, ROLE_CRL_DELTA, p);
    }
    return rc;
}

int locations_add_settings(struct locations *l, const struct ca_settings *s,
                           const struct token_values *v, struct err *err)
{
    struct expansion x = {l, v, err};
    int rc = ERR_OK;
    for (size_t i = 0; !rc && i < s->n_crl_urls; i++)
        rc = !s->crl_urls[i].url
                 ? ERR_OK
                 : add_crl_entry(&x, &s->crl_urls[i], s->delta_period.count > 0, s->crl_partitions);
    for (size_t i = 0; !rc && i < s->n_aia_urls; i++) {
        uint32_t flags = s->aia_urls[i].flags;
        if (flags & CA_URL_OCSP)
            rc = add_expanded(&x, s->aia_urls[i].url, FROM_CA_CDP, ROLE_OCSP, 0);
        else if (flags & CA_URL_CERT_CDP)
            rc = add_expanded(&x, s->aia_urls[i].url, FROM_CA_CDP, ROLE_AIA, 0);
    }
    return rc;
}

static int add_one_address(struct locations *out, const struct probe_target *t, const char *address,
                           struct err *err)
{
    struct probe_target one = *t;
    if (address)
        str_copy(one.address, sizeof one.address, address);
    return add_target(out, &one, err);
}

static bool wants_addresses(const struct probe_target *t)
{
    return (t->kind == LOC_HTTP || t->kind == LOC_HTTPS) && !t->address[0] && !t->by_name;
}

static bool wants_servers(const struct probe_target *t)
{
    return t->kind == LOC_LDAP && !t->address[0] &&
           (str_starts(t->url, "ldap:///") || str_starts(t->url, "ldaps:///"));
}

/* Every distinct host name once. */
static size_t collect_hosts(const struct locations *l, struct host_addresses *hosts)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        struct url u;
        bool seen = !wants_addresses(&l->item[i]) || url_parse(l->item[i].url, &u, NULL);
        for (size_t k = 0; !seen && k < n; k++)
            seen = strcmp(hosts[k].host, u.host) == 0;
        if (!seen)
            str_copy(hosts[n++].host, sizeof hosts[0].host, u.host);
    }
    return n;
}

static int spread_http(struct locations *out, const struct probe_target *t,
                       const struct host_addresses *hosts, size_t n_hosts, struct err *err)
{
    struct url u;
    int rc = url_parse(t->url, &u, err);
    for (size_t k = 0; !rc && k < n_hosts; k++) {
        const struct host_addresses *h = &hosts[k];
        if (strcmp(h->host, u.host) != 0)
            continue;
        if (h->n == 0) {
            struct probe_target none = *t;
            none.unresolved = true;
            return add_target(out, &none, err);
        }
        for (size_t a = 0; !rc && a < h->n; a++)
            rc = add_one_address(out, t, h->address[a], err);
        return rc;
    }
    return rc;
}

static int spread_one(struct locations *out, const struct probe_target *t,
                      const struct host_addresses *hosts, size_t n_hosts,
                      const char (*ldap_servers)[80], size_t n_ldap, struct err *err)
{
    if (wants_addresses(t) && n_hosts)
        return spread_http(out, t, hosts, n_hosts, err);
    if (!wants_servers(t) || !n_ldap)
        return add_one_address(out, t, NULL, err);
    int rc = ERR_OK;
    for (size_t k = 0; !rc && k < n_ldap; k++)
        rc = add_one_address(out, t, ldap_servers[k], err);
    return rc;
}

int locations_spread(struct locations *l, const struct resolver *resolver, int64_t timeout_ms,
                     const char (*ldap_servers)[80], size_t n_ldap_servers, struct err *err)
{
    SCOPED(locations_free) struct locations out = {0};
    SCOPED(scope_free)
    struct host_addresses *hosts = resolver && l->n ? calloc(l->n, sizeof *hosts) : NULL;
    if (resolver && l->n && !hosts)
        return err_nomem(err);
    size_t n_hosts = hosts ? collect_hosts(l, hosts) : 0;
    if (n_hosts)
        resolver->resolve(resolver->self, hosts, n_hosts, timeout_ms);
    int rc = ERR_OK;
    for (size_t i = 0; !rc && i < l->n; i++)
        rc = spread_one(&out, &l->item[i], hosts, n_hosts, ldap_servers, n_ldap_servers, err);
    if (rc)
        return rc;
    out.skip = steal_ptr(l->skip);
    out.n_skips = l->n_skips;
    out.n_skipped = l->n_skipped;
    l->n_skips = 0;
    locations_free(l);
    *l = out;
    out = (struct locations){0};
    return ERR_OK;
}

int locations_copy(const struct locations *l, struct locations *ret, struct err *err)
{
    ret->item = calloc(l->n + 1, sizeof *ret->item);
    if (!ret->item)
        return err_nomem(err);
    if (l->n)
        memcpy(ret->item, l->item, l->n * sizeof *ret->item);
    ret->n = l->n;
    ret->cap = l->n + 1;
    return ERR_OK;
}

static bool has_client_view(const struct probe_target *t)
{
    return (t->kind == LOC_HTTP || t->kind == LOC_HTTPS) && !t->as_client &&
           (t->role == ROLE_CRL_BASE || t->role == ROLE_CRL_DELTA);
}

/* A location with configured addresses has a row for each: one is enough. */
static bool viewed(const struct locations *l, size_t from, const struct probe_target *t)
{
    for (size_t i = from; i < l->n; i++) {
        const struct probe_target *o = &l->item[i];
        if (o->role == t->role && o->key_index == t->key_index && o->partition == t->partition &&
            o->parent == t->parent && strcmp(o->url, t->url) == 0)
            return true;
    }
    return false;
}

int locations_add_client_view(struct locations *l, const struct locations *names, struct err *err)
{
    size_t from = l->n;
    for (size_t i = 0; i < names->n && l->n < LIMIT_LOCATIONS; i++) {
        const struct probe_target *t = &names->item[i];
        if (!has_client_view(t) || (t->address[0] && viewed(l, from, t)))
            continue;
        if (l->n == l->cap) {
            size_t cap = l->cap * 2 + 4;
            struct probe_target *p = realloc(l->item, cap * sizeof *p);
            if (!p)
                return err_nomem(err);
            l->item = p;
            l->cap = cap;
        }
        /* Not merged with the row that has no address either: these are two questions. */
        l->item[l->n] = *t;
        l->item[l->n].address[0] = '\0';
        l->item[l->n].by_name = true;
        l->item[l->n++].as_client = true;
    }
    return ERR_OK;
}
