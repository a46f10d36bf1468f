/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/keyprobe.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/ossl.h"
#include "base/process.h"
#include "base/str.h"
#include "base/when.h"
#include "win32/keysign.h"
#include "win32/utf.h"
#include "win32/werr.h"

/* The store's own copy of the certificate knows its key. */
static int find_certificate(const uint8_t *der, size_t len, HCERTSTORE *ret_store,
                            const CERT_CONTEXT **ret, struct err *err)
{
    unsigned char sha1[20];
    CRYPT_HASH_BLOB blob = {sizeof sha1, sha1};
    if (!EVP_Digest(der, len, sha1, NULL, EVP_sha1(), NULL))
        return err_set(err, ERR_CRYPTO, "hashing the CA certificate");
    *ret_store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                               CERT_SYSTEM_STORE_LOCAL_MACHINE | CERT_STORE_READONLY_FLAG |
                                   CERT_STORE_OPEN_EXISTING_FLAG,
                               L"My");
    if (!*ret_store)
        return err_set_win32(err, GetLastError(), "opening the machine's personal certificates");
    *ret = CertFindCertificateInStore(*ret_store, X509_ASN_ENCODING, 0, CERT_FIND_SHA1_HASH, &blob,
                                      NULL);
    if (!*ret)
        return err_set(err, ERR_NOT_FOUND,
                       "the CA certificate is not in the machine's personal store");
    return ERR_OK;
}

static void provider_name(const CERT_CONTEXT *cert, struct key_probe_result *ret)
{
    DWORD size = 0;
    SCOPED(scope_free) char *name = NULL;
    if (!CertGetCertificateContextProperty(cert, CERT_KEY_PROV_INFO_PROP_ID, NULL, &size))
        return;
    SCOPED(scope_free) CRYPT_KEY_PROV_INFO *info = calloc(1, size);
    if (info && CertGetCertificateContextProperty(cert, CERT_KEY_PROV_INFO_PROP_ID, info, &size) &&
        info->pwszProvName && !utf_from_wide(info->pwszProvName, &name, NULL))
        str_copy(ret->provider, sizeof ret->provider, name);
}

static int sign_and_verify(const CERT_CONTEXT *cert, const uint8_t *der, size_t len,
                           struct key_probe_result *ret, struct err *err)
{
    SCOPED(machine_key_close) struct machine_key key = {0};
    SCOPED(buf_free) struct buf signature = BUF_INIT;
    struct key_digest digest = {.len = KEY_DIGEST_BYTES};
    bool ec = false;
    int rc = key_is_ec(der, len, &ec, err);
    if (!rc && RAND_bytes(digest.bytes, sizeof digest.bytes) != 1)
        rc = err_set(err, ERR_CRYPTO, "no random numbers");
    if (!rc)
        rc = machine_key_open(cert, &key, err);
    int64_t start = clock_mono_ms(clock_system());
    if (!rc)
        rc = machine_key_sign(&key, ec, &digest, &signature, err);
    ret->sign_ms = (uint32_t)(clock_mono_ms(clock_system()) - start);
    str_copy(ret->detail, sizeof ret->detail,
             key.spec == CERT_NCRYPT_KEY_SPEC ? "CNG, test signature verified"
             : digest.len == KEY_DIGEST_SHA1
                 ? "CAPI, test signature verified (SHA-1: this provider knows no SHA-256)"
                 : "CAPI, test signature verified");
    return rc ? rc : key_signature_verify(der, len, &digest, &signature, err);
}

int key_probe_here(const uint8_t *cert_der, size_t cert_len, struct key_probe_result *ret,
                   struct err *err)
{
    HCERTSTORE store = NULL;
    const CERT_CONTEXT *cert = NULL;
    struct key_probe_result result = {0};
    int rc = find_certificate(cert_der, cert_len, &store, &cert, err);
    if (!rc) {
        provider_name(cert, &result);
        rc = sign_and_verify(cert, cert_der, cert_len, &result, err);
    }
    if (cert)
        CertFreeCertificateContext(cert);
    if (store)
        CertCloseStore(store, 0);
    if (!rc)
        *ret = result;
    return rc;
}

/* The child --------------------------------------------------------------------------------- */

int key_probe_child(FILE *in, FILE *out)
{
    static char hex[2 * LIMIT_CERT_BYTES + 2];
    static uint8_t der[LIMIT_CERT_BYTES];
    struct key_probe_result r = {0};
    struct err err = ERR_INIT;
    size_t len = 0;
    if (!fgets(hex, sizeof hex, in))
        hex[0] = '\0';
    hex[strcspn(hex, "\r\n")] = '\0';
    int rc = str_unhex(hex, der, sizeof der, &len, &err);
    if (!rc)
        rc = key_probe_here(der, len, &r, &err);
    if (rc)
        fprintf(out, "fail\t%d\t%ld\t%s\n", rc, err.os_code, err.text);
    else
        fprintf(out, "ok\t%u\t%s\t%s\n", (unsigned)r.sign_ms, r.provider, r.detail);
    fflush(out);
    return rc != 0;
}

/* Takes the text up to the next tab or line end; NULL at the end. */
static char *field(char **at)
{
    char *start = *at;
    if (!start)
        return NULL;
    size_t n = strcspn(start, "\t\r\n");
    *at = start[n] == '\t' ? start + n + 1 : NULL;
    start[n] = '\0';
    return start;
}

int key_probe_read_line(const char *line, struct key_probe_result *ret, struct err *err)
{
    char copy[ERR_TEXT_MAX + 200];
    uint64_t number = 0;
    str_copy(copy, sizeof copy, line);
    char *at = copy;
    const char *word = field(&at), *first = field(&at), *second = field(&at), *third = field(&at);
    if (!word || !first || !second || !third)
        return err_set(err, ERR_PARSE, "the key test ended without an answer");
    if (strcmp(word, "ok") == 0 && !str_parse_u64(first, 0, UINT32_MAX, &number, err)) {
        struct key_probe_result r = {.sign_ms = (uint32_t)number};
        str_copy(r.provider, sizeof r.provider, second);
        str_copy(r.detail, sizeof r.detail, third);
        *ret = r;
        return ERR_OK;
    }
    if (strcmp(word, "fail") == 0 && !str_parse_u64(first, 1, ERR_INTERNAL, &number, err))
        return err_set_os(err, (enum err_code)number, strtol(second, NULL, 10), "%s", third);
    return err_set(err, ERR_PARSE, "the key test gave the answer '%.60s'", line);
}

/* The parent -------------------------------------------------------------------------------- */

static int probe(void *self, const uint8_t *cert_der, size_t cert_len, int64_t timeout_ms,
                 struct key_probe_result *ret, struct err *err)
{
    const char *argv[] = {self, KEY_PROBE_VERB, NULL};
    struct process_result r;
    if (cert_len > LIMIT_CERT_BYTES)
        return err_set(err, ERR_LIMIT, "the CA certificate is larger than %u bytes",
                       LIMIT_CERT_BYTES);
    SCOPED(scope_free) char *hex = calloc(2 * cert_len + 2, 1);
    if (!hex)
        return err_nomem(err);
    str_hex(hex, cert_der, cert_len);
    hex[2 * cert_len] = '\n';
    int rc = process_run(argv, hex, timeout_ms, &r, err);
    if (rc == ERR_TIMEOUT)
        rc = err_set(err, rc, "the key provider did not sign within %lld ms; is the HSM reachable?",
                     (long long)timeout_ms);
    if (!rc)
        rc = key_probe_read_line(buf_str(&r.out), ret, err);
    if (rc == ERR_PARSE) /* it died: a provider that brings its process down */
        rc = err_set(err, ERR_UNAVAILABLE,
                     "the key test ended with exit code 0x%08x and without an answer",
                     (unsigned)r.exit_code);
    buf_clear(&r.out);
    return rc;
}

struct key_probe key_probe_provider(const char *program)
{
    union {
        const char *in;
        void *out;
    } self = {program};
    return (struct key_probe){probe, self.out};
}
