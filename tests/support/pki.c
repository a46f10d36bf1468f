/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "support/pki_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void pki_must(int ok, const char *what, const char *file, int line)
{
    if (ok)
        return;
    fprintf(stderr, "%s:%d: %s failed\n", file, line, what);
    ERR_print_errors_fp(stderr);
    abort();
}

EVP_PKEY *pki_new_key(enum pki_key kind)
{
    switch (kind) {
    case PKI_P256:
        return EVP_EC_gen("P-256");
    case PKI_P384:
        return EVP_EC_gen("P-384");
    case PKI_P521:
        return EVP_EC_gen("P-521");
    case PKI_RSA2048:
        return EVP_RSA_gen(2048);
    case PKI_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case PKI_ED448:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
    case PKI_MLDSA65:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ML-DSA-65");
    }
    return NULL;
}

bool pki_signs_message(EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448") ||
           EVP_PKEY_is_a(key, "ML-DSA-65");
}

static void add_cert_ext(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    MUST(x && X509_add_ext(cert, x, -1));
    X509_EXTENSION_free(x);
}

static struct pki_ca *ca_make(const char *cn, enum pki_key kind, const char *usage)
{
    EVP_PKEY *key = pki_new_key(kind);
    ERR_clear_error();
    if (!key)
        return NULL;
    struct pki_ca *ca = calloc(1, sizeof *ca);
    MUST(ca);
    ca->key = key;
    ca->cert = X509_new();
    MUST(ca->cert && X509_set_version(ca->cert, 2));
    X509_NAME *name = X509_get_subject_name(ca->cert);
    MUST(X509_NAME_add_entry_by_txt(name, "DC", MBSTRING_UTF8, (const unsigned char *)"test", -1,
                                    -1, 0));
    MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1,
                                    0));
    MUST(X509_set_issuer_name(ca->cert, name));
    MUST(ASN1_INTEGER_set(X509_get_serialNumber(ca->cert), 1));
    MUST(ASN1_TIME_set(X509_getm_notBefore(ca->cert), 1577836800));
    MUST(ASN1_TIME_set(X509_getm_notAfter(ca->cert), 2524608000));
    MUST(X509_set_pubkey(ca->cert, key));
    add_cert_ext(ca->cert, NID_basic_constraints, "critical,CA:TRUE");
    add_cert_ext(ca->cert, NID_key_usage, usage);
    add_cert_ext(ca->cert, NID_subject_key_identifier, "hash");
    MUST(X509_sign(ca->cert, key, pki_signs_message(key) ? NULL : EVP_sha256()));
    return ca;
}

struct pki_ca *pki_ca_new(const char *common_name, enum pki_key kind)
{
    return ca_make(common_name, kind, "critical,keyCertSign,cRLSign");
}

struct pki_ca *pki_ca_new_no_crlsign(const char *common_name, enum pki_key kind)
{
    return ca_make(common_name, kind, "critical,keyCertSign");
}

struct pki_ca *pki_ca_renew(const struct pki_ca *ca, enum pki_key kind)
{
    char cn[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(ca->cert), NID_commonName, cn, sizeof cn);
    return pki_ca_new(cn, kind);
}

void pki_ca_free(struct pki_ca **ca)
{
    if (!*ca)
        return;
    X509_free((*ca)->cert);
    EVP_PKEY_free((*ca)->key);
    free(*ca);
    *ca = NULL;
}

void pki_take_bio(BIO *b, struct buf *out)
{
    char *p = NULL;
    long n = BIO_get_mem_data(b, &p);
    MUST(n > 0 && buf_add(out, p, (size_t)n) == 0);
    BIO_free(b);
}

void pki_ca_cert_pem(const struct pki_ca *ca, struct buf *out)
{
    BIO *b = BIO_new(BIO_s_mem());
    MUST(b && PEM_write_bio_X509(b, ca->cert));
    pki_take_bio(b, out);
}

void pki_ca_cert_der(const struct pki_ca *ca, struct buf *out)
{
    BIO *b = BIO_new(BIO_s_mem());
    MUST(b && i2d_X509_bio(b, ca->cert));
    pki_take_bio(b, out);
}

void pki_ca_add_issuer(const struct pki_ca *ca, struct crl_issuers **set)
{
    struct err err = ERR_INIT;
    struct buf der = BUF_INIT;
    pki_ca_cert_der(ca, &der);
    MUST(crl_issuers_add(set, "fixture", der.data, der.len, &err) == ERR_OK);
    buf_free(&der);
}

static ASN1_TIME *utc_time(int64_t when)
{
    ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)when);
    MUST(t);
    return t;
}

static void add_raw(X509_CRL *crl, const char *oid, bool critical, const unsigned char *der,
                    int len)
{
    ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    MUST(obj && value && ASN1_OCTET_STRING_set(value, der, len));
    X509_EXTENSION *x = X509_EXTENSION_create_by_OBJ(NULL, obj, critical, value);
    MUST(x && X509_CRL_add_ext(crl, x, -1));
    X509_EXTENSION_free(x);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(obj);
}

static void add_integer(X509_CRL *crl, const char *oid, bool critical, uint64_t v)
{
    ASN1_INTEGER *n = ASN1_INTEGER_new();
    unsigned char *der = NULL;
    MUST(n && ASN1_INTEGER_set_uint64(n, v));
    int len = i2d_ASN1_INTEGER(n, &der);
    MUST(len > 0);
    add_raw(crl, oid, critical, der, len);
    OPENSSL_free(der);
    ASN1_INTEGER_free(n);
}

/* CRLDistributionPoints with one URL, or an IDP: both begin with [0] { [0] { [6] url } }. */
static void add_url(X509_CRL *crl, const char *oid, bool idp, const char *url)
{
    unsigned char der[600];
    size_t n = strlen(url);
    MUST(n < 120 - 8);
    size_t at = sizeof der;
    memcpy(der + (at -= n), url, n);
    const unsigned char tags[] = {0x86, 0xA0, 0xA0, 0x30, 0x30};
    for (size_t i = 0; i < sizeof tags - (idp ? 1 : 0); i++) {
        MUST(sizeof der - at < 128);
        unsigned char len = (unsigned char)(sizeof der - at);
        der[--at] = len;
        der[--at] = tags[i];
    }
    add_raw(crl, oid, idp, der + at, (int)(sizeof der - at));
}

static void add_entries(X509_CRL *crl, const struct pki_crl *spec)
{
    for (size_t i = 0; i < spec->entries; i++) {
        X509_REVOKED *rev = X509_REVOKED_new();
        ASN1_INTEGER *serial = ASN1_INTEGER_new();
        ASN1_TIME *when = utc_time(spec->this_update - (int64_t)i);
        uint64_t first = spec->first_serial ? spec->first_serial : 1;
        MUST(rev && serial && ASN1_INTEGER_set_uint64(serial, first + i));
        MUST(X509_REVOKED_set_serialNumber(rev, serial));
        MUST(X509_REVOKED_set_revocationDate(rev, when));
        if (spec->reason) {
            ASN1_ENUMERATED *e = ASN1_ENUMERATED_new();
            MUST(e && ASN1_ENUMERATED_set(e, spec->reason));
            MUST(X509_REVOKED_add1_ext_i2d(rev, NID_crl_reason, e, 0, 0));
            ASN1_ENUMERATED_free(e);
        }
        MUST(X509_CRL_add0_revoked(crl, rev));
        ASN1_INTEGER_free(serial);
        ASN1_TIME_free(when);
    }
}

static void add_extensions(X509_CRL *crl, const struct pki_ca *ca, const struct pki_crl *spec)
{
    if (!spec->no_aki) {
        X509V3_CTX ctx;
        X509V3_set_ctx(&ctx, ca->cert, NULL, NULL, crl, 0);
        X509_EXTENSION *x =
            X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
        MUST(x && X509_CRL_add_ext(crl, x, -1));
        X509_EXTENSION_free(x);
    }
    if (spec->ca_version)
        add_integer(crl, "1.3.6.1.4.1.311.21.1", false, spec->ca_version);
    if (spec->number)
        add_integer(crl, "2.5.29.20", false, spec->number);
    if (spec->delta)
        add_integer(crl, "2.5.29.27", true, spec->delta_base);
    if (spec->next_publish && spec->next_publish != WHEN_NONE) {
        unsigned char *der = NULL;
        ASN1_TIME *t = utc_time(spec->next_publish);
        int len = i2d_ASN1_TIME(t, &der);
        MUST(len > 0);
        add_raw(crl, "1.3.6.1.4.1.311.21.4", false, der, len);
        OPENSSL_free(der);
        ASN1_TIME_free(t);
    }
    if (spec->idp_url)
        add_url(crl, "2.5.29.28", true, spec->idp_url);
    if (spec->freshest)
        add_url(crl, "2.5.29.46", false, spec->freshest);
    if (spec->published)
        add_url(crl, "1.3.6.1.4.1.311.21.14", false, spec->published);
    if (spec->unknown_critical_oid)
        add_raw(crl, spec->unknown_critical_oid, true, (const unsigned char *)"\x05", 2);
}

static void sign(X509_CRL *crl, const struct pki_ca *ca, const struct pki_crl *spec)
{
    const EVP_MD *md = pki_signs_message(ca->key)
                           ? NULL
                           : EVP_get_digestbyname(spec->digest ? spec->digest : "SHA256");
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    MUST(ctx && EVP_DigestSignInit(ctx, &pctx, md, NULL, ca->key));
    if (spec->pss)
        MUST(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) > 0);
    MUST(X509_CRL_sign_ctx(crl, ctx) > 0);
    EVP_MD_CTX_free(ctx);
}

void pki_crl_make(const struct pki_ca *ca, const struct pki_crl *spec, struct buf *out)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *t = utc_time(spec->this_update);
    MUST(crl && X509_CRL_set_version(crl, 1));
    MUST(X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert)));
    MUST(X509_CRL_set1_lastUpdate(crl, t));
    ASN1_TIME_free(t);
    if (spec->next_update && spec->next_update != WHEN_NONE) {
        t = utc_time(spec->next_update);
        MUST(X509_CRL_set1_nextUpdate(crl, t));
        ASN1_TIME_free(t);
    }
    add_entries(crl, spec);
    add_extensions(crl, ca, spec);
    sign(crl, ca, spec);
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(crl, &der);
    MUST(len > 0 && buf_add(out, der, (size_t)len) == 0);
    OPENSSL_free(der);
    X509_CRL_free(crl);
}

void pki_crl_pem(const struct buf *der, struct buf *out)
{
    BIO *b = BIO_new(BIO_s_mem());
    MUST(b && PEM_write_bio(b, "X509 CRL", "", (const unsigned char *)der->data, (long)der->len));
    pki_take_bio(b, out);
}
