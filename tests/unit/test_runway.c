/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "health/runway.h"

#define NOW 1700000000
#define HOUR 3600

static struct probe_target targets[300];
static struct probe_result results[300];
static size_t count;
static struct runway rw;

static void reset(void)
{
    memset(targets, 0, sizeof targets);
    memset(results, 0, sizeof results);
    count = 0;
}

/* One location that serves a CRL which lasts so many hours from now. */
static struct probe_result *serve(const char *url, uint32_t key, bool delta, int64_t hours)
{
    struct probe_target *t = &targets[count];
    struct probe_result *r = &results[count++];
    str_copy(t->url, sizeof t->url, url);
    t->role = delta ? ROLE_CRL_DELTA : ROLE_CRL_BASE;
    t->key_index = key;
    t->origin = FROM_CA_CDP;
    r->status = PROBE_OK;
    r->signature = CRL_SIG_GOOD;
    r->facts.next_update = NOW + hours * HOUR;
    r->facts.delta_base.len = delta;
    return r;
}

static void compute(void)
{
    runway_compute(targets, results, count, NOW, 600, &rw);
}

static void runway_compute__nothing_probed__unusable(void **state)
{
    (void)state;
    reset();
    compute();
    assert_int_equal(rw.n, 0);
    assert_true(rw.weakest == INT64_MIN && rw.effective == INT64_MIN);
    assert_true(rw.weakest_until == WHEN_NONE);
}

static void runway_compute__unusable_kinds__weakest_is_none(void **state)
{
    (void)state;
    for (int kind = 0; kind < 5; kind++) {
        reset();
        serve("http://a/", 0, false, 50);
        struct probe_result *bad = serve("http://b/", 0, false, 90);
        if (kind == 0)
            bad->status = PROBE_HTTP_STATUS;
        if (kind == 1)
            bad->signature = CRL_SIG_BAD;
        if (kind == 2)
            bad->facts.delta_base.len = 1;
        if (kind == 3)
            bad->facts.next_update = WHEN_NONE;
        if (kind == 4)
            bad->signature = CRL_SIG_NO_ISSUER;
        compute();
        assert_true(rw.weakest == INT64_MIN);
        assert_int_equal(rw.line[0].weakest_probe, 1);
        assert_int_equal(rw.effective, 50 * HOUR - 600);
    }
}

static void runway_compute__delta_ends_first__delta_decides(void **state)
{
    (void)state;
    reset();
    serve("http://a/ca.crl", 0, false, 170);
    serve("http://a/ca+.crl", 0, true, 20);
    serve("http://a/ca(1).crl", 1, false, 100);
    compute();
    assert_int_equal(rw.n, 3);
    assert_int_equal(rw.weakest, 20 * HOUR - 600);
    assert_int_equal(rw.weakest_until, NOW + 20 * HOUR);
    assert_true(rw.line[rw.weakest_line].delta);
}

static void runway_compute__only_deltas_unreachable__effective_is_none(void **state)
{
    (void)state;
    reset();
    serve("http://a/ca.crl", 0, false, 170);
    serve("http://a/ca+.crl", 0, true, 20)->status = PROBE_HTTP_STATUS;
    compute();
    assert_true(rw.effective == INT64_MIN && rw.effective_until == WHEN_NONE);
    assert_int_equal(rw.line[0].effective, 170 * HOUR - 600);
    assert_true(rw.line[1].delta && rw.line[1].effective == INT64_MIN);
    serve("ldap://dc/ca+", 0, true, 15);
    compute();
    assert_int_equal(rw.effective, 15 * HOUR - 600);
}

static void runway_compute__parents_and_aia__left_out(void **state)
{
    (void)state;
    reset();
    serve("http://a/", 0, false, 30);
    serve("http://root/", 0, false, 1);
    targets[1].parent = true;
    serve("http://aia/", 0, false, 1);
    targets[2].role = ROLE_AIA;
    compute();
    assert_int_equal(rw.n, 1);
    assert_int_equal(rw.weakest, 30 * HOUR - 600);
}

static void runway_compute__one_stale_node__weakest_sees_it(void **state)
{
    (void)state;
    reset();
    serve("http://site/", 0, false, 90);
    serve("http://site/", 0, false, 3);
    serve("ldap://dc/", 0, false, 80);
    compute();
    assert_int_equal(rw.weakest, 3 * HOUR - 600);
    assert_int_equal(rw.effective, 3 * HOUR - 600);
    assert_int_equal(rw.line[0].weakest_probe, 1);
}

static void runway_compute__first_url_expired__client_takes_the_next(void **state)
{
    (void)state;
    reset();
    serve("ldap://dc/", 0, false, -2);
    serve("http://a/", 0, false, 40);
    compute();
    assert_int_equal(rw.weakest, -2 * HOUR - 600);
    assert_int_equal(rw.effective, 40 * HOUR - 600);
}

/* Some clients get the expired copy, whichever server was asked first. */
static void runway_compute__one_server_of_a_url_expired__order_does_not_matter(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        reset();
        serve("http://a/", 0, false, first ? -2 : 40);
        serve("http://a/", 0, false, first ? 40 : -2);
        compute();
        assert_int_equal(rw.effective, -2 * HOUR - 600);
        serve("http://b/", 0, false, 30);
        compute();
        assert_int_equal(rw.effective, 30 * HOUR - 600);
    }
}

static void runway_compute__write_only_location__not_effective(void **state)
{
    (void)state;
    reset();
    serve("\\\\share\\crl", 0, false, 10);
    targets[0].origin = FROM_CA_PUBLISH;
    serve("http://a/", 0, false, 40);
    compute();
    assert_int_equal(rw.weakest, 10 * HOUR - 600);
    assert_int_equal(rw.effective, 40 * HOUR - 600);
}

static void runway_compute__everything_expired__says_how_long_ago(void **state)
{
    (void)state;
    reset();
    serve("http://a/", 0, false, -5);
    serve("http://b/", 0, false, -1);
    compute();
    assert_int_equal(rw.effective, -1 * HOUR - 600);
    assert_int_equal(rw.weakest, -5 * HOUR - 600);
}

static void runway_compute__more_lines_than_kept__no_overflow(void **state)
{
    (void)state;
    reset();
    for (uint32_t i = 0; i < 300; i++)
        serve("http://a/", i, false, 10 + i);
    compute();
    assert_int_equal(rw.n, RUNWAY_LINES_MAX);
    assert_int_equal(rw.weakest, 10 * HOUR - 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runway_compute__nothing_probed__unusable),
        cmocka_unit_test(runway_compute__unusable_kinds__weakest_is_none),
        cmocka_unit_test(runway_compute__delta_ends_first__delta_decides),
        cmocka_unit_test(runway_compute__only_deltas_unreachable__effective_is_none),
        cmocka_unit_test(runway_compute__parents_and_aia__left_out),
        cmocka_unit_test(runway_compute__one_stale_node__weakest_sees_it),
        cmocka_unit_test(runway_compute__first_url_expired__client_takes_the_next),
        cmocka_unit_test(runway_compute__one_server_of_a_url_expired__order_does_not_matter),
        cmocka_unit_test(runway_compute__write_only_location__not_effective),
        cmocka_unit_test(runway_compute__everything_expired__says_how_long_ago),
        cmocka_unit_test(runway_compute__more_lines_than_kept__no_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
