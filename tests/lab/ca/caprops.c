/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "caprops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ossl.h"

#include "cadb.h"
#include "labwin.h"

#define PROPERTY_EMPTY ((HRESULT)0x80094004) /* CERTSRV_E_PROPERTY_EMPTY */

enum { INDEX_NONE, INDEX_CERT, INDEX_CERT_OR_CURRENT, INDEX_PARTITION };

typedef HRESULT prop_fn(const struct ca *ca, long id, size_t index, struct ca_value *ret);

static HRESULT text(struct ca_value *ret, const char *s)
{
    buf_puts(&ret->bytes, s);
    return S_OK;
}

static HRESULT get_text(const struct ca *ca, long id, size_t index, struct ca_value *ret)
{
    (void)index;
    switch (id) {
    case 0x01:
        return text(ret, "10.0.17763.1 (lab)");
    case 0x02:
        return text(ret, "10.0.17763.1");
    case 0x06:
        return text(ret, ca->common_name);
    case 0x07:
        return text(ret, ca->name);
    case 0x16:
        return text(ret, ca->server);
    default:
        return text(ret, ca->short_name);
    }
}

static HRESULT get_count(const struct ca *ca, long id, size_t index, struct ca_value *ret)
{
    (void)index;
    ret->number = id == 0x0A   ? (long)reg_dword(ca->key, "CAType", 4)
                  : id == 0x0B ? (long)ca->n_certs
                  : id == 0x17 ? (long)reg_dword(ca->key, "RoleSeparationEnabled", 0)
                               : (long)ca_partitions(ca);
    return S_OK;
}

static HRESULT get_cert(const struct ca *ca, long id, size_t index, struct ca_value *ret)
{
    uint8_t *der = NULL;
    (void)id;
    if (ca->certs[index].x509 == NULL)
        return PROPERTY_EMPTY;
    int len = i2d_X509(ca->certs[index].x509, &der);
    buf_add(&ret->bytes, der, (size_t)(len > 0 ? len : 0));
    OPENSSL_free(der);
    return len > 0 ? S_OK : E_FAIL;
}

static bool add_crl(PKCS7 *p7, unsigned key, bool delta)
{
    struct crl_row row = {0};
    bool ok = true;
    if (cadb_newest(key, 0, delta, &row)) {
        const uint8_t *p = (const uint8_t *)row.raw.data;
        X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)row.raw.len);
        ok = crl && PKCS7_add_crl(p7, crl);
        X509_CRL_free(crl);
    }
    buf_free(&row.raw);
    return ok;
}

/* CASIGCERTCHAIN and CASIGCERTCRLCHAIN: a PKCS #7 without signers. */
static HRESULT get_chain(const struct ca *ca, long id, size_t index, struct ca_value *ret)
{
    uint8_t *der = NULL;
    const struct ca_cert *cert = &ca->certs[index];
    if (cert->x509 == NULL)
        return PROPERTY_EMPTY;
    PKCS7 *p7 = PKCS7_new();
    bool ok = p7 && PKCS7_set_type(p7, NID_pkcs7_signed) && PKCS7_content_new(p7, NID_pkcs7_data) &&
              PKCS7_add_certificate(p7, cert->x509);
    if (ok && id == 0x20)
        ok = add_crl(p7, cert->key, false) && add_crl(p7, cert->key, true);
    int len = ok ? i2d_PKCS7(p7, &der) : 0;
    buf_add(&ret->bytes, der, (size_t)(len > 0 ? len : 0));
    OPENSSL_free(der);
    PKCS7_free(p7);
    return len > 0 ? S_OK : E_FAIL;
}

static HRESULT get_crl(const struct ca *ca, long id, size_t index, struct ca_value *ret)
{
    struct crl_row row = {0};
    bool found = cadb_newest(ca->certs[index & 0xFFFF].key, (unsigned)index >> 16,
                             id == 0x12 || id == 0x30, &row) &&
                 row.raw.len > 0;
    if (found)
        buf_add(&ret->bytes, row.raw.data, row.raw.len);
    buf_free(&row.raw);
    return found ? S_OK : PROPERTY_EMPTY;
}

static HRESULT get_status(const struct ca *ca, long id, size_t index, struct ca_value *ret)
{
    struct crl_row row = {0};
    bool found = cadb_newest(ca->certs[index & 0xFFFF].key, (unsigned)index >> 16,
                             id == 0x1F || id == 0x32, &row);
    ret->number = (long)row.flags;
    buf_free(&row.raw);
    return found ? S_OK : PROPERTY_EMPTY;
}

static HRESULT get_state(const struct ca *ca, long id, size_t index, struct ca_value *ret)
{
    long state = ca_cert_state(ca, index);
    /* A renewed certificate with the same key is itself valid; only its CRL row says "error". */
    ret->number = id == 0x13 && state == 1 ? 3 : state;
    return S_OK;
}

static HRESULT get_code(const struct ca *ca, long id, size_t index, struct ca_value *ret)
{
    if (id == 0x27)
        ret->number = (long)(ca->certs[index].key << 16 | (unsigned)index);
    else
        ret->number = ca_cert_state(ca, index) == 4 ? (long)CERT_E_EXPIRED : 0;
    return S_OK;
}

static HRESULT get_urls(const struct ca *ca, long id, size_t index, struct ca_value *ret)
{
    struct ca_location list[CA_URLS_MAX];
    bool cdp = id == 0x29;
    unsigned bit = id == 0x2B ? 0x20 : 0x02;
    size_t n =
        ca_locations(ca, cdp ? "CRLPublicationURLs" : "CACertPublicationURLs", list, CA_URLS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (list[i].flags & bit) {
            buf_puts(&ret->bytes, ret->bytes.len ? "\n" : "");
            ca_expand(ca, list[i].url,
                      &(struct ca_scope){ca->certs[index].key, (unsigned)index, 0, false}, true,
                      &ret->bytes);
        }
    }
    ca_locations_free(list, n);
    return ret->bytes.len ? S_OK : PROPERTY_EMPTY;
}

static const struct {
    long id, type;
    int index;
    prop_fn *get;
} props[] = {
    {0x01, 4, INDEX_NONE, get_text},
    {0x02, 4, INDEX_NONE, get_text},
    {0x06, 4, INDEX_NONE, get_text},
    {0x07, 4, INDEX_NONE, get_text},
    {0x0A, 1, INDEX_NONE, get_count},
    {0x0B, 1, INDEX_NONE, get_count},
    {0x0C, 3, INDEX_CERT_OR_CURRENT, get_cert},
    {0x0D, 3, INDEX_CERT_OR_CURRENT, get_chain},
    {0x11, 3, INDEX_CERT_OR_CURRENT, get_crl},
    {0x12, 3, INDEX_CERT_OR_CURRENT, get_crl},
    {0x13, 1, INDEX_CERT, get_state},
    {0x14, 1, INDEX_CERT, get_state},
    {0x16, 4, INDEX_NONE, get_text},
    {0x17, 1, INDEX_NONE, get_count},
    {0x1E, 1, INDEX_CERT_OR_CURRENT, get_status},
    {0x1F, 1, INDEX_CERT_OR_CURRENT, get_status},
    {0x20, 3, INDEX_CERT_OR_CURRENT, get_chain},
    {0x22, 1, INDEX_CERT_OR_CURRENT, get_code},
    {0x27, 1, INDEX_CERT, get_code},
    {0x28, 4, INDEX_NONE, get_text},
    {0x29, 4, INDEX_CERT_OR_CURRENT, get_urls},
    {0x2A, 4, INDEX_CERT_OR_CURRENT, get_urls},
    {0x2B, 4, INDEX_CERT_OR_CURRENT, get_urls},
    {0x2E, 1, INDEX_NONE, get_count},
    {0x2F, 3, INDEX_PARTITION, get_crl},
    {0x30, 3, INDEX_PARTITION, get_crl},
    {0x31, 1, INDEX_PARTITION, get_status},
    {0x32, 1, INDEX_PARTITION, get_status},
};

/* Whoever asks for the CA Exchange certificate makes the CA create a key pair, and with an
 * EncryptionCSP in the HSM every question fills the partition a little more. */
static HRESULT exchange_trap(struct hsm *hsm)
{
    static unsigned n;
    char label[64];
    snprintf(label, sizeof label, "caxchg-%lu-%u", GetCurrentProcessId(), n++);
    HRESULT hr = hsm ? hsm_generate(hsm, label) : NTE_DEVICE_NOT_READY;
    return FAILED(hr) ? hr : PROPERTY_EMPTY;
}

HRESULT caprops_get(const struct ca *ca, struct hsm *hsm, long id, long index, long type,
                    struct ca_value *ret)
{
    if ((id >= 0x0E && id <= 0x10) || id == 0x21)
        return exchange_trap(hsm);
    for (size_t i = 0; i < ARRAY_LEN(props); i++) {
        if (props[i].id != id)
            continue;
        if (props[i].type != type || (id >= 0x2E && ca_partitions(ca) == 0))
            return E_INVALIDARG; /* also every property of partitions while they are off */
        if (props[i].index == INDEX_NONE)
            index = 0;
        else if (index == -1 && props[i].index == INDEX_CERT_OR_CURRENT)
            index = (long)ca->n_certs - 1;
        long cert = props[i].index == INDEX_PARTITION ? index & 0xFFFF : index;
        long partition = props[i].index == INDEX_PARTITION ? index >> 16 : 0;
        if (cert < 0 || (size_t)cert >= ca->n_certs || partition < 0 ||
            partition > (long)ca_partitions(ca))
            return E_INVALIDARG;
        ret->type = type;
        return props[i].get(ca, id, (size_t)index, ret);
    }
    return E_INVALIDARG;
}
