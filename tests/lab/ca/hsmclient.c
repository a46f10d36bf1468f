/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include <winsock2.h>
#include <ws2tcpip.h>
#include "hsmclient.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ossl.h"

#include "labwin.h"

enum { LINE_BYTES = 8192 };

struct hsm {
    SOCKET socket;
};

static HRESULT code_away(void)
{
    return (HRESULT)lab_number("hsm_error_away", (long)NTE_DEVICE_NOT_READY);
}

static HRESULT connect_box(struct hsm *h)
{
    char address[64];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(1792)};
    DWORD timeout = (DWORD)lab_number("hsm_timeout_ms", 20000);
    lab_text("hsm_address", "127.0.0.1", address, sizeof address);
    a.sin_addr.s_addr = inet_addr(address);
    h->socket = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    setsockopt(h->socket, SOL_SOCKET, SO_RCVTIMEO, (const char *)&timeout, sizeof timeout);
    if (connect(h->socket, (struct sockaddr *)&a, sizeof a) == 0)
        return S_OK;
    closesocket(h->socket);
    h->socket = INVALID_SOCKET;
    return code_away();
}

HRESULT hsm_open(struct hsm **ret)
{
    WSADATA data;
    struct hsm *h = calloc(1, sizeof *h);
    if (h == NULL || WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return E_OUTOFMEMORY;
    HRESULT hr = connect_box(h);
    if (FAILED(hr))
        free(h);
    else
        *ret = h;
    return hr;
}

void hsm_close(struct hsm *h)
{
    if (h != NULL && h->socket != INVALID_SOCKET)
        closesocket(h->socket);
    free(h);
}

static HRESULT code_of(const char *word)
{
    if (strcmp(word, "not-logged-in") == 0)
        return (HRESULT)lab_number("hsm_error_login", (long)NTE_BAD_KEYSET);
    if (strcmp(word, "no-key") == 0)
        return NTE_NOT_FOUND;
    if (strcmp(word, "full") == 0)
        return NTE_TOKEN_KEYSET_STORAGE_FULL;
    return NTE_FAIL;
}

/* One line out, one line back (without "OK "). */
static HRESULT exchange(struct hsm *h, const char *request, char *answer)
{
    size_t n = 0;
    if (h->socket == INVALID_SOCKET && lab_number("hsm_reconnect", 0))
        connect_box(h);
    bool ok = h->socket != INVALID_SOCKET &&
              send(h->socket, request, (int)strlen(request), 0) == (int)strlen(request);
    while (ok && n < LINE_BYTES - 1) {
        ok = recv(h->socket, answer + n, 1, 0) == 1;
        if (ok && answer[n++] == '\n')
            break;
    }
    if (!ok) {
        if (h->socket != INVALID_SOCKET)
            closesocket(h->socket);
        h->socket = INVALID_SOCKET;
        return code_away();
    }
    answer[n - 1] = 0;
    if (strncmp(answer, "OK ", 3) != 0)
        return code_of(strncmp(answer, "ERR ", 4) == 0 ? answer + 4 : "");
    memmove(answer, answer + 3, n - 3);
    return S_OK;
}

HRESULT hsm_public(struct hsm *h, const char *label, EVP_PKEY **ret)
{
    char line[LINE_BYTES];
    uint8_t der[LINE_BYTES / 2];
    const uint8_t *p = der;
    size_t len = 0;
    snprintf(line, sizeof line, "PUBKEY %s\n", label);
    HRESULT hr = exchange(h, line, line);
    if (FAILED(hr))
        return hr;
    if (str_unhex(line, der, sizeof der, &len, NULL) != ERR_OK)
        return NTE_FAIL;
    *ret = d2i_PUBKEY(NULL, &p, (long)len);
    return *ret ? S_OK : NTE_BAD_KEY;
}

HRESULT hsm_generate(struct hsm *h, const char *label)
{
    char line[LINE_BYTES];
    snprintf(line, sizeof line, "GENKEY %s rsa2048\n", label);
    return exchange(h, line, line);
}

HRESULT hsm_sign(struct hsm *h, const char *label, const char *hash, const uint8_t *digest,
                 size_t digest_len, uint8_t *sig, size_t sig_size, size_t *ret_len)
{
    char line[LINE_BYTES], hex[2 * EVP_MAX_MD_SIZE + 1];
    str_hex(hex, digest, digest_len);
    snprintf(line, sizeof line, "SIGN %s %s %s\n", label, hash, hex);
    HRESULT hr = exchange(h, line, line);
    if (FAILED(hr))
        return hr;
    return str_unhex(line, sig, sig_size, ret_len, NULL) == ERR_OK ? S_OK : NTE_FAIL;
}

static bool verify_digest(EVP_PKEY *key, const uint8_t *digest, size_t len, const uint8_t *sig,
                          size_t sig_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool ok = ctx != NULL && EVP_PKEY_verify_init(ctx) > 0 &&
              EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0 &&
              EVP_PKEY_verify(ctx, sig, sig_len, digest, len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

HRESULT hsm_test_key(struct hsm *h, const char *label, EVP_PKEY *cert_key)
{
    EVP_PKEY *key = NULL;
    uint8_t digest[32], sig[1024];
    size_t n = 0;
    HRESULT hr = hsm_public(h, label, &key);
    if (SUCCEEDED(hr) && EVP_PKEY_eq(key, cert_key) != 1)
        hr = NTE_BAD_PUBLIC_KEY;
    EVP_PKEY_free(key);
    if (FAILED(hr))
        return hr;
    RAND_bytes(digest, sizeof digest);
    hr = hsm_sign(h, label, "sha256", digest, sizeof digest, sig, sizeof sig, &n);
    if (FAILED(hr))
        return hr;
    return verify_digest(cert_key, digest, sizeof digest, sig, n) ? S_OK : NTE_BAD_SIGNATURE;
}
