/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/errand.h"
#include "base/str.h"
#include "base/when.h"
#include "cdp/fetch.h"
#include "cdp/fetch_blob.h"
#include "cdp/fetch_blocking.h"

#define LONG_MS 60000

/* How many wait behind the gate, and how many were dropped. */
static atomic_bool gate_open;
static atomic_int behind_gate, dropped;

static void nap(void)
{
    clock_sleep_ms(clock_system(), 5);
}

static void wait_for(const atomic_int *counter, int n)
{
    for (int i = 0; i < 4000 && atomic_load(counter) != n; i++)
        nap();
    assert_int_equal(atomic_load(counter), n);
}

static void stand_behind_gate(void)
{
    atomic_fetch_add(&behind_gate, 1);
    while (!atomic_load(&gate_open))
        nap();
    atomic_fetch_sub(&behind_gate, 1);
}

static int close_gate(void **state)
{
    (void)state;
    atomic_store(&gate_open, false);
    atomic_store(&dropped, 0);
    return 0;
}

struct job {
    struct errand errand;
    bool slow;
    int answer;
};

static void job_run(struct errand *e)
{
    struct job *j = (struct job *)(void *)e;
    if (j->slow)
        stand_behind_gate();
    j->answer += 1; /* a late one writes to its own memory */
}

static void job_drop(struct errand *e)
{
    free(e);
    atomic_fetch_add(&dropped, 1);
}

static struct errand *job(bool slow, int answer)
{
    struct job *j = calloc(1, sizeof *j);
    assert_non_null(j);
    *j = (struct job){{job_run, job_drop}, slow, answer};
    return &j->errand;
}

static void errands_next__none_sent__false(void **state)
{
    (void)state;
    struct errands *s = NULL;
    struct errand_end end;
    assert_int_equal(errands_new(&s, NULL), ERR_OK);
    assert_false(errands_next(s, &end));
    errands_free(&s);
    assert_null(s);
    errands_free(&s);
}

static void errand_run__in_time__callers_again(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct errand *e = job(false, 41);
    assert_int_equal(errand_run(e, LONG_MS, &err), ERR_OK);
    assert_int_equal(((struct job *)(void *)e)->answer, 42);
    assert_int_equal(atomic_load(&dropped), 0);
    e->drop(e);
}

static void errand_run__late__left_behind_cleans_up_alone(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(errand_run(job(true, 0), 20, &err), ERR_TIMEOUT);
    assert_string_equal(err.text, "no answer within 20 ms");
    assert_int_equal(atomic_load(&dropped), 0);
    atomic_store(&gate_open, true);
    wait_for(&dropped, 1);
}

static void errands_next__one_late__others_come_back(void **state)
{
    (void)state;
    struct errands *s = NULL;
    struct errand_end end;
    size_t late = 0, back = 0;
    assert_int_equal(errands_new(&s, NULL), ERR_OK);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(errands_send(s, job(i == 3, (int)i), i, i == 3 ? 50 : LONG_MS, NULL),
                         ERR_OK);
    while (errands_next(s, &end)) {
        if (!end.errand) {
            assert_int_equal(end.tag, 3);
            late++;
            continue;
        }
        assert_int_equal(((struct job *)(void *)end.errand)->answer, (int)end.tag + 1);
        end.errand->drop(end.errand);
        back++;
    }
    assert_int_equal(late, 1);
    assert_int_equal(back, 7);
    errands_free(&s);
    atomic_store(&gate_open, true);
    wait_for(&dropped, 8);
}

static void errands_free__under_way_and_back__each_dropped_once(void **state)
{
    (void)state;
    struct errands *s = NULL;
    assert_int_equal(errands_new(&s, NULL), ERR_OK);
    assert_int_equal(errands_send(s, job(true, 0), 0, LONG_MS, NULL), ERR_OK);
    assert_int_equal(errands_send(s, job(false, 0), 1, LONG_MS, NULL), ERR_OK);
    wait_for(&behind_gate, 1);
    errands_free(&s);
    atomic_store(&gate_open, true);
    wait_for(&dropped, 2);
}

/* ---- the prober: a directory that does not answer beside one that does ---- */

static void fake_fetch(void *self, const struct ldap_request *rq,
                       int (*on_value)(void *arg, const void *data, size_t len), void *arg,
                       struct ldap_answer *ret)
{
    (void)self;
    memset(ret, 0, sizeof *ret);
    if (strcmp(rq->server, "silent.test") == 0)
        stand_behind_gate();
    ret->status = PROBE_OK;
    (void)on_value(arg, "no crl", 6);
    ret->values = 1;
}

static const struct ldap_fetcher fake_ldap = {fake_fetch, NULL, NULL};

static void fill(struct probe_target *t, const char *host, size_t i)
{
    memset(t, 0, sizeof *t);
    snprintf(t->url, sizeof t->url, "ldap://%s/cn=%zu?certificateRevocationList", host, i);
    t->kind = LOC_LDAP;
    t->timeout_ms = strcmp(host, "silent.test") == 0 ? 50 : LONG_MS;
}

static void prober_run__silent_directory__timeout_and_the_rest(void **state)
{
    (void)state;
    enum { SILENT = 40, GOOD = 20, N = SILENT + GOOD };
    struct probe_target *t = calloc(N, sizeof *t);
    struct probe_result *r = calloc(N, sizeof *r);
    const struct fetch_options opt = {.ldap = &fake_ldap, .clock = clock_system()};
    struct prober prober = {0};
    struct err err = ERR_INIT;
    size_t asked = 0;
    assert_non_null(t);
    assert_non_null(r);
    for (size_t i = 0; i < N; i++)
        fill(&t[i], i < SILENT ? "silent.test" : "good.test", i);
    assert_int_equal(fetch_setup(&err), ERR_OK);
    assert_int_equal(fetch_prober_new(&opt, &prober, &err), ERR_OK);
    assert_int_equal(prober.run(prober.self, t, N, NULL, r, &err), ERR_OK);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(r[i].status, i < SILENT ? PROBE_TIMEOUT : PROBE_NOT_A_CRL);
        if (i < SILENT) {
            assert_string_equal(r[i].address, "silent.test");
            asked += strstr(r[i].detail, "did not come back within 50 ms") != NULL;
        }
    }
    /* Not one thread for each of them. */
    assert_in_range(asked, FETCH_STUCK_PER_SERVER,
                    FETCH_STUCK_PER_SERVER + FETCH_BLOCKING_THREADS - 1);
    assert_non_null(strstr(r[SILENT - 1].detail, "not asked"));
    fetch_prober_free(&prober);
    free(t); /* what comes back later has its own */
    free(r);
    wait_for(&behind_gate, (int)asked);
    atomic_store(&gate_open, true);
    wait_for(&behind_gate, 0);
}

static void fetch_blob__silent_directory__timeout(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct buf got = BUF_INIT;
    const struct fetch_options opt = {.ldap = &fake_ldap, .clock = clock_system()};
    assert_int_equal(fetch_blob(&opt, "ldap://silent.test/cn=x?cACertificate", 50, &got, &err),
                     ERR_TIMEOUT);
    assert_int_equal(got.len, 0);
    assert_int_equal(fetch_blob(&opt, "ldap://good.test/cn=x?cACertificate", LONG_MS, &got, &err),
                     ERR_OK);
    assert_string_equal(buf_str(&got), "no crl");
    atomic_store(&gate_open, true);
    wait_for(&behind_gate, 0);
    buf_free(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(errands_next__none_sent__false, close_gate),
        cmocka_unit_test_setup(errand_run__in_time__callers_again, close_gate),
        cmocka_unit_test_setup(errand_run__late__left_behind_cleans_up_alone, close_gate),
        cmocka_unit_test_setup(errands_next__one_late__others_come_back, close_gate),
        cmocka_unit_test_setup(errands_free__under_way_and_back__each_dropped_once, close_gate),
        cmocka_unit_test_setup(prober_run__silent_directory__timeout_and_the_rest, close_gate),
        cmocka_unit_test_setup(fetch_blob__silent_directory__timeout, close_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
