/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "crl/facts.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

int crl_number_compare(const struct crl_number *a, const struct crl_number *b)
{
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    int c = memcmp(a->bytes, b->bytes, a->len);
    return c < 0 ? -1 : c > 0;
}

const char *crl_number_format(const struct crl_number *n, char dst[48])
{
    if (n->len == 0) {
        memcpy(dst, "-", 2);
        return dst;
    }
    if (n->len > 8) {
        memcpy(dst, "0x", 2);
        str_hex(dst + 2, n->bytes, n->len);
        return dst;
    }
    uint64_t v = 0;
    for (uint8_t i = 0; i < n->len; i++)
        v = v << 8 | n->bytes[i];
    snprintf(dst, 48, "%llu", (unsigned long long)v);
    return dst;
}

bool crl_number_parse(const char *text, struct crl_number *ret)
{
    struct crl_number n = {0};
    size_t len = 0;
    uint64_t v = 0;
    if (strcmp(text, "-") == 0) {
        *ret = n;
        return true;
    }
    if (str_starts(text, "0x")) {
        if (str_unhex(text + 2, n.bytes, sizeof n.bytes, &len, NULL) || !len)
            return false;
        n.len = (uint8_t)len;
    } else {
        if (str_parse_u64(text, 0, UINT64_MAX, &v, NULL))
            return false;
        for (int shift = 56; shift >= 0; shift -= 8) {
            uint8_t byte = (uint8_t)(v >> shift);
            if (byte || n.len || shift == 0)
                n.bytes[n.len++] = byte;
        }
    }
    *ret = n;
    return true;
}

bool crl_number_next(const struct crl_number *a, struct crl_number *ret)
{
    struct crl_number n = *a;
    if (!n.len)
        return false;
    for (size_t i = n.len; i-- > 0;) {
        if (++n.bytes[i]) {
            *ret = n;
            return true;
        }
    }
    if (n.len == CRL_NUMBER_MAX)
        return false;
    /* All bytes were 0xff and are zero now: one more in front. */
    n.len++;
    n.bytes[n.len - 1] = 0;
    n.bytes[0] = 1;
    *ret = n;
    return true;
}

static const struct {
    const char *name, *text;
} warnings[CRL_WARN_COUNT] = {
    {"pem",
     "the CRL is in PEM armour; RFC 5280 section 4.2.1.13 wants DER at a distribution point"},
    {"v1", "version 1: no extensions, so no number and no key identifier"},
    {"no-next-update", "nextUpdate is absent (RFC 5280 section 5.1.2.5): Windows never expires it"},
    {"empty-revoked-list", "revokedCertificates is present and empty (RFC 5280 section 5.1.2.6)"},
    {"serial-negative-or-zero", "a serial number is zero or negative (RFC 5280 section 4.1.2.2)"},
    {"serial-long", "a serial number has more than 20 octets (RFC 5280 section 4.1.2.2)"},
    {"generalized-time-before-2050",
     "a date before 2050 is a GeneralizedTime (RFC 5280 section 5.1.2.4)"},
    {"no-aki", "no authority key identifier (RFC 5280 section 5.2.1)"},
    {"no-number", "no CRL number (RFC 5280 section 5.2.3)"},
    {"delta-not-critical", "the delta CRL indicator is not critical (RFC 5280 section 5.2.4)"},
    {"idp-not-critical", "the issuing distribution point is not critical (RFC 5280 section 5.2.5)"},
    {"unknown-critical", "an unknown critical extension: relying parties must not use this CRL"},
    {"urls-cut", "a URL or a list of URLs was longer than what is kept"},
    {"weak-digest", "the signature uses MD5 or SHA-1"},
    {"not-der", "a BOOLEAN is written out as its default, or TRUE is not 0xFF (X.690 section 11)"},
    {"key-by-name", "the key identifier matches no given CA certificate, a key of that name does"},
    {"next-before-this", "nextUpdate is not later than thisUpdate"},
    {"reason-unknown", "a revocation reason outside RFC 5280 section 5.3.1"},
    {"algorithm-parameters",
     "parameters of the signature algorithm: NULL belongs to RSA and to RSA only (RFC 4055)"},
    {"other-issuer", "entries of another issuer in a CRL that is not indirect"},
    {"invalidity-utc-time", "an invalidity date is a UTCTime (RFC 5280 section 5.3.2)"},
};

static unsigned bit_index(unsigned bit)
{
    return bit ? (unsigned)__builtin_ctz(bit) : CRL_WARN_COUNT;
}

const char *crl_warning_name(enum crl_warning bit)
{
    unsigned i = bit_index(bit);
    return i < CRL_WARN_COUNT ? warnings[i].name : "unknown";
}

const char *crl_warning_text(enum crl_warning bit)
{
    unsigned i = bit_index(bit);
    return i < CRL_WARN_COUNT ? warnings[i].text : "unknown";
}

const char *crl_reason_name(int reason)
{
    static const char *const names[CRL_REASONS] = {
        "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
        "superseded",    "cessationOfOperation", "certificateHold", "unknown",
        "removeFromCRL", "privilegeWithdrawn",   "aACompromise"};
    return reason >= 0 && reason < CRL_REASONS ? names[reason] : "unknown";
}
