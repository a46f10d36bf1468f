/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "health/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "health/keys.h"
#include "health/rules_int.h"

const struct health_limits health_limits_default = {
    .max_bytes = 44ull * 1000 * 1000,
    .max_ms = 12000,
    .max_urls = 2,
};

struct finding *rule_add(struct rules *x, uint32_t id, size_t i)
{
    struct finding *f = findings_add(x->out, id);
    if (!f) {
        x->out_of_memory = true;
        f = &x->scratch;
        memset(f, 0, sizeof *f);
    }
    str_copy(f->ca, sizeof f->ca, x->in->ca ? x->in->ca : "");
    if (i != SIZE_MAX) {
        f->key_index = x->in->targets[i].key_index;
        str_copy(f->url, sizeof f->url, x->in->targets[i].url);
        str_copy(f->address, sizeof f->address, x->in->results[i].address);
    }
    return f;
}

void rule_expected(struct finding *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->expected, sizeof f->expected, fmt, ap);
    va_end(ap);
}

void rule_found(struct finding *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->found, sizeof f->found, fmt, ap);
    va_end(ap);
}

static int compare(long long a, long long b)
{
    return a < b ? -1 : a > b;
}

static int compare_group(const struct probe_target *x, const struct probe_target *y)
{
    int c = compare(x->parent, y->parent);
    c = c ? c : compare(x->key_index, y->key_index);
    c = c ? c : compare(x->partition, y->partition);
    c = c ? c : compare(x->role, y->role);
    return c ? c : strcmp(x->url, y->url);
}

struct ordered {
    const struct probe_target *target;
    size_t index;
};

static int compare_ordered(const void *a, const void *b)
{
    const struct ordered *x = a;
    const struct ordered *y = b;
    int c = compare_group(x->target, y->target);
    return c ? c : compare((long long)x->index, (long long)y->index);
}

static int make_groups(struct rules *x, struct err *err)
{
    size_t n = x->in->n;
    SCOPED(scope_free) struct ordered *list = calloc(n + 1, sizeof *list);
    x->order = calloc(n + 1, sizeof *x->order);
    x->groups = calloc(n + 1, sizeof *x->groups);
    if (!list || !x->order || !x->groups)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        list[i] = (struct ordered){&x->in->targets[i], i};
    qsort(list, n, sizeof *list, compare_ordered);
    for (size_t i = 0; i < n; i++) {
        x->order[i] = list[i].index;
        if (i == 0 || compare_group(list[i - 1].target, list[i].target) != 0)
            x->groups[x->n_groups++].first = i;
        x->groups[x->n_groups - 1].n++;
    }
    return ERR_OK;
}

/* Which CRLs are looked through for the newest of a kind. */
struct kind {
    const struct health_input *in;
    uint32_t key_index, partition;
    bool delta;
    uint8_t parent;
    bool unsupported; /* those whose signature nobody here can check; only when there are no others
                       */
};

static bool of_kind(const struct kind *k, size_t i)
{
    const struct probe_target *t = &k->in->targets[i];
    const struct probe_result *r = &k->in->results[i];
    bool checked = r->signature == CRL_SIG_GOOD || r->signature == CRL_SIG_NOT_CHECKED;
    return is_crl_role(t) && has_crl(r) && t->key_index == k->key_index &&
           t->partition == k->partition && (t->role == ROLE_CRL_DELTA) == k->delta &&
           t->parent == k->parent && crl_is_delta(&r->facts) == k->delta &&
           (k->unsupported ? r->signature == CRL_SIG_UNSUPPORTED : checked) &&
           (k->parent ||
            !keys_foreign(&r->facts, r->signature, k->in->certs, k->in->n_certs, k->key_index));
}

static size_t count_same(const struct kind *k, const struct crl_facts *f)
{
    size_t n = 0;
    for (size_t i = 0; f && i < k->in->n; i++)
        n += of_kind(k, i) && keys_same(&k->in->results[i].facts, f);
    return n;
}

/* One server with another CA's CRL must not make those of all others foreign: the issuer that most
 * of them serve (majority vote of Boyer and Moore), else the one that the first serves. */
static const struct crl_facts *usual_issuer(const struct kind *k)
{
    const struct crl_facts *first = NULL, *vote = NULL;
    size_t lead = 0;
    for (size_t i = 0; i < k->in->n; i++) {
        const struct crl_facts *f = &k->in->results[i].facts;
        if (!of_kind(k, i))
            continue;
        first = first ? first : f;
        if (lead == 0)
            vote = f;
        lead = keys_same(vote, f) ? lead + 1 : lead - 1;
    }
    return vote == first || count_same(k, vote) > count_same(k, first) ? vote : first;
}

static const struct crl_facts *newest_of(const struct kind *k)
{
    const struct crl_facts *usual = usual_issuer(k), *best = NULL;
    for (size_t i = 0; usual && i < k->in->n; i++) {
        const struct crl_facts *f = &k->in->results[i].facts;
        if (of_kind(k, i) && keys_same(usual, f) &&
            (!best || crl_number_compare(&f->number, &best->number) > 0))
            best = f;
    }
    return best;
}

const struct crl_facts *health_newest(const struct health_input *in, uint32_t key_index,
                                      uint32_t partition, bool delta, uint8_t parent)
{
    struct kind k = {in, key_index, partition, delta, parent, false};
    const struct crl_facts *best = newest_of(&k);
    k.unsupported = true;
    return best ? best : newest_of(&k);
}

/* The reference of a (key, partition, kind) is asked for once per group, not once per probe. */
struct references {
    const struct crl_facts *reference, *base;
};

const struct health_known *health_own(const struct health_input *in, const struct probe_target *t)
{
    for (size_t i = 0; !t->parent && i < in->n_own; i++) {
        const struct health_known *k = &in->own[i];
        if (k->key_index == t->key_index && k->partition == t->partition &&
            k->delta == (t->role == ROLE_CRL_DELTA))
            return k;
    }
    return NULL;
}

bool rules_on_its_way(const struct rules *x, size_t i)
{
    const struct health_known *own = health_own(x->in, &x->in->targets[i]);
    const struct crl_number *n = &x->in->results[i].facts.number;
    return own && own->coming.len && crl_number_compare(n, &own->facts.number) >= 0 &&
           crl_number_compare(n, &own->coming) <= 0;
}

/* Between what must be served by now and what the CA has published since, only the bytes of the
 * latter can be wrong. */
static uint32_t allow_coming(const struct rules *x, size_t i, uint32_t v)
{
    const struct health_known *own = health_own(x->in, &x->in->targets[i]);
    const struct crl_facts *f = &x->in->results[i].facts;
    if (!(v & (CRL_V_NUMBER_AHEAD | CRL_V_MISMATCH)) || !rules_on_its_way(x, i))
        return v;
    bool newest = crl_number_compare(&f->number, &own->coming) == 0;
    bool same = memcmp(f->sha256, own->coming_sha256, sizeof f->sha256) == 0;
    if (!newest || same)
        v &= ~(uint32_t)(CRL_V_NUMBER_AHEAD | (same ? CRL_V_MISMATCH : 0));
    else
        v = (v & ~(uint32_t)CRL_V_NUMBER_AHEAD) | CRL_V_MISMATCH;
    return v;
}

static struct references find_references(const struct health_input *in,
                                         const struct probe_target *t)
{
    bool delta = t->role == ROLE_CRL_DELTA;
    const struct health_known *own = health_own(in, t);
    struct references r = {own ? &own->facts : NULL, NULL};
    if (!r.reference)
        r.reference = health_newest(in, t->key_index, t->partition, delta, t->parent);
    if (delta)
        r.base = health_newest(in, t->key_index, t->partition, false, t->parent);
    return r;
}

/* Only URLs that certificates carry are compared with the IDP. */
static const char *url_for_idp(const struct probe_target *t)
{
    bool carried = t->origin & (FROM_CA_CDP | FROM_CERTIFICATE | FROM_FRESHEST | FROM_PARENT);
    return carried && t->kind != LOC_FILE ? t->url : NULL;
}

const struct crl_thresholds *rules_thresholds(const struct rules *x, size_t i)
{
    const struct health_input *in = x->in;
    const struct crl_thresholds *own =
        in->thresholds_of ? in->thresholds_of(in->thresholds_arg, &in->targets[i]) : NULL;
    return own ? own : x->thresholds;
}

static uint32_t judge_one(struct rules *x, size_t i, const struct references *refs)
{
    const struct health_input *in = x->in;
    const struct probe_target *t = &in->targets[i];
    const struct probe_result *r = &in->results[i];
    struct crl_expectation e = {
        .delta = t->role == ROLE_CRL_DELTA,
        .url = url_for_idp(t),
        .reference = refs->reference,
        .base = refs->base,
        .signature = r->signature,
    };
    if (!is_crl_role(t) || !has_crl(r))
        return 0;
    /* Another key of the same CA signs well, and still not for the certificates of this one. */
    if (!t->parent && keys_foreign(&r->facts, r->signature, in->certs, in->n_certs, t->key_index)) {
        e.reference = e.base = NULL;
        return crl_judge(&r->facts, &e, rules_thresholds(x, i), in->now) | CRL_V_WRONG_ISSUER;
    }
    return allow_coming(x, i, crl_judge(&r->facts, &e, rules_thresholds(x, i), in->now));
}

static void judge_all(struct rules *x)
{
    struct references refs = {NULL, NULL};
    const struct probe_target *before = NULL;
    for (size_t k = 0; k < x->in->n; k++) {
        size_t i = x->order[k];
        const struct probe_target *t = &x->in->targets[i];
        if (!before || before->key_index != t->key_index || before->partition != t->partition ||
            before->role != t->role || before->parent != t->parent)
            refs = find_references(x->in, t);
        before = t;
        x->verdicts[i] = judge_one(x, i, &refs);
    }
}

static bool alike(const struct rules *x, size_t a, size_t b)
{
    const struct probe_result *ra = &x->in->results[a];
    const struct probe_result *rb = &x->in->results[b];
    /* 200 and 304 bring the same CRL. */
    return ra->status == rb->status && (has_crl(ra) || ra->http_status == rb->http_status) &&
           x->verdicts[a] == x->verdicts[b] &&
           (!has_crl(ra) || memcmp(ra->facts.sha256, rb->facts.sha256, 32) == 0);
}

/* Servers of one location that are in the same state are one finding, not one each. */
static void run_group(struct rules *x, const struct node_group *g)
{
    rules_group(x, g);
    for (size_t k = 0; k < g->n; k++) {
        size_t i = x->order[g->first + k];
        size_t more = 0;
        uint32_t left = rules_left_to_tell(x, g, i);
        bool told = !left;
        for (size_t j = 0; j < g->n; j++) {
            size_t o = x->order[g->first + j];
            if (x->in->targets[o].as_client) /* the same servers, asked in another way */
                continue;
            if (j < k && alike(x, i, o))
                told = true;
            more += j > k && alike(x, i, o);
        }
        if (told)
            continue;
        if (!is_crl_role(&x->in->targets[i])) {
            continue;
        } else if (has_crl(&x->in->results[i])) {
            rules_crl(x, i, left, more);
            if (left == RULES_ALL)
                rules_http(x, i);
        } else {
            rules_download(x, i, more);
        }
    }
}

int health_evaluate(const struct health_input *in, uint32_t *verdicts, struct findings *ret,
                    struct err *err)
{
    struct rules x = {
        .in = in,
        .out = ret,
        .thresholds = in->thresholds ? in->thresholds : &crl_thresholds_default,
        .limits = in->limits ? in->limits : &health_limits_default,
    };
    SCOPED(scope_free) uint32_t *own = verdicts ? NULL : calloc(in->n + 1, sizeof *own);
    size_t before = ret->n;
    x.verdicts = verdicts ? verdicts : own;
    int rc = x.verdicts ? make_groups(&x, err) : err_nomem(err);
    if (!rc) {
        judge_all(&x);
        rules_nothing_usable(&x);
        rules_parent(&x);
        for (size_t g = 0; g < x.n_groups; g++)
            run_group(&x, &x.groups[g]);
        rules_unverified(&x);
        rules_blobs(&x);
        rules_ca(&x);
        for (size_t i = before; i < ret->n; i++)
            finding_fill_remedy(&ret->item[i]);
    }
    free(x.order);
    free(x.groups);
    if (!rc && x.out_of_memory)
        rc = err_nomem(err);
    return rc;
}

const char *health_state(const struct probe_target *t, const struct probe_result *r,
                         uint32_t verdicts)
{
    if (!has_crl(r))
        return r->status == PROBE_NOT_A_CRL ? "Error" : "Unable to Download";
    /* A responder that reads an older CRL still answers: a warning, and no state of its own. */
    if (t->role == ROLE_OCSP)
        return crl_verdict_state(verdicts & ~(uint32_t)CRL_V_STALE);
    return is_crl_role(t) ? crl_verdict_state(verdicts) : "OK";
}
