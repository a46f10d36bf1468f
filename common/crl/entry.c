/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Entries of revokedCertificates. Nearly all of them have one of two shapes: serial and UTCTime, or
 * the same with the 14 octets of a reason code. These go through a short path without any general
 * parsing; everything else, and everything wrong, takes the general one, which names the rule. */
#include "crl/reader_int.h"

#include <string.h>

#define UTC_LEN 13u
#define REASON_EXT_LEN 14u

/* SEQUENCE { SEQUENCE { OID 2.5.29.21, OCTET STRING { ENUMERATED x } } } without the x */
static const uint8_t reason_ext[REASON_EXT_LEN - 1] = {0x30, 0x0C, 0x30, 0x0A, 0x06, 0x03, 0x55,
                                                       0x1D, 0x15, 0x04, 0x03, 0x0A, 0x01};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "pairs() reads octets in this order");

/* Eight ASCII digits at once: octet 0 of *ret is the first pair as a number, octet 2 the second and
 * so on. Returns false when one is no digit. */
static inline bool pairs(const uint8_t *p, uint64_t *ret)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    v ^= UINT64_C(0x3030303030303030);
    if (((v + UINT64_C(0x0606060606060606)) | v) & UINT64_C(0xF0F0F0F0F0F0F0F0))
        return false;
    *ret = (v * 10 + (v >> 8)) & UINT64_C(0x00FF00FF00FF00FF);
    return true;
}

/* UTCTime content of 13 octets; returns false when it is not a plain valid one. */
static inline bool fast_time(const struct crl_reader *r, const uint8_t *p, int64_t *ret)
{
    static const uint16_t before_month[13] = {0,   0,   31,  59,  90,  120, 151,
                                              181, 212, 243, 273, 304, 334};
    static const uint8_t days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint64_t date, clock; /* YYMMDDHH, DDHHMMSS */
    if (!pairs(p, &date) || !pairs(p + 4, &clock) || p[12] != 'Z')
        return false;
    unsigned yy = date & 0xFF, m = date >> 16 & 0xFF, d = date >> 32 & 0xFF;
    unsigned hh = clock >> 16 & 0xFF, mm = clock >> 32 & 0xFF, ss = clock >> 48 & 0xFF;
    if ((m - 1 > 11) | (hh > 23) | (mm > 59) | (ss > 59))
        return false;
    unsigned leap = yy % 4 == 0; /* true for 1950-2049: 2000 is a leap year */
    if (d - 1 >= days[m] + (leap & (m == 2)))
        return false;
    int32_t day = r->year_start[yy] + before_month[m] + (int32_t)(d - 1 + (leap & (m > 2)));
    *ret = (int64_t)day * 86400 + (int64_t)(hh * 3600 + mm * 60 + ss);
    return true;
}

static inline void count_date(struct crl_facts *f, int64_t when)
{
    if (f->earliest_revocation == WHEN_NONE || when < f->earliest_revocation)
        f->earliest_revocation = when;
    if (when > f->latest_revocation) /* WHEN_NONE is the smallest number */
        f->latest_revocation = when;
}

static inline void count_reason(struct crl_facts *f, int reason)
{
    f->entries++;
    if (reason < 0) {
        f->entries_without_reason++;
        f->reason[0]++;
    } else if (reason >= CRL_REASONS || reason == 7) {
        f->reason[7]++;
        f->warnings |= CRL_WARN_REASON_UNKNOWN;
    } else {
        f->reason[reason]++;
    }
}

static int cancelled(struct crl_reader *r)
{
    return err_set(&r->error, ERR_CANCELLED, "'%s': reading was stopped at entry %llu", r->label,
                   (unsigned long long)r->facts.entries);
}

/* Length of the plain entry at p, or 0 when it is not plain or not whole. */
static inline size_t fast_entry(const struct crl_reader *r, const uint8_t *p, size_t avail,
                                struct crl_entry *e)
{
    if (avail < 2 || p[0] != DER_SEQUENCE || p[1] >= 0x80 || p[1] < 3 + UTC_LEN + 2 ||
        avail < 2u + p[1])
        return 0;
    size_t total = 2u + p[1], n = p[3];
    if (p[2] != DER_INTEGER || n - 1 >= LIMIT_SERIAL_BYTES || 4 + n + 2 + UTC_LEN > total)
        return 0;
    const uint8_t *t = p + 4 + n;
    size_t rest = total - (4 + n + 2 + UTC_LEN);
    /* zero, negative or padded serials are for the general path */
    if (p[4] >= 0x80 || (p[4] == 0 && (n == 1 || p[5] < 0x80)))
        return 0;
    if (t[0] != DER_UTC_TIME || t[1] != UTC_LEN || !fast_time(r, t + 2, &e->revoked))
        return 0;
    e->reason = -1;
    if (rest) {
        const uint8_t *x = t + 2 + UTC_LEN;
        if (rest != REASON_EXT_LEN || memcmp(x, reason_ext, sizeof reason_ext) != 0 ||
            x[REASON_EXT_LEN - 1] >= 0x80 || r->facts.version != 2)
            return 0;
        e->reason = (int8_t)x[REASON_EXT_LEN - 1];
    }
    e->serial = p + 4;
    e->serial_len = n;
    return total;
}

int crl_entries_fast(struct crl_reader *r, const uint8_t *p, size_t avail, size_t *ret_used)
{
    uint64_t room = r->list_end - r->offset;
    size_t left = avail < room ? avail : (size_t)room;
    const uint8_t *start = p;
    struct crl_entry e = {.invalidity = WHEN_NONE};
    int rc = ERR_OK;
    while (!rc) {
        size_t n = fast_entry(r, p, left, &e);
        if (!n)
            break;
        count_date(&r->facts, e.revoked);
        count_reason(&r->facts, e.reason);
        p += n;
        left -= n;
        if (r->opt.on_entry && r->opt.on_entry(r->opt.arg, &e))
            rc = cancelled(r);
    }
    *ret_used = (size_t)(p - start);
    r->offset += *ret_used;
    return rc;
}

static int entry_reason(struct crl_reader *r, const struct crl_ext *x, struct crl_entry *e)
{
    struct der v = x->value;
    struct der_tlv t;
    int rule = der_expect(&v, DER_ENUMERATED, &t);
    if (!rule)
        rule = der_integer_check(t.body.p, der_left(&t.body));
    if (!rule)
        rule = der_done(&v);
    if (rule)
        return crl_refuse(r, CRL_RULE_EXTENSION_VALUE, x->value.offset,
                          "reasonCode: expected ENUMERATED (RFC 5280 section 5.3.1)");
    e->reason = der_left(&t.body) == 1 && t.body.p[0] < 0x80 ? (int8_t)t.body.p[0] : INT8_MAX;
    return ERR_OK;
}

static int entry_invalidity(struct crl_reader *r, const struct crl_ext *x, struct crl_entry *e)
{
    struct der v = x->value;
    struct der_tlv t;
    int rule = der_next(&v, &t);
    if (!rule)
        rule = der_time(t.tag, t.body.p, der_left(&t.body), &e->invalidity);
    if (!rule)
        rule = der_done(&v);
    if (rule)
        return crl_refuse(r, CRL_RULE_EXTENSION_VALUE, x->value.offset,
                          "invalidityDate: expected YYYYMMDDHHMMSSZ (RFC 5280 section 5.3.2)");
    r->facts.warnings |= t.tag == DER_UTC_TIME ? CRL_WARN_INVALIDITY_UTC : 0;
    return ERR_OK;
}

static int entry_extensions(struct crl_reader *r, struct der *d, struct crl_entry *e)
{
    struct crl_ext_list list;
    struct der_tlv seq;
    uint64_t at = d->offset;
    int rule = der_expect(d, DER_SEQUENCE, &seq);
    if (rule)
        return crl_refuse(r, rule == CRL_RULE_STRUCTURE ? CRL_RULE_ENTRY : rule, at,
                          "revoked entry: expected SEQUENCE OF Extension after the date");
    if (r->facts.version != 2)
        return crl_refuse(r, CRL_RULE_V1_EXTENSIONS, at,
                          "revoked entry: extensions found in a CRL without version v2");
    int rc = crl_ext_list_read(r, seq.body, &list);
    for (size_t i = 0; !rc && i < list.n; i++) {
        const struct crl_ext *x = &list.item[i];
        if (crl_ext_is(x, "\x55\x1D\x15", 3))
            rc = entry_reason(r, x, e);
        else if (crl_ext_is(x, "\x55\x1D\x18", 3))
            rc = entry_invalidity(r, x, e);
        else if (crl_ext_is(x, "\x55\x1D\x1D", 3))
            r->facts.entries_other_issuer++;
        else
            crl_ext_unknown(r, x);
    }
    return rc;
}

static int entry_serial(struct crl_reader *r, struct der *d, struct crl_entry *e)
{
    struct der_tlv t;
    int rule = der_expect(d, DER_INTEGER, &t);
    if (rule)
        return crl_refuse(r, rule == CRL_RULE_STRUCTURE ? CRL_RULE_ENTRY : rule, d->offset,
                          "revoked entry: expected the serial number, an INTEGER");
    e->serial = t.body.p;
    e->serial_len = der_left(&t.body);
    if (der_integer_check(e->serial, e->serial_len))
        return crl_refuse(r, CRL_RULE_INTEGER, t.body.offset,
                          "revoked entry: the serial number is empty or padded");
    if (e->serial[0] >= 0x80 || (e->serial_len == 1 && e->serial[0] == 0))
        r->facts.warnings |= CRL_WARN_SERIAL_NEGATIVE_OR_ZERO;
    if (e->serial_len > LIMIT_SERIAL_BYTES)
        r->facts.warnings |= CRL_WARN_SERIAL_LONG;
    return ERR_OK;
}

int crl_entry_slow(struct crl_reader *r, const struct der_tlv *entry)
{
    struct crl_entry e = {.reason = -1, .invalidity = WHEN_NONE};
    struct der d = entry->body;
    struct der_tlv t;
    int rc = entry_serial(r, &d, &e);
    if (rc)
        return rc;
    int rule = der_next(&d, &t);
    if (rule)
        return crl_refuse(r, rule == CRL_RULE_STRUCTURE ? CRL_RULE_ENTRY : rule, d.offset,
                          "revoked entry: expected the revocation date");
    rc = crl_field_time(r, &t, "revocationDate", &e.revoked);
    if (!rc && der_left(&d))
        rc = entry_extensions(r, &d, &e);
    if (rc)
        return rc;
    if (der_done(&d))
        return crl_refuse(r, CRL_RULE_INNER_TRAILING, d.offset, "bytes follow in a revoked entry");
    count_date(&r->facts, e.revoked);
    count_reason(&r->facts, e.reason);
    return r->opt.on_entry && r->opt.on_entry(r->opt.arg, &e) ? cancelled(r) : ERR_OK;
}
