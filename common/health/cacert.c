/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "health/cacert.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "crl/x509.h"

void health_ca_certs_free(struct health_ca_certs *c)
{
    free(c->item);
    c->item = NULL;
    c->n = 0;
}

static int add_one(struct health_ca_certs *c, X509 *x, uint32_t key_index, struct err *err)
{
    if (c->n >= LIMIT_CA_CERTS)
        return err_set(err, ERR_LIMIT, "more than %u CA certificates", LIMIT_CA_CERTS);
    struct health_ca_cert *p = realloc(c->item, (c->n + 1) * sizeof *p);
    if (!p)
        return err_nomem(err);
    c->item = p;
    p += c->n;
    memset(p, 0, sizeof *p);
    p->cert_index = (uint32_t)c->n++;
    p->key_index = key_index;
    p->not_before = x509_when(X509_get0_notBefore(x));
    p->not_after = x509_when(X509_get0_notAfter(x));
    X509_digest(x, EVP_sha256(), p->sha256, NULL);
    X509_NAME_oneline(X509_get_subject_name(x), p->subject, sizeof p->subject);
    return ERR_OK;
}

int health_ca_certs_add(struct health_ca_certs *c, const void *data, size_t len, uint32_t key_index,
                        struct err *err)
{
    const unsigned char *p = data;
    size_t before = c->n;
    int rc = ERR_OK;
    if (len > LIMIT_CERT_BYTES * LIMIT_CA_CERTS)
        return err_set(err, ERR_LIMIT, "%zu bytes of certificates are too many", len);
    X509 *x = d2i_X509(NULL, &p, (long)len);
    if (x) {
        rc = add_one(c, x, key_index, err);
        X509_free(x);
    } else {
        BIO *bio = BIO_new_mem_buf(data, (int)len);
        while (!rc && bio && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
            rc = add_one(c, x, key_index, err);
            X509_free(x);
        }
        BIO_free(bio);
    }
    ERR_clear_error();
    if (!rc && c->n == before)
        rc = err_set(err, ERR_PARSE, "expected a CA certificate (PEM or DER), found none");
    return rc;
}
