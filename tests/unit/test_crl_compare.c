/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <string.h>

#include "crl/compare.h"
#include "support/pki.h"

#define T0 INT64_C(1767225600)
#define DAY INT64_C(86400)

static struct pki_ca *ca;

static int make_ca(void **state)
{
    (void)state;
    ca = pki_ca_new("Compare CA", PKI_P256);
    return ca ? 0 : -1;
}

static int free_ca(void **state)
{
    (void)state;
    pki_ca_free(&ca);
    return 0;
}

/* Entries first..first+n-1, revoked at this_update - i. */
static struct buf make(int64_t this_update, uint64_t number, uint64_t first, size_t n, int reason)
{
    struct buf b = BUF_INIT;
    struct pki_crl s = {.this_update = this_update,
                        .next_update = this_update + 7 * DAY,
                        .number = number,
                        .entries = n,
                        .first_serial = first,
                        .reason = reason};
    pki_crl_make(ca, &s, &b);
    return b;
}

static int compare(struct buf *a, struct buf *b, const struct crl_diff_options *opt,
                   struct crl_diff *d, struct err *err)
{
    struct crl_source older = {crl_source_buffer, a}, newer = {crl_source_buffer, b};
    return crl_compare(&older, &newer, opt, d, err);
}

static void compare__other_issuer_or_type__refused_and_result_untouched(void **state)
{
    (void)state;
    struct pki_ca *other = pki_ca_new("Other CA", PKI_P256);
    struct pki_ca *renewed = pki_ca_renew(ca, PKI_P256);
    struct pki_crl s = {.this_update = T0, .number = 1, .entries = 2};
    struct buf a = make(T0, 1, 1, 2, 0), b = BUF_INIT, c = BUF_INIT, delta = BUF_INIT;
    struct crl_diff d;
    struct err err = ERR_INIT;
    memset(&d, 0x5A, sizeof d);
    pki_crl_make(other, &s, &b);
    pki_crl_make(renewed, &s, &c);
    s.delta = true;
    s.delta_base = 1;
    pki_crl_make(ca, &s, &delta);
    assert_int_equal(compare(&a, &b, NULL, &d, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "two issuers"));
    assert_int_equal(compare(&a, &c, NULL, &d, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "two CA keys"));
    assert_int_equal(compare(&a, &delta, NULL, &d, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "base CRL cannot be compared with a delta"));
    b.len -= 5;
    assert_int_equal(compare(&a, &b, NULL, &d, &err), ERR_PARSE);
    struct crl_diff_options few = {.max_entries = 1};
    assert_int_equal(compare(&a, &a, &few, &d, &err), ERR_LIMIT);
    assert_int_equal(((unsigned char *)&d)[0], 0x5A);
    buf_free(&a);
    buf_free(&b);
    buf_free(&c);
    buf_free(&delta);
    pki_ca_free(&other);
    pki_ca_free(&renewed);
}

static void compare__itself__nothing_changed(void **state)
{
    (void)state;
    struct buf a = make(T0, 1, 1, 1000, 1);
    struct crl_diff d;
    struct err err = ERR_INIT;
    assert_int_equal(compare(&a, &a, NULL, &d, &err), ERR_OK);
    assert_int_equal(d.same, 1000);
    for (int i = 0; i < CRL_CHANGES; i++)
        assert_int_equal(d.count[i], 0);
    assert_int_equal(d.number_order, 0);
    assert_true(d.table_bytes <= (uint64_t)(1000 * CRL_DIFF_BYTES_PER_ENTRY) + 200);
    buf_free(&a);
}

/* What on_change was told, to compare with the counts. */
struct told {
    uint64_t n[CRL_CHANGES], serial_sum[CRL_CHANGES];
};

static int note(void *arg, enum crl_change what, const struct crl_entry *e)
{
    struct told *t = arg;
    uint64_t serial = 0;
    for (size_t i = 0; i < e->serial_len; i++)
        serial = serial << 8 | e->serial[i];
    t->n[what]++;
    t->serial_sum[what] += serial;
    return 0;
}

static void compare__vanished_entries__sorted_by_what_they_can_mean(void **state)
{
    (void)state;
    /* serials 1..100, revoked at T0, T0-1, ...; the first is as new as the CRL itself */
    struct buf a = make(T0, 5, 1, 100, 1);
    struct buf b = make(T0 - 3, 9, 4, 100, 1); /* 4..103, with the dates of before for 4..100 */
    struct crl_diff d;
    struct err err = ERR_INIT;
    struct told t = {0};
    struct crl_diff_options opt = {.on_change = note, .arg = &t, .certificate_life = 2};
    assert_int_equal(compare(&a, &b, &opt, &d, &err), ERR_OK);
    assert_int_equal(d.count[CRL_LOST], 1);    /* 1: revoked at thisUpdate */
    assert_int_equal(d.count[CRL_EARLY], 1);   /* 2: one second before */
    assert_int_equal(d.count[CRL_DROPPED], 1); /* 3: two seconds, the life of a certificate */
    assert_int_equal(d.count[CRL_ADDED], 3);
    assert_int_equal(d.count[CRL_DATE], 0);
    assert_int_equal(d.same, 97);
    assert_int_equal(d.number_order, 1);
    assert_int_equal(d.number_gap, 3);
    for (int i = 0; i < CRL_CHANGES; i++)
        assert_int_equal(t.n[i], d.count[i]);
    assert_int_equal(t.serial_sum[CRL_LOST], 1);
    assert_int_equal(t.serial_sum[CRL_EARLY], 2);
    assert_int_equal(t.serial_sum[CRL_DROPPED], 3);
    assert_int_equal(t.serial_sum[CRL_ADDED], 101 + 102 + 103);
    buf_free(&a);
    buf_free(&b);
}

static void compare__hold_reason_and_date(void **state)
{
    (void)state;
    struct buf hold = make(T0, 7, 1, 10, 6), none = make(T0, 6, 11, 1, 1);
    struct buf reason = make(T0, 8, 1, 10, 4), date = make(T0 + 60, 8, 1, 10, 6);
    struct crl_diff d;
    struct err err = ERR_INIT;
    assert_int_equal(compare(&hold, &none, NULL, &d, &err), ERR_OK);
    assert_int_equal(d.count[CRL_RELEASED], 10);
    assert_int_equal(d.count[CRL_LOST], 0);
    assert_int_equal(d.number_order, -1);
    assert_int_equal(compare(&hold, &reason, NULL, &d, &err), ERR_OK);
    assert_int_equal(d.count[CRL_REASON], 10);
    assert_int_equal(compare(&hold, &date, NULL, &d, &err), ERR_OK);
    assert_int_equal(d.count[CRL_DATE], 10);
    assert_int_equal(d.count[CRL_REASON], 0);
    buf_free(&hold);
    buf_free(&none);
    buf_free(&reason);
    buf_free(&date);
}

static void compare__empty_sides(void **state)
{
    (void)state;
    struct buf empty = make(T0, 1, 1, 0, 0), some = make(T0, 2, 1, 50, 0);
    struct crl_diff d;
    struct err err = ERR_INIT;
    assert_int_equal(compare(&empty, &some, NULL, &d, &err), ERR_OK);
    assert_int_equal(d.count[CRL_ADDED], 50);
    assert_int_equal(compare(&some, &empty, NULL, &d, &err), ERR_OK);
    assert_int_equal(d.count[CRL_LOST] + d.count[CRL_DROPPED], 50);
    assert_int_equal(compare(&empty, &empty, NULL, &d, &err), ERR_OK);
    assert_int_equal(d.same, 0);
    buf_free(&empty);
    buf_free(&some);
}

static int stop(void *arg, enum crl_change what, const struct crl_entry *e)
{
    (void)what;
    (void)e;
    return ++*(int *)arg == 2;
}

static void compare__callback_stops__cancelled(void **state)
{
    (void)state;
    struct buf a = make(T0, 1, 1, 10, 0), b = make(T0, 2, 100, 10, 0);
    struct crl_diff d;
    struct err err = ERR_INIT;
    int n = 0;
    struct crl_diff_options opt = {.on_change = stop, .arg = &n};
    assert_int_equal(compare(&a, &b, &opt, &d, &err), ERR_CANCELLED);
    assert_int_equal(n, 2);
    buf_free(&a);
    buf_free(&b);
}

/* A source whose second reading has more entries than its first. */
struct growing {
    struct buf small, large;
    int reads;
};

static int read_growing(void *self, const struct crl_reader_options *opt,
                        const struct crl_progress *progress, struct crl_facts *f,
                        enum crl_signature *sig, struct err *err)
{
    struct growing *g = self;
    return crl_source_buffer(g->reads++ ? &g->large : &g->small, opt, progress, f, sig, err);
}

static void compare__older_grows_while_read__named_error(void **state)
{
    (void)state;
    struct growing g = {make(T0, 1, 1, 3, 0), make(T0, 1, 1, 500, 0), 0};
    struct crl_source older = {read_growing, &g}, newer = {crl_source_buffer, &g.small};
    struct crl_diff d;
    struct err err = ERR_INIT;
    assert_int_equal(crl_compare(&older, &newer, NULL, &d, &err), ERR_STATE);
    assert_non_null(strstr(err.text, "changed while it was read"));
    buf_free(&g.small);
    buf_free(&g.large);
}

static void compare__signatures__are_reported(void **state)
{
    (void)state;
    struct crl_issuers *set = NULL;
    struct buf a = make(T0, 1, 1, 5, 0), b = make(T0, 2, 1, 5, 0);
    struct crl_diff d;
    struct err err = ERR_INIT;
    pki_ca_add_issuer(ca, &set);
    struct crl_diff_options opt = {.issuers = set};
    b.data[b.len - 2] = (char)(b.data[b.len - 2] ^ 1);
    assert_int_equal(compare(&a, &b, &opt, &d, &err), ERR_OK);
    assert_int_equal(d.old_signature, CRL_SIG_GOOD);
    assert_int_equal(d.new_signature, CRL_SIG_BAD);
    buf_free(&a);
    buf_free(&b);
    crl_issuers_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compare__other_issuer_or_type__refused_and_result_untouched),
        cmocka_unit_test(compare__older_grows_while_read__named_error),
        cmocka_unit_test(compare__callback_stops__cancelled),
        cmocka_unit_test(compare__itself__nothing_changed),
        cmocka_unit_test(compare__vanished_entries__sorted_by_what_they_can_mean),
        cmocka_unit_test(compare__hold_reason_and_date),
        cmocka_unit_test(compare__empty_sides),
        cmocka_unit_test(compare__signatures__are_reported),
    };
    return cmocka_run_group_tests(tests, make_ca, free_ca);
}
