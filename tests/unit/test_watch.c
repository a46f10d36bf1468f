/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The continuous watch over a fake world and a clock that jumps from one look to the next. */
#include "watch/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "maint/state.h"
#include "support/desk.h"
#include "unit/cmocka_unit.h"

static size_t waiting(struct desk *d)
{
    struct store_notice due[64];
    struct err err = ERR_INIT;
    size_t n = 0;
    assert_int_equal(store_notice_due(d->b.store, NULL, INT64_MAX, due, 64, &n, &err), ERR_OK);
    return n;
}

static size_t rows(struct desk *d)
{
    struct err err = ERR_INIT;
    size_t n = 0;
    assert_int_equal(store_probe_list(d->b.store, "", 0, d->rows, DESK_ROWS, &n, &err), ERR_OK);
    return n;
}

static bool metrics_hold(struct desk *d, const char *text)
{
    SCOPED(buf_free) struct buf all = BUF_INIT;
    struct err err = ERR_INIT;
    if (file_read(d->metrics, 10000000, &all, &err))
        fail_msg("%s", err.text);
    return strstr(buf_str(&all), text) != NULL;
}

static void watch_look__all_well__history_and_metrics_and_silence(void **state)
{
    struct desk *d = *state;
    desk_look(d);
    desk_look(d);
    assert_int_equal(rows(d), 2 * d->b.w.n_locations);
    assert_true(metrics_hold(d, "crlagent_hsm_up"));
    assert_int_equal(world_count_event(&d->b.w, FIND_STALE_NODE), 0);
    assert_string_equal(d->b.w.crime, "");
}

static void watch_look__location_down__told_once_and_its_end(void **state)
{
    struct desk *d = *state;
    desk_look(d);
    size_t before = waiting(d);
    d->b.w.location[0].down = true;
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_NODE_DOWN), 1);
    assert_int_equal(waiting(d), before + 1);
    desk_look(d);
    desk_look(d); /* what was found besides while it was up is over by now */
    assert_int_equal(world_count_event(&d->b.w, FIND_NODE_DOWN), 0);
    before = waiting(d);
    d->b.w.location[0].down = false;
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_FINDING_OVER), 0);
    desk_look(d);
    assert_true(world_count_event(&d->b.w, FIND_FINDING_OVER) >= 1);
    assert_true(waiting(d) > before);
}

static void watch_look__restart__told_before_is_not_told_again(void **state)
{
    struct desk *d = *state;
    d->b.w.location[0].down = true;
    desk_look(d);
    assert_true(d->b.w.n_events >= 1);
    watch_free(&d->watch);
    bench_restart(&d->b);
    desk_wire(d);
    desk_look(d);
    assert_int_equal(d->b.w.n_events, 0);
}

static void watch_look__worker_broken__one_alarm_and_nothing_over(void **state)
{
    struct desk *d = *state;
    struct err err = ERR_INIT;
    d->b.w.location[0].down = true;
    desk_look(d);
    d->b.w.prober_broken = true;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(desk_try_look(d, &err), ERR_UNAVAILABLE);
        assert_int_equal(world_count_event(&d->b.w, FIND_WATCH_FAILED), i == 0);
        assert_int_equal(world_count_event(&d->b.w, FIND_FINDING_OVER), 0);
        assert_true(watch_next(d->watch) > d->b.w.now);
    }
    d->b.w.prober_broken = false;
    desk_look(d);
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_FINDING_OVER), 1);
}

static void watch_look__metrics_folder_gone__told_by_the_next_look(void **state)
{
    struct desk *d = *state;
    watch_free(&d->watch);
    desk_wire(d);
    (void)str_copy(d->metrics, sizeof d->metrics, "no-such-folder/x.prom");
    desk_look(d);
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_REPORT_NOT_WRITTEN), 1);
}

static void watch_look__key_fails__told_tested_again_sooner_and_its_end(void **state)
{
    struct desk *d = *state;
    struct store_keytest t[8];
    struct err err = ERR_INIT;
    size_t n = 0;
    d->b.w.hsm_away = true;
    desk_look(d);
    assert_true(world_count_event(&d->b.w, FIND_KEY_TEST_FAILED) >= 1);
    d->b.w.hsm_away = false;
    d->b.w.now += 3700;
    desk_look(d);
    desk_look(d);
    assert_true(world_count_event(&d->b.w, FIND_FINDING_OVER) >= 1);
    assert_int_equal(store_keytest_list(d->b.store, 0, t, 8, &n, &err), ERR_OK);
    assert_int_equal(n, 2 * d->b.w.keys);
    assert_true(t[0].good);
    assert_false(t[n - 1].good);
}

static void watch_look__key_becomes_slow__told_against_the_median(void **state)
{
    struct desk *d = *state;
    d->b.w.sign_ms = 20;
    for (int day = 0; day < 8; day++) {
        desk_look(d);
        assert_int_equal(world_count_event(&d->b.w, FIND_KEY_TEST_SLOW), 0);
        d->b.w.now += 86400 + 10000;
        d->b.w.base[0].next_update += 100000;
    }
    d->b.w.sign_ms = 2000;
    desk_look(d);
    assert_true(world_count_event(&d->b.w, FIND_KEY_TEST_SLOW) >= 1);
}

static void watch_look__paused__hsm_left_alone_ca_not_asked_and_failures_told(void **state)
{
    struct desk *d = *state;
    struct store_keytest t[8];
    struct err err = ERR_INIT;
    size_t n = 0;
    desk_look(d);
    bench_expect(&d->b, bench_prepare(&d->b), MAINT_DONE);
    d->b.w.hsm_away = true;
    d->b.w.location[0].down = d->b.w.location[1].down = true;
    d->b.w.now += 2 * 86400;
    desk_look(d);
    assert_true(d->b.w.n_events >= 1);
    assert_int_equal(world_count_event(&d->b.w, FIND_KEY_TEST_FAILED), 0);
    assert_int_equal(store_keytest_list(d->b.store, 0, t, 8, &n, &err), ERR_OK);
    assert_int_equal(n, d->b.w.keys);
    assert_string_equal(d->b.w.crime, "");
}

static bool seen_by_desk(void *self, struct probe_seen *ret)
{
    struct desk *d = self;
    *ret = d->seen;
    return d->has_seen;
}

/* As the service does it: the engine reads what the watch saw last. */
static void paused_with_a_watch(struct desk *d)
{
    watch_free(&d->watch);
    d->b.seams.seen = seen_by_desk;
    d->b.seams.seen_self = d;
    bench_restart(&d->b);
    desk_wire(d);
    bench_expect(&d->b, bench_prepare(&d->b), MAINT_DONE);
    d->b.w.n_events = 0;
}

static void tick(struct desk *d, int64_t later)
{
    d->b.w.now += later;
    bench_expect(&d->b, bench_tick(&d->b), MAINT_DONE);
}

static void look_and_remember(struct desk *d)
{
    SCOPED(look_free) struct look *l = NULL;
    struct err err = ERR_INIT;
    if (watch_look(d->watch, &l, &err))
        fail_msg("%s", err.text);
    probe_round_seen(&l->round, &d->seen);
    d->has_seen = true;
}

static void tick__the_watch_looks__locations_are_asked_once(void **state)
{
    struct desk *d = *state;
    paused_with_a_watch(d);
    size_t before = rows(d);
    look_and_remember(d);
    tick(d, d->b.policy.paused_probe);
    assert_int_equal(rows(d), before + d->b.w.n_locations);
    d->b.w.location[0].down = true;
    look_and_remember(d);
    tick(d, d->b.policy.paused_probe);
    assert_int_equal(rows(d), before + 2 * d->b.w.n_locations);
    assert_int_equal(world_count_event(&d->b.w, FIND_MAINT_LOCATION_DOWN), 1);
    assert_non_null(strstr(d->b.w.last_text, d->b.w.location[0].url));
}

static void tick__the_watch_saw_a_shorter_runway__deadline_follows(void **state)
{
    struct desk *d = *state;
    paused_with_a_watch(d);
    look_and_remember(d);
    d->seen.weakest_until = d->b.w.now + 3 * 3600;
    tick(d, d->b.policy.paused_probe);
    assert_int_equal(world_count_event(&d->b.w, FIND_MAINT_RUNWAY_SHRANK), 1);
    assert_true(d->b.a.row.deadline < d->b.w.now + 3 * 3600);
}

/* Dead, late, or from before the pause: the engine asks for itself. */
static void tick__the_watch_does_not_look__the_engine_asks(void **state)
{
    struct desk *d = *state;
    paused_with_a_watch(d);
    size_t before = rows(d);
    tick(d, d->b.policy.paused_probe);
    assert_int_equal(rows(d), before + d->b.w.n_locations);
    look_and_remember(d);
    tick(d, 2 * d->b.policy.paused_probe);
    assert_int_equal(rows(d), before + 3 * d->b.w.n_locations);
    d->seen.when = d->b.w.now + d->b.policy.paused_probe;
    d->seen.began = d->b.a.row.paused - 1;
    tick(d, d->b.policy.paused_probe);
    assert_int_equal(rows(d), before + 4 * d->b.w.n_locations);
}

static void watch_next__many_looks__jitter_within_ten_percent(void **state)
{
    struct desk *d = *state;
    int64_t least = INT64_MAX, most = 0;
    for (int i = 0; i < 200; i++) {
        desk_look(d);
        int64_t gap = watch_next(d->watch) - (d->b.w.now - 60);
        least = gap < least ? gap : least;
        most = gap > most ? gap : most;
    }
    assert_true(least >= 270 && most <= 330);
    assert_true(most - least > 20);
}

static void watch_next__clock_put_back__due_at_once(void **state)
{
    struct desk *d = *state;
    desk_look(d);
    d->b.w.now -= 86400;
    assert_true(watch_next(d->watch) <= d->b.w.now);
}

/* Twelve weeks, hourly, a location that comes and goes; history is kept for one week. */
static void watch_look__weeks__nothing_grows(void **state)
{
    struct desk *d = *state;
    struct world *w = &d->b.w;
    struct file_info info;
    struct err err = ERR_INIT;
    uint64_t size_then = 0;
    size_t rows_then = 0, looks = 0;
    int64_t start = w->now;
    d->metrics[0] = 0; /* thousands of flushed files say nothing more */
    d->config.probe.interval = 3600;
    d->config.probe.history = 7 * 86400;
    for (int week = 1; week <= 12; week++) {
        while (w->now < start + week * 7 * 86400) {
            int64_t due = watch_next(d->watch);
            w->now = due > w->now ? due : w->now;
            for (size_t k = 0; k < w->keys; k++) {
                w->base[k].number++;
                w->base[k].this_update = w->now - 600;
                w->base[k].next_update = w->now + 7 * 86400;
                w->delta[k].number++;
                w->delta[k].this_update = w->now - 600;
                w->delta[k].next_update = w->now + 86400;
            }
            world_deliver_all(w);
            w->location[0].down = looks++ % 10 < 3;
            desk_look(d);
            /* Somebody takes the notices away. */
            struct store_notice due_now[16];
            size_t n = 0;
            assert_int_equal(store_notice_due(d->b.store, NULL, w->now, due_now, 16, &n, &err),
                             ERR_OK);
            while (n > 0)
                assert_int_equal(store_notice_sent(d->b.store, due_now[--n].id, w->now, &err),
                                 ERR_OK);
        }
        watch_free(&d->watch);
        bench_restart(&d->b);
        desk_wire(d);
        assert_int_equal(file_stat(d->b.path, &info, &err), ERR_OK);
        if (week == 6) {
            size_then = info.size;
            rows_then = rows(d);
        }
    }
    size_t rows_now = rows(d);
    assert_true(looks > 1900);
    assert_true(rows_now <= rows_then + rows_then / 10);
    assert_true(rows_now <= (7 * 24 + 20) * w->n_locations);
    if (info.size > size_then + size_then / 10)
        fail_msg("the store grew from %llu to %llu bytes", (unsigned long long)size_then,
                 (unsigned long long)info.size);
}

static int log_read(void *self, int64_t seconds, struct health_ca_event *ret, size_t max,
                    size_t *ret_n, struct err *err)
{
    struct desk *d = self;
    (void)seconds;
    if (d->log_rc)
        return err_set(err, d->log_rc, "the log says no");
    *ret_n = d->n_logged < max ? d->n_logged : max;
    memcpy(ret, d->logged, *ret_n * sizeof *ret);
    return ERR_OK;
}

static void watch_look__events_of_the_ca__told_and_over(void **state)
{
    struct desk *d = *state;
    watch_free(&d->watch);
    desk_wire(d);
    watch_free(&d->watch);
    d->setup.seams.ca_log = (struct ca_event_log){log_read, d};
    struct err err = ERR_INIT;
    assert_int_equal(watch_new(&d->setup, &d->watch, &err), ERR_OK);
    d->logged[0] = (struct health_ca_event){
        .id = 100, .record = 77, .when = d->b.w.now - 100, .key = -1, .text = "Lab CA; 0x80092013"};
    d->n_logged = 1;
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_CA_NOT_STARTED), 1);
    assert_non_null(strstr(d->b.w.last_text, "record 77"));
    d->logged[1] = (struct health_ca_event){.id = 26, .when = d->b.w.now - 50, .key = -1};
    d->n_logged = 2;
    desk_look(d);
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_FINDING_OVER), 1);
    /* A log that cannot be read is no alarm and takes nothing from the look. */
    d->log_rc = ERR_DENIED;
    d->b.w.location[0].down = true;
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_NODE_DOWN), 1);
    assert_int_equal(world_count_event(&d->b.w, FIND_CA_LOG_UNREADABLE), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, desk_begin, desk_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(watch_look__all_well__history_and_metrics_and_silence),
        CASE(watch_look__location_down__told_once_and_its_end),
        CASE(watch_look__restart__told_before_is_not_told_again),
        CASE(watch_look__worker_broken__one_alarm_and_nothing_over),
        CASE(watch_look__metrics_folder_gone__told_by_the_next_look),
        CASE(watch_look__key_fails__told_tested_again_sooner_and_its_end),
        CASE(watch_look__key_becomes_slow__told_against_the_median),
        CASE(watch_look__paused__hsm_left_alone_ca_not_asked_and_failures_told),
        CASE(tick__the_watch_looks__locations_are_asked_once),
        CASE(tick__the_watch_saw_a_shorter_runway__deadline_follows),
        CASE(tick__the_watch_does_not_look__the_engine_asks),
        CASE(watch_next__many_looks__jitter_within_ten_percent),
        CASE(watch_next__clock_put_back__due_at_once),
        CASE(watch_look__weeks__nothing_grows),
        CASE(watch_look__events_of_the_ca__told_and_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
