/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Verdicts on one CRL as served, at one moment (the clock is an argument). Pure functions, no I/O.
 */
#ifndef CRLAGENT_CRL_JUDGE_H
#define CRLAGENT_CRL_JUDGE_H

#include "crl/facts.h"
#include "crl/reader.h"

/* Bits; several can hold at once. */
enum crl_verdict {
    CRL_V_OK = 0,
    CRL_V_EXPIRED = 1u << 0,       /* now >= nextUpdate */
    CRL_V_EXPIRING = 1u << 1,      /* less than the warning threshold left */
    CRL_V_EXPIRING_SOON = 1u << 2, /* less than the critical threshold left */
    CRL_V_OVERDUE = 1u << 3,       /* Next CRL Publish passed by more than the grace time */
    CRL_V_FROM_FUTURE = 1u << 4,   /* thisUpdate later than now + skew */
    CRL_V_STALE = 1u << 5,         /* number lower than the reference (the CA's own) */
    CRL_V_MISMATCH = 1u << 6,      /* same number as the reference, other bytes */
    CRL_V_WRONG_ISSUER = 1u << 7,  /* issuer name or key is none of the given ones */
    CRL_V_BAD_SIGNATURE = 1u << 8,
    CRL_V_WRONG_TYPE = 1u << 9,      /* base where a delta was expected, or the reverse */
    CRL_V_DELTA_BASE_GAP = 1u << 10, /* the base served is older than the delta's BaseCRLNumber */
    CRL_V_DELTA_OLDER = 1u << 11,    /* delta number below the base's number */
    CRL_V_IDP_MISMATCH = 1u << 12,   /* IDP URLs do not hold the URL it was fetched from */
    CRL_V_WEAK_DIGEST = 1u << 13,
    CRL_V_UNKNOWN_CRITICAL = 1u << 14,
    CRL_V_NO_NEXT_UPDATE = 1u << 15,
    CRL_V_NUMBER_AHEAD = 1u << 16, /* number higher than the reference: the reference is old */
    CRL_V_SIGNATURE_UNSUPPORTED = 1u << 17,
    CRL_V_SHORT = 1u << 18, /* nextUpdate lies before the moment until which it is needed */
};
#define CRL_V_COUNT 19

struct crl_thresholds {
    int64_t warn_seconds, crit_seconds; /* remaining life; 0 = use percent */
    uint8_t warn_percent, crit_percent; /* of the life used up, 1-99; e.g. 80 and 95 */
    int64_t overdue_grace;              /* after Next CRL Publish; default 1800 (30 min) */
    int64_t skew;                       /* tolerated clock difference; default 300 */
};
extern const struct crl_thresholds crl_thresholds_default;

struct crl_expectation {
    bool delta;      /* a delta is expected here */
    const char *url; /* fetched from; NULL = not compared with the IDP */
    const struct crl_facts
        *reference;               /* the CA's own newest copy of this kind and key; NULL = none */
    const struct crl_facts *base; /* for a delta: the base that clients get; NULL = not compared */
    enum crl_signature signature;
    int64_t required_until; /* end of a planned absence of the CA; 0 = none */
};

/* All verdicts on f at the moment now. e NULL: nothing is expected; t NULL: the defaults. A CRL of
 * the wrong type or issuer is not compared with reference and base: the numbers would mean nothing.
 */
uint32_t crl_judge(const struct crl_facts *f, const struct crl_expectation *e,
                   const struct crl_thresholds *t, int64_t now);

/* "expired", "delta-base-gap" ...: one word per bit. */
const char *crl_verdict_name(enum crl_verdict bit);

/* The pkiview state word for a set of verdicts: "OK", "Expiring", "Expired", "Error". */
const char *crl_verdict_state(uint32_t verdicts);

#endif
