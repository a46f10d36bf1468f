/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Certificates as OpenSSL holds them: what every room does with them in the same way. */
#ifndef CRLAGENT_CRL_X509_H
#define CRLAGENT_CRL_X509_H

#include <stddef.h>
#include <stdint.h>

#include "base/ossl.h"

/* The certificate in DER, or the first one in PEM armour; NULL when there is none. OpenSSL's error
 * queue is left empty. The caller frees it. */
X509 *x509_read(const void *data, size_t len);

void x509_free(X509 **x); /* for SCOPED() */

/* UTC seconds (RFC 5280 section 4.1.2.5); WHEN_NONE for NULL and for what is no time. */
int64_t x509_when(const ASN1_TIME *t);

#endif
