/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

bool digest_bytes(const void *bytes, size_t len, uint8_t ret[32])
{
    return EVP_Digest(bytes, len, ret, NULL, EVP_sha256(), NULL) == 1;
}

bool digest_file(FILE *f, uint8_t ret[32], uint64_t *ret_size)
{
    static char block[256 * 1024];
    size_t n;
    uint64_t size = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    while (ok && (n = fread(block, 1, sizeof block, f)) > 0) {
        ok = EVP_DigestUpdate(ctx, block, n) == 1;
        size += n;
    }
    ok = ok && !ferror(f) && EVP_DigestFinal_ex(ctx, ret, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    *ret_size = size;
    return ok;
}

void secret_wipe(void *bytes, size_t len)
{
    if (bytes)
        OPENSSL_cleanse(bytes, len);
}
