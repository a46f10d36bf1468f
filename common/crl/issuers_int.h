/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The CA certificates that may have signed, as far as verify.c needs to see them. */
#ifndef CRLAGENT_CRL_ISSUERS_INT_H
#define CRLAGENT_CRL_ISSUERS_INT_H

#include "base/ossl.h"
#include "crl/reader.h"

struct crl_issuers {
    size_t n;
    struct crl_issuer {
        X509 *cert;
        uint8_t ski[64]; /* subjectKeyIdentifier; ski_len 0 = absent */
        uint8_t ski_len;
        uint8_t key_sha1[20]; /* RFC 5280 section 4.2.1.2 method 1, for certificates without SKI */
    } item[LIMIT_CA_CERTS];
};

#endif
