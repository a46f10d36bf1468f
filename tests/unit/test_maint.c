/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The main flow and its refusals, verb by verb. Killing it everywhere: test_maint_kill.c. */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <string.h>

#include "support/bench.h"

static struct bench b;

static int set_up(void **state)
{
    (void)state;
    bench_open(&b, "maint");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bench_close(&b);
    return 0;
}

static void maint_prepare__bad_requests__usage(void **state)
{
    (void)state;
    b.req.change = "";
    bench_expect(&b, bench_prepare(&b), MAINT_USAGE);
    b.req.change = "CHG\n1";
    bench_expect(&b, bench_prepare(&b), MAINT_USAGE);
    b.req.change = "CHG1";
    b.req.window = 0;
    bench_expect(&b, bench_prepare(&b), MAINT_USAGE);
    b.req.window = LIMIT_WINDOW_SECONDS + 1;
    bench_expect(&b, bench_prepare(&b), MAINT_USAGE);
    assert_true(bench_untouched(&b));
}

static void main_flow__all_well__closed_and_restored(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    assert_int_equal(b.a.state, MAINT_PAUSED);
    assert_int_equal(b.w.service[0].info.state, SVC_STOPPED);
    assert_int_equal(b.w.service[0].info.start, SVC_DEMAND);
    assert_int_equal(b.w.service[1].info.state, SVC_STOPPED);
    assert_int_equal(b.w.service[2].info.start, SVC_DEMAND);
    assert_int_equal(b.w.publishes, 0);
    assert_true(b.a.row.deadline <= b.a.row.resume_by);
    b.w.now += 3600;
    b.w.mono_ms += 3600000;
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_int_equal(b.a.state, MAINT_CLOSED);
    assert_true(b.a.comparison.good);
    assert_int_equal(b.a.comparison.n_lines, 4);
    assert_int_equal(b.a.prove.verdict, PROVE_PROVEN);
    assert_true(bench_restored(&b));
    assert_int_equal(b.w.publishes, 1);
    assert_int_equal(b.w.service[2].starts, 0);
}

static void maint_prepare__runway_short__cover_published_and_proven(void **state)
{
    (void)state;
    b.req.window = 48 * 3600;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    assert_int_equal(b.w.publishes, 1);
    assert_true(b.a.row.cover);
    assert_true(b.a.row.resume_by >= b.w.now + 48 * 3600);
    assert_int_equal(world_count_event(&b.w, FIND_PUBLISH_PROVEN), 1);
}

static void maint_prepare__same_change_again__same_answer(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    struct maint_token first = b.a.token;
    int64_t deadline = b.a.row.deadline;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    assert_true(b.a.repeated);
    assert_int_equal(b.a.token.id, first.id);
    assert_int_equal(b.a.token.epoch, first.epoch);
    assert_int_equal(b.a.row.deadline, deadline);
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_true(b.a.repeated);
    assert_int_equal(b.w.publishes, 1);
}

static void verbs__another_change__busy_and_says_who(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    b.req.change = "CHG-OTHER";
    bench_expect(&b, bench_prepare(&b), MAINT_BUSY);
    assert_non_null(strstr(b.a.err.text, "CHG0012345"));
    assert_non_null(strstr(b.a.err.text, "LAB\\admin"));
    bench_expect(&b, bench_finish(&b), MAINT_BUSY);
    b.req.take_over = true;
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
}

static void verbs__token_of_an_older_taking__busy(void **state)
{
    (void)state;
    b.req.prepare_only = true;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    struct maint_token old = b.a.token;
    bench_expect(&b, bench_abort(&b), MAINT_DONE);
    assert_true(b.a.token.epoch > old.epoch);
    b.req.prepare_only = false;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    b.req.token = old;
    bench_expect(&b, bench_finish(&b), MAINT_BUSY);
    assert_non_null(strstr(b.a.err.text, "older taking"));
    assert_int_equal(b.w.service[0].info.state, SVC_STOPPED);
}

static void maint_prepare__gate_refuses__nothing_touched(void **state)
{
    (void)state;
    for (int kind = 0; kind < 8; kind++) {
        if (kind) {
            bench_close(&b);
            bench_open(&b, "maint");
        }
        static const char *const says[] = {"10.0.0.2", "parent",  "FILE_ERROR",   "Manage CA",
                                           "cluster",  "the HSM", "stop pending", "14d"};
        if (kind == 0)
            b.w.location[1].down = true;
        if (kind == 1)
            b.w.location[4].serves.next_update = b.w.now + 60;
        if (kind == 2)
            b.w.cpf_force = CPF_BASE | CPF_FILE_ERROR;
        if (kind == 3)
            b.w.roles = CA_ROLE_READ;
        if (kind == 4)
            b.w.clustered = true;
        if (kind == 5)
            b.w.hsm_away = true;
        if (kind == 6) {
            b.w.service[1].info.state = SVC_STOP_PENDING;
            b.w.service[1].deaf = true;
        }
        if (kind == 7)
            b.req.window = 20 * 86400;
        bench_expect(&b, bench_prepare(&b), MAINT_GATE_REFUSED);
        if (!strstr(b.a.err.text, says[kind]))
            fail_msg("kind %d: '%s' is not in '%s'", kind, says[kind], b.a.err.text);
        assert_int_equal(b.a.state, MAINT_REFUSED);
        assert_int_equal(b.w.publishes, 0);
        assert_int_equal(b.w.service[0].info.state, SVC_RUNNING);
        assert_int_equal(b.w.service[0].info.start, SVC_AUTO);
    }
}

static void maint_prepare__dry_run__keeps_and_publishes_nothing(void **state)
{
    (void)state;
    b.req.dry_run = true;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    assert_false(b.a.gate.cover);
    /* Too short, and a cover CRL mends it: the same outcome as the call itself, and it is said. */
    b.req.window = 48 * 3600;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    assert_int_equal(b.a.gate.verdict, GATE_SHORT);
    assert_true(b.a.gate.cover);
    assert_true(b.a.gate.cover_until > b.w.now + b.req.window);
    for (size_t i = 0; i < b.a.gate.n; i++) {
        assert_int_not_equal(b.a.gate.item[i].severity, SEV_CRITICAL);
        if (b.a.gate.item[i].id == FIND_GATE_RUNWAY_SHORT)
            assert_non_null(
                strstr(b.a.gate.item[i].remedy, "needs a cover CRL, which pre-upgrade publishes"));
    }
    struct store_maintenance list[2];
    size_t n = 9;
    assert_int_equal(store_maintenance_list(b.store, list, 2, &n, &b.err), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(b.w.publishes, 0);
    assert_true(bench_untouched(&b));
}

/* Dry run and call must never differ: where no cover CRL may be published, both refuse. */
static void maint_prepare__no_cover_possible__dry_run_and_call_refuse_alike(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        bench_close(&b);
        bench_open(&b, "maint");
        b.policy.cover = kind != 0;
        b.policy.cover_max = kind == 1 ? 24 * 3600 : b.policy.cover_max;
        maint_set_policy(b.m, &b.policy);
        b.req.window = 48 * 3600;
        if (kind == 2) {
            b.req.dry_run = true;
            bench_expect(&b, bench_prepare(&b), MAINT_DONE); /* its keys are known now */
            b.w.service[0].info.state = SVC_STOPPED;
            b.w.service[1].info.state = SVC_STOPPED;
            bench_remember(&b);
        }
        for (int dry = 1; dry >= 0; dry--) {
            b.req.dry_run = dry;
            bench_expect(&b, bench_prepare(&b), MAINT_GATE_REFUSED);
            assert_int_equal(b.a.gate.verdict, GATE_SHORT);
            assert_false(b.a.gate.cover);
            assert_non_null(strstr(b.a.err.text, kind == 0   ? "crlagent publish --until"
                                                 : kind == 1 ? "the configuration allows 1d 00h"
                                                             : "stopped and cannot publish"));
        }
        assert_int_equal(b.w.publishes, 0);
        assert_true(bench_untouched(&b));
    }
}

static void cover__publication_misbehaves__never_paused(void **state)
{
    (void)state;
    static const enum prove_verdict verdicts[] = {PROVE_NOT_CREATED, PROVE_NOT_CREATED,
                                                  PROVE_NOT_CREATED, PROVE_NOT_DELIVERED,
                                                  PROVE_UNKNOWN};
    for (int kind = 0; kind < 5; kind++) {
        if (kind) {
            bench_close(&b);
            bench_open(&b, "maint");
        }
        b.req.window = 48 * 3600;
        b.w.publish_fails = kind == 0;
        b.w.publish_lies = kind == 1;
        b.w.publish_short = kind == 2;
        b.w.location[3].frozen = kind == 3;
        if (kind == 4)
            b.w.cpf_force = 0;
        bench_expect(&b, bench_prepare(&b), MAINT_NOT_PROVEN);
        assert_int_equal(b.a.prove.verdict, verdicts[kind]);
        assert_int_equal(b.a.state, MAINT_REFUSED);
        assert_true(bench_untouched(&b));
        if (kind == 3)
            assert_non_null(strstr(b.a.err.text, "10.0.0.2"));
    }
}

static void cover__hresult_of_a_location__proof_decides(void **state)
{
    (void)state;
    b.req.window = 48 * 3600;
    b.w.publish_warns = true;
    b.w.location[0].lag = 25;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    assert_int_equal(b.a.prove.verdict, PROVE_PROVEN);
    assert_true(b.a.prove.location[0].visible >= 25);
    assert_int_equal(b.a.prove.location[1].visible, 0);
}

static void pause__service_misbehaves__undone(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        if (kind) {
            bench_close(&b);
            bench_open(&b, "maint");
        }
        b.w.service[0].refuses_stop = kind == 0;
        b.w.service[1].refuses_stop = kind == 1;
        if (kind == 2) {
            b.w.service[0].stop_ms = 3600 * 1000; /* slower than the limit, but it gets there */
            b.w.service[0].stop_ms = 11 * 60 * 1000;
        }
        bench_expect(&b, bench_prepare(&b), MAINT_PAUSE_FAILED);
        assert_int_equal(b.a.state, MAINT_ABORTED);
        assert_true(bench_restored(&b));
        assert_int_equal(world_count_event(&b.w, FIND_MAINT_PAUSE_UNDONE), 1);
    }
}

static void pause__start_type_denied__told_and_paused(void **state)
{
    (void)state;
    b.w.service[0].fixed_start_type = true;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_START_TYPE_KEPT), 1);
    assert_int_equal(b.w.service[0].info.start, SVC_AUTO);
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_true(bench_restored(&b));
}

static void finish__hsm_not_accepted__held_then_repeated(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    b.w.hsm_away = true;
    bench_expect(&b, bench_finish(&b), MAINT_HSM_NOT_ACCEPTED);
    assert_int_equal(b.a.state, MAINT_HELD);
    assert_int_equal(b.w.service[0].info.state, SVC_STOPPED);
    b.w.hsm_away = false;
    b.w.hsm_wrong_key = true;
    bench_expect(&b, bench_finish(&b), MAINT_HSM_NOT_ACCEPTED);
    b.w.hsm_wrong_key = false;
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_true(bench_restored(&b));
}

static void finish__ca_does_not_start__held(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    b.w.service[0].fails_start = true;
    bench_expect(&b, bench_finish(&b), MAINT_RESUME_HELD);
    assert_non_null(strstr(b.a.err.text, "event 100"));
    assert_int_equal(b.w.service[1].info.state, SVC_STOPPED);
    b.w.service[0].fails_start = false;
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_true(bench_restored(&b));
}

static void finish__location_stale__not_proven_and_held_with_the_ca_up(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    b.w.location[2].frozen = true;
    bench_expect(&b, bench_finish(&b), MAINT_NOT_PROVEN);
    assert_int_equal(b.a.state, MAINT_HELD);
    assert_int_equal(b.a.prove.verdict, PROVE_NOT_DELIVERED);
    assert_true(bench_restored(&b));
    b.w.location[2].frozen = false;
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
}

static void finish__ca_stopped_before__not_started(void **state)
{
    (void)state;
    /* It ran once, so that its keys are known. */
    b.req.dry_run = true;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    b.req.dry_run = false;
    b.w.service[0].info.state = SVC_STOPPED;
    b.w.service[1].info.state = SVC_STOPPED;
    bench_remember(&b);
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_int_equal(b.a.state, MAINT_CLOSED);
    assert_int_equal(b.w.service[0].starts, 0);
    assert_int_equal(b.w.publishes, 0);
    assert_true(bench_restored(&b));
}

static void prepare__ca_stopped_before__runway_alone_decides(void **state)
{
    (void)state;
    b.req.dry_run = true;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    b.req.dry_run = false;
    b.w.service[0].info.state = SVC_STOPPED;
    b.w.service[1].info.state = SVC_STOPPED;
    bench_remember(&b);
    b.w.location[0].serves.next_update = b.w.now + b.req.window;
    bench_expect(&b, bench_prepare(&b), MAINT_GATE_REFUSED);
    assert_int_equal(b.a.gate.verdict, GATE_SHORT);
    assert_non_null(strstr(b.a.err.text, "stopped and cannot publish"));
    assert_int_equal(b.a.state, MAINT_REFUSED);
    assert_int_equal(b.w.publishes, 0);
    world_deliver_all(&b.w);
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    bool warned = false;
    for (size_t i = 0; i < b.a.gate.n; i++)
        warned = warned || (b.a.gate.item[i].id == FIND_GATE_CA_STOPPED &&
                            b.a.gate.item[i].severity == SEV_WARNING);
    assert_true(warned);
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_true(bench_untouched(&b));
    assert_int_equal(b.w.publishes, 0);
}

static void abort__paused__restored_without_publishing(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    bench_expect(&b, bench_abort(&b), MAINT_DONE);
    assert_int_equal(b.a.state, MAINT_ABORTED);
    assert_int_equal(b.w.publishes, 0);
    assert_true(bench_restored(&b));
    bench_expect(&b, bench_abort(&b), MAINT_USAGE);
    bench_expect(&b, bench_finish(&b), MAINT_USAGE);
}

static void tick__deadline_with_hold__held_extended_and_finished(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    bench_expect(&b, bench_tick(&b), MAINT_DONE);
    b.w.now = b.a.row.deadline + 1;
    bench_expect(&b, bench_tick(&b), MAINT_DEADLINE_PASSED);
    assert_int_equal(b.a.state, MAINT_HELD);
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_DEADLINE), 1);
    bench_expect(&b, bench_prepare(&b), MAINT_DEADLINE_PASSED);
    int64_t window = b.req.window;
    b.req.window = 60 * 86400 / 2;
    bench_expect(&b, bench_extend(&b), MAINT_GATE_REFUSED);
    b.req.window = window + 3600;
    bench_expect(&b, bench_extend(&b), MAINT_DONE);
    assert_int_equal(b.a.state, MAINT_PAUSED);
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_true(bench_restored(&b));
}

static void tick__deadline_with_resume__brought_back_or_held(void **state)
{
    (void)state;
    for (int away = 0; away < 2; away++) {
        if (away) {
            bench_close(&b);
            bench_open(&b, "maint");
        }
        b.req.deadline_action = DEADLINE_RESUME;
        bench_expect(&b, bench_prepare(&b), MAINT_DONE);
        b.w.now = b.a.row.deadline;
        b.w.hsm_away = away;
        bench_expect(&b, bench_tick(&b), away ? MAINT_HSM_NOT_ACCEPTED : MAINT_DONE);
        assert_int_equal(b.a.state, away ? MAINT_HELD : MAINT_CLOSED);
        assert_int_equal(bench_restored(&b), !away);
    }
}

static void tick__runway_burns__each_alarm_once(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    int64_t start = b.a.row.paused, whole = b.a.row.resume_by - start;
    for (int percent = 1; percent <= 99; percent++) {
        b.w.now = start + whole * percent / 100 + 1;
        (void)bench_tick(&b);
    }
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_BURN_FIRST), 1);
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_BURN_SECOND), 1);
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_BURN_THIRD), 1);
    assert_int_equal(b.w.crime[0], 0);
}

static void tick__somebody_starts_the_ca__alarm_or_stopped_again(void **state)
{
    (void)state;
    for (int again = 0; again < 2; again++) {
        if (again) {
            bench_close(&b);
            bench_open(&b, "maint");
        }
        b.policy.watch = again ? WATCH_STOP_AGAIN : WATCH_ALARM;
        maint_set_policy(b.m, &b.policy);
        bench_expect(&b, bench_prepare(&b), MAINT_DONE);
        b.w.service[0].info.state = SVC_RUNNING;
        bench_expect(&b, bench_tick(&b), MAINT_DONE);
        bench_expect(&b, bench_tick(&b), MAINT_DONE);
        assert_int_equal(b.w.service[0].info.state, again ? SVC_STOPPED : SVC_RUNNING);
        assert_int_equal(
            world_count_event(&b.w, again ? FIND_MAINT_CA_STOPPED_AGAIN : FIND_MAINT_CA_STARTED),
            1);
        bench_expect(&b, bench_finish(&b), MAINT_DONE);
        assert_true(bench_restored(&b));
    }
}

static void tick__location_gets_worse__deadline_follows(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    int64_t by = b.a.row.resume_by;
    b.w.location[0].serves.next_update -= 33 * 3600 + 5 * 86400 + 12 * 3600;
    b.w.location[0].serves.next_update = b.w.now + 4 * 3600;
    bench_expect(&b, bench_tick(&b), MAINT_DONE);
    assert_true(b.a.row.resume_by < by);
    assert_true(b.a.row.deadline <= b.a.row.resume_by);
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_RUNWAY_SHRANK), 1);
    b.w.location[0].down = true;
    b.w.now += b.policy.paused_probe;
    bench_expect(&b, bench_tick(&b), MAINT_DONE);
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_LOCATION_DOWN), 1);
}

static void tick__clock_set_back__told_and_gap_still_waited(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    b.w.now -= 7200;
    b.w.ca_stopped_at -= 7200;
    bench_expect(&b, bench_tick(&b), MAINT_DONE);
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_CLOCK_BACK), 1);
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_true(bench_restored(&b));
}

static void maint_publish__beside_a_maintenance__busy(void **state)
{
    (void)state;
    struct maint_answer a;
    assert_int_equal(maint_publish(b.m, &b.req, 0, &a), MAINT_DONE);
    assert_int_equal(a.prove.verdict, PROVE_PROVEN);
    maint_answer_free(&a);
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    assert_int_equal(maint_publish(b.m, &b.req, 0, &a), MAINT_BUSY);
    maint_answer_free(&a);
}

static void maint_state_may__table__finals_stay(void **state)
{
    (void)state;
    for (int s = 0; s < MAINT_STATES; s++) {
        enum maint_state from = (enum maint_state)s, back;
        assert_int_equal(maint_state_parse(maint_state_name(from), &back, &b.err), ERR_OK);
        assert_int_equal(back, from);
        for (int t = 0; t < MAINT_STATES; t++) {
            if (maint_state_final(from) && s != t)
                assert_false(maint_state_may(from, (enum maint_state)t));
        }
    }
    assert_false(maint_state_may(MAINT_READY, MAINT_PAUSED));
    assert_false(maint_state_may(MAINT_PAUSED, MAINT_CLOSED));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(maint_prepare__bad_requests__usage),
        CASE(main_flow__all_well__closed_and_restored),
        CASE(maint_prepare__runway_short__cover_published_and_proven),
        CASE(maint_prepare__same_change_again__same_answer),
        CASE(verbs__another_change__busy_and_says_who),
        CASE(verbs__token_of_an_older_taking__busy),
        CASE(maint_prepare__gate_refuses__nothing_touched),
        CASE(maint_prepare__dry_run__keeps_and_publishes_nothing),
        CASE(maint_prepare__no_cover_possible__dry_run_and_call_refuse_alike),
        CASE(cover__publication_misbehaves__never_paused),
        CASE(cover__hresult_of_a_location__proof_decides),
        CASE(pause__service_misbehaves__undone),
        CASE(pause__start_type_denied__told_and_paused),
        CASE(finish__hsm_not_accepted__held_then_repeated),
        CASE(finish__ca_does_not_start__held),
        CASE(finish__location_stale__not_proven_and_held_with_the_ca_up),
        CASE(finish__ca_stopped_before__not_started),
        CASE(prepare__ca_stopped_before__runway_alone_decides),
        CASE(abort__paused__restored_without_publishing),
        CASE(tick__deadline_with_hold__held_extended_and_finished),
        CASE(tick__deadline_with_resume__brought_back_or_held),
        CASE(tick__runway_burns__each_alarm_once),
        CASE(tick__somebody_starts_the_ca__alarm_or_stopped_again),
        CASE(tick__location_gets_worse__deadline_follows),
        CASE(tick__clock_set_back__told_and_gap_still_waited),
        CASE(maint_publish__beside_a_maintenance__busy),
        CASE(maint_state_may__table__finals_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
