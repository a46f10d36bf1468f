/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "certmake.h"

#include <stdio.h>
#include <string.h>

#include "crlmake.h"

static bool add(X509 *cert, X509 *issuer, int nid, const char *prefix, const char *value)
{
    char text[1200];
    X509V3_CTX ctx;
    snprintf(text, sizeof text, "%s%s", prefix, value);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, &ctx, nid, text);
    bool ok = x && X509_add_ext(cert, x, -1);
    X509_EXTENSION_free(x);
    return ok;
}

static bool add_access(X509 *cert, X509 *issuer, const struct cert_spec *s)
{
    char text[1100];
    snprintf(text, sizeof text, "%s%s%s%s%s", s->aia ? "caIssuers;URI:" : "", s->aia ? s->aia : "",
             s->aia && s->ocsp ? "," : "", s->ocsp ? "OCSP;URI:" : "", s->ocsp ? s->ocsp : "");
    return !text[0] || add(cert, issuer, NID_info_access, "", text);
}

static EVP_PKEY *public_key(const char *pem)
{
    if (pem == NULL)
        return EVP_EC_gen("P-256");
    BIO *in = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = in ? PEM_read_bio_PUBKEY(in, NULL, NULL, NULL) : NULL;
    BIO_free(in);
    return key;
}

static bool fill(X509 *cert, const struct ca_cert *ca, EVP_PKEY *key, const struct cert_spec *s)
{
    bool ok = X509_set_version(cert, 2) &&
              X509_set_issuer_name(cert, X509_get_subject_name(ca->x509)) &&
              X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                                         (const unsigned char *)s->common_name, -1, -1, 0) &&
              ASN1_INTEGER_set_int64(X509_get_serialNumber(cert), s->serial) &&
              ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)s->not_before) &&
              ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)s->not_after) &&
              X509_set_pubkey(cert, key) &&
              add(cert, ca->x509, NID_authority_key_identifier, "keyid", "") &&
              (!s->cdp || add(cert, ca->x509, NID_crl_distribution_points, "URI:", s->cdp)) &&
              add_access(cert, ca->x509, s);
    if (ok && s->ocsp_signing)
        ok = add(cert, ca->x509, NID_ext_key_usage, "OCSPSigning", "") &&
             add(cert, ca->x509, NID_id_pkix_OCSP_noCheck, "ignored", "");
    return ok;
}

static HRESULT sign(X509 *cert, const struct ca_cert *ca, struct hsm *hsm)
{
    const ASN1_BIT_STRING *slot = NULL;
    uint8_t *tbs = NULL, digest[32], sig[1024];
    size_t sig_len = 0;
    if (X509_sign(cert, crl_shape_key(ca->public_key), EVP_sha256()) <= 0)
        return NTE_INTERNAL_ERROR;
    int len = i2d_re_X509_tbs(cert, &tbs);
    bool ok = len > 0 && EVP_Digest(tbs, (size_t)len, digest, NULL, EVP_sha256(), NULL);
    OPENSSL_free(tbs);
    HRESULT hr =
        ok ? hsm_sign(hsm, ca->label, "sha256", digest, sizeof digest, sig, sizeof sig, &sig_len)
           : NTE_INTERNAL_ERROR;
    if (FAILED(hr))
        return hr;
    X509_get0_signature(&slot, NULL, cert);
    return ASN1_STRING_set((ASN1_BIT_STRING *)(uintptr_t)slot, sig, (int)sig_len) ? S_OK
                                                                                  : E_OUTOFMEMORY;
}

HRESULT cert_make(const struct ca_cert *ca, struct hsm *hsm, const struct cert_spec *spec,
                  struct buf *ret)
{
    uint8_t *der = NULL;
    X509 *cert = X509_new();
    EVP_PKEY *key = public_key(spec->public_key);
    HRESULT hr =
        cert && key && fill(cert, ca, key, spec) ? sign(cert, ca, hsm) : NTE_INTERNAL_ERROR;
    int len = SUCCEEDED(hr) ? i2d_X509(cert, &der) : 0;
    if (SUCCEEDED(hr) && (len <= 0 || buf_add(ret, der, (size_t)len)))
        hr = E_OUTOFMEMORY;
    OPENSSL_free(der);
    X509_free(cert);
    EVP_PKEY_free(key);
    return hr;
}
