/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "crlmake.h"

#include <stdlib.h>
#include <string.h>

#include "ossl.h"

#include "labwin.h"

#define OID_CA_VERSION "1.3.6.1.4.1.311.21.1"
#define OID_VIRTUAL_BASE "1.3.6.1.4.1.311.21.3"
#define OID_NEXT_PUBLISH "1.3.6.1.4.1.311.21.4"
#define OID_PUBLISHED_LOCATIONS "1.3.6.1.4.1.311.21.14"

bool crl_add_der(X509_CRL *crl, const char *oid, bool critical, uint8_t *der, int len)
{
    ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    bool ok = len > 0 && obj && value && ASN1_OCTET_STRING_set(value, der, len);
    X509_EXTENSION *ext = ok ? X509_EXTENSION_create_by_OBJ(NULL, obj, critical, value) : NULL;
    ok = ext && X509_CRL_add_ext(crl, ext, -1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(obj);
    OPENSSL_free(der);
    return ok;
}

static bool add_integer(X509_CRL *crl, const char *oid, bool critical, int64_t value)
{
    uint8_t *der = NULL;
    ASN1_INTEGER *i = ASN1_INTEGER_new();
    ASN1_INTEGER_set_int64(i, value);
    int len = i2d_ASN1_INTEGER(i, &der);
    ASN1_INTEGER_free(i);
    return crl_add_der(crl, oid, critical, der, len);
}

static bool add_time(X509_CRL *crl, const char *oid, int64_t when)
{
    uint8_t *der = NULL;
    ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)when);
    int len = i2d_ASN1_TIME(t, &der);
    ASN1_TIME_free(t);
    return crl_add_der(crl, oid, false, der, len);
}

static bool add_aki(X509_CRL *crl, X509 *cert)
{
    uint8_t *der = NULL;
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(cert);
    if (ski == NULL)
        return true;
    AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();
    aki->keyid = ASN1_OCTET_STRING_dup(ski);
    int len = i2d_AUTHORITY_KEYID(aki, &der);
    AUTHORITY_KEYID_free(aki);
    return crl_add_der(crl, "2.5.29.35", false, der, len);
}

/* All configured URLs with that flag bit as the names of one distribution point; NULL when none. */
static DIST_POINT_NAME *names_for(const struct ca *ca, unsigned bit, const struct crl_row *row,
                                  bool delta)
{
    struct ca_location list[CA_URLS_MAX];
    size_t n = ca_locations(ca, "CRLPublicationURLs", list, CA_URLS_MAX);
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    for (size_t i = 0; i < n; i++) {
        if (!(list[i].flags & bit))
            continue;
        struct buf url = BUF_INIT;
        ca_expand(ca, list[i].url, &(struct ca_scope){row->key, row->key, row->partition, delta},
                  true, &url);
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_IA5STRING *text = ASN1_IA5STRING_new();
        ASN1_STRING_set(text, buf_str(&url), -1);
        GENERAL_NAME_set0_value(name, GEN_URI, text);
        sk_GENERAL_NAME_push(names, name);
        buf_free(&url);
    }
    ca_locations_free(list, n);
    if (sk_GENERAL_NAME_num(names) == 0) {
        GENERAL_NAMES_free(names);
        return NULL;
    }
    DIST_POINT_NAME *dpn = DIST_POINT_NAME_new();
    dpn->type = 0;
    dpn->name.fullname = names;
    return dpn;
}

static bool add_points(const struct ca *ca, X509_CRL *crl, const char *oid, unsigned bit,
                       const struct crl_row *row, bool delta)
{
    uint8_t *der = NULL;
    DIST_POINT_NAME *dpn = names_for(ca, bit, row, delta);
    if (dpn == NULL)
        return true;
    CRL_DIST_POINTS *points = CRL_DIST_POINTS_new();
    DIST_POINT *p = DIST_POINT_new();
    p->distpoint = dpn;
    sk_DIST_POINT_push(points, p);
    int len = i2d_CRL_DIST_POINTS(points, &der);
    CRL_DIST_POINTS_free(points);
    return crl_add_der(crl, oid, false, der, len);
}

static bool add_idp(const struct ca *ca, X509_CRL *crl, const struct crl_row *row)
{
    uint8_t *der = NULL;
    DIST_POINT_NAME *dpn = names_for(ca, 0x80, row, row->delta);
    if (dpn == NULL)
        return true;
    ISSUING_DIST_POINT *idp = ISSUING_DIST_POINT_new();
    idp->distpoint = dpn;
    int len = i2d_ISSUING_DIST_POINT(idp, &der);
    ISSUING_DIST_POINT_free(idp);
    return crl_add_der(crl, "2.5.29.28", true, der, len);
}

static bool add_extensions(const struct ca *ca, X509_CRL *crl, const struct ca_cert *cert,
                           const struct crl_row *row)
{
    int64_t version = (int64_t)(cert->key << 16 | cert->index);
    bool deltas = ca_period(ca, "CRLDeltaPeriod", "CRLDeltaPeriodUnits", "Days", 0) > 0;
    return add_aki(crl, cert->x509) && add_integer(crl, OID_CA_VERSION, false, version) &&
           add_integer(crl, "2.5.29.20", false, row->number) &&
           (!row->delta || add_integer(crl, "2.5.29.27", true, row->min_base)) &&
           (!row->delta || add_integer(crl, OID_VIRTUAL_BASE, false, row->min_base)) &&
           (!row->next_publish || add_time(crl, OID_NEXT_PUBLISH, row->next_publish)) &&
           (row->delta || !deltas || add_points(ca, crl, "2.5.29.46", 0x04, row, true)) &&
           add_points(ca, crl, OID_PUBLISHED_LOCATIONS, 0x08, row, row->delta) &&
           add_idp(ca, crl, row);
}

EVP_PKEY *crl_shape_key(EVP_PKEY *like)
{
    static EVP_PKEY *rsa, *ec;
    if (EVP_PKEY_get_base_id(like) == EVP_PKEY_EC)
        return ec ? ec : (ec = EVP_EC_gen("P-256"));
    return rsa ? rsa : (rsa = EVP_RSA_gen(1024));
}

static void crash_point(const char *name)
{
    char at[32];
    if (strcmp(lab_text("crash_at", "", at, sizeof at), name) == 0)
        TerminateProcess(GetCurrentProcess(), 0xC0000005u);
}

HRESULT crl_sign(X509_CRL *crl, const struct ca_cert *cert, struct hsm *hsm)
{
    const ASN1_BIT_STRING *slot = NULL;
    uint8_t *tbs = NULL, digest[32], sig[1024];
    size_t sig_len = 0;
    if (X509_CRL_sign(crl, crl_shape_key(cert->public_key), EVP_sha256()) <= 0)
        return NTE_INTERNAL_ERROR;
    int tbs_len = i2d_re_X509_CRL_tbs(crl, &tbs);
    bool ok = tbs_len > 0 && EVP_Digest(tbs, (size_t)tbs_len, digest, NULL, EVP_sha256(), NULL);
    OPENSSL_free(tbs);
    if (!ok)
        return NTE_INTERNAL_ERROR;
    crash_point("sign");
    HRESULT hr =
        hsm_sign(hsm, cert->label, "sha256", digest, sizeof digest, sig, sizeof sig, &sig_len);
    if (FAILED(hr))
        return hr;
    X509_CRL_get0_signature(crl, &slot, NULL);
    ASN1_BIT_STRING *out = (ASN1_BIT_STRING *)(uintptr_t)slot;
    return ASN1_STRING_set(out, sig, (int)sig_len) ? S_OK : E_OUTOFMEMORY;
}

bool crl_verify(const uint8_t *der, size_t len, EVP_PKEY *key)
{
    X509_CRL *crl = d2i_X509_CRL(NULL, &der, (long)len);
    bool ok = crl && X509_CRL_verify(crl, key) == 1;
    X509_CRL_free(crl);
    return ok;
}

static bool fill(X509_CRL *crl, const struct ca *ca, const struct crl_row *row)
{
    if (row->flags & CRL_SHADOW)
        return true;
    return cadb_fill(crl, row->delta ? row->min_base : -1, row->partition, ca_partitions(ca));
}

static X509_CRL *crl_new(const struct ca *ca, const struct ca_cert *cert, const struct crl_row *row)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)row->this_update);
    ASN1_TIME *to = ASN1_TIME_set(NULL, (time_t)row->next_update);
    bool ok = crl && from && to && X509_CRL_set_version(crl, 1) &&
              X509_CRL_set_issuer_name(crl, X509_get_subject_name(cert->x509)) &&
              X509_CRL_set1_lastUpdate(crl, from) && X509_CRL_set1_nextUpdate(crl, to) &&
              fill(crl, ca, row) && X509_CRL_sort(crl) && add_extensions(ca, crl, cert, row);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    if (ok)
        return crl;
    X509_CRL_free(crl);
    return NULL;
}

HRESULT crl_make(const struct ca *ca, struct hsm *hsm, struct crl_row *row)
{
    uint8_t *der = NULL;
    const struct ca_cert *cert = ca_key_cert(ca, row->key);
    X509_CRL *crl = cert ? crl_new(ca, cert, row) : NULL;
    if (crl == NULL)
        return NTE_INTERNAL_ERROR;
    HRESULT hr = crl_sign(crl, cert, hsm);
    int len = SUCCEEDED(hr) ? i2d_X509_CRL(crl, &der) : 0;
    X509_CRL_free(crl);
    if (FAILED(hr))
        return hr;
    if (len <= 0)
        return NTE_INTERNAL_ERROR;
    buf_add(&row->raw, der, (size_t)len);
    OPENSSL_free(der);
    crash_point("store");
    bool good = crl_verify((const uint8_t *)row->raw.data, row->raw.len, cert->public_key);
    return good ? S_OK : NTE_BAD_SIGNATURE;
}
