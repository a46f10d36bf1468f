/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The ordered list of services that go down with the CA (<stop-with>): OCSP responder, NDES and
 * other users of the key. */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "support/bench.h"

static struct bench b;
static char touched[1024]; /* "-A -B +B +A": stops and starts, in order */

static void on_touch(struct world *w, const char *what, const char *service)
{
    (void)w;
    size_t n = strlen(touched);
    if (strcmp(what, "set-start") != 0)
        snprintf(touched + n, sizeof touched - n, "%s%s%s", n ? " " : "",
                 strcmp(what, "stop") == 0 ? "-" : "+", service);
}

/* OCSP has nobody; NDES has a dependant that has one itself. */
static int setup(void **state)
{
    (void)state;
    bench_open(&b, "services");
    touched[0] = '\0';
    world_add_service(&b.w, "OcspSvc", SVC_RUNNING, SVC_AUTO, NULL);
    world_add_service(&b.w, "Ndes", SVC_RUNNING, SVC_DEMAND, NULL);
    world_add_service(&b.w, "NdesPool", SVC_RUNNING, SVC_AUTO, "Ndes");
    world_add_service(&b.w, "NdesSite", SVC_RUNNING, SVC_AUTO, "NdesPool");
    bench_remember(&b);
    b.w.on_touch = on_touch;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_close(&b);
    return 0;
}

static void stop_with(const char *first, const char *second)
{
    const char *names[] = {first, second};
    b.policy.n_stop_with = 0;
    for (size_t i = 0; i < 2 && names[i]; i++)
        str_copy(b.policy.stop_with[b.policy.n_stop_with++], SVC_NAME_MAX, names[i]);
    maint_set_policy(b.m, &b.policy);
}

static void prepare__one_is_missing__names_it_and_nothing_touched(void **state)
{
    (void)state;
    stop_with("OcspSvc", "NoSuchService");
    bench_expect(&b, bench_prepare(&b), MAINT_FAILED);
    assert_non_null(strstr(b.a.err.text, "NoSuchService"));
    assert_non_null(strstr(b.a.err.text, "<stop-with>"));
    assert_string_equal(touched, "");
    assert_true(bench_untouched(&b));
}

static void prepare__the_ca_needs_it__refused(void **state)
{
    (void)state;
    world_add_service(&b.w, "HsmClient", SVC_RUNNING, SVC_AUTO, NULL);
    b.w.service[0].needs = "HsmClient";
    bench_remember(&b);
    stop_with("HsmClient", NULL);
    bench_expect(&b, bench_prepare(&b), MAINT_FAILED);
    assert_non_null(strstr(b.a.err.text, "the CA itself depends on 'HsmClient'"));
    assert_true(bench_untouched(&b));
}

static void prepare__state_cannot_be_restored__gate_refuses(void **state)
{
    (void)state;
    static const struct {
        enum svc_state state;
        enum svc_start start;
        const char *says;
    } cases[] = {{SVC_PAUSED, SVC_AUTO, "paused"},
                 {SVC_START_PENDING, SVC_AUTO, "start pending"},
                 {SVC_RUNNING, SVC_DISABLED, "disabled"}};
    stop_with("OcspSvc", NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world_service *s = world_service(&b.w, "OcspSvc");
        s->info.state = cases[i].state;
        s->info.start = cases[i].start;
        s->pending_until = INT64_MAX;
        bench_expect(&b, bench_prepare(&b), MAINT_GATE_REFUSED);
        if (!strstr(b.a.err.text, cases[i].says) || !strstr(b.a.err.text, "OcspSvc"))
            fail_msg("'%s' is not in '%s'", cases[i].says, b.a.err.text);
        assert_int_equal(s->info.state, cases[i].state);
    }
    assert_string_equal(touched, "");
}

static void pause_and_finish__list__down_in_order_up_in_reverse(void **state)
{
    (void)state;
    stop_with("Ndes", "OcspSvc");
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    assert_string_equal(touched, "-NdesSite -NdesPool -Ndes -OcspSvc -RunningDependant -CertSvc");
    assert_int_equal(world_service(&b.w, "NdesSite")->info.start, SVC_DEMAND);
    touched[0] = '\0';
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_string_equal(touched, "+CertSvc +RunningDependant +OcspSvc +Ndes +NdesPool +NdesSite");
    assert_true(bench_restored(&b));
    assert_true(b.a.comparison.good);
}

static void pause__other_order__other_order(void **state)
{
    (void)state;
    stop_with("OcspSvc", "Ndes");
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    assert_string_equal(touched, "-OcspSvc -NdesSite -NdesPool -Ndes -RunningDependant -CertSvc");
}

/* A dependant of the CA that is named too goes down where it comes first, once. */
static void pause__named_and_a_dependant__once(void **state)
{
    (void)state;
    stop_with("RunningDependant", "NdesSite");
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    assert_string_equal(touched, "-RunningDependant -NdesSite -CertSvc");
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_true(bench_restored(&b));
}

static void pause__stopped_and_disabled_before__stay_so(void **state)
{
    (void)state;
    world_service(&b.w, "OcspSvc")->info.state = SVC_STOPPED;
    world_service(&b.w, "OcspSvc")->info.start = SVC_DISABLED;
    world_service(&b.w, "NdesSite")->info.state = SVC_STOPPED;
    bench_remember(&b);
    stop_with("OcspSvc", "Ndes");
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_true(bench_restored(&b));
    assert_int_equal(world_service(&b.w, "OcspSvc")->starts, 0);
    assert_int_equal(world_service(&b.w, "NdesSite")->starts, 0);
    assert_int_equal(world_service(&b.w, "Ndes")->starts, 1);
}

static void pause__one_refuses_to_stop__undone(void **state)
{
    (void)state;
    static const char *const who[] = {"NdesSite", "Ndes", "OcspSvc"};
    for (size_t i = 0; i < ARRAY_LEN(who); i++) {
        stop_with("Ndes", "OcspSvc");
        world_service(&b.w, who[i])->refuses_stop = true;
        bench_expect(&b, bench_prepare(&b), MAINT_PAUSE_FAILED);
        assert_non_null(strstr(b.a.err.text, who[i]));
        assert_true(bench_restored(&b));
        assert_int_equal(b.w.service[0].starts, 0);
        world_service(&b.w, who[i])->refuses_stop = false;
    }
}

static void finish__one_was_removed__told_and_the_rest_restored(void **state)
{
    (void)state;
    stop_with("Ndes", "OcspSvc");
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    world_service(&b.w, "OcspSvc")->missing = true;
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_SERVICE_GONE), 1);
    assert_false(b.a.comparison.good);
    assert_int_equal(world_service(&b.w, "Ndes")->info.state, SVC_RUNNING);
    assert_int_equal(b.w.service[0].info.state, SVC_RUNNING);
}

/* The configuration was changed while the CA is paused: what was written down counts. */
static void finish__list_changed_meanwhile__what_was_written_down(void **state)
{
    (void)state;
    stop_with("Ndes", "OcspSvc");
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    stop_with("NoSuchService", NULL);
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_true(bench_restored(&b));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(prepare__one_is_missing__names_it_and_nothing_touched),
        CASE(prepare__the_ca_needs_it__refused),
        CASE(prepare__state_cannot_be_restored__gate_refuses),
        CASE(pause_and_finish__list__down_in_order_up_in_reverse),
        CASE(pause__other_order__other_order),
        CASE(pause__named_and_a_dependant__once),
        CASE(pause__stopped_and_disabled_before__stay_so),
        CASE(pause__one_refuses_to_stop__undone),
        CASE(finish__one_was_removed__told_and_the_rest_restored),
        CASE(finish__list_changed_meanwhile__what_was_written_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
