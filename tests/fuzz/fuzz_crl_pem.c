/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* PEM: any text gives the same for every cut; and any DER put into armour gives the facts of the
 * DER (with the PEM warning), or the same refusal. */
#include <string.h>

#include "base/buf.h"
#include "crl/reader.h"
#include "fuzz/harness.h"

static int read_in(const void *data, size_t size, size_t chunk, struct crl_facts *f,
                   enum crl_rule *rule, struct err *err)
{
    const uint8_t *p = data;
    struct crl_reader *r = NULL;
    int rc = crl_reader_new("fuzz", NULL, &r, err);
    for (size_t i = 0; i < size && !rc; i += chunk)
        rc = crl_reader_feed(r, p + i, size - i < chunk ? size - i : chunk, err);
    if (!rc)
        rc = crl_reader_finish(r, f, NULL, NULL, err);
    *rule = crl_reader_rule(r);
    crl_reader_free(&r);
    return rc;
}

static void armour(const uint8_t *p, size_t n, size_t width, struct buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    buf_puts(out, "-----BEGIN X509 CRL-----\r\n");
    for (size_t i = 0, column = 0; i < n; i += 3) {
        size_t k = n - i < 3 ? n - i : 3;
        uint32_t v =
            (uint32_t)p[i] << 16 | (k > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (k > 2 ? p[i + 2] : 0);
        for (size_t j = 0; j < 4; j++) {
            buf_putc(out, j > k ? '=' : digits[v >> (18 - 6 * j) & 63]);
            if (++column == width) {
                buf_putc(out, '\n');
                column = 0;
            }
        }
    }
    buf_puts(out, "\n-----END X509 CRL-----\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct crl_facts a, b;
    struct err ea = ERR_INIT, eb = ERR_INIT;
    enum crl_rule ra, rb;
    size_t chunk = size ? 1 + data[size / 2] % 97u : 1;
    int rc = read_in(data, size, size ? size : 1, &a, &ra, &ea);
    FUZZ_CHECK(read_in(data, size, chunk, &b, &rb, &eb) == rc);
    FUZZ_CHECK(strcmp(ea.text, eb.text) == 0);
    if (size == 0 || (a.warnings & CRL_WARN_PEM) || data[0] != 0x30)
        return 0;
    SCOPED(buf_free) struct buf pem = BUF_INIT;
    armour(data, size, 1 + data[size - 1] % 80u, &pem);
    FUZZ_CHECK(read_in(pem.data, pem.len, chunk, &b, &rb, &eb) == rc && ra == rb);
    if (rc)
        return 0;
    b.warnings &= ~(uint32_t)CRL_WARN_PEM;
    FUZZ_CHECK(memcmp(&a, &b, sizeof a) == 0);
    return 0;
}
