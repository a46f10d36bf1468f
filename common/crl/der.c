/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "crl/der.h"

#include <stdio.h>
#include <string.h>

#include "base/when.h"

#define LEN_MAX (UINT64_C(1) << 48)

const struct crl_rule_info *crl_rule_info(enum crl_rule rule)
{
    static const struct crl_rule_info table[CRL_RULE_COUNT] = {
        [CRL_RULE_OK] = {"ok", "", ""},
#define CRL_RULE(symbol, rule_name, ref, what) [CRL_RULE_##symbol] = {rule_name, ref, what},
#include "crl/rules.def"
#undef CRL_RULE
    };
    static const struct crl_rule_info unknown = {"internal", "", ""};
    return (unsigned)rule < CRL_RULE_COUNT ? &table[rule] : &unknown;
}

static int long_length(const uint8_t *p, size_t avail, struct der_head *ret)
{
    unsigned n = p[1] & 0x7F;
    if (n == 0)
        return CRL_RULE_LENGTH_INDEFINITE;
    if (n > 8)
        return CRL_RULE_LENGTH_TOO_LARGE;
    if (avail < 2 + n)
        return DER_MORE;
    uint64_t len = 0;
    for (unsigned i = 0; i < n; i++)
        len = len << 8 | p[2 + i];
    if (p[2] == 0 || len < 0x80)
        return CRL_RULE_LENGTH_NON_MINIMAL;
    if (len > LEN_MAX)
        return CRL_RULE_LENGTH_TOO_LARGE;
    ret->head = (uint8_t)(2 + n);
    ret->len = len;
    return CRL_RULE_OK;
}

int der_head(const uint8_t *p, size_t avail, struct der_head *ret)
{
    if (avail >= 1 && (p[0] & 0x1F) == 0x1F)
        return CRL_RULE_TAG_HIGH;
    if (avail < 2)
        return DER_MORE;
    ret->tag = p[0];
    if (p[1] >= 0x80)
        return long_length(p, avail, ret);
    ret->head = 2;
    ret->len = p[1];
    return CRL_RULE_OK;
}

int der_next(struct der *d, struct der_tlv *ret)
{
    struct der_head h;
    if (d->p >= d->end)
        return CRL_RULE_STRUCTURE;
    int rc = der_head(d->p, der_left(d), &h);
    if (rc == DER_MORE)
        return CRL_RULE_OVERRUN;
    if (rc)
        return rc;
    if (h.len > der_left(d) - h.head)
        return CRL_RULE_OVERRUN;
    ret->tag = h.tag;
    ret->raw = d->p;
    ret->raw_len = h.head + (size_t)h.len;
    ret->body.p = d->p + h.head;
    ret->body.end = d->p + ret->raw_len;
    ret->body.offset = d->offset + h.head;
    d->p += ret->raw_len;
    d->offset += ret->raw_len;
    return CRL_RULE_OK;
}

int der_expect(struct der *d, uint8_t tag, struct der_tlv *ret)
{
    if (!der_tag_is(d, tag))
        return CRL_RULE_STRUCTURE;
    return der_next(d, ret);
}

int der_done(const struct der *d)
{
    return d->p == d->end ? CRL_RULE_OK : CRL_RULE_INNER_TRAILING;
}

int der_integer_check(const uint8_t *p, size_t len)
{
    if (len == 0)
        return CRL_RULE_INTEGER;
    if (len > 1 && ((p[0] == 0x00 && p[1] < 0x80) || (p[0] == 0xFF && p[1] >= 0x80)))
        return CRL_RULE_INTEGER;
    return CRL_RULE_OK;
}

int der_boolean(const struct der *body, bool *ret, bool *ret_der)
{
    if (der_left(body) != 1)
        return CRL_RULE_STRUCTURE;
    *ret = body->p[0] != 0;
    *ret_der = body->p[0] == 0 || body->p[0] == 0xFF;
    return CRL_RULE_OK;
}

int der_oid_check(const uint8_t *p, size_t len)
{
    if (len == 0 || (p[len - 1] & 0x80))
        return CRL_RULE_STRUCTURE;
    for (size_t i = 0; i < len; i++) {
        if (p[i] == 0x80 && (i == 0 || !(p[i - 1] & 0x80)))
            return CRL_RULE_STRUCTURE;
    }
    return CRL_RULE_OK;
}

void der_oid_text(const uint8_t *p, size_t len, char *dst, size_t dst_size)
{
    size_t used = 0;
    uint64_t v = 0;
    bool first = true;
    dst[0] = '\0';
    for (size_t i = 0; i < len; i++) {
        if (v > UINT64_MAX >> 7)
            break;
        v = v << 7 | (p[i] & 0x7F);
        if (p[i] & 0x80)
            continue;
        unsigned arc = v < 40 ? 0 : v < 80 ? 1 : 2;
        int n = first ? snprintf(dst, dst_size, "%u.%llu", arc, (unsigned long long)(v - arc * 40))
                      : snprintf(dst + used, dst_size - used, ".%llu", (unsigned long long)v);
        if (n < 0 || (size_t)n >= dst_size - used) {
            if (dst_size > 4)
                memcpy(dst + dst_size - 4, "...", 4);
            return;
        }
        used += (size_t)n;
        first = false;
        v = 0;
    }
}

int der_check_deep(struct der d, int depth)
{
    if (depth <= 0)
        return CRL_RULE_TOO_LARGE;
    while (der_left(&d)) {
        struct der_tlv t;
        int rc = der_next(&d, &t);
        if (!rc && (t.tag & 0x20))
            rc = der_check_deep(t.body, depth - 1);
        if (rc)
            return rc;
    }
    return CRL_RULE_OK;
}

int der_time(uint8_t tag, const uint8_t *p, size_t len, int64_t *ret)
{
    size_t digits = tag == DER_UTC_TIME ? 12 : 14;
    if ((tag != DER_UTC_TIME && tag != DER_GENERALIZED_TIME) || len != digits + 1 ||
        p[digits] != 'Z')
        return CRL_RULE_TIME;
    int pair[7];
    for (size_t i = 0; i < digits / 2; i++) {
        unsigned tens = p[2 * i] - (unsigned)'0', ones = p[2 * i + 1] - (unsigned)'0';
        if (tens > 9 || ones > 9)
            return CRL_RULE_TIME;
        pair[i] = (int)(tens * 10 + ones);
    }
    const int *f = tag == DER_UTC_TIME ? pair : pair + 1;
    struct when_civil c = {
        .month = f[1], .day = f[2], .hour = f[3], .minute = f[4], .second = f[5]};
    if (tag == DER_UTC_TIME)
        c.year = f[0] + (f[0] < 50 ? 2000 : 1900);
    else
        c.year = pair[0] * 100 + pair[1];
    if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > when_month_days(c.year, c.month) ||
        c.hour > 23 || c.minute > 59 || c.second > 59)
        return CRL_RULE_TIME;
    *ret = when_from_civil(&c);
    return CRL_RULE_OK;
}
