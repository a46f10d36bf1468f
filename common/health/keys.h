/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Whose key a location belongs to. Where a CA is asked, its configuration says so; a URL or a
 * certificate from the command line says nothing, and what is served there does: the key whose
 * certificate verified the CRL. CRLs of two keys, or of two CAs, are never compared with each
 * other. */
#ifndef CRLAGENT_HEALTH_KEYS_H
#define CRLAGENT_HEALTH_KEYS_H

#include "health/cacert.h"

#define KEYS_NONE UINT32_MAX
/* The key index of the certificate in c with that key; KEYS_NONE when there is none. */
uint32_t keys_find(const struct health_ca_certs *c, const uint8_t key_id[20]);

/* The key index of that certificate (PEM or DER) in c, by its key; 0 when c does not have it. */
uint32_t keys_index_of(const struct health_ca_certs *c, const void *cert, size_t len);

/* The key index of the certificate in c whose key signed this certificate (PEM or DER), 0 when
 * none did. issuers holds the same certificates, or more. */
uint32_t keys_signer_of(const struct health_ca_certs *c, const struct crl_issuers *issuers,
                        const void *cert, size_t len);

/* Moves CRL locations that only the command line or a certificate named to the key of the CRL that
 * most of their servers serve. A key without a certificate in c gets the next free index; without
 * any issuer, so with nothing verified, issuer name and key identifier of the CRLs stand for the
 * key. What serves no CRL stays where it is. ERR_NOMEM only. */
MUST_CHECK int keys_assign(struct probe_target *targets, const struct probe_result *results,
                           size_t n, const struct health_ca_certs *c, struct err *err);

/* Are these CRLs of one issuer, and of one key as far as can be told? */
bool keys_same(const struct crl_facts *a, const struct crl_facts *b);

/* Was this CRL verified with another key than that index's? False when it is not known. */
bool keys_foreign(const struct crl_facts *f, enum crl_signature s, const struct health_ca_cert *c,
                  size_t n, uint32_t key_index);

#endif
