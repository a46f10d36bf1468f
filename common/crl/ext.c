/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlExtensions: the standard ones of RFC 5280 section 5.2 and those of AD CS. */
#include "crl/reader_int.h"

#include <string.h>

#include "base/str.h"

typedef int ext_fn(struct crl_reader *r, const struct crl_ext *x, const char *name);

static int bad_value(struct crl_reader *r, const struct crl_ext *x, int rule, const char *name,
                     const char *expected)
{
    if (rule == CRL_RULE_STRUCTURE)
        rule = CRL_RULE_EXTENSION_VALUE;
    return crl_refuse(r, rule, x->value.offset, "%s: expected %s", name, expected);
}

static int one_extension(struct crl_reader *r, struct der d, struct crl_ext *x)
{
    struct der_tlv t;
    bool is_der = true;
    int rule = der_expect(&d, DER_OID, &t);
    if (!rule)
        rule = der_oid_check(t.body.p, der_left(&t.body));
    if (rule)
        return rule;
    x->oid = t.body.p;
    x->oid_len = der_left(&t.body);
    x->critical = false;
    if (der_tag_is(&d, DER_BOOLEAN)) {
        rule = der_next(&d, &t);
        if (!rule)
            rule = der_boolean(&t.body, &x->critical, &is_der);
        if (rule)
            return rule;
        if (!is_der || !x->critical)
            r->facts.warnings |= CRL_WARN_NOT_DER;
    }
    rule = der_expect(&d, DER_OCTET_STRING, &t);
    if (!rule)
        rule = der_done(&d);
    x->value = t.body;
    return rule;
}

int crl_ext_list_read(struct crl_reader *r, struct der body, struct crl_ext_list *ret)
{
    ret->n = 0;
    if (!der_left(&body))
        return crl_refuse(r, CRL_RULE_EXTENSION, body.offset,
                          "expected at least one extension, found an empty list");
    while (der_left(&body)) {
        struct der_tlv seq;
        if (ret->n == CRL_EXTS_MAX)
            return crl_refuse(r, CRL_RULE_TOO_LARGE, body.offset, "more than %u extensions",
                              CRL_EXTS_MAX);
        struct crl_ext *x = &ret->item[ret->n];
        x->offset = body.offset;
        int rule = der_expect(&body, DER_SEQUENCE, &seq);
        if (!rule)
            rule = one_extension(r, seq.body, x);
        if (rule)
            return crl_refuse(r, rule == CRL_RULE_STRUCTURE ? CRL_RULE_EXTENSION : rule, x->offset,
                              "expected an extension {OID, critical, OCTET STRING}");
        for (size_t i = 0; i < ret->n; i++) {
            char oid[64];
            if (!crl_ext_is(&ret->item[i], (const char *)x->oid, x->oid_len))
                continue;
            der_oid_text(x->oid, x->oid_len, oid, sizeof oid);
            return crl_refuse(r, CRL_RULE_EXTENSION_DUPLICATE, x->offset,
                              "extension %s was there before, at offset %llu", oid,
                              (unsigned long long)ret->item[i].offset);
        }
        ret->n++;
    }
    return ERR_OK;
}

bool crl_ext_is(const struct crl_ext *e, const char *oid, size_t len)
{
    return e->oid_len == len && memcmp(e->oid, oid, len) == 0;
}

void crl_ext_unknown(struct crl_reader *r, const struct crl_ext *e)
{
    struct crl_facts *f = &r->facts;
    char oid[64];
    if (!e->critical)
        return;
    f->warnings |= CRL_WARN_UNKNOWN_CRITICAL;
    f->unknown_critical++;
    der_oid_text(e->oid, e->oid_len, oid, sizeof oid);
    for (size_t i = 0; i < CRL_OIDS_MAX; i++) {
        if (strcmp(f->unknown_critical_oid[i], oid) == 0)
            return;
        if (f->unknown_critical_oid[i][0] == '\0') {
            str_copy(f->unknown_critical_oid[i], sizeof f->unknown_critical_oid[i], oid);
            return;
        }
    }
}

static int read_integer(const struct crl_ext *x, struct der *ret)
{
    struct der v = x->value;
    struct der_tlv t;
    int rule = der_expect(&v, DER_INTEGER, &t);
    if (!rule)
        rule = der_integer_check(t.body.p, der_left(&t.body));
    if (!rule)
        rule = der_done(&v);
    if (!rule)
        *ret = t.body;
    return rule;
}

static int read_number(struct crl_reader *r, const struct crl_ext *x, const char *name,
                       struct crl_number *ret)
{
    struct der v;
    int rule = read_integer(x, &v);
    if (rule)
        return bad_value(r, x, rule, name, "one INTEGER");
    if (v.p[0] >= 0x80)
        return crl_refuse(r, CRL_RULE_NUMBER, v.offset, "%s: expected no negative number", name);
    if (v.p[0] == 0 && der_left(&v) > 1)
        v.p++;
    if (der_left(&v) > CRL_NUMBER_MAX)
        return crl_refuse(r, CRL_RULE_NUMBER, v.offset, "%s: expected at most %d octets, found %zu",
                          name, CRL_NUMBER_MAX, der_left(&v));
    ret->len = (uint8_t)der_left(&v);
    memcpy(ret->bytes, v.p, ret->len);
    return ERR_OK;
}

static int ext_number(struct crl_reader *r, const struct crl_ext *x, const char *name)
{
    return read_number(r, x, name, &r->facts.number);
}

static int ext_delta(struct crl_reader *r, const struct crl_ext *x, const char *name)
{
    r->facts.warnings |= x->critical ? 0 : CRL_WARN_DELTA_NOT_CRITICAL;
    return read_number(r, x, name, &r->facts.delta_base);
}

static int ext_virtual_base(struct crl_reader *r, const struct crl_ext *x, const char *name)
{
    return read_number(r, x, name, &r->facts.virtual_base);
}

static int ext_ca_version(struct crl_reader *r, const struct crl_ext *x, const char *name)
{
    struct crl_number n = {0};
    int rc = read_number(r, x, name, &n);
    if (rc)
        return rc;
    if (n.len > 4)
        return bad_value(r, x, CRL_RULE_EXTENSION_VALUE, name, "a number of at most 32 bits");
    r->facts.ca_version = 0;
    for (uint8_t i = 0; i < n.len; i++)
        r->facts.ca_version = r->facts.ca_version << 8 | n.bytes[i];
    r->facts.has_ca_version = true;
    return ERR_OK;
}

static int ext_next_publish(struct crl_reader *r, const struct crl_ext *x, const char *name)
{
    struct der v = x->value;
    struct der_tlv t;
    int rule = der_next(&v, &t);
    if (!rule)
        rule = der_done(&v);
    if (rule)
        return bad_value(r, x, rule, name, "one UTCTime or GeneralizedTime");
    return crl_field_time(r, &t, name, &r->facts.next_publish);
}

static int ext_aki(struct crl_reader *r, const struct crl_ext *x, const char *name)
{
    struct der v = x->value;
    struct der_tlv seq, t;
    int rule = der_expect(&v, DER_SEQUENCE, &seq);
    if (!rule)
        rule = der_done(&v);
    uint8_t last = 0;
    while (!rule && der_left(&seq.body)) {
        rule = der_next(&seq.body, &t);
        uint8_t n = rule ? 0 : t.tag & 0x1F;
        if (!rule && ((t.tag != 0x80 && t.tag != 0xA1 && t.tag != 0x82) || (last && n < last)))
            rule = CRL_RULE_STRUCTURE;
        last = (uint8_t)(n + 1);
        if (rule || t.tag != 0x80)
            continue;
        if (der_left(&t.body) > sizeof r->facts.aki)
            return crl_refuse(r, CRL_RULE_TOO_LARGE, t.body.offset,
                              "%s: a key identifier of %zu octets, at most %zu", name,
                              der_left(&t.body), sizeof r->facts.aki);
        r->facts.aki_len = (uint8_t)der_left(&t.body);
        memcpy(r->facts.aki, t.body.p, r->facts.aki_len);
    }
    return rule ? bad_value(r, x, rule, name, "SEQUENCE {[0] keyIdentifier, [1], [2]}") : ERR_OK;
}

static void keep_url(struct crl_reader *r, struct crl_url_list *list, const struct der *url)
{
    size_t len = der_left(url);
    uint32_t at = list->count++;
    if (at >= CRL_URLS_MAX) {
        r->facts.warnings |= CRL_WARN_URLS_CUT;
        return;
    }
    if (len >= CRL_URL_TEXT) {
        r->facts.warnings |= CRL_WARN_URLS_CUT;
        len = CRL_URL_TEXT - 1;
    }
    for (size_t i = 0; i < len; i++) /* IA5String: control and 8-bit characters cannot be meant */
        list->url[at][i] = url->p[i] >= 0x20 && url->p[i] < 0x7F ? (char)url->p[i] : '?';
    list->url[at][len] = '\0';
}

/* DistributionPointName (RFC 5280 section 4.2.1.13): URIs of fullName are kept. */
static int point_name(struct crl_reader *r, struct der d, struct crl_url_list *list)
{
    struct der_tlv t, name;
    int rule = der_next(&d, &t);
    if (!rule)
        rule = der_done(&d);
    if (!rule && t.tag != DER_CONTEXT_0 && t.tag != 0xA1)
        rule = CRL_RULE_STRUCTURE;
    if (!rule && !der_left(&t.body))
        rule = CRL_RULE_STRUCTURE;
    while (!rule && der_left(&t.body)) {
        rule = der_next(&t.body, &name);
        if (!rule && (name.tag & 0x20))
            rule = der_check_deep(name.body, 16);
        if (!rule && t.tag == DER_CONTEXT_0 && name.tag == 0x86)
            keep_url(r, list, &name.body);
    }
    return rule;
}

/* CRLDistributionPoints, also the syntax of Freshest CRL and of Published CRL Locations. */
static int point_list(struct crl_reader *r, const struct crl_ext *x, const char *name,
                      struct crl_url_list *list)
{
    struct der v = x->value;
    struct der_tlv seq, point, t;
    int rule = der_expect(&v, DER_SEQUENCE, &seq);
    if (!rule)
        rule = der_done(&v);
    if (!rule && !der_left(&seq.body))
        rule = CRL_RULE_STRUCTURE;
    while (!rule && der_left(&seq.body)) {
        rule = der_expect(&seq.body, DER_SEQUENCE, &point);
        while (!rule && der_left(&point.body)) {
            rule = der_next(&point.body, &t);
            if (!rule && t.tag == DER_CONTEXT_0)
                rule = point_name(r, t.body, list);
            else if (!rule && t.tag != 0x81 && t.tag != 0xA2)
                rule = CRL_RULE_STRUCTURE;
        }
    }
    return rule ? bad_value(r, x, rule, name, "SEQUENCE OF DistributionPoint") : ERR_OK;
}

static int ext_freshest(struct crl_reader *r, const struct crl_ext *x, const char *name)
{
    return point_list(r, x, name, &r->facts.freshest);
}

static int ext_published(struct crl_reader *r, const struct crl_ext *x, const char *name)
{
    return point_list(r, x, name, &r->facts.published);
}

static int idp_flag(struct crl_reader *r, const struct der_tlv *t, uint32_t bit)
{
    bool value = false, is_der = true;
    int rule = der_boolean(&t->body, &value, &is_der);
    if (rule)
        return rule;
    if (!is_der || !value)
        r->facts.warnings |= CRL_WARN_NOT_DER;
    r->facts.idp_scope |= value ? bit : 0;
    return CRL_RULE_OK;
}

static int ext_idp(struct crl_reader *r, const struct crl_ext *x, const char *name)
{
    static const uint32_t bits[6] = {
        0, CRL_IDP_USER, CRL_IDP_CA, CRL_IDP_REASONS, CRL_IDP_INDIRECT, CRL_IDP_ATTR};
    struct der v = x->value;
    struct der_tlv seq, t;
    int next = 0;
    r->facts.has_idp = true;
    r->facts.warnings |= x->critical ? 0 : CRL_WARN_IDP_NOT_CRITICAL;
    int rule = der_expect(&v, DER_SEQUENCE, &seq);
    if (!rule)
        rule = der_done(&v);
    while (!rule && der_left(&seq.body)) {
        rule = der_next(&seq.body, &t);
        int n = rule ? 0 : t.tag & 0x1F;
        if (rule || n < next || n > 5 || t.tag != (n == 0 ? 0xA0 : 0x80 | n)) {
            rule = rule ? rule : CRL_RULE_STRUCTURE;
            break;
        }
        next = n + 1;
        if (n == 0)
            rule = point_name(r, t.body, &r->facts.idp);
        else if (n == 3)
            r->facts.idp_scope |= CRL_IDP_REASONS;
        else
            rule = idp_flag(r, &t, bits[n]);
    }
    return rule ? bad_value(r, x, rule, name, "IssuingDistributionPoint (RFC 5280 section 5.2.5)")
                : ERR_OK;
}

static int ext_opaque(struct crl_reader *r, const struct crl_ext *x, const char *name)
{
    (void)name;
    crl_ext_unknown(r, x);
    return ERR_OK;
}

#define MS "\x2B\x06\x01\x04\x01\x82\x37\x15"
static const struct {
    const char *oid;
    size_t len;
    const char *name;
    ext_fn *read;
} known[] = {
    {"\x55\x1D\x23", 3, "authorityKeyIdentifier", ext_aki},
    {"\x55\x1D\x14", 3, "cRLNumber", ext_number},
    {"\x55\x1D\x1B", 3, "deltaCRLIndicator", ext_delta},
    {"\x55\x1D\x1C", 3, "issuingDistributionPoint", ext_idp},
    {"\x55\x1D\x2E", 3, "freshestCRL", ext_freshest},
    {MS "\x01", 9, "CA Version (1.3.6.1.4.1.311.21.1)", ext_ca_version},
    {MS "\x03", 9, "Virtual Base (1.3.6.1.4.1.311.21.3)", ext_virtual_base},
    {MS "\x04", 9, "Next CRL Publish (1.3.6.1.4.1.311.21.4)", ext_next_publish},
    {MS "\x0E", 9, "Published CRL Locations (1.3.6.1.4.1.311.21.14)", ext_published},
};

static int dispatch(struct crl_reader *r, const struct crl_ext *x)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (crl_ext_is(x, known[i].oid, known[i].len))
            return known[i].read(r, x, known[i].name);
    }
    return ext_opaque(r, x, "");
}

int crl_extensions(struct crl_reader *r, const struct der_tlv *t)
{
    struct crl_ext_list list;
    struct der d = t->body;
    struct der_tlv seq;
    if (r->facts.version != 2)
        return crl_refuse(r, CRL_RULE_V1_EXTENSIONS, t->body.offset,
                          "crlExtensions found in a CRL without version v2");
    int rule = der_expect(&d, DER_SEQUENCE, &seq);
    if (!rule)
        rule = der_done(&d);
    if (rule)
        return crl_refuse(r, rule == CRL_RULE_STRUCTURE ? CRL_RULE_EXTENSION : rule, d.offset,
                          "crlExtensions: expected one SEQUENCE OF Extension");
    int rc = crl_ext_list_read(r, seq.body, &list);
    for (size_t i = 0; !rc && i < list.n; i++)
        rc = dispatch(r, &list.item[i]);
    return rc;
}
