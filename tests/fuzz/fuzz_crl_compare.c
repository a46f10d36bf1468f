/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Comparison: the first two octets say where the second CRL begins (0xFFFF and beyond the end: it
 * is the first one again). Sums must fit, and a CRL compared with itself has not changed. */
#include "crl/compare.h"
#include "fuzz/harness.h"

static int count_change(void *arg, enum crl_change what, const struct crl_entry *e)
{
    uint64_t *n = arg;
    FUZZ_CHECK(e->serial_len >= 1);
    n[what]++;
    return 0;
}

static void check(const struct buf *older, const struct buf *newer)
{
    static struct crl_diff d;
    uint64_t told[CRL_CHANGES] = {0};
    struct crl_source a = {crl_source_buffer, (void *)(uintptr_t)older};
    struct crl_source b = {crl_source_buffer, (void *)(uintptr_t)newer};
    struct crl_diff_options opt = {.on_change = count_change,
                                   .arg = told,
                                   .certificate_life = 86400 * 365,
                                   .max_entries = 100000};
    struct err err = ERR_INIT;
    if (crl_compare(&a, &b, &opt, &d, &err)) {
        FUZZ_CHECK(err.text[0]);
        return;
    }
    uint64_t gone = 0;
    for (int i = 0; i < CRL_CHANGES; i++)
        FUZZ_CHECK(told[i] == d.count[i]);
    for (int i = CRL_LOST; i <= CRL_RELEASED; i++)
        gone += d.count[i];
    uint64_t kept = d.old_facts.entries - d.old_twice - gone;
    FUZZ_CHECK(d.new_facts.entries == kept + d.count[CRL_ADDED] + d.new_twice || d.new_twice > 0 ||
               d.old_twice > 0);
    if (older == newer && d.old_twice == 0)
        FUZZ_CHECK(gone == 0 && d.count[CRL_ADDED] == 0 && d.same == d.old_facts.entries &&
                   d.count[CRL_REASON] == 0 && d.count[CRL_DATE] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = {.data = (char *)(uintptr_t)data, .len = size};
    check(&whole, &whole);
    if (size < 2)
        return 0;
    size_t at = (size_t)data[0] << 8 | data[1];
    if (at + 2 > size)
        return 0;
    struct buf a = {.data = (char *)(uintptr_t)data + 2, .len = at};
    struct buf b = {.data = (char *)(uintptr_t)data + 2 + at, .len = size - 2 - at};
    check(&a, &b);
    check(&b, &b);
    return 0;
}
