/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "crl/certend.h"

#include "base/when.h"
#include "crl/x509.h"

int crl_cert_end(const void *der, size_t len, int64_t *ret, struct err *err)
{
    const unsigned char *p = der;
    SCOPED(x509_free) X509 *x = d2i_X509(NULL, &p, (long)len);
    int64_t end = x ? x509_when(X509_get0_notAfter(x)) : WHEN_NONE;
    if (end == WHEN_NONE)
        return err_set(err, ERR_PARSE, "a CA certificate cannot be read: its end is not known");
    *ret = end;
    return ERR_OK;
}
