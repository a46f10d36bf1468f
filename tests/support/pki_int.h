/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Inside support only: what the fixture makers share. */
#ifndef CRLAGENT_TESTS_SUPPORT_PKI_INT_H
#define CRLAGENT_TESTS_SUPPORT_PKI_INT_H

#include "base/ossl.h"
#include "support/pki.h"

struct pki_ca {
    EVP_PKEY *key;
    X509 *cert;
};

#define MUST(x) pki_must((x) ? 1 : 0, #x, __FILE__, __LINE__)
void pki_must(int ok, const char *what, const char *file, int line);

EVP_PKEY *pki_new_key(enum pki_key kind);
/* Ed25519 and the like: no digest of their own. */
bool pki_signs_message(EVP_PKEY *key);
void pki_take_bio(BIO *b, struct buf *out);

#endif
