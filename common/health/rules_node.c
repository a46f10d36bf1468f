/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Several servers behind one location: a farm, or the domain controllers of an LDAP location. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "health/rules_int.h"

/* Probes that ask as clients do (caches may answer) are compared with the others, not counted. */
static bool counts(const struct rules *x, size_t i)
{
    return !x->in->targets[i].as_client;
}

static size_t member(const struct rules *x, const struct node_group *g, size_t k)
{
    return x->order[g->first + k];
}

static size_t count_nodes(const struct rules *x, const struct node_group *g)
{
    size_t n = 0;
    for (size_t k = 0; k < g->n; k++)
        n += counts(x, member(x, g, k));
    return n;
}

/* What is no CRL of this CA, key and kind says nothing about the age of the others. */
static bool comparable(const struct rules *x, size_t i)
{
    static const uint32_t other = CRL_V_BAD_SIGNATURE | CRL_V_WRONG_ISSUER | CRL_V_WRONG_TYPE;
    return has_crl(&x->in->results[i]) && !(x->verdicts[i] & other);
}

static const struct crl_facts *newest(const struct rules *x, const struct node_group *g)
{
    const struct crl_facts *best = NULL;
    for (size_t k = 0; k < g->n; k++) {
        size_t i = member(x, g, k);
        const struct crl_facts *f = &x->in->results[i].facts;
        if (comparable(x, i) && (!best || crl_number_compare(&f->number, &best->number) > 0))
            best = f;
    }
    return best;
}

static bool is_stale(const struct rules *x, const struct node_group *g, size_t i)
{
    const struct crl_facts *best = newest(x, g);
    return best && comparable(x, i) &&
           crl_number_compare(&x->in->results[i].facts.number, &best->number) < 0 &&
           !rules_on_its_way(x, i);
}

static bool is_stale_and_expired(const struct rules *x, const struct node_group *g, size_t i)
{
    return is_stale(x, g, i) && (x->verdicts[i] & CRL_V_EXPIRED);
}

static bool is_down(const struct rules *x, const struct node_group *g, size_t i)
{
    (void)g;
    return !has_crl(&x->in->results[i]);
}

static size_t count_that(const struct rules *x, const struct node_group *g,
                         bool (*is)(const struct rules *, const struct node_group *, size_t),
                         struct buf *names)
{
    size_t n = 0;
    for (size_t k = 0; k < g->n; k++) {
        size_t i = member(x, g, k);
        if (!counts(x, i) || !is(x, g, i))
            continue;
        const char *address =
            x->in->targets[i].address[0] ? x->in->targets[i].address : x->in->results[i].address;
        if (names && n < 8)
            buf_printf(names, "%s%s", n ? ", " : "", address);
        else if (names && n == 8)
            buf_puts(names, ", ...");
        n++;
    }
    return n;
}

static size_t first_that(const struct rules *x, const struct node_group *g,
                         bool (*is)(const struct rules *, const struct node_group *, size_t))
{
    for (size_t k = 0; k < g->n; k++) {
        size_t i = member(x, g, k);
        if (counts(x, i) && is(x, g, i))
            return i;
    }
    return SIZE_MAX;
}

static void rule_stale(struct rules *x, const struct node_group *g, size_t nodes)
{
    SCOPED(buf_free) struct buf names = BUF_INIT;
    size_t n = count_that(x, g, is_stale, &names);
    size_t i = first_that(x, g, is_stale);
    if (!n)
        return;
    const struct crl_facts *f_new = newest(x, g);
    const struct crl_facts *f_old = &x->in->results[i].facts;
    bool ldap = x->in->targets[i].kind == LOC_LDAP;
    char a[48], b[48], since[WHEN_TEXT_MAX];
    struct finding *f = rule_add(x, ldap ? FIND_LDAP_REPLICATION_LAG : FIND_STALE_NODE, i);
    size_t expired = count_that(x, g, is_stale_and_expired, NULL);
    /* An old copy that is still valid is trouble, an expired one an outage. */
    f->outage = expired > 0;
    if (ldap && expired)
        f->severity = SEV_CRITICAL;
    rule_expected(f, "CRL number %s on all %zu %s", crl_number_format(&f_new->number, a), nodes,
                  ldap ? "domain controllers" : "servers");
    rule_found(f, "%zu of %zu %s (%s) %s CRL number %s of %s", n, nodes,
               ldap ? "domain controllers" : "servers", buf_str(&names),
               n == 1 ? "serves" : "serve", crl_number_format(&f_old->number, b),
               when_format(f_old->this_update, since));
    size_t len = strlen(f->found);
    if (expired)
        snprintf(f->found + len, sizeof f->found - len, "; at %zu it has expired", expired);
}

static void rule_down(struct rules *x, const struct node_group *g, size_t nodes)
{
    SCOPED(buf_free) struct buf names = BUF_INIT;
    size_t n = count_that(x, g, is_down, &names);
    size_t i = first_that(x, g, is_down);
    if (!n || n == nodes)
        return;
    struct finding *f = rule_add(x, FIND_NODE_DOWN, i);
    rule_expected(f, "a CRL from each of %zu servers", nodes);
    rule_found(f, "%zu of %zu (%s): %.300s", n, nodes, buf_str(&names),
               x->in->results[i].detail[0] ? x->in->results[i].detail
                                           : probe_status_name(x->in->results[i].status));
}

static void rule_client_cache(struct rules *x, const struct node_group *g)
{
    const struct crl_facts *best = newest(x, g);
    for (size_t k = 0; k < g->n; k++) {
        size_t i = member(x, g, k);
        const struct probe_result *r = &x->in->results[i];
        char a[48], b[48];
        if (counts(x, i) || !comparable(x, i) || !best ||
            crl_number_compare(&r->facts.number, &best->number) >= 0 || rules_on_its_way(x, i))
            continue;
        struct finding *f = rule_add(x, FIND_CACHE_SERVES_OLD, i);
        rule_expected(f, "CRL number %s, as without caches", crl_number_format(&best->number, a));
        rule_found(f, "CRL number %s (Age %lld s%s)", crl_number_format(&r->facts.number, b),
                   (long long)(r->age < 0 ? 0 : r->age), r->via_proxy ? ", through a proxy" : "");
    }
}

void rules_group(struct rules *x, const struct node_group *g)
{
    size_t nodes = count_nodes(x, g);
    if (!is_crl_role(&x->in->targets[member(x, g, 0)]))
        return;
    if (nodes > 1) {
        rule_stale(x, g, nodes);
        rule_down(x, g, nodes);
    }
    rule_client_cache(x, g);
}

uint32_t rules_left_to_tell(const struct rules *x, const struct node_group *g, size_t i)
{
    /* That a copy is old says all about it, but not that clients cannot use it any more. */
    static const uint32_t expiry = CRL_V_EXPIRED | CRL_V_EXPIRING_SOON;
    size_t nodes = count_nodes(x, g);
    if (!counts(x, i))
        return is_stale(x, g, i) ? expiry : 0;
    if (nodes < 2)
        return RULES_ALL;
    if (is_stale(x, g, i))
        return expiry;
    return is_down(x, g, i) && count_that(x, g, is_down, NULL) < nodes ? 0 : RULES_ALL;
}

static bool serves_usable(const struct rules *x, size_t i)
{
    static const uint32_t fatal = CRL_V_EXPIRED | CRL_V_BAD_SIGNATURE | CRL_V_WRONG_ISSUER |
                                  CRL_V_WRONG_TYPE | CRL_V_FROM_FUTURE | CRL_V_UNKNOWN_CRITICAL;
    return has_crl(&x->in->results[i]) && !(x->verdicts[i] & fatal);
}

/* Per key, partition and type: is there any location left that a client can use? */
void rules_nothing_usable(struct rules *x)
{
    for (size_t k = 0; k < x->in->n;) {
        size_t first = x->order[k];
        const struct probe_target *t = &x->in->targets[first];
        size_t n = 0, usable = 0;
        for (; k < x->in->n; k++) {
            const struct probe_target *o = &x->in->targets[x->order[k]];
            if (o->role != t->role || o->key_index != t->key_index ||
                o->partition != t->partition || o->parent != t->parent)
                break;
            n += counts(x, x->order[k]);
            usable += serves_usable(x, x->order[k]);
        }
        if (usable || t->parent || !is_crl_role(t))
            continue;
        struct finding *f = rule_add(x, FIND_NOTHING_USABLE, first);
        f->url[0] = f->address[0] = '\0';
        rule_expected(f, "at least one location with a usable %s CRL of key %u",
                      t->role == ROLE_CRL_DELTA ? "delta" : "base", t->key_index);
        char part[32] = "";
        if (t->partition)
            snprintf(part, sizeof part, ", partition %u", t->partition);
        rule_found(f, "%s CRL of key %u%s: usable at 0 of %zu location%s, the first is %.300s",
                   t->role == ROLE_CRL_DELTA ? "delta" : "base", t->key_index, part, n,
                   n == 1 ? "" : "s", t->url);
    }
}
