/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Reserve CRLs: what is refused, then a maintenance in which the HSM does not come back. Being
 * killed at every call is tests/unit/test_maint_kill.c. */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <string.h>

#include "support/bench.h"

static struct bench b;

static void open_with(enum reserve_mode mode)
{
    bench_open(&b, "reserve");
    b.w.has_files = true;
    b.w.file[0] = b.w.base[0];
    b.w.file[1] = b.w.base[1];
    b.policy.reserve_mode = mode;
    maint_set_policy(b.m, &b.policy);
}

static enum maint_outcome verb(enum maint_outcome (*fn)(struct maint *m,
                                                        const struct maint_request *req,
                                                        struct maint_answer *ret))
{
    maint_answer_free(&b.a);
    return fn(b.m, &b.req, &b.a);
}

static size_t living(const char *state)
{
    static struct store_reserve rows[16];
    size_t n = 0, found = 0;
    assert_int_equal(store_reserve_list(b.store, true, rows, 16, &n, &b.err), ERR_OK);
    for (size_t i = 0; i < n; i++)
        found += strcmp(rows[i].state, state) == 0;
    return found;
}

static void paused_with_reserve(void)
{
    open_with(RESERVE_REQUIRED);
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    assert_int_equal(living("sealed"), 2);
    assert_int_equal(world_sealed(&b.w), 2);
}

/* ---- the judge ---- */

static struct crl_facts of, got;
static struct reserve_want want;

static void good_one(void)
{
    memset(&of, 0, sizeof of);
    of.this_update = WORLD_NOW - 600;
    of.next_update = WORLD_NOW + 86400;
    of.next_publish = WORLD_NOW + 80000;
    of.freshest.count = 1;
    of.issuer_der_len = of.aki_len = 3;
    memcpy(of.issuer_der, "abc", 3);
    memcpy(of.aki, "key", 3);
    of.has_ca_version = true;
    of.ca_version = 1;
    of.entries = 40;
    of.has_idp = true;
    of.idp.count = 1;
    got = of;
    got.this_update = WORLD_NOW;
    got.next_update = WORLD_NOW + 14 * 86400;
    got.next_publish = WHEN_NONE;
    got.freshest.count = 0;
    assert_true(crl_number_parse("43", &got.number));
    want = (struct reserve_want){.of = &of,
                                 .number = got.number,
                                 .now = WORLD_NOW,
                                 .need_until = WORLD_NOW + 6 * 3600,
                                 .at_most = WORLD_NOW + 365 * 86400,
                                 .life = 14 * 86400,
                                 .skew = 300,
                                 .signature_good = true};
}

#define REFUSED(change, word)                                                                      \
    do {                                                                                           \
        struct err err = ERR_INIT;                                                                 \
        good_one();                                                                                \
        change;                                                                                    \
        assert_int_not_equal(reserve_judge(&want, &got, &err), ERR_OK);                            \
        if (!strstr(err.text, word))                                                               \
            fail_msg("'%s' is not in: %s", word, err.text);                                        \
    } while (0)

static void reserve_judge__one_rule_broken__refused_by_name(void **state)
{
    (void)state;
    REFUSED(want.signature_good = false, "signature");
    REFUSED(got.issuer_der[0] = 'x', "issuer");
    REFUSED(got.issuer_der_len = 2, "issuer");
    REFUSED(got.aki[1] = 'x', "key");
    REFUSED(got.aki_len = 0, "key");
    REFUSED(got.ca_version = 65537, "key");
    REFUSED(got.delta_base.len = 1, "delta");
    REFUSED(got.warnings = CRL_WARN_PEM, "PEM");
    REFUSED(got.has_idp = false, "issuing distribution point");
    REFUSED(got.idp_scope = CRL_IDP_USER, "issuing distribution point");
    REFUSED(got.freshest.count = 1, "Freshest");
    REFUSED(got.next_publish = WORLD_NOW + 5, "Next CRL Publish");
    REFUSED(got.entries = 39, "every entry");
    REFUSED(want.missing = 1, "every entry");
    REFUSED(want.changed = 1, "every entry");
    REFUSED(assert_true(crl_number_parse("42", &got.number)), "number 43, found 42");
    REFUSED(assert_true(crl_number_parse("44", &got.number)), "number 43, found 44");
    REFUSED(got.number.len = 0, "found -");
    REFUSED(got.this_update = WORLD_NOW + 301, "thisUpdate");
    REFUSED(got.this_update = of.this_update - 1, "thisUpdate");
    REFUSED(got.next_update = WHEN_NONE, "nextUpdate");
    REFUSED(got.next_update = want.need_until - 1, "nextUpdate");
    REFUSED(got.next_update = WORLD_NOW + 14 * 86400 + 3901, "at the latest");
    REFUSED(want.at_most = got.next_update - 1, "CA certificate");
}

static void reserve_judge__as_asked__accepted(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    good_one();
    assert_int_equal(reserve_judge(&want, &got, &err), ERR_OK);
    got.entries = 41; /* a superset is fine */
    assert_int_equal(reserve_judge(&want, &got, &err), ERR_OK);
}

static void crl_number__parse_and_next__table(void **state)
{
    static const struct {
        const char *text, *next;
    } rows[] = {{"0", "1"},
                {"41", "42"},
                {"255", "256"},
                {"18446744073709551615", "0x010000000000000000"},
                {"0xffffffffffffffffffff", "0x0100000000000000000000"}};
    struct crl_number n, m;
    char text[48];
    (void)state;
    assert_false(crl_number_parse("", &n));
    assert_false(crl_number_parse("4x", &n));
    assert_false(crl_number_parse("0x", &n));
    assert_true(crl_number_parse("-", &n));
    assert_false(crl_number_next(&n, &m));
    assert_true(crl_number_parse("0xffffffffffffffffffffffffffffffffffffffff", &n));
    assert_false(crl_number_next(&n, &m));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_true(crl_number_parse(rows[i].text, &n));
        assert_string_equal(crl_number_format(&n, text), rows[i].text);
        assert_true(crl_number_next(&n, &m));
        assert_string_equal(crl_number_format(&m, text), rows[i].next);
    }
}

/* ---- making ---- */

static void make__switched_off_or_ca_stopped__usage(void **state)
{
    (void)state;
    open_with(RESERVE_OFF);
    bench_expect(&b, verb(maint_reserve_make), MAINT_USAGE);
    b.policy.reserve_mode = RESERVE_WANTED;
    maint_set_policy(b.m, &b.policy);
    bench_expect(&b, verb(maint_reserve_make), MAINT_DONE);
    b.w.service[0].info.state = SVC_STOPPED;
    bench_expect(&b, verb(maint_reserve_make), MAINT_USAGE);
    bench_close(&b);
}

static void make_badly(size_t how)
{
    bool *const ways[] = {&b.w.resign_refuses,       &b.w.resign_wrong_key,
                          &b.w.resign_drops_entries, &b.w.resign_keeps_freshest,
                          &b.w.resign_keeps_number,  &b.w.resign_short};
    *ways[how] = true;
}

static void prepare__tool_goes_wrong__required_refuses_wanted_goes_on(void **state)
{
    static const char *const words[] = {"refused",  "signature", "every entry",
                                        "Freshest", "number",    "nextUpdate"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        open_with(RESERVE_REQUIRED);
        make_badly(i);
        bench_expect(&b, bench_prepare(&b), MAINT_GATE_REFUSED);
        if (!strstr(b.a.err.text, words[i]))
            fail_msg("'%s' is not in: %s", words[i], b.a.err.text);
        assert_true(bench_untouched(&b));
        assert_int_equal(world_sealed(&b.w), 0);
        bench_close(&b);

        open_with(RESERVE_WANTED);
        make_badly(i);
        bench_expect(&b, bench_prepare(&b), MAINT_DONE);
        assert_int_equal(world_count_event(&b.w, FIND_RESERVE_NOT_MADE), 1);
        assert_int_equal(world_sealed(&b.w), 0);
        bench_expect(&b, bench_finish(&b), MAINT_DONE);
        bench_close(&b);
    }
}

static void prepare__life_does_not_cover_the_outage__refused(void **state)
{
    (void)state;
    open_with(RESERVE_REQUIRED);
    b.policy.reserve_life = 5 * 3600;
    maint_set_policy(b.m, &b.policy);
    bench_expect(&b, bench_prepare(&b), MAINT_GATE_REFUSED);
    assert_non_null(strstr(b.a.err.text, "reserve-crl-life"));
    assert_int_equal(b.w.resigns, 0);
    bench_close(&b);
}

static void prepare__life_beyond_the_ca_certificate__cut(void **state)
{
    (void)state;
    open_with(RESERVE_REQUIRED);
    b.policy.reserve_life = 2 * WORLD_CERT_LIFE;
    maint_set_policy(b.m, &b.policy);
    bench_expect(&b, verb(maint_reserve_make), MAINT_DONE);
    assert_int_equal(b.a.n_reserve, 2);
    assert_true(b.a.reserve[0].next_update <= WORLD_NOW + WORLD_CERT_LIFE);
    bench_close(&b);
}

static void prepare__delta_holds_more_than_the_base__base_is_published_first(void **state)
{
    (void)state;
    open_with(RESERVE_REQUIRED);
    b.w.base[1].number--;
    b.w.delta[1].entries = 2;
    world_deliver_all(&b.w);
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    assert_int_equal(b.w.publishes, 1);
    assert_int_equal(living("sealed"), 2);
    bench_close(&b);

    /* By hand nothing is published on the way: refused, and it says what to type. */
    open_with(RESERVE_WANTED);
    b.w.base[0].number--;
    b.w.delta[0].entries = 2;
    bench_expect(&b, verb(maint_reserve_make), MAINT_FAILED);
    assert_non_null(strstr(b.a.err.text, "crlagent publish"));
    assert_int_equal(living("sealed"), 0);
    bench_close(&b);
}

static void prepare__switched_on__sealed_then_destroyed_at_the_end(void **state)
{
    (void)state;
    paused_with_reserve();
    bench_expect(&b, bench_prepare(&b), MAINT_DONE); /* answered again */
    assert_int_equal(b.w.resigns, 2);
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_int_equal(world_sealed(&b.w), 0);
    assert_int_equal(world_count_event(&b.w, FIND_RESERVE_DESTROYED), 2);
    assert_int_equal(b.w.releases, 0);
    bench_close(&b);
}

static void make__twice__the_older_one_is_destroyed(void **state)
{
    (void)state;
    open_with(RESERVE_WANTED);
    bench_expect(&b, verb(maint_reserve_make), MAINT_DONE);
    bench_expect(&b, verb(maint_reserve_make), MAINT_DONE); /* nothing has changed: kept */
    assert_int_equal(b.w.resigns, 2);
    b.req.reason = NULL;
    maint_answer_free(&b.a);
    bench_expect(&b, maint_publish(b.m, &b.req, 0, &b.a), MAINT_DONE);
    assert_int_equal(world_sealed(&b.w), 0); /* older than what is published now */
    bench_expect(&b, verb(maint_reserve_make), MAINT_DONE);
    assert_int_equal(world_sealed(&b.w), 2);
    bench_expect(&b, verb(maint_reserve_recall), MAINT_DONE);
    assert_int_equal(world_sealed(&b.w), 0);
    bench_close(&b);
}

static void abort__paused__sealed_ones_are_destroyed(void **state)
{
    (void)state;
    paused_with_reserve();
    bench_expect(&b, bench_abort(&b), MAINT_DONE);
    assert_int_equal(world_sealed(&b.w), 0);
    assert_true(bench_restored(&b));
    bench_close(&b);
}

/* ---- release ---- */

static void release__not_called_for__usage(void **state)
{
    (void)state;
    open_with(RESERVE_WANTED);
    b.w.hsm_away = true;
    b.req.reason = NULL;
    bench_expect(&b, verb(maint_reserve_release), MAINT_USAGE);
    b.req.reason = "why";
    bench_expect(&b, bench_prepare(&b), MAINT_GATE_REFUSED);
    bench_expect(&b, verb(maint_reserve_release), MAINT_USAGE); /* there is none */
    b.w.hsm_away = false;
    bench_expect(&b, verb(maint_reserve_make), MAINT_DONE);
    bench_expect(&b, verb(maint_reserve_release), MAINT_USAGE); /* the CA signs */
    assert_non_null(strstr(b.a.err.text, "crlagent publish"));
    assert_int_equal(b.w.releases, 0);
    b.w.hsm_away = true; /* the CA runs, its HSM is dead: nothing was planned */
    bench_expect(&b, verb(maint_reserve_release), MAINT_DONE);
    bench_close(&b);
}

static void release__file_changed_or_gone__refused_and_told(void **state)
{
    (void)state;
    for (int gone = 0; gone < 2; gone++) {
        paused_with_reserve();
        if (gone)
            memset(&b.w.sealed[1], 0, sizeof b.w.sealed[1]);
        else
            b.w.sealed[1].text[4] ^= 1;
        bench_expect(&b, verb(maint_reserve_verify), MAINT_FAILED);
        bench_expect(&b, verb(maint_reserve_release), MAINT_FAILED);
        assert_int_equal(b.w.releases, 0);
        assert_int_equal(world_count_event(&b.w, FIND_RESERVE_TAMPERED), 2);
        bench_expect(&b, bench_finish(&b), MAINT_DONE);
        assert_int_equal(world_sealed(&b.w), 0);
        bench_close(&b);
    }
}

static void release__files_cannot_be_written__stays_sealed(void **state)
{
    (void)state;
    paused_with_reserve();
    b.w.file_denied = true;
    bench_expect(&b, verb(maint_reserve_release), MAINT_FAILED);
    assert_int_equal(living("sealed"), 2);
    bench_close(&b);

    paused_with_reserve();
    b.w.has_files = false; /* directories alone */
    bench_expect(&b, verb(maint_reserve_release), MAINT_FAILED);
    assert_non_null(strstr(b.a.err.text, "dspublish"));
    bench_close(&b);
}

static void release__location_holds_a_newer_crl__not_written_there(void **state)
{
    (void)state;
    paused_with_reserve();
    b.w.file[0].number += 5; /* somebody brought a newer one by hand */
    bench_expect(&b, verb(maint_reserve_release), MAINT_NOT_PROVEN);
    assert_non_null(strstr(b.a.err.text, "older"));
    assert_int_equal(b.w.releases, 1); /* the other key's */
    assert_false(b.w.file[0].plain);
    bench_close(&b);
}

static void release__hsm_away__served_everywhere_and_runway_moves(void **state)
{
    (void)state;
    paused_with_reserve();
    int64_t by = b.a.row.resume_by;
    b.w.hsm_away = true;
    bench_expect(&b, verb(maint_reserve_verify), MAINT_DONE);
    bench_expect(&b, verb(maint_reserve_release), MAINT_DONE);
    assert_int_equal(b.w.releases, 2);
    assert_int_equal(world_count_event(&b.w, FIND_RESERVE_RELEASED), 1);
    for (size_t i = 0; i < b.w.n_locations; i++)
        assert_true(b.w.location[i].delta || b.w.location[i].parent ||
                    b.w.location[i].serves.plain);
    assert_true(b.a.row.resume_by > by + 86400);
    assert_int_equal(b.a.n_reserve, 2);
    assert_string_equal(b.a.reserve[0].who, "LAB\\admin");
    bench_expect(&b, verb(maint_reserve_release), MAINT_DONE);
    assert_true(b.a.repeated);
    assert_int_equal(b.w.releases, 2);
    /* The deltas expire meanwhile; the runway is that of the reserve. */
    b.w.now += 3 * 86400;
    b.w.mono_ms += 3 * 86400000ll;
    (void)bench_tick(&b);
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_RUNWAY_SHRANK), 0);
    bench_expect(&b, bench_abort(&b), MAINT_USAGE); /* an abort publishes nothing */
    b.w.hsm_away = false;
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_int_equal(b.w.publishes, 2); /* past the number of the reserve */
    assert_false(b.w.file[0].plain);
    assert_int_equal(world_sealed(&b.w), 0);
    assert_int_equal(world_count_event(&b.w, FIND_RESERVE_RECALLED), 2);
    bench_close(&b);
}

static void finish__reserve_still_at_a_file__finding_and_not_over(void **state)
{
    (void)state;
    paused_with_reserve();
    bench_expect(&b, verb(maint_reserve_release), MAINT_DONE);
    b.w.file_denied =
        true; /* the CA cannot write there any more, the web servers got it elsewhere */
    bench_expect(&b, bench_finish(&b), MAINT_NOT_PROVEN);
    assert_int_equal(living("released"), 2);
    b.w.file_denied = false;
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_int_equal(living("released"), 0);
    bench_close(&b);
}

/* ---- recall ---- */

static void recall__nothing_there__usage(void **state)
{
    (void)state;
    open_with(RESERVE_WANTED);
    bench_expect(&b, verb(maint_reserve_recall), MAINT_USAGE);
    bench_expect(&b, verb(maint_reserve_verify), MAINT_USAGE);
    bench_close(&b);
}

static void recall__released_by_mistake__former_files_are_back(void **state)
{
    (void)state;
    paused_with_reserve();
    uint64_t was = b.w.file[0].number;
    bench_expect(&b, verb(maint_reserve_release), MAINT_DONE);
    bench_expect(&b, verb(maint_reserve_recall), MAINT_DONE);
    assert_int_equal(b.w.file[0].number, was);
    assert_false(b.w.file[1].plain);
    assert_int_equal(world_sealed(&b.w), 0);
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    bench_close(&b);
}

static void recall__former_crl_has_expired__stays_in_use(void **state)
{
    (void)state;
    paused_with_reserve();
    bench_expect(&b, verb(maint_reserve_release), MAINT_DONE);
    b.w.now = b.w.base[0].next_update + 10;
    bench_expect(&b, verb(maint_reserve_recall), MAINT_NOT_PROVEN);
    assert_non_null(strstr(b.a.err.text, "leave clients with nothing"));
    assert_true(b.w.file[0].plain);
    assert_int_equal(living("released"), 2);
    bench_close(&b);
}

/* ---- by the clock ---- */

static void to_the_end_of_the_runway(void)
{
    b.w.now = b.a.row.runway_until - b.policy.propagation - b.policy.propagation_timeout + 1;
    b.w.mono_ms += 86400000ll;
}

static void tick__not_configured_or_hsm_back__not_released(void **state)
{
    (void)state;
    paused_with_reserve();
    b.w.hsm_away = true;
    to_the_end_of_the_runway();
    (void)bench_tick(&b);
    assert_int_equal(b.w.releases, 0);
    bench_close(&b);

    paused_with_reserve();
    b.policy.reserve_auto = true;
    maint_set_policy(b.m, &b.policy);
    to_the_end_of_the_runway();
    (void)bench_tick(&b);
    assert_int_equal(b.w.releases, 0);
    assert_int_equal(world_count_event(&b.w, FIND_RESERVE_NOT_RELEASED), 1);
    assert_true(maint_next_tick(b.m) > b.w.now); /* it does not spin */
    bench_close(&b);
}

static void tick__runway_ends_with_hsm_away__released_once(void **state)
{
    (void)state;
    paused_with_reserve();
    b.policy.reserve_auto = true;
    maint_set_policy(b.m, &b.policy);
    int64_t at = b.a.row.runway_until - b.policy.propagation - b.policy.propagation_timeout;
    assert_true(maint_next_tick(b.m) <= at);
    b.w.hsm_away = true;
    b.w.now = at - 1;
    (void)bench_tick(&b);
    assert_int_equal(b.w.releases, 0);
    b.w.now = at;
    (void)bench_tick(&b);
    assert_int_equal(b.w.releases, 2);
    assert_int_equal(world_count_event(&b.w, FIND_RESERVE_RELEASED), 1);
    b.w.now += 3600;
    b.w.mono_ms += 3600000;
    (void)bench_tick(&b);
    assert_int_equal(b.w.releases, 2);
    assert_true(maint_next_tick(b.m) > b.w.now);
    b.w.hsm_away = false;
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_int_equal(world_sealed(&b.w), 0);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reserve_judge__one_rule_broken__refused_by_name),
        cmocka_unit_test(reserve_judge__as_asked__accepted),
        cmocka_unit_test(crl_number__parse_and_next__table),
        cmocka_unit_test(make__switched_off_or_ca_stopped__usage),
        cmocka_unit_test(prepare__tool_goes_wrong__required_refuses_wanted_goes_on),
        cmocka_unit_test(prepare__life_does_not_cover_the_outage__refused),
        cmocka_unit_test(prepare__life_beyond_the_ca_certificate__cut),
        cmocka_unit_test(prepare__delta_holds_more_than_the_base__base_is_published_first),
        cmocka_unit_test(prepare__switched_on__sealed_then_destroyed_at_the_end),
        cmocka_unit_test(make__twice__the_older_one_is_destroyed),
        cmocka_unit_test(abort__paused__sealed_ones_are_destroyed),
        cmocka_unit_test(release__not_called_for__usage),
        cmocka_unit_test(release__file_changed_or_gone__refused_and_told),
        cmocka_unit_test(release__files_cannot_be_written__stays_sealed),
        cmocka_unit_test(release__location_holds_a_newer_crl__not_written_there),
        cmocka_unit_test(release__hsm_away__served_everywhere_and_runway_moves),
        cmocka_unit_test(finish__reserve_still_at_a_file__finding_and_not_over),
        cmocka_unit_test(recall__nothing_there__usage),
        cmocka_unit_test(recall__released_by_mistake__former_files_are_back),
        cmocka_unit_test(recall__former_crl_has_expired__stays_in_use),
        cmocka_unit_test(tick__not_configured_or_hsm_back__not_released),
        cmocka_unit_test(tick__runway_ends_with_hsm_away__released_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
