/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The local machine's intermediate store as it lies in the registry: one sub-key per CRL, named by
 * its SHA-1, with a Blob of properties. [MS-CSRA] 3.1.4.1.6 gives the layout. */
#include "win32/casettings.h"

#include <windows.h>

#include "base/limits.h"
#include "win32/regread.h"

#define PROP_HEADER 12u
#define PROP_CRL 0x21u

static uint32_t u32_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int ca_store_blob_crl(const uint8_t *blob, size_t len, const uint8_t **ret_der, size_t *ret_len,
                      struct err *err)
{
    size_t at = 0;
    while (len - at >= PROP_HEADER) {
        uint32_t id = u32_at(blob + at);
        uint32_t size = u32_at(blob + at + 8);
        if (size > len - at - PROP_HEADER)
            return err_set(err, ERR_PARSE,
                           "store entry, offset %zu: property 0x%x announces %u bytes, found %zu",
                           at, (unsigned)id, (unsigned)size, len - at - PROP_HEADER);
        if (id == PROP_CRL) {
            *ret_der = blob + at + PROP_HEADER;
            *ret_len = size;
            return ERR_OK;
        }
        at += PROP_HEADER + size;
    }
    return err_set(err, ERR_PARSE,
                   "store entry: expected a CRL property 0x21, found none in %zu "
                   "bytes",
                   len);
}

struct walk {
    const struct reg_key *root;
    int (*each)(void *arg, const uint8_t *der, size_t len);
    void *arg;
    size_t skipped;
};

static int one_crl(void *arg, const char *name)
{
    struct walk *w = arg;
    SCOPED(reg_close) struct reg_key key = {0};
    SCOPED(buf_free) struct buf blob = BUF_INIT;
    const uint8_t *der = NULL;
    size_t len = 0;
    blob.max = LIMIT_CRL_BYTES;
    if (reg_open_sub(w->root, name, &key, NULL) || reg_bytes(&key, "Blob", &blob, NULL) ||
        ca_store_blob_crl((const uint8_t *)buf_str(&blob), blob.len, &der, &len, NULL)) {
        w->skipped++;
        return 0;
    }
    return w->each(w->arg, der, len);
}

int ca_store_each_crl(const char *root, int (*each)(void *arg, const uint8_t *der, size_t len),
                      void *arg, size_t *ret_skipped, struct err *err)
{
    SCOPED(reg_close) struct reg_key key = {0};
    struct walk w = {&key, each, arg, 0};
    int rc = reg_open(root, &key, err);
    if (!rc)
        rc = reg_subkeys(&key, one_crl, &w, err);
    if (ret_skipped)
        *ret_skipped = w.skipped;
    return rc;
}
