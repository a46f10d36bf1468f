/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "health/rules_int.h"

struct crl_case {
    struct rules *x;
    size_t i;
    size_t others_like;
    const struct probe_target *t;
    const struct probe_result *r;
    const struct crl_facts *f;
};

static void tell_times(const struct crl_case *c, struct finding *f)
{
    char until[WHEN_TEXT_MAX], left[WHEN_TEXT_MAX];
    rule_expected(f, "nextUpdate later than now by the threshold");
    rule_found(f, "nextUpdate %s (%s %s)", when_format(c->f->next_update, until),
               c->f->next_update > c->x->in->now ? "in" : "passed:",
               duration_format(c->f->next_update - c->x->in->now, left));
}

static void tell_overdue(const struct crl_case *c, struct finding *f)
{
    char planned[WHEN_TEXT_MAX], ago[WHEN_TEXT_MAX], number[48];
    rule_expected(f, "a newer CRL than number %s by %s", crl_number_format(&c->f->number, number),
                  when_format(c->f->next_publish, planned));
    rule_found(f, "the same CRL %s after Next CRL Publish",
               duration_format(c->x->in->now - c->f->next_publish, ago));
}

static void tell_future(const struct crl_case *c, struct finding *f)
{
    char this_update[WHEN_TEXT_MAX], now[WHEN_TEXT_MAX];
    rule_expected(f, "thisUpdate not later than %s", when_format(c->x->in->now, now));
    rule_found(f, "thisUpdate %s", when_format(c->f->this_update, this_update));
}

/* The reference the verdict was made with: the CA's own copy, else the newest that was seen. */
static const struct crl_facts *reference(const struct crl_case *c)
{
    const struct health_known *own = health_own(c->x->in, c->t);
    return own ? &own->facts
               : health_newest(c->x->in, c->t->key_index, c->t->partition,
                               c->t->role == ROLE_CRL_DELTA, c->t->parent);
}

static void tell_numbers(const struct crl_case *c, struct finding *f)
{
    const struct health_known *own = health_own(c->x->in, c->t);
    const struct crl_facts *ref = reference(c);
    const struct crl_number *number = ref ? &ref->number : NULL;
    const uint8_t *hash = ref ? ref->sha256 : NULL;
    char want[48], have[48], hex_want[65] = "-", hex_have[65];
    if (own && crl_number_compare(&c->f->number, &own->facts.number) > 0 && own->coming.len) {
        number = &own->coming;
        hash = own->coming_sha256;
    }
    if (hash)
        str_hex(hex_want, hash, 32);
    str_hex(hex_have, c->f->sha256, 32);
    rule_expected(f, "CRL number %s, SHA-256 %.16s...%s",
                  number ? crl_number_format(number, want) : "-", hex_want,
                  own ? ", as the CA itself holds it" : "");
    rule_found(f, "CRL number %s, SHA-256 %.16s...", crl_number_format(&c->f->number, have),
               hex_have);
}

static void tell_signature(const struct crl_case *c, struct finding *f)
{
    rule_expected(f, "a signature of this CA's key");
    rule_found(f, "%.200s, issuer '%.200s'",
               c->r->signature_why[0] ? c->r->signature_why : crl_signature_name(c->r->signature),
               c->f->issuer);
}

/* "'CN=Lab CA', key 0A1B2C3D..." */
static void describe_issuer(const struct crl_facts *f, char dst[300])
{
    char aki[2 * sizeof f->aki + 1];
    str_hex(aki, f->aki, f->aki_len);
    snprintf(dst, 300, "'%.200s', key %.16s%s", f->issuer, aki[0] ? aki : "not named",
             strlen(aki) > 16 ? "..." : "");
}

static void tell_issuer(const struct crl_case *c, struct finding *f)
{
    char is[300], want[300];
    const struct crl_facts *ref = reference(c);
    if (c->r->signature != CRL_SIG_GOOD && c->r->signature != CRL_SIG_NOT_CHECKED) {
        tell_signature(c, f);
        return;
    }
    describe_issuer(c->f, is);
    if (ref && ref != c->f)
        describe_issuer(ref, want);
    if (ref && ref != c->f)
        rule_expected(f, "a CRL of %.240s", want);
    else
        rule_expected(f, "a CRL of key %u of this CA", c->t->key_index);
    rule_found(f, "%s CRL of %s",
               c->r->signature == CRL_SIG_GOOD ? "a well signed" : "an unchecked", is);
}

static void tell_type(const struct crl_case *c, struct finding *f)
{
    rule_expected(f, "a %s CRL", c->t->role == ROLE_CRL_DELTA ? "delta" : "base");
    rule_found(f, "a %s CRL", crl_is_delta(c->f) ? "delta" : "base");
}

static void tell_delta(const struct crl_case *c, struct finding *f)
{
    const struct crl_facts *base =
        health_newest(c->x->in, c->t->key_index, c->t->partition, false, c->t->parent);
    char want[48], number[48], have[48];
    rule_expected(f, "a base CRL with number %s or above",
                  crl_number_format(&c->f->delta_base, want));
    rule_found(f, "base CRL number %s, delta number %s",
               base ? crl_number_format(&base->number, have) : "-",
               crl_number_format(&c->f->number, number));
}

static void tell_idp(const struct crl_case *c, struct finding *f)
{
    rule_expected(f, "an IDP that holds '%.200s'", c->t->url);
    rule_found(f, "IDP with %u URLs, the first is '%.300s'", c->f->idp.count,
               c->f->idp.count ? c->f->idp.url[0] : "");
}

static void tell_digest(const struct crl_case *c, struct finding *f)
{
    rule_expected(f, "SHA-256 or better");
    rule_found(f, "%s", c->f->signature_name);
}

static void tell_critical(const struct crl_case *c, struct finding *f)
{
    rule_expected(f, "no unknown critical extension");
    rule_found(f, "%u, the first is %s", c->f->unknown_critical,
               c->f->unknown_critical ? c->f->unknown_critical_oid[0] : "-");
}

static void tell_no_next(const struct crl_case *c, struct finding *f)
{
    (void)c;
    rule_expected(f, "nextUpdate");
    rule_found(f, "none");
}

/* Worst first; of expired, expiring soon and expiring only the first that holds is told. */
static const struct {
    enum crl_verdict bit;
    uint32_t id;
    uint32_t silent_with; /* bits that say the same and more */
    void (*tell)(const struct crl_case *c, struct finding *f);
} verdict_rules[] = {
    {CRL_V_BAD_SIGNATURE, FIND_CRL_BAD_SIGNATURE, 0, tell_signature},
    {CRL_V_WRONG_ISSUER, FIND_CRL_WRONG_ISSUER, CRL_V_BAD_SIGNATURE, tell_issuer},
    {CRL_V_WRONG_TYPE, FIND_CRL_WRONG_TYPE, 0, tell_type},
    {CRL_V_EXPIRED, FIND_CRL_EXPIRED, 0, tell_times},
    {CRL_V_EXPIRING_SOON, FIND_CRL_EXPIRING_SOON, CRL_V_EXPIRED, tell_times},
    {CRL_V_STALE, FIND_CRL_STALE, CRL_V_WRONG_TYPE | CRL_V_WRONG_ISSUER, tell_numbers},
    {CRL_V_MISMATCH, FIND_CRL_MISMATCH, CRL_V_WRONG_TYPE | CRL_V_WRONG_ISSUER, tell_numbers},
    {CRL_V_FROM_FUTURE, FIND_CRL_FROM_FUTURE, 0, tell_future},
    {CRL_V_DELTA_BASE_GAP, FIND_CRL_DELTA_BASE_GAP, CRL_V_WRONG_TYPE, tell_delta},
    {CRL_V_IDP_MISMATCH, FIND_CRL_IDP_MISMATCH, 0, tell_idp},
    {CRL_V_UNKNOWN_CRITICAL, FIND_CRL_UNKNOWN_CRITICAL, 0, tell_critical},
    {CRL_V_EXPIRING, FIND_CRL_EXPIRING, CRL_V_EXPIRED | CRL_V_EXPIRING_SOON, tell_times},
    {CRL_V_OVERDUE, FIND_CRL_OVERDUE, CRL_V_EXPIRED, tell_overdue},
    {CRL_V_DELTA_OLDER, FIND_CRL_DELTA_OLDER, CRL_V_WRONG_TYPE, tell_delta},
    {CRL_V_WEAK_DIGEST, FIND_CRL_WEAK_DIGEST, 0, tell_digest},
    {CRL_V_NO_NEXT_UPDATE, FIND_CRL_NO_NEXT_UPDATE, 0, tell_no_next},
    {CRL_V_SIGNATURE_UNSUPPORTED, FIND_CRL_SIGNATURE_UNSUPPORTED, 0, tell_signature},
    {CRL_V_NUMBER_AHEAD, FIND_CRL_NUMBER_AHEAD, 0, tell_numbers},
};

static struct finding *add(const struct crl_case *c, uint32_t id)
{
    struct finding *f = rule_add(c->x, id, c->i);
    /* A parent that is offline by design must not turn the whole report red; what stops CertSvc is
     * its own finding. */
    if (c->t->parent && f->severity == SEV_CRITICAL)
        f->severity = SEV_WARNING;
    return f;
}

static void add_likes(struct finding *f, size_t others)
{
    size_t n = strlen(f->found);
    if (others)
        snprintf(f->found + n, sizeof f->found - n, "; the same at %zu more server%s", others,
                 others == 1 ? "" : "s");
}

static const struct crl_facts *previous_of(const struct crl_case *c)
{
    const struct health_input *in = c->x->in;
    for (size_t i = 0; !c->t->parent && i < in->n_previous; i++) {
        const struct health_known *k = &in->previous[i];
        if (k->key_index == c->t->key_index && k->partition == c->t->partition &&
            k->delta == (c->t->role == ROLE_CRL_DELTA))
            return &k->facts;
    }
    return NULL;
}

static void rule_history(const struct crl_case *c)
{
    const struct crl_facts *p = previous_of(c);
    if (!p || crl_is_delta(p) != crl_is_delta(c->f))
        return;
    uint64_t slack = p->entries / 5 > 10 ? p->entries / 5 : 10;
    if (!crl_is_delta(p) && p->entries > slack && c->f->entries < p->entries - slack &&
        !(c->x->verdicts[c->i] & CRL_V_STALE)) {
        struct finding *f = add(c, FIND_CRL_ENTRIES_LOST);
        rule_expected(f, "about %" PRIu64 " entries, as before", p->entries);
        rule_found(f, "%" PRIu64 " entries", c->f->entries);
    }
}

static void rule_form(const struct crl_case *c)
{
    if (c->f->warnings & CRL_WARN_PEM) {
        struct finding *f = add(c, FIND_CRL_NOT_DER);
        rule_expected(f, "DER");
        rule_found(f, "PEM");
    }
    if (c->f->warnings & CRL_WARN_DELTA_NOT_CRITICAL) {
        struct finding *f = add(c, FIND_CRL_DELTA_NOT_CRITICAL);
        rule_expected(f, "a critical delta indicator");
        rule_found(f, "not critical");
    }
}

static void rule_relying_parties(const struct crl_case *c)
{
    const struct health_limits *l = c->x->limits;
    if (l->max_bytes && c->f->bytes > l->max_bytes) {
        struct finding *f = add(c, FIND_RP_SIZE);
        rule_expected(f, "at most %" PRIu64 " bytes", l->max_bytes);
        rule_found(f, "%" PRIu64 " bytes", c->f->bytes);
    }
    if (l->max_ms && c->r->total_ms > l->max_ms) {
        struct finding *f = add(c, FIND_RP_TIME);
        rule_expected(f, "at most %" PRId64 " ms", l->max_ms);
        rule_found(f, "%" PRId64 " ms", c->r->total_ms);
    }
}

void rules_crl(struct rules *x, size_t i, uint32_t bits, size_t others_like)
{
    struct crl_case c = {
        x, i, others_like, &x->in->targets[i], &x->in->results[i], &x->in->results[i].facts};
    uint32_t v = x->verdicts[i];
    for (size_t k = 0; k < ARRAY_LEN(verdict_rules); k++) {
        if (!(v & bits & verdict_rules[k].bit) || (v & verdict_rules[k].silent_with))
            continue;
        struct finding *f = add(&c, verdict_rules[k].id);
        verdict_rules[k].tell(&c, f);
        if (bits != RULES_ALL)
            str_copy(
                f->remedy, sizeof f->remedy,
                "The newest CRL is there, on other servers: copy it to this one, then ask each "
                "again with crlagent check.");
        add_likes(f, others_like);
    }
    if (bits != RULES_ALL)
        return;
    rule_history(&c);
    rule_form(&c);
    rule_relying_parties(&c);
}

/* Told once for all locations. */
void rules_unverified(struct rules *x)
{
    size_t n = 0, first = SIZE_MAX;
    for (size_t i = 0; i < x->in->n; i++) {
        if (is_crl_role(&x->in->targets[i]) && has_crl(&x->in->results[i]) &&
            x->in->results[i].signature == CRL_SIG_NOT_CHECKED) {
            first = first == SIZE_MAX ? i : first;
            n++;
        }
    }
    if (n) {
        struct finding *f = rule_add(x, FIND_CRL_NOT_VERIFIED, first);
        f->address[0] = '\0';
        rule_expected(f, "a CA certificate to check the signature with");
        rule_found(f, "none given, %zu CRL%s unchecked", n, n == 1 ? "" : "s");
    }
}
