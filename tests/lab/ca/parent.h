/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Revocation check of a CA certificate against its parent's CRL, over HTTP as its CDP says. */
#ifndef LAB_PARENT_H
#define LAB_PARENT_H

#include <windows.h>
#include "ossl.h"

/* S_OK; CRYPT_E_REVOCATION_OFFLINE when no CDP gives a CRL that is in date and signed by the
 * parent; CRYPT_E_REVOKED; CERT_E_CHAINING without the parent's certificate. */
HRESULT parent_check(X509 *cert);

#endif
