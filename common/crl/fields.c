/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The fields of a CertificateList around the entries. */
#include <stdio.h>
#include <string.h>

#include "crl/reader_int.h"

int crl_field_version(struct crl_reader *r, const struct der_tlv *t)
{
    if (der_left(&t->body) != 1 || t->body.p[0] != 1)
        return crl_refuse(r, CRL_RULE_VERSION, t->body.offset - 2,
                          "expected 1 (v2) or no version at all, found %s0x%02x",
                          der_left(&t->body) == 1 ? "" : "a longer number beginning with ",
                          der_left(&t->body) ? t->body.p[0] : 0);
    r->facts.version = 2;
    return ERR_OK;
}

int crl_field_algorithm(struct crl_reader *r, const struct der_tlv *t)
{
    const char *what = "";
    int rule = sigalg_read(t->body, &r->alg, &what);
    ERR_clear_error();
    if (rule)
        return crl_refuse(r, rule == CRL_RULE_STRUCTURE ? CRL_RULE_ALGORITHM : rule, t->body.offset,
                          "signature algorithm: expected: %s", what);
    if (buf_add(&r->alg_raw, t->raw, t->raw_len))
        return buf_check(&r->alg_raw, r->label, &r->error);
    snprintf(r->facts.signature_oid, sizeof r->facts.signature_oid, "%s", r->alg.oid);
    snprintf(r->facts.signature_name, sizeof r->facts.signature_name, "%s", r->alg.name);
    r->facts.warnings |= r->alg.weak ? CRL_WARN_WEAK_DIGEST : 0;
    r->facts.warnings |= r->alg.lax_parameters ? CRL_WARN_ALG_PARAMETERS : 0;
    return ERR_OK;
}

int crl_field_outer_algorithm(struct crl_reader *r, const struct der_tlv *t)
{
    if (t->raw_len == r->alg_raw.len && memcmp(t->raw, r->alg_raw.data, t->raw_len) == 0)
        return ERR_OK;
    struct sigalg outer;
    const char *what = "";
    int rule = sigalg_read(t->body, &outer, &what);
    ERR_clear_error();
    if (rule)
        return crl_refuse(r, rule == CRL_RULE_STRUCTURE ? CRL_RULE_ALGORITHM : rule, t->body.offset,
                          "signatureAlgorithm: expected: %s", what);
    return crl_refuse(r, CRL_RULE_ALGORITHM_MISMATCH, t->body.offset,
                      "signatureAlgorithm: expected %s with the parameters of the signed part, "
                      "found %s",
                      r->alg.name, outer.name);
}

int crl_field_signature(struct crl_reader *r, const struct der_tlv *t)
{
    size_t len = der_left(&t->body);
    if (len < 2 || t->body.p[0] != 0)
        return crl_refuse(r, CRL_RULE_SIGNATURE, t->body.offset,
                          "expected 0 unused bits and a value, found %s",
                          len < 2 ? "no value" : "unused bits");
    if (buf_add(&r->signature, t->body.p + 1, len - 1))
        return buf_check(&r->signature, r->label, &r->error);
    return ERR_OK;
}

/* RDNSequence (RFC 5280 section 4.1.2.4): SEQUENCE OF non-empty SET OF SEQUENCE { OID, value }. */
static int name_check(struct der name, uint64_t *ret_offset)
{
    struct der_tlv rdn, ava, oid, value;
    int rule = der_left(&name) ? CRL_RULE_OK : CRL_RULE_ISSUER;
    while (!rule && der_left(&name)) {
        *ret_offset = name.offset;
        rule = der_expect(&name, DER_SET, &rdn);
        if (!rule && !der_left(&rdn.body))
            rule = CRL_RULE_ISSUER;
        while (!rule && der_left(&rdn.body)) {
            *ret_offset = rdn.body.offset;
            rule = der_expect(&rdn.body, DER_SEQUENCE, &ava);
            if (!rule)
                rule = der_expect(&ava.body, DER_OID, &oid);
            if (!rule)
                rule = der_oid_check(oid.body.p, der_left(&oid.body));
            if (!rule)
                rule = der_next(&ava.body, &value);
            if (!rule && (value.tag & 0x20))
                rule = der_check_deep(value.body, 8);
            if (!rule)
                rule = der_done(&ava.body);
        }
    }
    return rule;
}

/* RFC 4514 text; OpenSSL knows the attribute names and the string types. */
static int name_print(const struct der_tlv *t, char *dst, size_t dst_size)
{
    const unsigned char *p = t->raw;
    X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)t->raw_len);
    BIO *out = name ? BIO_new(BIO_s_mem()) : NULL;
    unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    int rc = out && X509_NAME_print_ex(out, name, 0, flags) >= 0 ? 0 : -1;
    if (!rc) {
        char *text = NULL;
        long n = BIO_get_mem_data(out, &text);
        snprintf(dst, dst_size, "%.*s", (int)n, text ? text : "");
    }
    BIO_free(out);
    X509_NAME_free(name);
    ERR_clear_error();
    return rc;
}

int crl_field_issuer(struct crl_reader *r, const struct der_tlv *t)
{
    uint64_t offset = t->body.offset;
    int rule = name_check(t->body, &offset);
    if (rule)
        return crl_refuse(r, rule == CRL_RULE_STRUCTURE ? CRL_RULE_ISSUER : rule, offset,
                          "issuer: expected a non-empty SEQUENCE OF SET OF {OID, value}");
    if (name_print(t, r->facts.issuer, sizeof r->facts.issuer))
        return crl_refuse(r, CRL_RULE_ISSUER, t->body.offset,
                          "issuer: a value is no string of its type");
    memcpy(r->facts.issuer_der, t->raw, t->raw_len);
    r->facts.issuer_der_len = (uint16_t)t->raw_len;
    return ERR_OK;
}

int crl_field_time(struct crl_reader *r, const struct der_tlv *t, const char *what, int64_t *ret)
{
    char found[40];
    if (der_time(t->tag, t->body.p, der_left(&t->body), ret))
        return crl_refuse(r, CRL_RULE_TIME, t->body.offset, "%s: expected %s, found '%s'", what,
                          t->tag == DER_UTC_TIME ? "YYMMDDHHMMSSZ" : "YYYYMMDDHHMMSSZ",
                          crl_quote(found, t->body.p, der_left(&t->body)));
    if (t->tag == DER_GENERALIZED_TIME && memcmp(t->body.p, "2050", 4) < 0)
        r->facts.warnings |= CRL_WARN_GENERALIZED_BEFORE_2050;
    return ERR_OK;
}
