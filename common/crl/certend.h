/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* When a certificate ends: a CRL must not outlive the key that vouches for it. */
#ifndef CRLAGENT_CRL_CERTEND_H
#define CRLAGENT_CRL_CERTEND_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* notAfter of a DER certificate, UTC seconds. ERR_PARSE. */
MUST_CHECK int crl_cert_end(const void *der, size_t len, int64_t *ret, struct err *err);

#endif
