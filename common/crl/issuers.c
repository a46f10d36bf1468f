/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "crl/issuers_int.h"

#include <stdlib.h>
#include <string.h>

#include "crl/x509.h"

static void bio_free(BIO **b)
{
    BIO_free(*b);
}

static int take(struct crl_issuers *set, const char *label, X509 *cert, struct err *err)
{
    if (set->n == LIMIT_CA_CERTS) {
        X509_free(cert);
        return err_set(err, ERR_LIMIT, "'%s': more than %u CA certificates", label, LIMIT_CA_CERTS);
    }
    struct crl_issuer *item = &set->item[set->n++];
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(cert);
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(cert);
    *item = (struct crl_issuer){.cert = cert};
    if (ski && ASN1_STRING_length(ski) > 0 && (size_t)ASN1_STRING_length(ski) <= sizeof item->ski) {
        item->ski_len = (uint8_t)ASN1_STRING_length(ski);
        memcpy(item->ski, ASN1_STRING_get0_data(ski), item->ski_len);
    }
    if (key && !EVP_Digest(ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key),
                           item->key_sha1, NULL, EVP_sha1(), NULL))
        return err_set(err, ERR_CRYPTO, "'%s': OpenSSL could not compute a key identifier", label);
    return ERR_OK;
}

static int add_pem(struct crl_issuers *set, const char *label, BIO *in, struct err *err)
{
    for (;;) {
        X509 *cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
        if (!cert)
            break;
        int rc = take(set, label, cert, err);
        if (rc)
            return rc;
    }
    unsigned long e = ERR_peek_last_error();
    ERR_clear_error();
    if (ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE)
        return ERR_OK; /* the normal end */
    return err_set(err, ERR_PARSE, "'%s': a certificate in PEM armour is damaged", label);
}

static int add_der(struct crl_issuers *set, const char *label, const uint8_t *p, size_t len,
                   struct err *err)
{
    const uint8_t *end = p + len;
    while (p < end) {
        X509 *cert = d2i_X509(NULL, &p, (long)(end - p));
        ERR_clear_error();
        if (!cert)
            return err_set(err, ERR_PARSE, "'%s': expected a certificate (PEM or DER)", label);
        int rc = take(set, label, cert, err);
        if (rc)
            return rc;
    }
    return ERR_OK;
}

int crl_issuers_add(struct crl_issuers **set, const char *label, const void *data, size_t len,
                    struct err *err)
{
    SCOPED(crl_issuers_free) struct crl_issuers *fresh = NULL;
    if (len > INT32_MAX)
        return err_set(err, ERR_LIMIT, "'%s': too large for a file of certificates", label);
    if (!*set) {
        fresh = calloc(1, sizeof *fresh);
        if (!fresh)
            return err_nomem(err);
    }
    struct crl_issuers *to = *set ? *set : fresh;
    size_t before = to->n;
    int rc;
    if (len && *(const uint8_t *)data == DER_SEQUENCE) {
        rc = add_der(to, label, data, len, err);
    } else {
        SCOPED(bio_free) BIO *in = BIO_new_mem_buf(data, (int)len);
        rc = in ? add_pem(to, label, in, err) : err_nomem(err);
    }
    if (!rc && to->n == before)
        rc = err_set(err, ERR_NOT_FOUND, "'%s': no certificate found (expected PEM or DER)", label);
    if (rc) { /* all or nothing */
        while (to->n > before)
            x509_free(&to->item[--to->n].cert);
        return rc;
    }
    if (fresh)
        *set = steal_ptr(fresh);
    return ERR_OK;
}

size_t crl_issuers_count(const struct crl_issuers *set)
{
    return set ? set->n : 0;
}

void crl_issuers_free(struct crl_issuers **set)
{
    if (!set || !*set)
        return;
    while ((*set)->n)
        x509_free(&(*set)->item[--(*set)->n].cert);
    free(*set);
    *set = NULL;
}

int crl_issuers_export(const struct crl_issuers *set, struct buf *ret, struct err *err)
{
    for (size_t i = 0; set && i < set->n; i++) {
        uint8_t *der = NULL;
        int len = i2d_X509(set->item[i].cert, &der);
        if (len <= 0)
            return err_set(err, ERR_CRYPTO, "a CA certificate cannot be written as DER");
        int rc = buf_add(ret, der, (size_t)len);
        OPENSSL_free(der);
        if (rc)
            return buf_check(ret, "CA certificates", err);
    }
    return ERR_OK;
}
