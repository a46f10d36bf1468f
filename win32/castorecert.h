/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Certificates of the local machine's personal store, where the CA keeps its own. */
#ifndef CRLAGENT_WIN32_CASTORECERT_H
#define CRLAGENT_WIN32_CASTORECERT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the DER of the certificate with this SHA-1 (40 hex digits, as in CACertHash).
 * ERR_NOT_FOUND: CertSvc does not start without it. */
MUST_CHECK int ca_store_certificate(const char *sha1_hex, struct buf *ret, struct err *err);

/* Appends the DER of the certificates above those in certs (DER, one after the other) that the
 * machine's intermediate and root stores hold: the parents, whose CRLs CertSvc checks when it
 * starts. What is not there is left out. ERR_PARSE when certs is not what it should be. */
MUST_CHECK int ca_store_parents(const uint8_t *certs, size_t len, struct buf *ret, struct err *err);

#endif
