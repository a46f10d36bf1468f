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

uint32_t health_ca_certs_next_key(const struct health_ca_certs *c)
{
    uint32_t next = 0;
    for (size_t i = 0; i < c->n; i++)
        next = c->item[i].key_index >= next ? c->item[i].key_index + 1 : next;
    return next;
}

/* The last one has no index yet. */
static uint32_t key_of_last(const struct health_ca_certs *c)
{
    const struct health_ca_certs before = {c->item, c->n - 1};
    for (size_t i = 0; i < before.n; i++) {
        if (memcmp(c->item[i].key_id, c->item[before.n].key_id, sizeof c->item[i].key_id) == 0)
            return c->item[i].key_index;
    }
    return health_ca_certs_next_key(&before);
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
    X509_pubkey_digest(x, EVP_sha1(), p->key_id, NULL);
    if (key_index == HEALTH_KEY_NEXT)
        p->key_index = key_of_last(c);
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
