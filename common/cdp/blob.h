/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Small objects from AIA locations. */
#ifndef CRLAGENT_CDP_BLOB_H
#define CRLAGENT_CDP_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* SHA-256 of the DER of the certificate in data: DER, PEM, or PKCS#7 (certs-only, the first
 * certificate counts). ERR_PARSE says what was found instead. */
MUST_CHECK int blob_certificate_digest(const void *data, size_t len, uint8_t ret[32],
                                       struct err *err);

/* Appends the DER of all certificates in data: DER (one or more after each other), PEM, or PKCS#7.
 * ERR_PARSE when there is none. */
MUST_CHECK int blob_certificates(const void *data, size_t len, struct buf *ret, struct err *err);

#endif
