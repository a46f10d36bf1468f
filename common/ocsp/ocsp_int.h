/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Inside ocsp only. */
#ifndef CRLAGENT_OCSP_OCSP_INT_H
#define CRLAGENT_OCSP_OCSP_INT_H

#include "base/ossl.h"
#include "ocsp/ocsp.h"

/* The known CA certificates as OpenSSL's list; empty when issuers is NULL. */
MUST_CHECK int ocsp_issuers_read(const struct crl_issuers *issuers, STACK_OF(X509) * *ret,
                                 struct err *err);
void ocsp_issuers_free(STACK_OF(X509) * *list); /* for SCOPED() */
/* By name and by the signature itself: key identifiers may be missing or wrong. */
bool ocsp_issued_by(X509 *cert, X509 *issuer);

#endif
