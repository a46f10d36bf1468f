/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The key test with a real machine key (CAPI: what Wine has), and signatures made here. */
#include "cmocka_unit.h"

#include <windows.h>
#include <wincrypt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "base/str.h"
#include "win32/keyprobe.h"
#include "win32/keysign.h"
#include "win32/utf.h"

#define CONTAINER L"crlagent-unit-key"

static char own[1024];
static uint8_t der[4096];
static size_t der_len;

/* A self-signed certificate for an OpenSSL key, DER into der. */
static EVP_PKEY *make_certificate(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    unsigned char *at = der;
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 7);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"unit", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    der_len = (size_t)i2d_X509(cert, &at);
    X509_free(cert);
    return key;
}

/* What a provider would give: raw r and s, or the RSA block. */
static void sign(EVP_PKEY *key, bool ec, const struct key_digest *digest, struct buf *ret)
{
    unsigned char sig[600];
    size_t len = sizeof sig;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    assert_true(EVP_PKEY_sign_init(ctx) > 0);
    if (!ec)
        assert_true(EVP_PKEY_CTX_set_signature_md(
                        ctx, digest->len == KEY_DIGEST_SHA1 ? EVP_sha1() : EVP_sha256()) > 0);
    assert_true(EVP_PKEY_sign(ctx, sig, &len, digest->bytes, digest->len) > 0);
    EVP_PKEY_CTX_free(ctx);
    if (ec) {
        const unsigned char *at = sig;
        unsigned char raw[64];
        ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &at, (long)len);
        BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + 32, 32);
        ECDSA_SIG_free(s);
        buf_add(ret, raw, sizeof raw);
    } else {
        buf_add(ret, sig, len);
    }
}

static void verify_kind(bool ec, DWORD digest_len)
{
    SCOPED(buf_free) struct buf sig = BUF_INIT;
    SCOPED(buf_free) struct buf empty = BUF_INIT;
    struct key_digest digest = {{1, 2, 3}, digest_len};
    bool found = !ec;
    EVP_PKEY *key = make_certificate(ec ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048));
    sign(key, ec, &digest, &sig);
    assert_int_equal(key_is_ec(der, der_len, &found, NULL), ERR_OK);
    assert_int_equal(found, ec);
    assert_int_equal(key_signature_verify(der, der_len, &digest, &sig, NULL), ERR_OK);
    assert_int_equal(key_signature_verify(der, der_len, &digest, &empty, NULL), ERR_CRYPTO);
    digest.bytes[0] ^= 1;
    assert_int_equal(key_signature_verify(der, der_len, &digest, &sig, NULL), ERR_CRYPTO);
    digest.bytes[0] ^= 1;
    digest.len = digest_len == KEY_DIGEST_SHA1 ? KEY_DIGEST_BYTES : KEY_DIGEST_SHA1;
    assert_int_equal(key_signature_verify(der, der_len, &digest, &sig, NULL), ERR_CRYPTO);
    digest.len = digest_len;
    EVP_PKEY *other = make_certificate(ec ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048));
    assert_int_equal(key_signature_verify(der, der_len, &digest, &sig, NULL), ERR_CRYPTO);
    EVP_PKEY_free(other);
    EVP_PKEY_free(key);
}

static void key_signature_verify__rsa__good_bad_other_key(void **state)
{
    (void)state;
    verify_kind(false, KEY_DIGEST_BYTES);
}
static void key_signature_verify__ec__good_bad_other_key(void **state)
{
    (void)state;
    verify_kind(true, KEY_DIGEST_BYTES);
}
static void key_signature_verify__rsa_sha1__good_bad_other_key(void **state)
{
    (void)state;
    verify_kind(false, KEY_DIGEST_SHA1);
}

static void key_failed__codes__kept_apart(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(key_failed((long)0x80090016, "x", &err), ERR_NOT_FOUND);
    assert_int_equal(key_failed((long)0x80090030, "x", &err), ERR_UNAVAILABLE);
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "HSM"));
    assert_int_equal(key_failed((long)0x80090006, "x", &err), ERR_CRYPTO);
    assert_int_equal(key_failed((long)0x80070005, "x", &err), ERR_DENIED);
}

static void key_probe_read_line__table__result_or_error(void **state)
{
    (void)state;
    struct key_probe_result r = {0};
    struct err err = ERR_INIT;
    static const char *const bad[] = {
        "", "ok", "ok\t1\tx", "ok\tmany\tp\td", "fail\t0\t0\tx", "fail\t99\t0\tx", "what\t1\t2\t3"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(key_probe_read_line(bad[i], &r, &err), ERR_PARSE);
    assert_int_equal(key_probe_read_line("ok\t12\tProvider\tCNG\r\n", &r, &err), ERR_OK);
    assert_int_equal(r.sign_ms, 12);
    assert_string_equal(r.provider, "Provider");
    assert_int_equal(key_probe_read_line("fail\t2\t-5\tno key\n", &r, &err), ERR_NOT_FOUND);
    assert_int_equal(err.os_code, -5);
    assert_string_equal(err.text, "no key");
}

static void key_probe_here__certificate_not_in_store__not_found(void **state)
{
    (void)state;
    struct key_probe_result r;
    EVP_PKEY_free(make_certificate(EVP_EC_gen("P-256")));
    assert_int_equal(key_probe_here(der, der_len, &r, NULL), ERR_NOT_FOUND);
}

/* Wine 8 opens the key of a certificate in the user's set, whatever the certificate says. */
static DWORD keyset(void)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version")
               ? 0
               : CRYPT_MACHINE_KEYSET;
}

/* A machine key in a software provider and its certificate in the machine's store. */
static bool machine_certificate(const wchar_t *provider_name, DWORD type)
{
    HCRYPTPROV provider = 0;
    HCRYPTKEY key = 0;
    wchar_t container[] = CONTAINER, name[100];
    BYTE subject[100];
    DWORD n = sizeof subject;
    swprintf(name, ARRAY_LEN(name), L"%ls", provider_name);
    CryptAcquireContextW(&provider, container, name, type, CRYPT_DELETEKEYSET | keyset());
    if (!CryptAcquireContextW(&provider, container, name, type, CRYPT_NEWKEYSET | keyset()) ||
        !CryptGenKey(provider, AT_SIGNATURE, 2048u << 16, &key) ||
        !CertStrToNameW(X509_ASN_ENCODING, L"CN=unit", CERT_X500_NAME_STR, NULL, subject, &n, NULL))
        return false;
    CERT_NAME_BLOB blob = {n, subject};
    CRYPT_KEY_PROV_INFO info = {container, name, type, keyset(), 0, NULL, AT_SIGNATURE};
    const CERT_CONTEXT *made =
        CertCreateSelfSignCertificate(provider, &blob, 0, &info, NULL, NULL, NULL, NULL);
    HCERTSTORE store =
        CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_LOCAL_MACHINE, L"My");
    bool ok = made && store &&
              CertSetCertificateContextProperty(made, CERT_KEY_PROV_INFO_PROP_ID, 0, &info) &&
              CertAddCertificateContextToStore(store, made, CERT_STORE_ADD_REPLACE_EXISTING, NULL);
    if (ok) {
        der_len = made->cbCertEncoded;
        memcpy(der, made->pbCertEncoded, der_len);
    }
    if (made)
        CertFreeCertificateContext(made);
    CertCloseStore(store, 0); /* Wine writes the store when it is closed */
    CryptDestroyKey(key);
    CryptReleaseContext(provider, 0);
    return ok;
}

static void remove_machine_certificate(const wchar_t *provider_name, DWORD type)
{
    HCRYPTPROV provider;
    HCERTSTORE store =
        CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_LOCAL_MACHINE, L"My");
    const CERT_CONTEXT *unit = CertCreateCertificateContext(X509_ASN_ENCODING, der, (DWORD)der_len);
    const CERT_CONTEXT *found =
        CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_EXISTING, unit, NULL);
    if (found)
        CertDeleteCertificateFromStore(found);
    CertFreeCertificateContext(unit);
    CertCloseStore(store, 0);
    CryptAcquireContextW(&provider, CONTAINER, provider_name, type, CRYPT_DELETEKEYSET | keyset());
}

/* In this process, in a child, and after the key has gone. */
static void probe_machine_key(const wchar_t *provider, DWORD type, const char *name,
                              const char *detail)
{
    struct key_probe_result r = {0};
    struct err err = ERR_INIT;
    assert_true(machine_certificate(provider, type));
    int rc = key_probe_here(der, der_len, &r, &err);
    struct key_probe p = key_probe_provider(own);
    int rc_child = rc ? rc : p.probe(p.self, der, der_len, 20000, &r, &err);
    remove_machine_certificate(provider, type);
    if (rc || rc_child)
        fail_msg("%s", err.text);
    assert_string_equal(r.provider, name);
    assert_string_equal(r.detail, detail);
    assert_int_equal(p.probe(p.self, der, der_len, 20000, &r, &err), ERR_NOT_FOUND);
}

static void probe__machine_key__signs_then_key_gone(void **state)
{
    (void)state;
    probe_machine_key(MS_ENH_RSA_AES_PROV_W, PROV_RSA_AES,
                      "Microsoft Enhanced RSA and AES Cryptographic Provider",
                      "CAPI, test signature verified");
}

/* The type that many a CA of Windows Server 2003 and 2008 has its key in. */
static void probe__provider_without_sha256__signs_sha1(void **state)
{
    (void)state;
    probe_machine_key(MS_STRONG_PROV_W, PROV_RSA_FULL, "Microsoft Strong Cryptographic Provider",
                      "CAPI, test signature verified (SHA-1: this provider knows no SHA-256)");
}

static void probe__child_dies_or_hangs__unavailable_or_time_out(void **state)
{
    (void)state;
    struct key_probe_result r;
    struct err err = ERR_INIT;
    struct key_probe p = key_probe_provider(own);
    assert_int_equal(p.probe(p.self, (const uint8_t *)"dies", 4, 20000, &r, &err), ERR_UNAVAILABLE);
    assert_int_equal(p.probe(p.self, (const uint8_t *)"hangs", 5, 1500, &r, &err), ERR_TIMEOUT);
    assert_non_null(strstr(err.text, "HSM"));
}

/* This program as the child; two inputs make it misbehave as a provider can. */
static int as_child(void)
{
    char hex[20000] = "";
    if (!fgets(hex, sizeof hex, stdin))
        return 3;
    if (str_starts(hex, "64696573")) /* "dies" */
        return 3;
    if (str_starts(hex, "68616e6773")) /* "hangs" */
        Sleep(60000);
    FILE *again = tmpfile();
    fputs(hex, again);
    rewind(again);
    int rc = key_probe_child(again, stdout);
    fclose(again);
    return rc;
}

int main(int argc, char **argv)
{
    wchar_t wide[1024];
    char *path = NULL;
    GetModuleFileNameW(NULL, wide, 1024);
    if (!utf_from_wide(wide, &path, NULL))
        str_copy(own, sizeof own, path);
    free(path);
    if (argc == 2 && !strcmp(argv[1], KEY_PROBE_VERB))
        return as_child();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_signature_verify__rsa__good_bad_other_key),
        cmocka_unit_test(key_signature_verify__ec__good_bad_other_key),
        cmocka_unit_test(key_signature_verify__rsa_sha1__good_bad_other_key),
        cmocka_unit_test(key_failed__codes__kept_apart),
        cmocka_unit_test(key_probe_read_line__table__result_or_error),
        cmocka_unit_test(key_probe_here__certificate_not_in_store__not_found),
        cmocka_unit_test(probe__machine_key__signs_then_key_gone),
        cmocka_unit_test(probe__provider_without_sha256__signs_sha1),
        cmocka_unit_test(probe__child_dies_or_hangs__unavailable_or_time_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
