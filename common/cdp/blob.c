/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "cdp/blob.h"

#include "cdp/body.h"
#include "crl/x509.h"

static X509 *first_of_pkcs7(const unsigned char *data, long len)
{
    const unsigned char *p = data;
    PKCS7 *p7 = d2i_PKCS7(NULL, &p, len);
    X509 *cert = NULL;
    if (p7 && PKCS7_type_is_signed(p7) && p7->d.sign && sk_X509_num(p7->d.sign->cert) > 0) {
        cert = sk_X509_value(p7->d.sign->cert, 0);
        X509_up_ref(cert);
    }
    PKCS7_free(p7);
    return cert;
}

static X509 *read_certificate(const void *data, size_t len)
{
    X509 *cert = x509_read(data, len);
    if (!cert)
        cert = first_of_pkcs7(data, (long)len);
    ERR_clear_error();
    return cert;
}

int blob_certificate_digest(const void *data, size_t len, uint8_t ret[32], struct err *err)
{
    char what[64];
    if (len > BODY_BLOB_MAX)
        return err_set(err, ERR_LIMIT, "the certificate is larger than %u bytes", BODY_BLOB_MAX);
    X509 *cert = read_certificate(data, len);
    if (!cert)
        return err_set(err, ERR_PARSE, "expected a certificate, found %s",
                       body_describe(data, len < 16 ? len : 16, what, sizeof what));
    unsigned n = 32;
    int ok = X509_digest(cert, EVP_sha256(), ret, &n);
    X509_free(cert);
    return ok ? ERR_OK : err_set(err, ERR_CRYPTO, "the certificate cannot be hashed");
}

static int add_der(X509 *cert, struct buf *ret)
{
    uint8_t *der = NULL;
    int n = i2d_X509(cert, &der);
    int rc = n > 0 ? buf_add(ret, der, (size_t)n) : ERR_CRYPTO;
    OPENSSL_free(der);
    return rc;
}

static void add_all_der(const unsigned char *p, size_t len, struct buf *ret)
{
    const unsigned char *end = p + len;
    while (p < end) {
        X509 *cert = d2i_X509(NULL, &p, (long)(end - p));
        if (!cert || add_der(cert, ret))
            end = p;
        X509_free(cert);
    }
}

static void add_all_pkcs7(const unsigned char *p, size_t len, struct buf *ret)
{
    PKCS7 *p7 = d2i_PKCS7(NULL, &p, (long)len);
    if (p7 && PKCS7_type_is_signed(p7) && p7->d.sign) {
        for (int i = 0; i < sk_X509_num(p7->d.sign->cert); i++) {
            if (add_der(sk_X509_value(p7->d.sign->cert, i), ret))
                break;
        }
    }
    PKCS7_free(p7);
}

static void add_all_pem(const void *data, size_t len, struct buf *ret)
{
    BIO *bio = BIO_new_mem_buf(data, (int)len);
    for (X509 *cert; bio && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)); X509_free(cert)) {
        if (add_der(cert, ret)) {
            X509_free(cert);
            break;
        }
    }
    BIO_free(bio);
}

int blob_certificates(const void *data, size_t len, struct buf *ret, struct err *err)
{
    size_t before = ret->len;
    char what[64];
    if (len > BODY_BLOB_MAX)
        return err_set(err, ERR_LIMIT, "the certificates are larger than %u bytes", BODY_BLOB_MAX);
    add_all_der(data, len, ret);
    if (ret->len == before)
        add_all_pkcs7(data, len, ret);
    if (ret->len == before)
        add_all_pem(data, len, ret);
    ERR_clear_error();
    if (ret->len == before)
        return err_set(err, ERR_PARSE, "expected a certificate, found %s",
                       body_describe(data, len < 16 ? len : 16, what, sizeof what));
    return buf_check(ret, "certificates", err);
}
