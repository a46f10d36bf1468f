/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "camodel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labwin.h"

void ca_sanitize(const char *common_name, char *dst, size_t size)
{
    struct buf b = BUF_INIT;
    wchar_t *w = lab_wide(common_name);
    for (const wchar_t *p = w; *p; p++) {
        if (*p < 0x20 || *p > 0x7e || strchr("\"#%&'*+,/:;<=>?[\\]^`{|}!", (char)*p))
            buf_printf(&b, "!%04x", (unsigned)*p);
        else
            buf_putc(&b, (char)*p);
    }
    str_copy(dst, size, buf_str(&b));
    buf_free(&b);
    free(w);
}

static void load_label(PCCERT_CONTEXT c, struct ca_cert *cert)
{
    DWORD len = 0;
    if (!CertGetCertificateContextProperty(c, CERT_KEY_PROV_INFO_PROP_ID, NULL, &len))
        return;
    CRYPT_KEY_PROV_INFO *info = calloc(1, len);
    if (info && CertGetCertificateContextProperty(c, CERT_KEY_PROV_INFO_PROP_ID, info, &len)) {
        char *label = lab_utf8(info->pwszContainerName);
        str_copy(cert->label, sizeof cert->label, label);
        free(label);
    }
    free(info);
}

static HRESULT load_cert(HCERTSTORE store, const char *hash, struct ca_cert *cert)
{
    uint8_t thumb[20];
    char plain[64] = "";
    size_t n = 0;
    for (; *hash && n < sizeof plain - 1; hash++) /* "ab cd ..." as the CA writes it */
        if (*hash != ' ')
            plain[n++] = *hash;
    if (str_unhex(plain, thumb, sizeof thumb, &n, NULL) != ERR_OK || n != sizeof thumb)
        return NTE_NOT_FOUND;
    CRYPT_HASH_BLOB blob = {sizeof thumb, thumb};
    PCCERT_CONTEXT c =
        CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_SHA1_HASH, &blob, NULL);
    if (c == NULL)
        return NTE_NOT_FOUND;
    const uint8_t *p = c->pbCertEncoded;
    cert->x509 = d2i_X509(NULL, &p, (long)c->cbCertEncoded);
    cert->public_key = cert->x509 ? X509_get_pubkey(cert->x509) : NULL;
    load_label(c, cert);
    CertFreeCertificateContext(c);
    return cert->public_key ? S_OK : NTE_BAD_PUBLIC_KEY;
}

static HRESULT load_certs(struct ca *ca)
{
    HRESULT hr = S_OK;
    char **hashes = reg_multi(ca->key, "CACertHash");
    HCERTSTORE store =
        CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                      CERT_SYSTEM_STORE_LOCAL_MACHINE | CERT_STORE_READONLY_FLAG, L"MY");
    for (char **h = hashes; h && *h && ca->n_certs < CA_CERTS_MAX && SUCCEEDED(hr); h++) {
        struct ca_cert *cert = &ca->certs[ca->n_certs];
        cert->index = cert->key = (unsigned)ca->n_certs++;
        if (strcmp(*h, "-") == 0)
            continue;
        hr = load_cert(store, *h, cert);
        for (unsigned i = 0; i < cert->index && SUCCEEDED(hr); i++) {
            if (ca->certs[i].public_key &&
                EVP_PKEY_eq(ca->certs[i].public_key, cert->public_key) == 1) {
                cert->key = ca->certs[i].key;
                break;
            }
        }
    }
    if (store)
        CertCloseStore(store, 0);
    reg_multi_free(hashes);
    return ca->n_certs ? hr : NTE_NOT_FOUND;
}

static void take(char *dst, size_t size, char *text)
{
    if (text != NULL)
        str_copy(dst, size, text);
    free(text);
}

HRESULT ca_load(struct ca *ret)
{
    wchar_t netbios[32] = L"";
    DWORD n = ARRAY_LEN(netbios);
    memset(ret, 0, sizeof *ret);
    take(ret->name, sizeof ret->name, reg_text(LAB_CONFIG_KEY, "Active"));
    snprintf(ret->key, sizeof ret->key, LAB_CONFIG_KEY "\\%s", ret->name);
    take(ret->common_name, sizeof ret->common_name, reg_text(ret->key, "CommonName"));
    take(ret->server, sizeof ret->server, reg_text(ret->key, "CAServerName"));
    take(ret->config_dn, sizeof ret->config_dn, reg_text(ret->key, "DSConfigDN"));
    take(ret->domain_dn, sizeof ret->domain_dn, reg_text(ret->key, "DSDomainDN"));
    str_copy(ret->short_name, 52, ret->name);
    GetComputerNameW(netbios, &n);
    take(ret->netbios, sizeof ret->netbios, lab_utf8(netbios));
    return load_certs(ret);
}

static bool cert_now(const struct ca_cert *c)
{
    return c->x509 && X509_cmp_current_time(X509_get0_notAfter(c->x509)) > 0;
}

const struct ca_cert *ca_key_cert(const struct ca *ca, unsigned key)
{
    for (size_t i = ca->n_certs; i-- > 0;)
        if (ca->certs[i].key == key && cert_now(&ca->certs[i]))
            return &ca->certs[i];
    return NULL;
}

long ca_cert_state(const struct ca *ca, size_t index)
{
    const struct ca_cert *c = &ca->certs[index];
    if (c->x509 == NULL)
        return 0;
    if (!cert_now(c))
        return 4;
    return ca_key_cert(ca, c->key) == c ? 3 : 1;
}

size_t ca_locations(const struct ca *ca, const char *value, struct ca_location *ret, size_t max)
{
    size_t n = 0;
    char **list = reg_multi(ca->key, value);
    for (char **p = list; p && *p && n < max; p++) {
        char *colon = NULL;
        unsigned long flags = strtoul(*p, &colon, 10);
        if (colon && *colon == ':')
            ret[n++] = (struct ca_location){(unsigned)flags, str_dup(colon + 1)};
    }
    reg_multi_free(list);
    return n;
}

void ca_locations_free(struct ca_location *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(list[i].url);
}

static void put(struct buf *b, const char *text, bool escape)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (escape && (c <= 0x20 || c > 0x7e || strchr("\"<>\\^`{|}", c)))
            buf_printf(b, "%%%02X", c);
        else
            buf_putc(b, (char)c);
    }
}

static void put_suffix(struct buf *b, unsigned n)
{
    if (n > 0)
        buf_printf(b, "(%u)", n);
}

unsigned ca_partitions(const struct ca *ca)
{
    return reg_dword(ca->key, "CRLMaxPartitions", 0);
}

static void put_token(const struct ca *ca, unsigned long token, const struct ca_scope *scope,
                      bool escape, struct buf *b)
{
    switch (token) {
    case 1:
        put(b, ca->server, escape);
        break;
    case 2:
        put(b, ca->netbios, escape);
        break;
    case 3:
        put(b, ca->name, escape);
        break;
    case 4:
        put_suffix(b, scope->cert);
        break;
    case 5:
        put(b, ca->domain_dn, escape);
        break;
    case 6:
        put(b, ca->config_dn, escape);
        break;
    case 7:
        put(b, ca->short_name, escape);
        break;
    case 8:
        put_suffix(b, scope->key);
        break;
    case 9:
        buf_puts(b, scope->delta ? "+" : "");
        break;
    case 10:
        buf_printf(b, "?%s?base?objectClass=cRLDistributionPoint",
                   scope->delta ? "deltaRevocationList" : "certificateRevocationList");
        break;
    case 11:
        buf_puts(b, "?cACertificate?base?objectClass=certificationAuthority");
        break;
    default:
        buf_printf(b, "%%%lu", token);
    }
}

void ca_expand(const struct ca *ca, const char *url, const struct ca_scope *scope, bool escape,
               struct buf *ret)
{
    static const char index[] = "<CRLPartitionIndex>";
    bool index_done = false; /* only the first occurrence counts */
    for (const char *p = url; *p;) {
        if (!index_done && strncmp(p, index, sizeof index - 1) == 0) {
            if (scope->partition)
                buf_printf(ret, "_Partition%05u", scope->partition);
            index_done = true;
            p += sizeof index - 1;
            continue;
        }
        if (p[0] != '%' || p[1] < '1' || p[1] > '9') {
            char one[2] = {*p++, 0};
            put(ret, one, escape);
            continue;
        }
        /* Two digits before one: %10 is not %1 and a zero. */
        size_t digits = p[1] == '1' && p[2] >= '0' && p[2] <= '4' ? 2 : 1;
        unsigned long token =
            digits == 2 ? 10 + (unsigned long)(p[2] - '0') : (unsigned long)(p[1] - '0');
        put_token(ca, token, scope, escape, ret);
        p += 1 + digits;
    }
}

int64_t ca_period(const struct ca *ca, const char *unit_name, const char *count_name,
                  const char *unit_default, DWORD count_default)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } units[] = {{"Seconds", 1},    {"Minutes", 60},     {"Hours", 3600},    {"Days", 86400},
                 {"Weeks", 604800}, {"Months", 2592000}, {"Years", 31536000}};
    char *unit = reg_text(ca->key, unit_name);
    int64_t count = reg_dword(ca->key, count_name, count_default), ret = 0;
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_eq_nocase(units[i].unit, unit ? unit : unit_default))
            ret = count * units[i].seconds;
    free(unit);
    return ret;
}
