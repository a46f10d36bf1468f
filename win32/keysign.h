/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* One signature by a CNG or CAPI key, and its verification by the certificate. */
#ifndef CRLAGENT_WIN32_KEYSIGN_H
#define CRLAGENT_WIN32_KEYSIGN_H

#include <windows.h>
#include <wincrypt.h>

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

#define KEY_DIGEST_BYTES 32 /* SHA-256 */
#define KEY_DIGEST_SHA1 20

/* What is signed: random bytes in the place of a digest. */
struct key_digest {
    BYTE bytes[KEY_DIGEST_BYTES];
    DWORD len; /* KEY_DIGEST_BYTES, or KEY_DIGEST_SHA1 of a provider that knows no SHA-256 */
};

struct machine_key {
    HCRYPTPROV_OR_NCRYPT_KEY_HANDLE handle;
    DWORD spec; /* CERT_NCRYPT_KEY_SPEC, AT_SIGNATURE, AT_KEYEXCHANGE */
    BOOL owned;
};
void machine_key_close(struct machine_key *key); /* for SCOPED() */

/* Key of a certificate of the machine's personal store; never asks a person. */
MUST_CHECK int machine_key_open(const CERT_CONTEXT *cert, struct machine_key *ret, struct err *err);

/* Signs digest as SHA-256: RSA PKCS #1 v1.5, or ECDSA as r and s. The bytes are big-endian. CAPI
 * providers of the type PROV_RSA_FULL hash MD5 and SHA-1 alone (NTE_BAD_ALGID): one that says so
 * signs the first 20 bytes as SHA-1, and digest->len tells it. */
MUST_CHECK int machine_key_sign(const struct machine_key *key, bool ec, struct key_digest *digest,
                                struct buf *ret, struct err *err);

/* Does the certificate's public key confirm it? ERR_CRYPTO when not. */
MUST_CHECK int key_signature_verify(const uint8_t *cert_der, size_t cert_len,
                                    const struct key_digest *digest, const struct buf *signature,
                                    struct err *err);

/* Elliptic-curve key in the certificate? */
MUST_CHECK int key_is_ec(const uint8_t *cert_der, size_t cert_len, bool *ret, struct err *err);

/* NTE_* and CRYPT_E_* to the codes of ca/keyprobe.h. */
MUST_CHECK int key_failed(long code, const char *doing, struct err *err);

#endif
