/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Makes one CRL as AD CS does (extensions of [MS-CSRA] 3.1.4.1.6) and has the HSM sign it. */
#ifndef LAB_CRLMAKE_H
#define LAB_CRLMAKE_H

#include "cadb.h"
#include "camodel.h"
#include "hsmclient.h"

/* row: key, delta, number, min_base and the times are given; raw is filled. NTE_BAD_SIGNATURE when
 * the result does not verify with the CA certificate. */
HRESULT crl_make(const struct ca *ca, struct hsm *hsm, struct crl_row *row);

/* Verifies a DER CRL with a public key, and when it holds (0 when not readable). */
bool crl_verify(const uint8_t *der, size_t len, EVP_PKEY *key);
/* Signs what is in crl (algorithm of the CA key, SHA-256) with the HSM; used by certutil -sign too.
 */
HRESULT crl_sign(X509_CRL *crl, const struct ca_cert *cert, struct hsm *hsm);
/* Adds an extension; takes the malloc'ed DER (len <= 0: encoding failed). */
bool crl_add_der(X509_CRL *crl, const char *oid, bool critical, uint8_t *der, int len);
/* A throw-away software key of the same type, so that OpenSSL writes the right algorithm
 * identifiers before the HSM's signature takes the place of its own. */
EVP_PKEY *crl_shape_key(EVP_PKEY *like);

#endif
