/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "health/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static bool known(const uint8_t id[20])
{
    static const uint8_t none[20];
    return memcmp(id, none, sizeof none) != 0;
}

uint32_t keys_find(const struct health_ca_certs *c, const uint8_t key_id[20])
{
    for (size_t i = 0; i < c->n; i++) {
        if (known(key_id) && memcmp(c->item[i].key_id, key_id, sizeof c->item[i].key_id) == 0)
            return c->item[i].key_index;
    }
    return KEYS_NONE;
}

bool keys_same(const struct crl_facts *a, const struct crl_facts *b)
{
    if (a->issuer_der_len != b->issuer_der_len ||
        memcmp(a->issuer_der, b->issuer_der, a->issuer_der_len) != 0)
        return false;
    if (known(a->signer) && known(b->signer))
        return memcmp(a->signer, b->signer, sizeof a->signer) == 0;
    return !a->aki_len || !b->aki_len ||
           (a->aki_len == b->aki_len && memcmp(a->aki, b->aki, a->aki_len) == 0);
}

bool keys_foreign(const struct crl_facts *f, enum crl_signature s, const struct health_ca_cert *c,
                  size_t n, uint32_t key_index)
{
    bool any = false;
    if (s != CRL_SIG_GOOD || !known(f->signer))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (c[i].key_index != key_index || !known(c[i].key_id))
            continue;
        if (memcmp(c[i].key_id, f->signer, sizeof f->signer) == 0)
            return false;
        any = true;
    }
    return any;
}

/* What is served at one URL, by all its servers. */
struct place {
    const struct probe_target *t;
    size_t i;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int c = x->t->role < y->t->role ? -1 : x->t->role > y->t->role;
    c = c ? c : strcmp(x->t->url, y->t->url);
    return c ? c : x->i < y->i ? -1 : 1;
}

/* Nobody but the command line, or a certificate given there, names it. */
static bool movable(const struct probe_target *t)
{
    const uint32_t named = FROM_COMMAND_LINE | FROM_CERTIFICATE;
    return (t->role == ROLE_CRL_BASE || t->role == ROLE_CRL_DELTA) && !t->parent &&
           !t->carried_until && (t->origin & named) && !(t->origin & ~(named | FROM_FRESHEST));
}

static bool tells_key(const struct probe_result *r)
{
    bool has = r->status == PROBE_OK || r->status == PROBE_NOT_MODIFIED;
    return has && (r->signature == CRL_SIG_NOT_CHECKED ||
                   (r->signature == CRL_SIG_GOOD && known(r->facts.signer)));
}

/* The CRL that stands for those of its key at one URL: of the key that most servers have, of
 * several such the first. NULL when no server tells. */
static const struct crl_facts *most_served(const struct place *p, size_t n,
                                           const struct probe_result *results)
{
    const struct crl_facts *best = NULL;
    size_t most = 0;
    for (size_t a = 0; a < n && n - a > most; a++) {
        size_t same = 0;
        if (!tells_key(&results[p[a].i]))
            continue;
        for (size_t b = a; b < n; b++)
            same += tells_key(&results[p[b].i]) &&
                    keys_same(&results[p[a].i].facts, &results[p[b].i].facts);
        if (same > most) {
            best = &results[p[a].i].facts;
            most = same;
        }
    }
    return best;
}

/* Keys that no certificate stands for, in the order in which they were met. */
struct strangers {
    const struct crl_facts **item;
    size_t n;
};

static uint32_t index_of(const struct crl_facts *f, const struct health_ca_certs *c,
                         struct strangers *s)
{
    uint32_t key = keys_find(c, f->signer);
    size_t k = 0;
    if (key != KEYS_NONE)
        return key;
    while (k < s->n && !keys_same(s->item[k], f))
        k++;
    if (k == s->n)
        s->item[s->n++] = f;
    return health_ca_certs_next_key(c) + (uint32_t)k;
}

int keys_assign(struct probe_target *targets, const struct probe_result *results, size_t n,
                const struct health_ca_certs *c, struct err *err)
{
    SCOPED(scope_free) struct place *list = calloc(n + 1, sizeof *list);
    SCOPED(scope_free) const struct crl_facts **of = calloc(n + 1, sizeof *of);
    SCOPED(scope_free) const struct crl_facts **met = calloc(n + 1, sizeof *met);
    struct strangers strangers = {met, 0};
    size_t places = 0;
    if (!list || !of || !met)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        if (movable(&targets[i]))
            list[places++] = (struct place){&targets[i], i};
    }
    qsort(list, places, sizeof *list, compare_places);
    for (size_t k = 0, last; k < places; k = last) {
        for (last = k + 1; last < places && list[last].t->role == list[k].t->role &&
                           strcmp(list[last].t->url, list[k].t->url) == 0;)
            last++;
        const struct crl_facts *f = most_served(&list[k], last - k, results);
        for (size_t m = k; m < last; m++)
            of[list[m].i] = f;
    }
    for (size_t i = 0; i < n; i++) {
        if (of[i])
            targets[i].key_index = index_of(of[i], c, &strangers);
    }
    return ERR_OK;
}
