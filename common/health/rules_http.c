/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "health/rules_int.h"

#define CLOCK_SKEW_SECONDS 300 /* Kerberos' own tolerance; beyond that more than CRLs breaks */

static const struct {
    enum probe_status status;
    uint32_t id;
} download_ids[] = {
    {PROBE_DNS, FIND_LOC_DNS},
    {PROBE_CONNECT, FIND_LOC_CONNECT},
    {PROBE_TLS, FIND_LOC_TLS},
    {PROBE_TIMEOUT, FIND_LOC_TIMEOUT},
    {PROBE_HTTP_STATUS, FIND_LOC_HTTP_STATUS},
    {PROBE_REDIRECT, FIND_LOC_REDIRECT},
    {PROBE_TOO_LARGE, FIND_LOC_TOO_LARGE},
    {PROBE_TRUNCATED, FIND_LOC_TRUNCATED},
    {PROBE_NOT_FOUND, FIND_LOC_NOT_FOUND},
    {PROBE_NO_ATTRIBUTE, FIND_LOC_NO_ATTRIBUTE},
    {PROBE_PLACEHOLDER, FIND_LOC_PLACEHOLDER},
    {PROBE_DENIED, FIND_LOC_DENIED},
    {PROBE_NOT_A_CRL, FIND_LOC_NOT_A_CRL},
    {PROBE_EMPTY, FIND_LOC_EMPTY},
    {PROBE_UNSUPPORTED, FIND_LOC_UNSUPPORTED},
    {PROBE_PROXY, FIND_LOC_PROXY},
    {PROBE_INTERNAL, FIND_LOC_INTERNAL},
};

static bool is_http(const struct probe_target *t)
{
    return t->kind == LOC_HTTP || t->kind == LOC_HTTPS;
}

/* Scheme, host and port of the URL, and the address that was asked. */
static bool same_server(const struct rules *x, size_t a, size_t b)
{
    const struct probe_target *ta = &x->in->targets[a];
    const struct probe_target *tb = &x->in->targets[b];
    const char *host = strstr(ta->url, "://");
    size_t len = host ? (size_t)(host - ta->url) + 3 + strcspn(host + 3, "/?") : 0;
    return len && strncmp(ta->url, tb->url, len) == 0 && strchr("/?", tb->url[len]) &&
           strcmp(x->in->results[a].address, x->in->results[b].address) == 0;
}

/* IIS answers 404 (substatus 11 is only in its log) to a name with '+' that it takes for
 * double-escaped. A missing file looks the same; that the server serves the base CRL says that at
 * least the server and its folder are in order. */
static bool plus_blocked(const struct rules *x, size_t i)
{
    const struct probe_target *t = &x->in->targets[i];
    const struct probe_result *r = &x->in->results[i];
    if (r->status != PROBE_HTTP_STATUS || r->http_status != 404 || t->role != ROLE_CRL_DELTA ||
        !(strchr(t->url, '+') || strstr(t->url, "%2B")))
        return false;
    for (size_t k = 0; k < x->in->n; k++) {
        const struct probe_target *o = &x->in->targets[k];
        if (o->role == ROLE_CRL_BASE && o->key_index == t->key_index && o->parent == t->parent &&
            has_crl(&x->in->results[k]) && same_server(x, i, k))
            return true;
    }
    return false;
}

static uint32_t download_id(const struct rules *x, size_t i)
{
    const struct probe_target *t = &x->in->targets[i];
    const struct probe_result *r = &x->in->results[i];
    if (plus_blocked(x, i))
        return FIND_LOC_PLUS_BLOCKED;
    if (r->status == PROBE_NOT_A_CRL && is_http(t) &&
        (strstr(r->detail, "an HTML page") || str_starts_nocase(r->content_type, "text/html")))
        return FIND_LOC_HTML;
    for (size_t k = 0; k < ARRAY_LEN(download_ids); k++) {
        if (download_ids[k].status == r->status)
            return download_ids[k].id;
    }
    return FIND_LOC_INTERNAL;
}

void rules_download(struct rules *x, size_t i, size_t others_like)
{
    const struct probe_target *t = &x->in->targets[i];
    const struct probe_result *r = &x->in->results[i];
    struct finding *f = rule_add(x, download_id(x, i), i);
    /* A location that only the CA writes to is no client's: CertSvc's own folder may be unreadable
     * from elsewhere. */
    bool clients = t->origin & ~(uint32_t)FROM_CA_PUBLISH;
    if ((t->parent || !clients || probe_carried_only(t)) && f->severity == SEV_CRITICAL)
        f->severity = SEV_WARNING;
    rule_expected(f, "a %s CRL", t->role == ROLE_CRL_DELTA ? "delta" : "base");
    rule_found(f, "%.400s", r->detail[0] ? r->detail : probe_status_name(r->status));
    size_t n = strlen(f->found);
    char until[WHEN_TEXT_MAX];
    if (probe_carried_only(t))
        snprintf(f->found + n, sizeof f->found - n,
                 "; only certificates issued earlier name it, until %s",
                 when_format(t->carried_until, until));
    n = strlen(f->found);
    if (others_like)
        snprintf(f->found + n, sizeof f->found - n, "; the same at %zu more server%s", others_like,
                 others_like == 1 ? "" : "s");
}

static void rule_type(struct rules *x, size_t i)
{
    const char *type = x->in->results[i].content_type;
    size_t len = strcspn(type, "; ");
    static const char want[] = "application/pkix-crl";
    if (len == sizeof want - 1 && str_starts_nocase(type, want))
        return;
    struct finding *f = rule_add(x, FIND_HTTP_MIME, i);
    rule_expected(f, "Content-Type: %s", want);
    rule_found(f, "Content-Type: %s", type[0] ? type : "(none)");
}

static int64_t max_age(const char *cache_control)
{
    const char *p = strstr(cache_control, "max-age=");
    return p ? strtoll(p + 8, NULL, 10) : -1;
}

static void rule_cache(struct rules *x, size_t i)
{
    const struct probe_result *r = &x->in->results[i];
    int64_t age = max_age(r->cache_control);
    int64_t left =
        r->facts.next_update == WHEN_NONE ? INT64_MAX : r->facts.next_update - x->in->now;
    int64_t kept = age - (r->age > 0 ? r->age : 0);
    char a[WHEN_TEXT_MAX], b[WHEN_TEXT_MAX];
    if (age < 0 || left < 0 || kept <= left)
        return;
    struct finding *f = rule_add(x, FIND_HTTP_CACHE_TOO_LONG, i);
    rule_expected(f, "kept by caches for at most %s", duration_format(left, a));
    rule_found(f, "Cache-Control: %s (%s left)", r->cache_control, duration_format(kept, b));
}

static void rule_clock(struct rules *x, size_t i)
{
    const struct probe_result *r = &x->in->results[i];
    if (r->server_date == WHEN_NONE || r->age > 0) /* a cache hands out an old Date */
        return;
    int64_t skew = r->server_date - r->started;
    char a[WHEN_TEXT_MAX], d[WHEN_TEXT_MAX];
    if (skew <= CLOCK_SKEW_SECONDS && skew >= -CLOCK_SKEW_SECONDS)
        return;
    struct finding *f = rule_add(x, FIND_HTTP_CLOCK_SKEW, i);
    rule_expected(f, "Date within 5 min of the clock here");
    rule_found(f, "Date %s, off by %s", when_format(r->server_date, d), duration_format(skew, a));
}

void rules_http(struct rules *x, size_t i)
{
    const struct probe_target *t = &x->in->targets[i];
    const struct probe_result *r = &x->in->results[i];
    if (!is_http(t))
        return;
    if (r->status == PROBE_OK)
        rule_type(x, i);
    rule_cache(x, i);
    rule_clock(x, i);
    if (t->kind == LOC_HTTPS) {
        struct finding *f = rule_add(x, FIND_HTTPS_CDP, i);
        rule_expected(f, "http");
        rule_found(f, "https");
    }
    if (r->redirects) {
        struct finding *f = rule_add(x, FIND_HTTP_REDIRECTED, i);
        rule_expected(f, "the CRL at the URL itself");
        rule_found(f, "%u redirect%s", r->redirects, r->redirects == 1 ? "" : "s");
    }
}
