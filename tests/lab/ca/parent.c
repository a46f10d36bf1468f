/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "parent.h"

#include <curl/curl.h>
#include "ossl.h"

#include "labwin.h"

static X509 *find_issuer(const wchar_t *store_name, X509 *cert)
{
    X509 *found = NULL;
    PCCERT_CONTEXT c = NULL;
    HCERTSTORE store =
        CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                      CERT_SYSTEM_STORE_LOCAL_MACHINE | CERT_STORE_READONLY_FLAG, store_name);
    while (store && !found && (c = CertEnumCertificatesInStore(store, c)) != NULL) {
        const uint8_t *p = c->pbCertEncoded;
        X509 *x = d2i_X509(NULL, &p, (long)c->cbCertEncoded);
        EVP_PKEY *key = x ? X509_get0_pubkey(x) : NULL;
        if (key && X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(cert)) == 0 &&
            X509_verify(cert, key) == 1)
            found = x;
        else
            X509_free(x);
    }
    if (c != NULL)
        CertFreeCertificateContext(c);
    if (store)
        CertCloseStore(store, 0);
    return found;
}

static size_t collect(char *data, size_t size, size_t n, void *arg)
{
    return buf_add(arg, data, size * n) == 0 ? size * n : 0;
}

static bool fetch(const char *url, struct buf *ret)
{
    CURL *c = curl_easy_init();
    if (c == NULL)
        return false;
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, lab_number("parent_timeout_ms", 15000));
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, ret);
    bool ok = curl_easy_perform(c) == CURLE_OK;
    curl_easy_cleanup(c);
    return ok;
}

static HRESULT check_url(const char *url, X509 *cert, X509 *issuer)
{
    struct buf body = {.max = 16u << 20};
    HRESULT hr = CRYPT_E_REVOCATION_OFFLINE;
    if (fetch(url, &body)) {
        const uint8_t *p = (const uint8_t *)body.data;
        X509_REVOKED *entry = NULL;
        X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)body.len);
        const ASN1_TIME *next = crl ? X509_CRL_get0_nextUpdate(crl) : NULL;
        if (crl && X509_CRL_verify(crl, X509_get0_pubkey(issuer)) == 1 && next &&
            X509_cmp_current_time(next) > 0)
            hr = X509_CRL_get0_by_cert(crl, &entry, cert) == 1 ? CRYPT_E_REVOKED : S_OK;
        X509_CRL_free(crl);
    }
    buf_free(&body);
    return hr;
}

static HRESULT check_points(X509 *cert, X509 *issuer)
{
    HRESULT hr = CRYPT_E_REVOCATION_OFFLINE;
    CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
    for (int i = 0; i < sk_DIST_POINT_num(points) && hr == CRYPT_E_REVOCATION_OFFLINE; i++) {
        DIST_POINT *dp = sk_DIST_POINT_value(points, i);
        if (dp->distpoint == NULL || dp->distpoint->type != 0)
            continue;
        GENERAL_NAMES *names = dp->distpoint->name.fullname;
        for (int k = 0; k < sk_GENERAL_NAME_num(names) && hr == CRYPT_E_REVOCATION_OFFLINE; k++) {
            GENERAL_NAME *name = sk_GENERAL_NAME_value(names, k);
            if (name->type == GEN_URI)
                hr = check_url(
                    (const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier), cert,
                    issuer);
        }
    }
    HRESULT without = points == NULL ? S_OK : hr; /* no CDP: nothing to check */
    CRL_DIST_POINTS_free(points);
    return without;
}

HRESULT parent_check(X509 *cert)
{
    if (X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0)
        return S_OK; /* a root CA has no parent */
    X509 *issuer = find_issuer(L"ROOT", cert);
    if (issuer == NULL)
        issuer = find_issuer(L"CA", cert);
    HRESULT hr = issuer ? check_points(cert, issuer) : CERT_E_CHAINING;
    X509_free(issuer);
    return hr;
}
