/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "crl/x509.h"

#include "base/when.h"

X509 *x509_read(const void *data, size_t len)
{
    const unsigned char *p = data;
    X509 *cert = d2i_X509(NULL, &p, (long)len);
    if (!cert) {
        BIO *bio = BIO_new_mem_buf(data, (int)len);
        cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
        BIO_free(bio);
    }
    ERR_clear_error();
    return cert;
}

void x509_free(X509 **x)
{
    X509_free(*x);
}

int64_t x509_when(const ASN1_TIME *t)
{
    struct tm tm;
    if (!t || !ASN1_TIME_to_tm(t, &tm))
        return WHEN_NONE;
    struct when_civil c = {tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                           tm.tm_hour,        tm.tm_min,     tm.tm_sec};
    return when_from_civil(&c);
}
