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

#define PARENT_LEVELS 8

static HCERTSTORE open_store(const wchar_t *name)
{
    return CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                         CERT_SYSTEM_STORE_LOCAL_MACHINE | CERT_STORE_READONLY_FLAG |
                             CERT_STORE_OPEN_EXISTING_FLAG,
                         name);
}

static bool is_self_issued(const CERT_CONTEXT *c)
{
    return CertCompareCertificateName(X509_ASN_ENCODING, &c->pCertInfo->Subject,
                                      &c->pCertInfo->Issuer);
}

/* All certificates with that subject: which one has the right key is found by the reader. */
static int add_named(HCERTSTORE store, CERT_NAME_BLOB *name, struct buf *ret,
                     const CERT_CONTEXT **ret_one, struct err *err)
{
    const CERT_CONTEXT *c = NULL;
    while ((c = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_SUBJECT_NAME,
                                           name, c)) != NULL) {
        if (buf_add(ret, c->pbCertEncoded, c->cbCertEncoded)) {
            CertFreeCertificateContext(c);
            return buf_check(ret, "parent certificates", err);
        }
        if (!*ret_one)
            *ret_one = CertDuplicateCertificateContext(c);
    }
    return ERR_OK;
}

static int climb(const CERT_CONTEXT *from, const HCERTSTORE stores[2], struct buf *ret,
                 struct err *err)
{
    const CERT_CONTEXT *c = CertDuplicateCertificateContext(from);
    int rc = ERR_OK;
    for (int level = 0; c && !rc && level < PARENT_LEVELS && !is_self_issued(c); level++) {
        const CERT_CONTEXT *next = NULL;
        for (size_t i = 0; i < 2 && !next && !rc; i++) {
            if (stores[i])
                rc = add_named(stores[i], &c->pCertInfo->Issuer, ret, &next, err);
        }
        CertFreeCertificateContext(c);
        c = next;
    }
    if (c)
        CertFreeCertificateContext(c);
    return rc;
}

/* Length of the DER element at p, 0 when it is none: a certificate is a SEQUENCE with a length in
 * two or three bytes. */
static size_t element(const uint8_t *p, size_t len)
{
    size_t n = 0;
    if (len < 4 || p[0] != 0x30)
        return 0;
    if (p[1] == 0x82)
        n = 4 + ((size_t)p[2] << 8 | p[3]);
    else if (p[1] == 0x83 && len > 4)
        n = 5 + ((size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4]);
    return n <= len ? n : 0;
}

int ca_store_parents(const uint8_t *certs, size_t len, struct buf *ret, struct err *err)
{
    const HCERTSTORE stores[2] = {open_store(L"CA"), open_store(L"Root")};
    int rc = ERR_OK;
    for (size_t at = 0, n; at < len && !rc; at += n) {
        n = element(certs + at, len - at);
        const CERT_CONTEXT *c =
            n ? CertCreateCertificateContext(X509_ASN_ENCODING, certs + at, (DWORD)n) : NULL;
        if (!c) {
            rc = err_set(err, ERR_PARSE, "expected a certificate at byte %zu", at);
            break;
        }
        rc = climb(c, stores, ret, err);
        CertFreeCertificateContext(c);
    }
    for (size_t i = 0; i < 2; i++) {
        if (stores[i])
            CertCloseStore(stores[i], 0);
    }
    return rc;
}
