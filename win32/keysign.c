/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/keysign.h"

#include <ncrypt.h>

#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/admin.h"
#include "win32/werr.h"

/* An HSM that is away has no documented code of its own: what is not plainly "no such key" or
 * "wrong key" is "does not answer". */
int key_failed(long code, const char *doing, struct err *err)
{
    struct ca_hresult_hint hint = ca_hresult_explain((uint32_t)code);
    (void)err_set_hresult(err, code, "%s (%s)", doing, hint.text);
    enum err_code rc = ERR_UNAVAILABLE;
    switch ((uint32_t)code) {
    case 0x80090016u: /* NTE_BAD_KEYSET */
    case 0x80090011u: /* NTE_NOT_FOUND */
    case 0x8009000Du: /* NTE_NO_KEY */
    case 0x80092004u: /* CRYPT_E_NOT_FOUND */
    case 0x8009200Bu: /* CRYPT_E_NO_KEY_PROPERTY */
        rc = ERR_NOT_FOUND;
        break;
    case 0x80090006u: /* NTE_BAD_SIGNATURE */
    case 0x80090015u: /* NTE_BAD_PUBLIC_KEY */
        rc = ERR_CRYPTO;
        break;
    case 0x80070005u:
    case 0x80090010u: /* NTE_PERM */
        rc = ERR_DENIED;
        break;
    default:
        break;
    }
    if (err)
        err->code = rc;
    return (int)rc;
}

void machine_key_close(struct machine_key *key)
{
    if (key->owned && key->spec == CERT_NCRYPT_KEY_SPEC)
        NCryptFreeObject(key->handle);
    else if (key->owned)
        CryptReleaseContext(key->handle, 0);
    key->owned = FALSE;
}

int machine_key_open(const CERT_CONTEXT *cert, struct machine_key *ret, struct err *err)
{
    if (!CryptAcquireCertificatePrivateKey(
            cert, CRYPT_ACQUIRE_ALLOW_NCRYPT_KEY_FLAG | CRYPT_ACQUIRE_SILENT_FLAG, NULL,
            &ret->handle, &ret->spec, &ret->owned))
        return key_failed((long)HRESULT_FROM_WIN32(GetLastError()),
                          "opening the private key of the CA certificate", err);
    return ERR_OK;
}

static int sign_cng(const struct machine_key *key, bool ec, const struct key_digest *digest,
                    struct buf *ret, struct err *err)
{
    BCRYPT_PKCS1_PADDING_INFO padding = {BCRYPT_SHA256_ALGORITHM};
    BYTE hash[KEY_DIGEST_BYTES], signature[2048];
    DWORD len = 0;
    memcpy(hash, digest->bytes, sizeof hash);
    SECURITY_STATUS e =
        NCryptSignHash(key->handle, ec ? NULL : &padding, hash, sizeof hash, signature,
                       sizeof signature, &len, NCRYPT_SILENT_FLAG | (ec ? 0 : BCRYPT_PAD_PKCS1));
    if (e)
        return key_failed((long)e, "signing (NCryptSignHash)", err);
    buf_add(ret, signature, len);
    return buf_check(ret, "a signature", err);
}

/* 0 or the error; *len is the room, then what was filled. */
static DWORD sign_capi_as(const struct machine_key *key, ALG_ID algorithm, const BYTE *digest,
                          BYTE *signature, DWORD *len)
{
    HCRYPTHASH hash = 0;
    DWORD e = ERROR_SUCCESS;
    if (!CryptCreateHash(key->handle, algorithm, 0, 0, &hash) ||
        !CryptSetHashParam(hash, HP_HASHVAL, digest, 0) ||
        !CryptSignHashW(hash, key->spec, NULL, 0, signature, len))
        e = GetLastError();
    if (hash)
        CryptDestroyHash(hash);
    return e;
}

/* CAPI gives the number with its lowest byte first. */
static int sign_capi(const struct machine_key *key, struct key_digest *digest, struct buf *ret,
                     struct err *err)
{
    BYTE signature[2048];
    DWORD len = sizeof signature;
    DWORD e = sign_capi_as(key, CALG_SHA_256, digest->bytes, signature, &len);
    if (e == (DWORD)NTE_BAD_ALGID) {
        digest->len = KEY_DIGEST_SHA1;
        len = sizeof signature;
        e = sign_capi_as(key, CALG_SHA1, digest->bytes, signature, &len);
    }
    if (e)
        return key_failed((long)HRESULT_FROM_WIN32(e), "signing (CryptSignHash)", err);
    for (DWORD i = len; i-- > 0;)
        buf_putc(ret, (char)signature[i]);
    return buf_check(ret, "a signature", err);
}

int machine_key_sign(const struct machine_key *key, bool ec, struct key_digest *digest,
                     struct buf *ret, struct err *err)
{
    digest->len = KEY_DIGEST_BYTES;
    return key->spec == CERT_NCRYPT_KEY_SPEC ? sign_cng(key, ec, digest, ret, err)
                                             : sign_capi(key, digest, ret, err);
}

static void pkey_free(EVP_PKEY **p)
{
    EVP_PKEY_free(*p);
}
static void pkey_ctx_free(EVP_PKEY_CTX **p)
{
    EVP_PKEY_CTX_free(*p);
}

static int public_key(const uint8_t *der, size_t len, EVP_PKEY **ret, struct err *err)
{
    const unsigned char *at = der;
    X509 *cert = d2i_X509(NULL, &at, (long)len);
    *ret = cert ? X509_get_pubkey(cert) : NULL;
    X509_free(cert);
    if (!*ret)
        return err_set(err, ERR_PARSE, "the CA certificate or its public key cannot be read");
    return ERR_OK;
}

int key_is_ec(const uint8_t *cert_der, size_t cert_len, bool *ret, struct err *err)
{
    SCOPED(pkey_free) EVP_PKEY *key = NULL;
    int rc = public_key(cert_der, cert_len, &key, err);
    if (!rc)
        *ret = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC;
    return rc;
}

/* r and s of equal length to the SEQUENCE that OpenSSL verifies; malloc'ed by OpenSSL. */
static unsigned char *ecdsa_der(const struct buf *raw, int *ret_len)
{
    unsigned char *der = NULL;
    int half = (int)(raw->len / 2);
    const unsigned char *bytes = (const unsigned char *)raw->data;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes, half, NULL);
    BIGNUM *s = BN_bin2bn(bytes + half, half, NULL);
    if (sig && r && s && ECDSA_SIG_set0(sig, r, s)) {
        *ret_len = i2d_ECDSA_SIG(sig, &der);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(sig);
    return der;
}

int key_signature_verify(const uint8_t *cert_der, size_t cert_len, const struct key_digest *digest,
                         const struct buf *signature, struct err *err)
{
    SCOPED(pkey_free) EVP_PKEY *key = NULL;
    SCOPED(pkey_ctx_free) EVP_PKEY_CTX *ctx = NULL;
    int rc = public_key(cert_der, cert_len, &key, err);
    if (rc)
        return rc;
    bool ec = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC;
    ctx = EVP_PKEY_CTX_new(key, NULL);
    bool ok = ctx && EVP_PKEY_verify_init(ctx) > 0;
    if (ok && !ec)
        ok = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
             EVP_PKEY_CTX_set_signature_md(ctx, digest->len == KEY_DIGEST_SHA1 ? EVP_sha1()
                                                                               : EVP_sha256()) > 0;
    int len = (int)signature->len;
    unsigned char *der = ec && ok && len ? ecdsa_der(signature, &len) : NULL;
    const unsigned char *bytes = ec ? der : (const unsigned char *)signature->data;
    ok = ok && bytes && len > 0 &&
         EVP_PKEY_verify(ctx, bytes, (size_t)len, digest->bytes, digest->len) == 1;
    OPENSSL_free(der);
    ERR_clear_error();
    if (!ok)
        return err_set(err, ERR_CRYPTO,
                       "the test signature does not verify with the CA certificate: the provider "
                       "holds another key under this name");
    return ERR_OK;
}
