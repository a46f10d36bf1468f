/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Client of the lab HSM. Results are HRESULTs as a key storage provider would give them; which ones
 * the real provider gives is not known, so they can be set (hsm_error_away, hsm_error_login ...).
 * A session that broke stays broken until it is opened again, as with a network HSM whose service
 * was restarted, unless the setting hsm_reconnect=1. */
#ifndef LAB_HSMCLIENT_H
#define LAB_HSMCLIENT_H

#include <windows.h>
#include <stddef.h>
#include <stdint.h>

#include "ossl.h"

struct hsm; /* one session; not thread-safe */

HRESULT hsm_open(struct hsm **ret);
void hsm_close(struct hsm *h); /* takes NULL */

/* The caller frees *ret with EVP_PKEY_free. */
HRESULT hsm_public(struct hsm *h, const char *label, EVP_PKEY **ret);
HRESULT hsm_sign(struct hsm *h, const char *label, const char *hash, const uint8_t *digest,
                 size_t digest_len, uint8_t *sig, size_t sig_size, size_t *ret_len);
/* What a provider does when somebody asks for a CA Exchange certificate: one more key. */
HRESULT hsm_generate(struct hsm *h, const char *label);

/* Opens a key, compares it with the public key of the certificate, signs a digest and verifies it:
 * what CertSvc does at its start and certutil -verifykeys on request. */
HRESULT hsm_test_key(struct hsm *h, const char *label, EVP_PKEY *cert_key);

#endif
