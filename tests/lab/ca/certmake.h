/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Issues one certificate: what a policy module and a template decide is given here, the HSM signs.
 */
#ifndef LAB_CERTMAKE_H
#define LAB_CERTMAKE_H

#include "base/buf.h"
#include "camodel.h"
#include "hsmclient.h"

struct cert_spec {
    const char *common_name;
    int64_t serial, not_before, not_after; /* UTC seconds */
    const char *cdp, *aia, *ocsp;          /* URLs; NULL = absent */
    const char *public_key;                /* PEM; NULL = one made here and forgotten */
    bool ocsp_signing;                     /* extended key usage and id-pkix-ocsp-nocheck */
};

/* Signed with the CA key that this certificate carries; DER is appended. */
HRESULT cert_make(const struct ca_cert *ca, struct hsm *hsm, const struct cert_spec *spec,
                  struct buf *ret);

#endif
