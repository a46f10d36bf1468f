/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The engine is killed at every single call it makes to the outside (service control, CA, HSM,
 * prober, wait, every write to the store), in several scenarios. After each kill the store is
 * opened again by a fresh engine. Whatever the moment: the former state comes back exactly, nothing
 * is started that was stopped, nothing that ran stays stopped. */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <string.h>

#include "support/bench.h"

static struct bench b;

/* Files are slow under Wine: there every seventh moment is tried, natively every one. */
#ifdef _WIN32
#define THINNED 7
#else
#define THINNED 1
#endif
static bool seen_state[MAINT_STATES], seen_step[MAINT_STEPS];

/* ---- scenarios: what the outside does, in order ---- */

static void cover_and_back(void)
{
    b.req.window = 48 * 3600;
    if (bench_prepare(&b) == MAINT_DONE)
        (void)bench_finish(&b);
}

static void two_calls_to_pause(void)
{
    b.req.prepare_only = true;
    (void)bench_prepare(&b);
    b.req.prepare_only = false;
    (void)bench_prepare(&b);
    (void)bench_abort(&b);
}

static void held_by_the_hsm(void)
{
    if (bench_prepare(&b) != MAINT_DONE)
        return;
    b.w.hsm_away = true;
    (void)bench_finish(&b);
    (void)bench_tick(&b);
    b.w.hsm_away = false;
    (void)bench_finish(&b);
}

static void pause_that_fails(void)
{
    b.w.service[0].refuses_stop = true;
    (void)bench_prepare(&b);
}

static void deadline_that_resumes(void)
{
    b.req.deadline_action = DEADLINE_RESUME;
    if (bench_prepare(&b) != MAINT_DONE)
        return;
    b.w.now = b.a.row.deadline + 1;
    (void)bench_tick(&b);
}

static void started_by_somebody(void)
{
    b.policy.watch = WATCH_STOP_AGAIN;
    maint_set_policy(b.m, &b.policy);
    if (bench_prepare(&b) != MAINT_DONE)
        return;
    b.w.service[0].info.state = SVC_RUNNING;
    (void)bench_tick(&b);
    b.w.now = b.a.row.deadline + 1;
    (void)bench_tick(&b);
    (void)bench_finish(&b);
}

/* OCSP responder and NDES go down with the CA, NDES with a dependant of its own. */
static void with_other_services(void)
{
    static const char *const names[] = {"Ndes", "OcspSvc"};
    world_add_service(&b.w, "OcspSvc", SVC_RUNNING, SVC_AUTO, NULL);
    world_add_service(&b.w, "Ndes", SVC_RUNNING, SVC_DEMAND, NULL);
    world_add_service(&b.w, "NdesPool", SVC_RUNNING, SVC_AUTO, "Ndes");
    bench_remember(&b);
    for (size_t i = 0; i < 2; i++)
        snprintf(b.policy.stop_with[i], SVC_NAME_MAX, "%s", names[i]);
    b.policy.n_stop_with = 2;
    maint_set_policy(b.m, &b.policy);
    if (bench_prepare(&b) == MAINT_DONE)
        (void)bench_finish(&b);
}

static void with_reserve(bool by_clock)
{
    b.w.has_files = true;
    b.w.file[0] = b.w.base[0];
    b.w.file[1] = b.w.base[1];
    b.policy.reserve_mode = RESERVE_REQUIRED;
    b.policy.reserve_auto = by_clock;
    maint_set_policy(b.m, &b.policy);
}

/* The HSM does not come back, the clock releases the reserve, then it does come back. */
static void reserve_saves_the_day(void)
{
    with_reserve(true);
    if (bench_prepare(&b) != MAINT_DONE)
        return;
    b.w.hsm_away = true;
    b.w.now = b.a.row.runway_until - b.policy.propagation - b.policy.propagation_timeout;
    (void)bench_tick(&b);
    b.w.hsm_away = false;
    (void)bench_finish(&b);
}

static void reserve_not_needed(void)
{
    with_reserve(false);
    if (bench_prepare(&b) == MAINT_DONE)
        (void)bench_finish(&b);
}

static void clustered(void)
{
    bench_cluster(&b);
    if (bench_prepare(&b) != MAINT_DONE)
        return;
    (void)bench_tick(&b);
    (void)bench_finish(&b);
}

/* The role moves while paused and comes back; then the CA does not come online at once. */
static void clustered_in_trouble(void)
{
    bench_cluster(&b);
    if (bench_prepare(&b) != MAINT_DONE)
        return;
    b.w.cluster.away = true;
    b.w.now += 60;
    (void)bench_tick(&b);
    (void)bench_finish(&b);
    b.w.cluster.away = false;
    b.w.service[0].fails_start = true;
    (void)bench_finish(&b);
    b.w.service[0].fails_start = false;
    b.w.now += 60;
    (void)bench_finish(&b);
}

static void reserve_by_hand(void)
{
    with_reserve(false);
    if (bench_prepare(&b) != MAINT_DONE)
        return;
    maint_answer_free(&b.a);
    (void)!maint_reserve_release(b.m, &b.req, &b.a);
    maint_answer_free(&b.a);
    (void)!maint_reserve_recall(b.m, &b.req, &b.a);
    (void)bench_abort(&b);
}

static const struct {
    const char *name;
    void (*run)(void);
    bool reserve; /* every call around those of the reserve, a few of the others */
} scenarios[] = {
    {"cover, pause, finish", cover_and_back, false},
    {"prepare, pause, abort", two_calls_to_pause, false},
    {"HSM not accepted", held_by_the_hsm, false},
    {"pause fails", pause_that_fails, false},
    {"deadline resumes", deadline_that_resumes, false},
    {"started while paused", started_by_somebody, false},
    {"other services", with_other_services, false},
    {"clustered", clustered, false},
    {"cluster in trouble", clustered_in_trouble, false},
    {"reserve released", reserve_saves_the_day, true},
    {"reserve not needed", reserve_not_needed, true},
    {"reserve by hand", reserve_by_hand, true},
};

static void note_what_was_going_on(void)
{
    struct store_maintenance row;
    struct store_step step[64];
    enum maint_state state;
    size_t n = 0;
    if (store_maintenance_active(b.store, &row, &b.err))
        return;
    assert_int_equal(maint_state_parse(row.state, &state, &b.err), ERR_OK);
    seen_state[state] = true;
    assert_int_equal(store_step_list(b.store, row.id, step, 64, &n, &b.err), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        for (int s = 0; s < MAINT_STEPS && step[i].ended == WHEN_NONE; s++)
            seen_step[s] =
                seen_step[s] || strcmp(maint_step_name((enum maint_step)s), step[i].name) == 0;
    }
}

/* No reserve is left over: none sealed, none at a location, no row that says otherwise. */
static void lead_reserve_home(const char *what, long at)
{
    static struct store_reserve rows[16];
    size_t n = 0;
    assert_int_equal(store_reserve_list(b.store, true, rows, 16, &n, &b.err), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        /* Released and then aborted by hand: that is an operator's to end. */
        if (!reserve_in_use(&rows[i]))
            fail_msg("%s, killed at call %ld: a reserve is %s", what, at, rows[i].state);
    }
    if (n) {
        maint_answer_free(&b.a);
        bench_expect(&b, maint_publish(b.m, &b.req, 0, &b.a), MAINT_DONE);
    }
    if (world_sealed(&b.w) || b.w.file[0].plain || b.w.file[1].plain)
        fail_msg("%s, killed at call %ld: %zu files sealed, reserve at a location: %d", what, at,
                 world_sealed(&b.w), b.w.file[0].plain || b.w.file[1].plain);
}

/* The world is well again; what the store says must lead home. */
static void lead_home(const char *what, long at)
{
    b.w.hsm_away = false;
    b.w.service[0].refuses_stop = b.w.service[0].fails_start = b.w.cluster.away = false;
    bench_restart(&b);
    note_what_was_going_on();
    enum maint_outcome o = bench_reconcile(&b);
    enum maint_state state = b.a.state;
    if (b.w.crime[0])
        fail_msg("%s, killed at call %ld: %s", what, at, b.w.crime);
    if (o != MAINT_DONE && state != MAINT_HELD)
        fail_msg("%s, killed at call %ld: reconcile %s: %s", what, at, maint_outcome_name(o),
                 b.a.err.text);
    bool open = b.a.row.id && !maint_state_final(state);
    if (open && state != MAINT_PAUSED && state != MAINT_HELD && state != MAINT_READY)
        fail_msg("%s, killed at call %ld: left %s", what, at, maint_state_name(state));
    if (!open && !bench_restored(&b))
        fail_msg("%s, killed at call %ld: ended %s but not restored", what, at,
                 maint_state_name(state));
    b.req.take_over = true;
    if (open && state == MAINT_READY)
        bench_expect(&b, bench_abort(&b), MAINT_DONE);
    else if (open)
        bench_expect(&b, bench_finish(&b), MAINT_DONE);
    lead_reserve_home(what, at);
    if (!bench_restored(&b) || b.w.crime[0] || b.w.service[2].starts)
        fail_msg(
            "%s, killed at call %ld: at the end %s, restored %d, %d starts of what was stopped",
            what, at, b.w.crime, bench_restored(&b), b.w.service[2].starts);
}

/* Nothing in the way: the next maintenance goes through. */
static void run_once_more(void)
{
    b.req.take_over = b.req.prepare_only = false;
    b.req.window = 3600;
    b.req.deadline_action = -1;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
}

static bool near_reserve[ARRAY_LEN(((struct world *)0)->at_reserve)];

/* Every call of the main flow and around those of the reserve; of the others every third, which
 * still meets each step. Those after them have the same steps for more services. */
static bool worth_it(size_t scenario, long at)
{
    if (!scenarios[scenario].reserve)
        return THINNED > 1 || !scenario || at % (scenario > 5 ? 7 : 3) == 1;
    for (long k = at - 3; k <= at + 3; k++) {
        if (k > 0 && k < (long)ARRAY_LEN(near_reserve) && near_reserve[k])
            return true;
    }
    return at % 12 == 0;
}

static long length_of(size_t scenario)
{
    bench_open(&b, "kill");
    scenarios[scenario].run();
    long n = b.w.calls;
    memcpy(near_reserve, b.w.at_reserve, sizeof near_reserve);
    assert_string_equal(b.w.crime, "");
    bench_close(&b);
    return n;
}

static void kill__at_every_call__ends_well(void **state)
{
    (void)state;
    long total = 0;
    for (size_t s = 0; s < ARRAY_LEN(scenarios); s++) {
        long n = length_of(s);
        for (long at = 1; at <= n; at += THINNED) {
            if (!worth_it(s, at))
                continue;
            total++;
            bench_open(&b, "kill");
            b.w.die_at = at;
            scenarios[s].run();
            assert_true(b.w.dead);
            lead_home(scenarios[s].name, at);
            if (at % 32 == 0)
                run_once_more();
            bench_close(&b);
        }
    }
    print_message("killed at %ld moments\n", total);
    for (int i = MAINT_PREPARING; i <= MAINT_HELD && THINNED == 1; i++) {
        if (!seen_state[i])
            fail_msg("never killed while %s", maint_state_name((enum maint_state)i));
    }
    for (int i = 0; i < MAINT_STEPS && THINNED == 1; i++) {
        /* Closing is one write, not a step with an inside. */
        if (!seen_step[i] && i != STEP_CLOSE)
            fail_msg("never killed in step %s", maint_step_name((enum maint_step)i));
    }
}

/* ---- killed again while the way home was being looked for ---- */

static void kill__twice__ends_well(void **state)
{
    (void)state;
    long n = length_of(0);
    for (long at = 5; at <= n; at += 13 * THINNED) {
        for (long second = 1; second < 60; second += 9) {
            bench_open(&b, "kill");
            b.w.die_at = at;
            cover_and_back();
            bench_restart(&b);
            b.w.die_at = b.w.calls + second;
            (void)bench_reconcile(&b);
            lead_home("killed twice", at * 100 + second);
            bench_close(&b);
        }
    }
}

/* ---- the disk is full from the n-th write on ---- */

struct full_disk {
    long left;
};

static int disk(void *arg, const char *what)
{
    struct full_disk *d = arg;
    (void)what;
    return d->left-- > 0 ? ERR_OK : ERR_IO;
}

static void store__full_at_every_write__nothing_left_stopped(void **state)
{
    (void)state;
    for (long writes = 0; writes < 400; writes += THINNED) {
        bench_open(&b, "kill");
        struct full_disk d = {writes};
        b.req.window = 48 * 3600;
        store__set_fault(b.store, disk, &d);
        enum maint_outcome o = bench_prepare(&b);
        bool was_full = d.left < 0;
        assert_string_equal(b.w.crime, "");
        if (o != MAINT_DONE && !bench_restored(&b))
            fail_msg("full at write %ld: %s, and the services are not restored: %s", writes,
                     maint_outcome_name(o), b.a.err.text);
        if (o != MAINT_DONE && !strstr(b.a.err.text, "disk is full"))
            fail_msg("full at write %ld: %s", writes, b.a.err.text);
        lead_home("disk full", writes);
        bench_close(&b);
        if (!was_full)
            return;
    }
    fail_msg("the flow has more than 400 writes");
}

/* ---- nothing is touched before it is written down ---- */

static void check_written(struct world *w, const char *what, const char *service)
{
    struct bench *bench = w->arg;
    struct store *r = NULL;
    struct store_maintenance row;
    struct store_service list[LIMIT_SERVICES];
    size_t n = 0;
    bool found = false;
    if (store_open(bench->path, STORE_READ, w->now, &r, NULL, &bench->err) ||
        store_maintenance_active(r, &row, &bench->err) ||
        store_service_list(r, row.id, list, LIMIT_SERVICES, &n, &bench->err))
        fail_msg("%s of '%s' without a row on disk: %s", what, service, bench->err.text);
    for (size_t i = 0; i < n && i < 3; i++) {
        if (strcmp(list[i].name, service) == 0 && list[i].former == bench->before[2 - i].state)
            found = strcmp(what, "stop") != 0 || list[i].stopped;
    }
    store_close(&r);
    if (!found || n != 3)
        fail_msg("%s of '%s' before it was written down", what, service);
}

static void touch__any_service__written_down_before(void **state)
{
    (void)state;
    bench_open(&b, "kill");
    b.w.on_touch = check_written;
    b.w.arg = &b;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    bench_close(&b);
}

/* ---- random walks ---- */

static uint32_t walk_seed;

static uint32_t roll(uint32_t sides)
{
    walk_seed = walk_seed * 1664525u + 1013904223u;
    return (walk_seed >> 8) % sides;
}

static void random_step(void)
{
    static const char *const changes[] = {"CHG0012345", "CHG-B"};
    b.req.change = changes[roll(8) == 0];
    b.req.window = 3600 * (int64_t)(1 + roll(60));
    b.req.prepare_only = roll(4) == 0;
    b.req.take_over = roll(3) == 0;
    switch (roll(12)) {
    case 0:
    case 1:
        (void)bench_prepare(&b);
        break;
    case 2:
        (void)bench_finish(&b);
        break;
    case 3:
        (void)bench_abort(&b);
        break;
    case 4:
        (void)bench_extend(&b);
        break;
    case 5:
        b.w.hsm_away = !b.w.hsm_away && b.w.service[0].info.state == SVC_STOPPED;
        break;
    case 6:
        b.w.location[roll(9)].down = roll(3) == 0;
        break;
    case 7:
        b.w.die_at = b.w.calls + 1 + (long)roll(120);
        break;
    case 8:
        bench_restart(&b);
        (void)bench_reconcile(&b);
        break;
    default:
        b.w.now += roll(7200);
        b.w.mono_ms += 7200000;
        (void)bench_tick(&b);
    }
}

static void random_walks__fixed_seeds__always_lead_home(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 30; seed += THINNED) {
        walk_seed = seed;
        bench_open(&b, "kill");
        for (int i = 0; i < 40; i++) {
            random_step();
            if (b.w.crime[0] || b.w.service[2].starts)
                fail_msg("seed %u, step %d: %s", seed, i, b.w.crime);
        }
        for (size_t i = 0; i < b.w.n_locations; i++)
            b.w.location[i].down = false;
        lead_home("walk", (long)seed);
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill__at_every_call__ends_well),
        cmocka_unit_test(kill__twice__ends_well),
        cmocka_unit_test(store__full_at_every_write__nothing_left_stopped),
        cmocka_unit_test(touch__any_service__written_down_before),
        cmocka_unit_test(random_walks__fixed_seeds__always_lead_home),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
