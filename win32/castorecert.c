/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/castorecert.h"

#include <windows.h>
#include <wincrypt.h>

#include "base/str.h"
#include "win32/werr.h"

int ca_store_certificate(const char *sha1_hex, struct buf *ret, struct err *err)
{
    uint8_t sha1[20];
    size_t len = 0;
    int rc = str_unhex(sha1_hex, sha1, sizeof sha1, &len, err);
    if (rc || len != sizeof sha1)
        return err_set(err, ERR_INVALID,
                       "'%.60s' is not the hash of a certificate; expected 40 "
                       "hex digits",
                       sha1_hex);
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                                     CERT_SYSTEM_STORE_LOCAL_MACHINE | CERT_STORE_READONLY_FLAG |
                                         CERT_STORE_OPEN_EXISTING_FLAG,
                                     L"My");
    if (!store)
        return err_set_win32(err, GetLastError(), "opening the machine's personal certificates");
    CRYPT_HASH_BLOB blob = {sizeof sha1, sha1};
    const CERT_CONTEXT *cert = CertFindCertificateInStore(
        store, X509_ASN_ENCODING | PKCS_7_ASN_ENCODING, 0, CERT_FIND_SHA1_HASH, &blob, NULL);
    if (!cert)
        rc = err_set(err, ERR_NOT_FOUND,
                     "the CA certificate %s is not in the machine's personal store", sha1_hex);
    else if (buf_add(ret, cert->pbCertEncoded, cert->cbCertEncoded))
        rc = buf_check(ret, "a CA certificate", err);
    if (cert)
        CertFreeCertificateContext(cert);
    CertCloseStore(store, 0);
    return rc;
}
