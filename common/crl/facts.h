/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What one pass over a CRL leaves behind: a flat struct without pointers, so that it can cross a
 * process boundary, be stored and be compared. Filled by the streaming reader (crl/reader.h). Times
 * are UTC seconds, WHEN_NONE = absent. */
#ifndef CRLAGENT_CRL_FACTS_H
#define CRLAGENT_CRL_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/when.h"

#define CRL_URLS_MAX 8    /* URLs kept per extension; more are counted, not kept */
#define CRL_URL_TEXT 512  /* longest URL kept; a longer one sets crl_facts.urls_cut */
#define CRL_REASONS 11    /* CRLReason 0..10 (RFC 5280 section 5.3.1), 7 is unused */
#define CRL_OIDS_MAX 4    /* unknown critical extensions kept by name */
#define CRL_NUMBER_MAX 20 /* bytes of a CRL number (RFC 5280 section 5.2.3) */

/* A CRL number or other extension INTEGER: big-endian, no leading zero bytes; len 0 = absent (zero
 * is one 0x00). */
struct crl_number {
    uint8_t len;
    uint8_t bytes[CRL_NUMBER_MAX];
};

struct crl_url_list {
    uint32_t count; /* found; the first CRL_URLS_MAX are kept */
    char url[CRL_URLS_MAX][CRL_URL_TEXT];
};

enum crl_idp_scope {
    CRL_IDP_USER = 1,
    CRL_IDP_CA = 2,
    CRL_IDP_ATTR = 4,
    CRL_IDP_INDIRECT = 8,
    CRL_IDP_REASONS = 16
};

/* Tolerated breakage: relying parties accept it, so it is a warning and no refusal. Bits of
 * crl_facts.warnings. */
enum crl_warning {
    CRL_WARN_PEM = 1u << 0, /* PEM armour on the wire (RFC 5280 section 4.2.1.13 wants DER) */
    CRL_WARN_V1 = 1u << 1,  /* no version field */
    CRL_WARN_NO_NEXT_UPDATE = 1u << 2, /* RFC 5280 section 5.1.2.5 */
    CRL_WARN_EMPTY_REVOKED = 1u << 3,  /* revokedCertificates present and empty */
    CRL_WARN_SERIAL_NEGATIVE_OR_ZERO = 1u << 4,
    CRL_WARN_SERIAL_LONG = 1u << 5, /* over 20 bytes */
    CRL_WARN_GENERALIZED_BEFORE_2050 = 1u << 6,
    CRL_WARN_NO_AKI = 1u << 7,
    CRL_WARN_NO_NUMBER = 1u << 8,
    CRL_WARN_DELTA_NOT_CRITICAL = 1u << 9, /* RFC 5280 section 5.2.4 */
    CRL_WARN_IDP_NOT_CRITICAL = 1u << 10,  /* RFC 5280 section 5.2.5 */
    CRL_WARN_UNKNOWN_CRITICAL = 1u << 11,  /* an extension relying parties may not ignore */
    CRL_WARN_URLS_CUT = 1u << 12,          /* a URL or a list was longer than what is kept */
    CRL_WARN_WEAK_DIGEST = 1u << 13,       /* MD5 or SHA-1 signature */
    CRL_WARN_NOT_DER = 1u << 14,           /* a BOOLEAN default written out, or TRUE not 0xFF */
    CRL_WARN_KEY_BY_NAME = 1u << 15, /* AKI matches no given key; a key of that name verified */
    CRL_WARN_NEXT_BEFORE_THIS = 1u << 16, /* nextUpdate is not later than thisUpdate */
    CRL_WARN_REASON_UNKNOWN = 1u << 17,   /* a reason code outside RFC 5280; counted under 7 */
    CRL_WARN_ALG_PARAMETERS = 1u << 18,   /* RSA without the NULL of RFC 4055 section 2.1 */
    CRL_WARN_INVALIDITY_UTC = 1u << 20,   /* invalidityDate as UTCTime, RFC 5280 section 5.3.2 */
    CRL_WARN_OTHER_ISSUER = 1u << 19,     /* certificateIssuer entries without indirectCRL */
};
#define CRL_WARN_COUNT 21

struct crl_facts {
    /* identity */
    uint8_t issuer_der[LIMIT_CRL_NAME_BYTES];
    uint16_t issuer_der_len;
    char issuer[512]; /* RFC 4514 order and escaping, UTF-8 */
    uint8_t aki[64];  /* key identifier; aki_len 0 = absent */
    uint8_t aki_len;
    uint8_t signer[20]; /* the key that verified the signature: SHA-1 of its bits (RFC 5280 section
                           4.2.1.2 method 1); all zero = none has */
    int32_t version;    /* 1 or 2 */
    char signature_oid[64];  /* dotted */
    char signature_name[64]; /* "sha256WithRSAEncryption" */
    /* times */
    int64_t this_update, next_update, next_publish;
    /* extensions */
    struct crl_number number;       /* 2.5.29.20 */
    struct crl_number delta_base;   /* 2.5.29.27; len > 0 means this is a delta CRL */
    struct crl_number virtual_base; /* 1.3.6.1.4.1.311.21.3 */
    bool has_ca_version;
    uint32_t
        ca_version; /* 1.3.6.1.4.1.311.21.1: low 16 bits certificate index, high 16 key index */
    bool has_idp;
    uint32_t idp_scope;            /* enum crl_idp_scope bits */
    struct crl_url_list idp;       /* 2.5.29.28 */
    struct crl_url_list freshest;  /* 2.5.29.46 */
    struct crl_url_list published; /* 1.3.6.1.4.1.311.21.14 */
    uint32_t unknown_critical;     /* count */
    char unknown_critical_oid[CRL_OIDS_MAX][64];
    /* entries */
    uint64_t entries;
    int64_t earliest_revocation, latest_revocation;
    uint64_t reason[CRL_REASONS]; /* entries per reason; an entry without reason counts as 0
                                     (unspecified), one with an unknown reason as 7 */
    uint64_t entries_without_reason;
    uint64_t entries_other_issuer; /* entries with certificateIssuer (indirect CRL) */
    /* bytes */
    uint64_t bytes;     /* of the DER (after PEM decoding) */
    uint8_t sha256[32]; /* of the DER */
    uint64_t tbs_bytes;
    uint8_t tbs_digest[64]; /* of the signed part, by the signature's own digest */
    uint8_t tbs_digest_len; /* 0: the algorithm has no separate digest (Ed25519, ML-DSA) */
    uint32_t warnings;      /* enum crl_warning bits */
};

static inline bool crl_is_delta(const struct crl_facts *f)
{
    return f->delta_base.len > 0;
}

/* -1, 0, 1 as numbers; an absent number is smaller than any. */
int crl_number_compare(const struct crl_number *a, const struct crl_number *b);

/* Decimal when it fits 64 bits, else "0x" hex; "-" when absent. dst: at least 48 bytes. Returns
 * dst. */
const char *crl_number_format(const struct crl_number *n, char dst[48]);

/* The text of crl_number_format back; false when it is none. "-" gives an absent number. */
bool crl_number_parse(const char *text, struct crl_number *ret);

/* a + 1; false when a is absent or the sum is longer than CRL_NUMBER_MAX bytes. */
bool crl_number_next(const struct crl_number *a, struct crl_number *ret);

/* "pem", "no-aki" ... and a sentence for people; never NULL. */
const char *crl_warning_name(enum crl_warning bit);
const char *crl_warning_text(enum crl_warning bit);
/* "keyCompromise" ... (RFC 5280 section 5.3.1); "unknown" outside 0..10. */
const char *crl_reason_name(int reason);

#endif
