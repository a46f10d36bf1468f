/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Certificates and the keys that they, or their signers, stand for. */
#include "crl/x509.h"
#include "health/keys.h"

static uint32_t find_key_of(const struct health_ca_certs *c, X509 *cert)
{
    uint8_t id[20] = {0};
    return cert && X509_pubkey_digest(cert, EVP_sha1(), id, NULL) ? keys_find(c, id) : KEYS_NONE;
}

uint32_t keys_index_of(const struct health_ca_certs *c, const void *cert, size_t len)
{
    SCOPED(x509_free) X509 *x = x509_read(cert, len);
    uint32_t key = find_key_of(c, x);
    return key == KEYS_NONE ? 0 : key;
}

static bool signed_by(X509 *cert, X509 *issuer)
{
    bool yes = X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) == 0 &&
               X509_verify(cert, X509_get0_pubkey(issuer)) == 1;
    ERR_clear_error();
    return yes;
}

uint32_t keys_signer_of(const struct health_ca_certs *c, const struct crl_issuers *issuers,
                        const void *cert, size_t len)
{
    SCOPED(buf_free) struct buf der = BUF_INIT;
    SCOPED(x509_free) X509 *child = x509_read(cert, len);
    uint32_t key = KEYS_NONE;
    if (!child || !issuers || crl_issuers_export(issuers, &der, NULL))
        return 0;
    const unsigned char *p = (const unsigned char *)buf_str(&der), *end = p + der.len;
    while (p < end && key == KEYS_NONE) {
        SCOPED(x509_free) X509 *issuer = d2i_X509(NULL, &p, (long)(end - p));
        if (!issuer)
            break;
        if (signed_by(child, issuer))
            key = find_key_of(c, issuer);
    }
    return key == KEYS_NONE ? 0 : key;
}
