/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "watch/recall.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/str.h"
#include "health/runway.h"

struct kept {
    struct probe_target target; /* says which location this is */
    struct probe_result result; /* of the last whole answer */
    int64_t whole;              /* UTC of it; WHEN_NONE = ask for the whole */
    bool misled, seen;
};

/* The newest CRL number of one line: decides who is behind. */
struct newest {
    const struct kept *of;
};

struct recall {
    struct prober inner;
    const struct clock *clock;
    struct kept *item;
    size_t n, cap;
    struct newest line[RUNWAY_LINES_MAX];
    size_t n_lines;
    bool whole; /* asked for by recall_whole() */
};

int recall_new(const struct prober *inner, const struct clock *clock, struct recall **ret,
               struct err *err)
{
    struct recall *r = calloc(1, sizeof *r);
    if (!r)
        return err_nomem(err);
    r->inner = *inner;
    r->clock = clock;
    *ret = r;
    return ERR_OK;
}

void recall_free(struct recall **r)
{
    if (!*r)
        return;
    free((*r)->item);
    free(*r);
    *r = NULL;
}

void recall_whole(struct recall *r)
{
    r->whole = true;
}

/* ---- which location is which ---- */

static bool same_line(const struct kept *a, const struct kept *b)
{
    const struct crl_facts *x = &a->result.facts;
    const struct crl_facts *y = &b->result.facts;
    return a->target.role == b->target.role && a->target.key_index == b->target.key_index &&
           a->target.partition == b->target.partition && a->target.parent == b->target.parent &&
           x->issuer_der_len == y->issuer_der_len &&
           memcmp(x->issuer_der, y->issuer_der, x->issuer_der_len) == 0;
}

static bool same_location(const struct probe_target *a, const struct probe_target *b)
{
    return a->role == b->role && a->key_index == b->key_index && a->partition == b->partition &&
           a->parent == b->parent && a->as_client == b->as_client && a->direct == b->direct &&
           strcmp(a->address, b->address) == 0 && strcmp(a->url, b->url) == 0;
}

/* Rounds come in the same order: the hint is nearly always right. */
static struct kept *find(const struct recall *r, const struct probe_target *t, size_t hint)
{
    for (size_t i = 0; i < r->n; i++) {
        struct kept *k = &r->item[(hint + i) % r->n];
        if (same_location(&k->target, t))
            return k;
    }
    return NULL;
}

bool recall_misled(const struct recall *r, const struct probe_target *t)
{
    const struct kept *k = find(r, t, 0);
    return k && k->misled;
}

/* ---- asking ---- */

static void note_newest(struct recall *r, const struct kept *k)
{
    for (size_t i = 0; i < r->n_lines; i++) {
        struct newest *l = &r->line[i];
        if (!same_line(l->of, k))
            continue;
        if (crl_number_compare(&k->result.facts.number, &l->of->result.facts.number) > 0)
            l->of = k;
        return;
    }
    if (r->n_lines < RUNWAY_LINES_MAX)
        r->line[r->n_lines++].of = k;
}

static bool is_behind(const struct recall *r, const struct kept *k)
{
    for (size_t i = 0; i < r->n_lines; i++) {
        const struct kept *o = r->line[i].of;
        if (same_line(o, k))
            return crl_number_compare(&o->result.facts.number, &k->result.facts.number) > 0;
    }
    return false;
}

static bool passed_since(int64_t moment, int64_t since, int64_t now)
{
    return moment != WHEN_NONE && now >= moment && since < moment;
}

/* Seconds that a whole answer may be relied on. */
static int64_t good_for(const struct kept *k)
{
    const struct crl_facts *f = &k->result.facts;
    int64_t half = f->next_update == WHEN_NONE ? RECALL_DATE_ONLY_SECONDS
                                               : (f->next_update - f->this_update) / 2;
    bool dated = !k->result.etag[0];
    return dated && half > RECALL_DATE_ONLY_SECONDS ? RECALL_DATE_ONLY_SECONDS : half;
}

static bool may_ask_if_changed(const struct recall *r, const struct kept *k, int64_t now)
{
    const struct crl_facts *f = &k->result.facts;
    return !r->whole && !k->misled && k->whole != WHEN_NONE && now >= k->whole &&
           now - k->whole < good_for(k) && !passed_since(f->next_publish, k->whole, now) &&
           !passed_since(f->next_update, k->whole, now) && !is_behind(r, k);
}

static void set_conditions(struct recall *r, struct probe_target *targets, size_t n)
{
    int64_t now = clock_now(r->clock);
    r->n_lines = 0;
    for (size_t i = 0; i < r->n; i++) {
        r->item[i].seen = false;
        note_newest(r, &r->item[i]);
    }
    for (size_t i = 0; i < n; i++) {
        const struct kept *k = find(r, &targets[i], i);
        if (!k || !may_ask_if_changed(r, k, now))
            continue;
        (void)str_copy(targets[i].if_etag, sizeof targets[i].if_etag, k->result.etag);
        (void)str_copy(targets[i].if_modified, sizeof targets[i].if_modified,
                       k->result.last_modified);
    }
}

/* ---- answers ---- */

/* A signature that was not found good is looked at again each time: the issuer may be known next
 * time. */
static bool worth_keeping(const struct probe_target *t, const struct probe_result *p)
{
    bool crl = t->role == ROLE_CRL_BASE || t->role == ROLE_CRL_DELTA;
    return crl && (t->kind == LOC_HTTP || t->kind == LOC_HTTPS) && p->status == PROBE_OK &&
           (p->etag[0] || p->last_modified[0]) && p->total_ms <= RECALL_SLOW_MS &&
           (p->signature == CRL_SIG_GOOD || p->signature == CRL_SIG_NOT_CHECKED);
}

static bool validators_stayed(const struct probe_result *a, const struct probe_result *b)
{
    if (a->etag[0] || b->etag[0])
        return strcmp(a->etag, b->etag) == 0;
    return strcmp(a->last_modified, b->last_modified) == 0;
}

static struct kept *add(struct recall *r)
{
    if (r->n >= RECALL_MAX)
        return NULL;
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 16;
        struct kept *grown = realloc(r->item, cap * sizeof *grown);
        if (!grown)
            return NULL;
        r->item = grown;
        r->cap = cap;
    }
    struct kept *k = &r->item[r->n++];
    memset(k, 0, sizeof *k);
    return k;
}

static void keep_whole(struct recall *r, struct kept *k, const struct probe_target *t,
                       const struct probe_result *p)
{
    bool known = k != NULL;
    k = known ? k : add(r);
    if (!k) /* no room: asked for the whole next time too */
        return;
    if (known && memcmp(k->result.facts.sha256, p->facts.sha256, sizeof p->facts.sha256) != 0)
        k->misled = validators_stayed(&k->result, p);
    k->target = *t;
    k->result = *p;
    k->whole = p->started;
    k->seen = true;
}

/* What of this exchange is new, over what the last whole answer said. */
static void fill_in(struct kept *k, struct probe_result *p)
{
    struct probe_result out = k->result;
    memcpy(out.address, p->address, sizeof out.address);
    out.os_code = p->os_code;
    out.http_status = p->http_status;
    out.redirects = p->redirects;
    out.bytes = 0;
    out.started = p->started;
    out.connect_ms = p->connect_ms;
    out.total_ms = p->total_ms;
    out.age = p->age;
    out.server_date = p->server_date;
    out.via_proxy = p->via_proxy;
    if (p->cache_control[0])
        memcpy(out.cache_control, p->cache_control, sizeof out.cache_control);
    /* "Unchanged", with another mark on it: not believed twice. */
    if (p->etag[0] && strcmp(p->etag, k->result.etag) != 0)
        k->whole = WHEN_NONE;
    k->seen = true;
    *p = out;
}

static void take(struct recall *r, const struct probe_target *t, struct probe_result *p, size_t i)
{
    struct kept *k = find(r, t, i);
    if (p->status == PROBE_NOT_MODIFIED && k)
        fill_in(k, p);
    else if (worth_keeping(t, p))
        keep_whole(r, k, t, p);
    else if (k && k->misled && p->status != PROBE_OK)
        k->seen = true; /* a failure between does not make it honest */
}

static void forget_unseen(struct recall *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (!r->item[i].seen)
            continue;
        if (n != i)
            r->item[n] = r->item[i];
        n++;
    }
    r->n = n;
}

static int run(void *self, const struct probe_target *targets, size_t n,
               const struct crl_issuers *issuers, struct probe_result *results, struct err *err)
{
    struct recall *r = self;
    SCOPED(scope_free) struct probe_target *asked = calloc(n + 1, sizeof *asked);
    if (!asked)
        return err_nomem(err);
    memcpy(asked, targets, n * sizeof *asked);
    set_conditions(r, asked, n);
    int rc = r->inner.run(r->inner.self, asked, n, issuers, results, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < n; i++)
        take(r, &targets[i], &results[i], i);
    forget_unseen(r);
    r->whole = false;
    return ERR_OK;
}

struct prober recall_prober(struct recall *r)
{
    return (struct prober){run, r};
}
