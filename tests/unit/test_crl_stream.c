/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Files and streams: what comes from the two-threaded reading is what comes from memory. */
#include "unit/cmocka_unit.h"

#include <string.h>

#include "base/file.h"
#include "base/parallel.h"
#include "crl/compare.h"
#include "support/pki.h"
#include "support/scratch.h"

#define T0 INT64_C(1767225600)
#define BLOCK (512u * 1024)

static struct pki_ca *ca;
static char dir[SCRATCH_MAX], path[SCRATCH_MAX + 16];

/* The linker brings calls of parallel_start here: while no_threads is set the system has none. */
static bool no_threads;
static int refused;
int __real_parallel_start(size_t n, size_t threads, void (*each)(void *arg, size_t i), void *arg,
                          struct parallel **ret, struct err *err);
int __wrap_parallel_start(size_t n, size_t threads, void (*each)(void *arg, size_t i), void *arg,
                          struct parallel **ret, struct err *err);
int __wrap_parallel_start(size_t n, size_t threads, void (*each)(void *arg, size_t i), void *arg,
                          struct parallel **ret, struct err *err)
{
    if (!no_threads)
        return __real_parallel_start(n, threads, each, arg, ret, err);
    refused++;
    return err_set(err, ERR_NOMEM, "no thread");
}

static int threads_again(void **state)
{
    (void)state;
    no_threads = false;
    refused = 0;
    return 0;
}

static int begin(void **state)
{
    (void)state;
    ca = pki_ca_new("Stream CA", PKI_P256);
    scratch_make("crl_stream", dir);
    snprintf(path, sizeof path, "%s/x.crl", dir);
    return ca ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    scratch_remove(dir);
    pki_ca_free(&ca);
    return 0;
}

static void save(const struct buf *b)
{
    struct err err = ERR_INIT;
    assert_int_equal(file_write_atomic(path, b->data, b->len, &err), ERR_OK);
}

/* A CRL a little longer than that. */
static void make_about(size_t bytes, struct buf *out)
{
    struct pki_crl s = {.this_update = T0,
                        .next_update = T0 + 86400,
                        .number = 7,
                        .entries = bytes / 36,
                        .first_serial = UINT64_C(0x1000000000),
                        .reason = 1};
    pki_crl_make(ca, &s, out);
}

static void read_file__several_blocks__same_as_memory(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    struct crl_issuers *set = NULL;
    struct crl_facts from_file, from_memory;
    enum crl_signature file_sig, memory_sig;
    struct err err = ERR_INIT;
    pki_ca_add_issuer(ca, &set);
    make_about(5 * BLOCK / 2, &b);
    save(&b);
    struct crl_reader_options opt = {.issuers = set};
    assert_int_equal(crl_read_file(path, &opt, NULL, NULL, &from_file, &file_sig, &err), ERR_OK);
    assert_int_equal(crl_read_memory("m", b.data, b.len, set, &from_memory, &memory_sig, &err),
                     ERR_OK);
    assert_memory_equal(&from_file, &from_memory, sizeof from_file);
    assert_int_equal(file_sig, CRL_SIG_GOOD);
    assert_int_equal(memory_sig, CRL_SIG_GOOD);
    crl_issuers_free(&set);
    buf_free(&b);
}

/* The file ends just before, at and after a block, and in the block after the last full one. */
/* No thread to be had: what the sanitizers, and people on a full machine, must not notice. */
static void read_file__no_thread_to_be_had__same_as_with_one(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    struct crl_issuers *set = NULL;
    struct crl_facts with, without;
    enum crl_signature sig_with, sig_without;
    struct err err = ERR_INIT;
    pki_ca_add_issuer(ca, &set);
    make_about(5 * BLOCK / 2, &b);
    save(&b);
    struct crl_reader_options opt = {.issuers = set};
    assert_int_equal(crl_read_file(path, &opt, NULL, NULL, &with, &sig_with, &err), ERR_OK);
    no_threads = true;
    assert_int_equal(crl_read_file(path, &opt, NULL, NULL, &without, &sig_without, &err), ERR_OK);
    assert_int_equal(refused, 1);
    assert_int_equal(err.code, ERR_OK);
    assert_memory_equal(&with, &without, sizeof with);
    assert_int_equal(sig_without, CRL_SIG_GOOD);
    b.len -= BLOCK; /* and what is wrong is still found */
    save(&b);
    assert_int_equal(crl_read_file(path, &opt, NULL, NULL, &without, &sig_without, &err),
                     ERR_PARSE);
    crl_issuers_free(&set);
    buf_free(&b);
}

static void read_file__cut_around_a_block__truncated_at_that_offset(void **state)
{
    (void)state;
    static const size_t cuts[] = {BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 4 * BLOCK, 4 * BLOCK + 1};
    struct buf b = BUF_INIT;
    make_about(5 * BLOCK, &b);
    assert_true(b.len > 5 * BLOCK);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        struct buf cut = {.data = b.data, .len = cuts[i]};
        struct crl_facts f;
        enum crl_signature sig;
        struct err err = ERR_INIT;
        char want[64];
        save(&cut);
        assert_int_equal(crl_read_file(path, NULL, NULL, NULL, &f, &sig, &err), ERR_PARSE);
        snprintf(want, sizeof want, "the input ends after %zu ", cuts[i]);
        assert_non_null(strstr(err.text, want));
    }
    buf_free(&b);
}

static void read_file__damage_in_the_first_block__stops_both_threads(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    struct crl_facts f;
    enum crl_signature sig;
    struct err err = ERR_INIT;
    make_about(6 * BLOCK, &b);
    memset(b.data + 4000, 0xFF, 64);
    save(&b);
    for (int i = 0; i < 20; i++)
        assert_int_equal(crl_read_file(path, NULL, NULL, NULL, &f, &sig, &err), ERR_PARSE);
    buf_free(&b);
}

static void read_file__large_pem__same_facts_with_warning(void **state)
{
    (void)state;
    struct buf b = BUF_INIT, pem = BUF_INIT;
    struct crl_facts a, f;
    enum crl_signature sig;
    struct err err = ERR_INIT;
    make_about(2 * BLOCK, &b);
    pki_crl_pem(&b, &pem);
    save(&pem);
    assert_int_equal(crl_read_file(path, NULL, NULL, NULL, &f, &sig, &err), ERR_OK);
    assert_int_equal(crl_read_memory("m", b.data, b.len, NULL, &a, NULL, &err), ERR_OK);
    a.warnings |= CRL_WARN_PEM;
    assert_memory_equal(&a, &f, sizeof a);
    buf_free(&b);
    buf_free(&pem);
}

static void read_file__folder_or_nothing__named_error(void **state)
{
    (void)state;
    struct crl_facts f;
    enum crl_signature sig;
    struct err err = ERR_INIT;
    assert_int_equal(crl_read_file(dir, NULL, NULL, NULL, &f, &sig, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "is a folder"));
    assert_int_equal(crl_read_file("no-such.crl", NULL, NULL, NULL, &f, &sig, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "no-such.crl"));
}

struct seen {
    uint64_t calls, done, total;
};

static void on_progress(void *arg, uint64_t done, uint64_t total)
{
    struct seen *s = arg;
    assert_true(done > s->done && done <= total);
    s->done = done;
    s->total = total;
    s->calls++;
}

static void progress__rises_to_the_total_for_reading_and_comparing(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    struct crl_facts f;
    enum crl_signature sig;
    struct crl_diff d;
    struct err err = ERR_INIT;
    struct seen one = {0}, all = {0};
    make_about(3 * BLOCK, &b);
    save(&b);
    assert_int_equal(crl_read_file(path, NULL, on_progress, &one, &f, &sig, &err), ERR_OK);
    assert_true(one.calls >= 3);
    assert_int_equal(one.done, b.len);
    assert_int_equal(one.total, b.len);
    struct crl_source src = {crl_source_file, path};
    struct crl_progress p = {on_progress, &all, 3 * b.len};
    struct crl_diff_options opt = {.progress = &p};
    assert_int_equal(crl_compare(&src, &src, &opt, &d, &err), ERR_OK);
    assert_int_equal(all.done, 3 * b.len);
    assert_int_equal(d.same, d.old_facts.entries);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_file__folder_or_nothing__named_error),
        cmocka_unit_test_teardown(read_file__no_thread_to_be_had__same_as_with_one, threads_again),
        cmocka_unit_test(read_file__cut_around_a_block__truncated_at_that_offset),
        cmocka_unit_test(read_file__damage_in_the_first_block__stops_both_threads),
        cmocka_unit_test(read_file__several_blocks__same_as_memory),
        cmocka_unit_test(read_file__large_pem__same_facts_with_warning),
        cmocka_unit_test(progress__rises_to_the_total_for_reading_and_comparing),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
