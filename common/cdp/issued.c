/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "cdp/issued.h"

#include <stdlib.h>

#include "base/str.h"
#include "base/when.h"
#include "crl/x509.h"

struct keys {
    X509 *cert[LIMIT_CA_CERTS];
    uint32_t index[LIMIT_CA_CERTS];
    size_t n;
};

static void keys_free(struct keys *k)
{
    for (size_t i = 0; i < k->n; i++)
        X509_free(k->cert[i]);
}

static void read_keys(struct keys *k, const struct issued_ca *ca, size_t n)
{
    for (size_t i = 0; i < n && k->n < LIMIT_CA_CERTS; i++) {
        const unsigned char *p = ca[i].cert;
        X509 *cert = d2i_X509(NULL, &p, (long)ca[i].len);
        if (!cert)
            continue;
        k->cert[k->n] = cert;
        k->index[k->n++] = ca[i].key_index;
    }
    ERR_clear_error();
}

/* By the signature: a renewed CA has several keys of one name. */
static bool find_key(const struct keys *k, X509 *cert, uint32_t *ret)
{
    for (size_t i = 0; i < k->n; i++) {
        if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(k->cert[i])) == 0 &&
            X509_verify(cert, X509_get0_pubkey(k->cert[i])) == 1) {
            *ret = k->index[i];
            return true;
        }
    }
    ERR_clear_error();
    return false;
}

static int visit_one(const struct keys *k, X509 *cert, const void *der, size_t len,
                     const struct issued_visit *visit, struct err *err)
{
    SCOPED(locations_free) struct locations names = {0};
    uint32_t key = 0;
    if (!find_key(k, cert, &key))
        return ERR_OK;
    int rc = locations_add_certificate(&names, der, len, FROM_CERTIFICATE, key, err);
    return rc ? rc
              : visit->each(visit->arg, der, len, key, x509_when(X509_get0_notAfter(cert)), &names,
                            err);
}

int issued_walk(const void *certs, size_t len, const struct issued_ca *ca, size_t n_ca,
                const struct issued_visit *visit, struct err *err)
{
    SCOPED(keys_free) struct keys k = {.n = 0};
    const unsigned char *p = certs, *end = p + len;
    int rc = ERR_OK;
    read_keys(&k, ca, n_ca);
    while (p < end && !rc) {
        const unsigned char *from = p;
        SCOPED(x509_free) X509 *cert = d2i_X509(NULL, &p, (long)(end - p));
        ERR_clear_error();
        if (!cert)
            return err_set(err, ERR_PARSE, "expected a certificate at byte %zu of the CA's answer",
                           (size_t)(from - (const unsigned char *)certs));
        rc = visit_one(&k, cert, from, (size_t)(p - from), visit, err);
    }
    return rc;
}
