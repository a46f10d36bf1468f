/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The reader must give the same facts, or the same error, for every way of cutting the input. */
#include <string.h>

#include "crl/reader.h"
#include "fuzz/harness.h"

static int sum_entries(void *arg, const struct crl_entry *e)
{
    uint64_t *n = arg;
    FUZZ_CHECK(e->serial && e->serial_len >= 1);
    *n += 1 + e->serial[e->serial_len - 1] * 0u;
    return 0;
}

static int read_in(const uint8_t *p, size_t size, size_t chunk, struct crl_facts *f, uint64_t *n,
                   struct err *err)
{
    struct crl_reader_options opt = {.on_entry = sum_entries, .arg = n};
    struct crl_reader *r = NULL;
    int rc = crl_reader_new("fuzz", &opt, &r, err);
    for (size_t i = 0; i < size && !rc; i += chunk)
        rc = crl_reader_feed(r, p + i, size - i < chunk ? size - i : chunk, err);
    if (!rc)
        rc = crl_reader_finish(r, f, NULL, NULL, err);
    crl_reader_free(&r);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct crl_facts whole, cut;
    struct err a = ERR_INIT, b = ERR_INIT;
    uint64_t n_whole = 0, n_cut = 0;
    size_t chunk = size ? 1 + data[size / 2] % 97u : 1;
    int rc = read_in(data, size, size ? size : 1, &whole, &n_whole, &a);
    FUZZ_CHECK(read_in(data, size, chunk, &cut, &n_cut, &b) == rc);
    FUZZ_CHECK(n_whole == n_cut);
    FUZZ_CHECK(strcmp(a.text, b.text) == 0);
    FUZZ_CHECK(rc == ERR_OK || a.text[0]);
    if (rc)
        return 0;
    FUZZ_CHECK(memcmp(&whole, &cut, sizeof whole) == 0);
    FUZZ_CHECK(whole.entries == n_whole);
    uint64_t by_reason = 0;
    for (int i = 0; i < CRL_REASONS; i++)
        by_reason += whole.reason[i];
    FUZZ_CHECK(by_reason == whole.entries);
    FUZZ_CHECK(whole.issuer_der_len > 2 && strlen(whole.issuer) < sizeof whole.issuer);
    return 0;
}
