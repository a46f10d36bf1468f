/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "ocsp/ocsp.h"

#include <string.h>

#include "crl/x509.h"
#include "ocsp/ocsp_int.h"

static void free_request(OCSP_REQUEST **r)
{
    OCSP_REQUEST_free(*r);
}

int ocsp_issuers_read(const struct crl_issuers *issuers, STACK_OF(X509) * *ret, struct err *err)
{
    SCOPED(buf_free) struct buf der = BUF_INIT;
    int rc = crl_issuers_export(issuers, &der, err);
    STACK_OF(X509) *list = rc ? NULL : sk_X509_new_null();
    if (!list)
        return rc ? rc : err_nomem(err);
    const unsigned char *p = (const unsigned char *)buf_str(&der), *end = p + der.len;
    while (p < end) {
        X509 *cert = d2i_X509(NULL, &p, (long)(end - p));
        if (!cert || !sk_X509_push(list, cert)) {
            X509_free(cert);
            ocsp_issuers_free(&list);
            return err_nomem(err);
        }
    }
    *ret = list;
    return ERR_OK;
}

void ocsp_issuers_free(STACK_OF(X509) * *list)
{
    sk_X509_pop_free(*list, X509_free);
    *list = NULL;
}

bool ocsp_issued_by(X509 *cert, X509 *issuer)
{
    bool yes = X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) == 0 &&
               X509_verify(cert, X509_get0_pubkey(issuer)) == 1;
    ERR_clear_error();
    return yes;
}

static int find_issuer(X509 *cert, const STACK_OF(X509) * issuers, X509 **ret, struct err *err)
{
    char name[256];
    for (int i = 0; i < sk_X509_num(issuers); i++) {
        *ret = sk_X509_value(issuers, i);
        if (ocsp_issued_by(cert, *ret))
            return ERR_OK;
    }
    X509_NAME_oneline(X509_get_issuer_name(cert), name, sizeof name);
    return err_set(err, ERR_NOT_FOUND,
                   "the certificate of the issuer '%s' is not among the %d that are known", name,
                   sk_X509_num(issuers));
}

static int write_request(X509 *cert, X509 *issuer, bool nonce, uint8_t ret[OCSP_REQUEST_MAX],
                         uint16_t *ret_len, struct err *err)
{
    SCOPED(free_request) OCSP_REQUEST *rq = OCSP_REQUEST_new();
    OCSP_CERTID *id = rq ? OCSP_cert_to_id(EVP_sha1(), cert, issuer) : NULL;
    if (!id || !OCSP_request_add0_id(rq, id)) {
        OCSP_CERTID_free(id);
        return err_set(err, ERR_CRYPTO, "the OCSP request cannot be made");
    }
    if (nonce && !OCSP_request_add1_nonce(rq, NULL, -1))
        return err_set(err, ERR_CRYPTO, "no random number for the OCSP request");
    int len = i2d_OCSP_REQUEST(rq, NULL);
    if (len <= 0 || len > OCSP_REQUEST_MAX)
        return err_set(err, ERR_LIMIT, "the OCSP request has %d bytes, the limit is %d", len,
                       OCSP_REQUEST_MAX);
    uint8_t *p = ret;
    *ret_len = (uint16_t)i2d_OCSP_REQUEST(rq, &p);
    return ERR_OK;
}

int ocsp_request_make(const void *cert, size_t len, const struct crl_issuers *issuers, bool nonce,
                      uint8_t ret[OCSP_REQUEST_MAX], uint16_t *ret_len, struct err *err)
{
    SCOPED(ocsp_issuers_free) STACK_OF(X509) *list = NULL;
    X509 *issuer = NULL;
    if (len > LIMIT_CERT_BYTES)
        return err_set(err, ERR_LIMIT, "the certificate has %zu bytes, the limit is %u", len,
                       LIMIT_CERT_BYTES);
    SCOPED(x509_free) X509 *x = x509_read(cert, len);
    if (!x)
        return err_set(err, ERR_PARSE,
                       "expected a certificate (PEM or DER), found none in %zu bytes", len);
    int rc = ocsp_issuers_read(issuers, &list, err);
    if (!rc)
        rc = find_issuer(x, list, &issuer, err);
    if (!rc)
        rc = write_request(x, issuer, nonce, ret, ret_len, err);
    ERR_clear_error();
    return rc;
}
