/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Real CRLs of a CA, one after the other, and what the comparison makes of the entries that left.
 */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "support/pki.h"
#include "support/scratch.h"
#include "watch/lost.h"

#define NOW 1795420800ll
#define DAY 86400ll

static char dir[SCRATCH_MAX];
static struct store *store;
static struct pki_ca *ca;
static struct ca_view view;
static struct err err;
static struct buf present; /* what the CA holds */
static int asked;

static int fake_blob(void *self, enum ca_prop id, int32_t index, struct buf *ret, struct err *e)
{
    (void)self, (void)index;
    asked++;
    assert_int_equal(id, CA_PROP_BASE_CRL);
    return present.len ? buf_add(ret, present.data, present.len)
                       : err_set(e, ERR_UNAVAILABLE, "no answer");
}
static const struct ca_admin_ops ops = {.name = "fake", .prop_blob = fake_blob};
static const struct ca_admin admin = {&ops, NULL};

/* The CA signs number n with entries serial first.. of which entry i was revoked i s before. */
static void publish(uint64_t number, size_t entries, uint64_t first, int64_t at)
{
    buf_clear(&present);
    pki_crl_make(ca,
                 &(struct pki_crl){.this_update = at,
                                   .next_update = at + 7 * DAY,
                                   .number = number,
                                   .entries = entries,
                                   .first_serial = first},
                 &present);
}

/* One look; first_sign: the count has dropped. Returns the findings' number. */
static size_t look(bool first_sign, struct findings *ret)
{
    static const struct crl_line line = {.key_index = 0};
    const struct lost_input in = {&admin, store, &view, NOW, crl_compare_buffers};
    struct crl_facts *facts = calloc(1, sizeof *facts);
    enum crl_signature sig;
    findings_free(ret);
    *ret = (struct findings){0};
    if (first_sign)
        assert_non_null(findings_add(ret, FIND_CRL_ENTRIES_LOST));
    if (present.len)
        assert_int_equal(crl_read_memory("crl", present.data, present.len, NULL, facts, &sig, &err),
                         ERR_OK);
    assert_int_equal(lost_look(&in, &line, facts, ret, &err), ERR_OK);
    free(facts);
    return ret->n;
}

static int set_up(void **state)
{
    (void)state;
    char path[SCRATCH_MAX + 16];
    scratch_make("lost", dir);
    snprintf(path, sizeof path, "%s/state.db", dir);
    err_clear(&err);
    asked = 0;
    ca = pki_ca_new("Lab CA", PKI_P256);
    view = (struct ca_view){.settings.validity = {"Days", 30}};
    pki_ca_add_issuer(ca, &view.issuers);
    return store_open(path, STORE_WRITE, NOW, &store, NULL, &err);
}

static int tear_down(void **state)
{
    (void)state;
    crl_issuers_free(&view.issuers);
    pki_ca_free(&ca);
    buf_free(&present);
    store_close(&store);
    scratch_remove(dir);
    return 0;
}

static void lost_look__ca_silent__left_to_the_next_look(void **state)
{
    (void)state;
    SCOPED(findings_free) struct findings f = {0};
    assert_int_equal(look(false, &f), 0);
    publish(1, 10, 1, NOW);
    assert_int_equal(look(false, &f), 0); /* nothing before it */
    assert_int_equal(asked, 2);
    assert_int_equal(look(false, &f), 0);
    assert_int_equal(asked, 2); /* unchanged: nobody is asked */
}

/* Three of a hundred: the count does not show it, the comparison does; it stays until the next CRL.
 */
static void lost_look__few_entries_vanish__named_until_the_next_crl(void **state)
{
    (void)state;
    SCOPED(findings_free) struct findings f = {0};
    publish(1, 100, 1, NOW);
    assert_int_equal(look(false, &f), 0);
    publish(2, 97, 1, NOW + DAY);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(look(false, &f), 1);
        assert_int_equal(f.item[0].id, FIND_CRL_ENTRIES_LOST);
        assert_int_equal(f.item[0].severity, SEV_WARNING);
        assert_non_null(
            strstr(f.item[0].found, "3 left, 0 of them too early for certain, 3 whose"));
        assert_non_null(strstr(f.item[0].found, "serial numbers 62, 63, 64"));
        assert_true(f.item[0].remedy[0]);
    }
    publish(3, 97, 1, NOW + 2 * DAY);
    assert_int_equal(look(false, &f), 0);
}

static void lost_look__all_have_expired__first_sign_taken_back(void **state)
{
    (void)state;
    SCOPED(findings_free) struct findings f = {0};
    view.settings.validity = (struct ca_period){"Seconds", 40};
    publish(1, 100, 1, NOW);
    assert_int_equal(look(false, &f), 0);
    publish(2, 50, 1, NOW + DAY); /* revoked 50 s and more before the older one */
    assert_int_equal(look(true, &f), 1);
    assert_int_equal(f.item[0].severity, SEV_INFO);
    assert_non_null(strstr(f.item[0].found, "50 left, 0 of them"));
}

/* Revoked in the second the older CRL was signed, and not on the very next one. */
static void lost_look__cannot_have_expired__critical(void **state)
{
    (void)state;
    SCOPED(findings_free) struct findings f = {0};
    publish(1, 100, 1, NOW);
    assert_int_equal(look(false, &f), 0);
    publish(2, 99, 2, NOW + DAY);
    assert_int_equal(look(false, &f), 1);
    assert_int_equal(f.item[0].severity, SEV_CRITICAL);
    publish(4, 98, 3, NOW + 2 * DAY); /* one between them was not seen: no longer certain */
    assert_int_equal(look(false, &f), 1);
    assert_int_equal(f.item[0].severity, SEV_WARNING);
}

/* Without a known life the first sign stands as it is. */
static void lost_look__life_unknown__first_sign_stands(void **state)
{
    (void)state;
    SCOPED(findings_free) struct findings f = {0};
    view.settings.validity.count = 0;
    publish(1, 100, 1, NOW);
    assert_int_equal(look(false, &f), 0);
    publish(2, 1, 1, NOW + 31 * DAY);
    assert_int_equal(look(true, &f), 1);
    assert_int_equal(f.item[0].severity, SEV_WARNING);
    assert_string_equal(f.item[0].found, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lost_look__ca_silent__left_to_the_next_look, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(lost_look__few_entries_vanish__named_until_the_next_crl,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(lost_look__all_have_expired__first_sign_taken_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(lost_look__cannot_have_expired__critical, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(lost_look__life_unknown__first_sign_stands, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
