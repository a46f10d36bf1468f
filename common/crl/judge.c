/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Sources of the rules: RFC 5280 sections 5.2 and 6.3, [MS-CSRA] 3.1.4.1.6 (a delta may refer to an
 * older base than the newest), Windows' comparison of IDP and CDP URLs (case-insensitive, no
 * decoding), the 30 minutes of grace of Microsoft's Get-CRLFreshness. */
#include "crl/judge.h"

#include <string.h>

#include "base/str.h"

const struct crl_thresholds crl_thresholds_default = {
    .warn_percent = 80, .crit_percent = 95, .overdue_grace = 1800, .skew = 300};

static bool life_used(const struct crl_facts *f, int64_t now, int64_t seconds, uint8_t percent)
{
    if (seconds > 0)
        return f->next_update - now < seconds;
    int64_t life = f->next_update - f->this_update;
    return percent && life > 0 && (now - f->this_update) * 100 >= life * percent;
}

static uint32_t judge_times(const struct crl_facts *f, const struct crl_thresholds *t, int64_t now)
{
    uint32_t v = 0;
    if (f->this_update > now + t->skew)
        v |= CRL_V_FROM_FUTURE;
    if (f->next_publish != WHEN_NONE && now > f->next_publish + t->overdue_grace)
        v |= CRL_V_OVERDUE;
    if (f->next_update == WHEN_NONE)
        return v | CRL_V_NO_NEXT_UPDATE;
    if (now >= f->next_update)
        return v | CRL_V_EXPIRED;
    if (life_used(f, now, t->warn_seconds, t->warn_percent))
        v |= CRL_V_EXPIRING;
    if (life_used(f, now, t->crit_seconds, t->crit_percent))
        v |= CRL_V_EXPIRING | CRL_V_EXPIRING_SOON;
    return v;
}

static uint32_t judge_signature(const struct crl_facts *f, enum crl_signature s)
{
    uint32_t v = f->warnings & CRL_WARN_WEAK_DIGEST ? CRL_V_WEAK_DIGEST : 0;
    switch (s) {
    case CRL_SIG_BAD:
        return v | CRL_V_BAD_SIGNATURE;
    case CRL_SIG_NO_ISSUER:
        return v | CRL_V_WRONG_ISSUER;
    case CRL_SIG_UNSUPPORTED:
        return v | CRL_V_SIGNATURE_UNSUPPORTED;
    case CRL_SIG_NOT_CHECKED:
    case CRL_SIG_GOOD:
        return v;
    }
    return v;
}

static bool same_issuer(const struct crl_facts *a, const struct crl_facts *b)
{
    if (a->issuer_der_len != b->issuer_der_len ||
        memcmp(a->issuer_der, b->issuer_der, a->issuer_der_len) != 0)
        return false;
    return !a->aki_len || !b->aki_len ||
           (a->aki_len == b->aki_len && memcmp(a->aki, b->aki, a->aki_len) == 0);
}

static uint32_t judge_reference(const struct crl_facts *f, const struct crl_facts *ref)
{
    if (!same_issuer(f, ref))
        return CRL_V_WRONG_ISSUER;
    int order = crl_number_compare(&f->number, &ref->number);
    if (!f->number.len || !ref->number.len) /* without numbers the dates decide */
        order = f->this_update < ref->this_update ? -1 : f->this_update > ref->this_update;
    if (order)
        return order < 0 ? CRL_V_STALE : CRL_V_NUMBER_AHEAD;
    return memcmp(f->sha256, ref->sha256, sizeof f->sha256) == 0 ? 0 : CRL_V_MISMATCH;
}

static uint32_t judge_base(const struct crl_facts *delta, const struct crl_facts *base)
{
    uint32_t v = 0;
    if (!same_issuer(delta, base))
        return CRL_V_DELTA_BASE_GAP; /* the base of another key is no base for it */
    if (crl_number_compare(&base->number, &delta->delta_base) < 0)
        v |= CRL_V_DELTA_BASE_GAP;
    if (delta->number.len && crl_number_compare(&delta->number, &base->number) < 0)
        v |= CRL_V_DELTA_OLDER;
    return v;
}

static bool idp_holds(const struct crl_facts *f, const char *url)
{
    if (!f->has_idp || f->idp.count == 0 || (f->warnings & CRL_WARN_URLS_CUT))
        return true;
    for (uint32_t i = 0; i < f->idp.count && i < CRL_URLS_MAX; i++) {
        if (str_eq_nocase(f->idp.url[i], url))
            return true;
    }
    return false;
}

uint32_t crl_judge(const struct crl_facts *f, const struct crl_expectation *e,
                   const struct crl_thresholds *t, int64_t now)
{
    uint32_t v = judge_times(f, t ? t : &crl_thresholds_default, now);
    if (f->unknown_critical)
        v |= CRL_V_UNKNOWN_CRITICAL;
    if (!e)
        return v | judge_signature(f, CRL_SIG_NOT_CHECKED);
    v |= judge_signature(f, e->signature);
    if (e->required_until && f->next_update != WHEN_NONE && f->next_update < e->required_until)
        v |= CRL_V_SHORT;
    if (e->url && !idp_holds(f, e->url))
        v |= CRL_V_IDP_MISMATCH;
    if (crl_is_delta(f) != e->delta)
        return v | CRL_V_WRONG_TYPE;
    if (e->reference && !(v & CRL_V_WRONG_ISSUER))
        v |= judge_reference(f, e->reference);
    if (e->delta && e->base && !(v & CRL_V_WRONG_ISSUER))
        v |= judge_base(f, e->base);
    return v;
}

const char *crl_verdict_name(enum crl_verdict bit)
{
    static const char *const names[CRL_V_COUNT] = {
        "expired",        "expiring",       "expiring-soon",
        "overdue",        "from-future",    "stale",
        "mismatch",       "wrong-issuer",   "bad-signature",
        "wrong-type",     "delta-base-gap", "delta-older",
        "idp-mismatch",   "weak-digest",    "unknown-critical",
        "no-next-update", "number-ahead",   "signature-unsupported",
        "short"};
    if (bit == CRL_V_OK)
        return "ok";
    unsigned i = (unsigned)__builtin_ctz((unsigned)bit);
    return i < CRL_V_COUNT ? names[i] : "unknown";
}

const char *crl_verdict_state(uint32_t verdicts)
{
    const uint32_t error = CRL_V_FROM_FUTURE | CRL_V_MISMATCH | CRL_V_WRONG_ISSUER |
                           CRL_V_BAD_SIGNATURE | CRL_V_WRONG_TYPE | CRL_V_DELTA_BASE_GAP |
                           CRL_V_IDP_MISMATCH | CRL_V_UNKNOWN_CRITICAL |
                           CRL_V_SIGNATURE_UNSUPPORTED;
    if (verdicts & error)
        return "Error";
    if (verdicts & CRL_V_EXPIRED)
        return "Expired";
    if (verdicts & CRL_V_STALE)
        return "Error";
    return verdicts & (CRL_V_EXPIRING | CRL_V_EXPIRING_SOON | CRL_V_OVERDUE) ? "Expiring" : "OK";
}
