/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "health/rules_int.h"

#define CA_CERT_WARN_SECONDS (180ll * 86400)
#define CA_CERT_CRIT_SECONDS (30ll * 86400)
#define PARENT_WARN_SECONDS (7ll * 86400)
#define CRLF_REVCHECK_IGNORE_OFFLINE 8u

static bool any_flag(const struct ca_settings *s, uint32_t flag)
{
    for (size_t i = 0; i < s->n_crl_urls; i++) {
        if (s->crl_urls[i].flags & flag)
            return true;
    }
    return false;
}

static void rule_settings(struct rules *x)
{
    const struct ca_settings *s = x->in->settings;
    struct finding *f;
    if (!s)
        return;
    if (s->wrong_overlap_name) {
        f = rule_add(x, FIND_WRONG_OVERLAP_NAME, SIZE_MAX);
        rule_expected(f, "CRLOverlapUnits");
        rule_found(f, "CRLOverlapPeriodUnits; the overlap in force is %u %s", s->overlap.count,
                   s->overlap.unit);
    }
    if (s->crl_period.count == 0) {
        f = rule_add(x, FIND_BASE_PUBLICATION_OFF, SIZE_MAX);
        rule_expected(f, "CRLPeriodUnits above 0");
        rule_found(f, "0");
    }
    if (s->delta_period.count > 0 && !any_flag(s, CA_URL_FRESHEST)) {
        f = rule_add(x, FIND_DELTA_WITHOUT_FRESHEST, SIZE_MAX);
        rule_expected(f, "an entry of CRLPublicationURLs with bit 0x04");
        rule_found(f, "none of %zu entries; a delta every %u %s", s->n_crl_urls,
                   s->delta_period.count, s->delta_period.unit);
    }
    if (s->n_crl_urls && !any_flag(s, CA_URL_CERT_CDP)) {
        f = rule_add(x, FIND_NO_CDP_URL, SIZE_MAX);
        rule_expected(f, "an entry of CRLPublicationURLs with bit 0x02");
        rule_found(f, "none of %zu entries", s->n_crl_urls);
    }
    if (s->crl_flags & CRLF_REVCHECK_IGNORE_OFFLINE) {
        f = rule_add(x, FIND_REVOCATION_CHECK_OFF_AT_START, SIZE_MAX);
        rule_expected(f, "CRLFlags without bit 8");
        rule_found(f, "CRLFlags 0x%X", s->crl_flags);
    }
}

static void rule_certificates(struct rules *x)
{
    for (size_t i = 0; i < x->in->n_certs; i++) {
        const struct health_ca_cert *c = &x->in->certs[i];
        int64_t left = c->not_after - x->in->now;
        char until[WHEN_TEXT_MAX], time[WHEN_TEXT_MAX];
        if (left > CA_CERT_WARN_SECONDS)
            continue;
        struct finding *f =
            rule_add(x, left > 0 ? FIND_CA_CERT_EXPIRING : FIND_CA_CERT_EXPIRED, SIZE_MAX);
        if (left > 0 && left <= CA_CERT_CRIT_SECONDS)
            f->severity = SEV_CRITICAL;
        f->key_index = c->key_index;
        rule_expected(f, "more than 180 days of life");
        rule_found(f, "certificate %u (%.200s) until %s: %s", c->cert_index, c->subject,
                   when_format(c->not_after, until), duration_format(left, time));
    }
}

static uint32_t event_finding(const struct health_ca_event *e)
{
    /* NTE_TOKEN_KEYSET_STORAGE_FULL: the partition has no room for another key. */
    if (strstr(e->text, "0x80090023"))
        return FIND_PARTITION_FULL;
    switch (e->id) {
    case 62:
        return FIND_CA_SETTINGS_RESET;
    case 65:
    case 74:
        return FIND_CA_PUBLISH_BASE_FAILED;
    case 66:
    case 75:
        return FIND_CA_PUBLISH_DELTA_FAILED;
    case 67:
        return FIND_CA_PUBLISH_GIVEN_UP;
    case 100:
        return FIND_CA_NOT_STARTED;
    case 130:
        return FIND_CA_SIGN_FAILED;
    default:
        return 0;
    }
}

/* Does a location serve a CRL of that kind that was signed after the event? AD CS dates thisUpdate
 * back, never forward. */
static bool signed_since(const struct rules *x, const struct health_ca_event *e, bool base,
                         bool delta)
{
    for (size_t i = 0; i < x->in->n; i++) {
        const struct probe_target *t = &x->in->targets[i];
        const struct probe_result *r = &x->in->results[i];
        bool is_delta = t->role == ROLE_CRL_DELTA;
        if (is_crl_role(t) && has_crl(r) && !t->parent && (is_delta ? delta : base) &&
            (e->key < 0 || (uint32_t)e->key == t->key_index) && r->signature != CRL_SIG_BAD &&
            r->facts.this_update > e->when)
            return true;
    }
    return false;
}

static bool event_since(const struct rules *x, const struct health_ca_event *e, uint32_t first,
                        uint32_t last, int64_t later, const char *where)
{
    for (size_t i = 0; i < x->in->n_events; i++) {
        const struct health_ca_event *o = &x->in->events[i];
        if (o->id >= first && o->id <= last && o->when > e->when + later &&
            (!where || (*where && strcmp(o->where, where) == 0)))
            return true;
    }
    return false;
}

/* Has a later success made up for it? 68 to 73 say that a location was written; they are logged
 * only when LogLevel is raised. A later CRL without another failure says the same. */
static bool event_over(const struct rules *x, const struct health_ca_event *e)
{
    switch (e->id) {
    case 62: /* stands right before the 26 of the same start */
        return event_since(x, e, 26, 26, 600, NULL);
    case 65:
    case 74:
        return event_since(x, e, 68, 73, 0, e->where) || signed_since(x, e, true, false);
    case 66:
    case 75:
        return event_since(x, e, 68, 73, 0, e->where) || signed_since(x, e, false, true);
    case 67:
    case 130:
        return signed_since(x, e, true, true);
    case 100:
        return event_since(x, e, 26, 26, 0, NULL);
    default:
        return false;
    }
}

/* The newest event of a kind speaks for all of them. */
static void rule_events(struct rules *x)
{
    for (size_t i = 0; i < x->in->n_events; i++) {
        const struct health_ca_event *e = &x->in->events[i];
        uint32_t id = event_finding(e);
        size_t same = 0;
        bool newest = id != 0 && !event_over(x, e);
        for (size_t k = 0; k < x->in->n_events; k++) {
            const struct health_ca_event *o = &x->in->events[k];
            if (event_finding(o) != id || event_over(x, o))
                continue;
            same++;
            newest = newest && (o->when < e->when || (o->when == e->when && k >= i));
        }
        if (!newest)
            continue;
        char when[WHEN_TEXT_MAX];
        struct finding *f = rule_add(x, id, SIZE_MAX);
        rule_expected(f, "no such event");
        rule_found(f, "event %u, record %llu, at %s (%zu of this kind): %.250s", e->id,
                   (unsigned long long)e->record, when_format(e->when, when), same, e->text);
    }
}

/* Clients try the URLs of one certificate in order; a farm behind one URL counts once. */
static void rule_url_count(struct rules *x)
{
    for (size_t g = 0; g < x->n_groups;) {
        const struct probe_target *t = &x->in->targets[x->order[x->groups[g].first]];
        size_t first = x->order[x->groups[g].first];
        size_t urls = 0, named = 0;
        for (; g < x->n_groups; g++) {
            const struct probe_target *o = &x->in->targets[x->order[x->groups[g].first]];
            if (o->role != t->role || o->key_index != t->key_index ||
                o->partition != t->partition || o->parent != t->parent)
                break;
            urls += (o->origin & FROM_CA_CDP) != 0;
            named = o->named_with > named ? o->named_with : named;
        }
        urls = named > urls ? named : urls;
        if (t->role != ROLE_CRL_BASE || t->parent || !x->limits->max_urls ||
            urls <= x->limits->max_urls)
            continue;
        struct finding *f = rule_add(x, FIND_TOO_MANY_URLS, first);
        f->url[0] = f->address[0] = '\0';
        rule_expected(f, "at most %zu URLs in the CDP extension", x->limits->max_urls);
        rule_found(f, "%zu", urls);
    }
}

void rules_ca(struct rules *x)
{
    rule_url_count(x);
    rule_settings(x);
    rules_unusable(x);
    rule_certificates(x);
    rule_events(x);
}

/* The CRL that a certificate of the CA's chain is checked with: of one key and level. */
struct parent_crl {
    uint32_t key_index;
    uint8_t level;
    size_t n, usable, first;
    int64_t until;
    size_t best; /* the probe that brought it */
};

static struct parent_crl look_at_parent(const struct rules *x, size_t first)
{
    static const uint32_t fatal =
        CRL_V_EXPIRED | CRL_V_BAD_SIGNATURE | CRL_V_WRONG_TYPE | CRL_V_FROM_FUTURE;
    const struct probe_target *t = &x->in->targets[first];
    struct parent_crl p = {t->key_index, t->parent, 0, 0, first, INT64_MIN, first};
    for (size_t i = 0; i < x->in->n; i++) {
        const struct probe_target *o = &x->in->targets[i];
        const struct probe_result *r = &x->in->results[i];
        if (o->parent != t->parent || o->key_index != t->key_index || o->role != ROLE_CRL_BASE)
            continue;
        p.first = i < p.first ? i : p.first;
        p.n++;
        if (!has_crl(r) || (x->verdicts[i] & fatal))
            continue;
        p.usable++;
        int64_t next = r->facts.next_update == WHEN_NONE ? INT64_MAX : r->facts.next_update;
        p.best = next > p.until ? i : p.best;
        p.until = next > p.until ? next : p.until;
    }
    return p;
}

/* "the parent CA", "the CA 2 levels up" */
static const char *parent_name(uint8_t level, char dst[32])
{
    if (level == 1)
        str_copy(dst, 32, "the parent CA");
    else
        snprintf(dst, 32, "the CA %u levels up", level);
    return dst;
}

/* How long before its nextUpdate the parent's CRL is too old: what the location's threshold leaves
 * of its life, and of a long life a week. */
static int64_t parent_limit(const struct rules *x, const struct parent_crl *p)
{
    const struct crl_thresholds *t = rules_thresholds(x, p->best);
    const struct crl_facts *f = &x->in->results[p->best].facts;
    if (t->warn_seconds)
        return t->warn_seconds;
    if (!t->warn_percent || t->warn_percent > 100 || f->next_update <= f->this_update)
        return 0;
    int64_t left = (f->next_update - f->this_update) / 100 * (100 - t->warn_percent);
    return left < PARENT_WARN_SECONDS ? left : PARENT_WARN_SECONDS;
}

static void rule_parent(struct rules *x, const struct parent_crl *p)
{
    char name[32], text[WHEN_TEXT_MAX], left[WHEN_TEXT_MAX];
    if (!p->usable) {
        struct finding *f = rule_add(x, FIND_PARENT_CRL_UNUSABLE, p->first);
        rule_expected(f, "a valid CRL of %s at one of %zu locations", parent_name(p->level, name),
                      p->n);
        rule_found(f, "none");
        return;
    }
    int64_t limit = parent_limit(x, p);
    if (p->until != INT64_MAX && p->until - x->in->now < limit) {
        struct finding *f = rule_add(x, FIND_PARENT_CRL_EXPIRING, p->best);
        rule_expected(f, "nextUpdate of %s's CRL more than %s away", parent_name(p->level, name),
                      duration_format(limit, left));
        rule_found(f, "nextUpdate %s", when_format(p->until, text));
    }
}

/* CertSvc checks its whole chain below the root when it starts: of each CA above it needs one
 * usable CRL; where that comes from does not matter. */
void rules_parent(struct rules *x)
{
    for (size_t i = 0; i < x->in->n; i++) {
        if (!x->in->targets[i].parent || x->in->targets[i].role != ROLE_CRL_BASE)
            continue;
        const struct parent_crl p = look_at_parent(x, i);
        if (p.first == i)
            rule_parent(x, &p);
    }
}

static bool known_certificate(const struct rules *x, const uint8_t sha256[32])
{
    for (size_t i = 0; i < x->in->n_certs; i++) {
        if (memcmp(x->in->certs[i].sha256, sha256, 32) == 0)
            return true;
    }
    return false;
}

static void rule_aia(struct rules *x, size_t i)
{
    const struct probe_target *t = &x->in->targets[i];
    const struct probe_result *r = &x->in->results[i];
    if (r->status != PROBE_OK) {
        struct finding *f = rule_add(x, FIND_AIA_UNREACHABLE, i);
        rule_expected(f, "the CA certificate");
        rule_found(f, "%.400s", r->detail[0] ? r->detail : probe_status_name(r->status));
    } else if (!t->parent && x->in->n_certs && !known_certificate(x, r->facts.sha256)) {
        char hex[65];
        str_hex(hex, r->facts.sha256, 32);
        struct finding *f = rule_add(x, FIND_AIA_WRONG, i);
        rule_expected(f, "one of this CA's %zu certificates", x->in->n_certs);
        rule_found(f, "a certificate with SHA-256 %.16s...", hex);
    }
}

static void rule_blob(struct rules *x, size_t i)
{
    if (x->in->targets[i].role == ROLE_AIA)
        rule_aia(x, i);
    else
        rules_ocsp(x, i);
}

/* Findings about one server, and how many more servers of the location have the same. */
struct told {
    size_t at, n, probe, more;
};
#define TOLD_MAX 8

static bool same_findings(const struct rules *x, const struct told *a, const struct told *b)
{
    const struct probe_result *ra = &x->in->results[a->probe];
    const struct probe_result *rb = &x->in->results[b->probe];
    if (a->n != b->n || ra->status != rb->status || ra->http_status != rb->http_status)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        if (x->out->item[a->at + i].id != x->out->item[b->at + i].id)
            return false;
    }
    return true;
}

static void count_in(struct rules *x, const struct told *t)
{
    for (size_t i = 0; i < t->n && t->more; i++) {
        struct finding *f = &x->out->item[t->at + i];
        size_t n = strlen(f->found);
        snprintf(f->found + n, sizeof f->found - n, "; the same at %zu more server%s", t->more,
                 t->more == 1 ? "" : "s");
    }
}

/* Servers of one location with the same trouble are one finding, as with CRLs. */
static void blob_group(struct rules *x, const struct node_group *g)
{
    struct told told[TOLD_MAX];
    size_t n = 0;
    for (size_t m = 0; m < g->n; m++) {
        size_t i = x->order[g->first + m], k = 0;
        struct told t = {x->out->n, 0, i, 0};
        rule_blob(x, i);
        t.n = x->out->n - t.at;
        while (k < n && !same_findings(x, &told[k], &t))
            k++;
        if (k < n) {
            x->out->n = t.at;
            told[k].more += !x->in->targets[i].as_client;
        } else if (t.n && n < TOLD_MAX) {
            told[n++] = t;
        }
    }
    for (size_t k = 0; k < n; k++)
        count_in(x, &told[k]);
}

void rules_blobs(struct rules *x)
{
    for (size_t g = 0; g < x->n_groups; g++) {
        const struct probe_target *t = &x->in->targets[x->order[x->groups[g].first]];
        if (t->role == ROLE_AIA || t->role == ROLE_OCSP)
            blob_group(x, &x->groups[g]);
    }
}
