/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Whom the command line may talk to, over a service control that plays a list of states. */
#include "cmocka_unit.h"

#include <string.h>

#include "agent/listener.h"

#define PID 4711

/* Before each sleep the first state counts, after the first sleep the second, and so on; the last
 * one stays. Negative: the query fails with that error. */
struct bench {
    const int *states;
    size_t n, at;
    int64_t ms;
    int queries;
};

static int query(void *self, const char *name, struct svc_info *ret, struct err *err)
{
    struct bench *b = self;
    int state = b->states[b->at];
    b->queries++;
    if (state < 0)
        return err_set(err, (enum err_code) - state, "no answer about '%s'", name);
    *ret = (struct svc_info){.state = (enum svc_state)state, .pid = state == SVC_STOPPED ? 0 : PID};
    return ERR_OK;
}
static int64_t mono(void *self)
{
    return ((struct bench *)self)->ms;
}
static int nap(void *self, int64_t ms)
{
    struct bench *b = self;
    b->ms += ms;
    b->at += b->at + 1 < b->n;
    return 0;
}

static int find(struct bench *b, uint32_t *pid, struct err *err)
{
    static const struct svc_ops ops = {.query = query};
    static const struct clock_ops clock_ops = {.mono_ms = mono, .sleep_ms = nap};
    const struct svc_control scm = {&ops, b};
    const struct clock clock = {&clock_ops, b};
    return listener_find(&scm, "crlagent", &clock, pid, err);
}

static void listener_find__known_and_not_running__unavailable_at_once(void **state)
{
    (void)state;
    static const int states[] = {SVC_STOPPED, SVC_STOP_PENDING, SVC_PAUSED, SVC_PAUSE_PENDING,
                                 SVC_CONTINUE_PENDING};
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        struct bench b = {.states = &states[i], .n = 1};
        struct err err = ERR_INIT;
        uint32_t pid = 99;
        assert_int_equal(find(&b, &pid, &err), ERR_UNAVAILABLE);
        assert_int_equal(pid, 99);
        assert_int_equal(b.queries, 1);
        assert_non_null(strstr(err.text, svc_state_name((enum svc_state)states[i])));
        assert_non_null(strstr(err.text, "nothing was sent"));
    }
}

static void listener_find__starting_for_ever__unavailable_after_its_time(void **state)
{
    (void)state;
    static const int states[] = {SVC_START_PENDING};
    struct bench b = {.states = states, .n = 1};
    struct err err = ERR_INIT;
    uint32_t pid;
    assert_int_equal(find(&b, &pid, &err), ERR_UNAVAILABLE);
    assert_int_equal(b.ms, LISTENER_START_MS);
    assert_non_null(strstr(err.text, "start pending"));
}

static void listener_find__start_that_fails__unavailable(void **state)
{
    (void)state;
    static const int states[] = {SVC_START_PENDING, SVC_START_PENDING, SVC_STOPPED};
    struct bench b = {.states = states, .n = 3};
    uint32_t pid;
    assert_int_equal(find(&b, &pid, NULL), ERR_UNAVAILABLE);
    assert_int_equal(b.queries, 3);
}

static void listener_find__runs_or_comes_to_run__its_process(void **state)
{
    (void)state;
    static const int states[] = {SVC_START_PENDING, SVC_START_PENDING, SVC_RUNNING};
    for (size_t first = 0; first < ARRAY_LEN(states); first++) {
        struct bench b = {.states = states + first, .n = ARRAY_LEN(states) - first};
        uint32_t pid = 0;
        assert_int_equal(find(&b, &pid, NULL), ERR_OK);
        assert_int_equal(pid, PID);
    }
}

static void listener_find__scm_does_not_say__owner_has_to_prove_it(void **state)
{
    (void)state;
    static const int states[] = {-ERR_NOT_FOUND, -ERR_DENIED, -ERR_UNAVAILABLE};
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        struct bench b = {.states = &states[i], .n = 1};
        uint32_t pid = 99;
        assert_int_equal(find(&b, &pid, NULL), ERR_OK);
        assert_int_equal(pid, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listener_find__known_and_not_running__unavailable_at_once),
        cmocka_unit_test(listener_find__starting_for_ever__unavailable_after_its_time),
        cmocka_unit_test(listener_find__start_that_fails__unavailable),
        cmocka_unit_test(listener_find__runs_or_comes_to_run__its_process),
        cmocka_unit_test(listener_find__scm_does_not_say__owner_has_to_prove_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
