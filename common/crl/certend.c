/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "crl/certend.h"

#include "base/ossl.h"
#include "base/when.h"

int crl_cert_end(const void *der, size_t len, int64_t *ret, struct err *err)
{
    const unsigned char *p = der;
    struct tm tm;
    X509 *x = d2i_X509(NULL, &p, (long)len);
    if (!x || !ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm)) {
        X509_free(x);
        return err_set(err, ERR_PARSE, "a CA certificate cannot be read: its end is not known");
    }
    X509_free(x);
    struct when_civil c = {tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                           tm.tm_hour,        tm.tm_min,     tm.tm_sec};
    *ret = when_from_civil(&c);
    return ERR_OK;
}
