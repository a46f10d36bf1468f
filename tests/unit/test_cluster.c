/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A clustered CA: the seam of ca/cluster.h between the real engine and a cluster of the world. */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "support/bench.h"

static struct bench b;

static int setup(void **state)
{
    (void)state;
    bench_open(&b, "cluster");
    bench_cluster(&b);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_close(&b);
    return 0;
}

static struct world_resource *ca(void)
{
    return &b.w.cluster.resource[0];
}

static int turns(void)
{
    int n = 0;
    for (size_t i = 0; i < b.w.cluster.n; i++)
        n += b.w.cluster.resource[i].turns;
    return n;
}

static void expect_text(const char *part)
{
    if (!strstr(b.a.err.text, part))
        fail_msg("'%s' is not in '%s'", part, b.a.err.text);
}

static void prepare__other_node_owns_it__refused_and_names_the_owner(void **state)
{
    (void)state;
    b.w.cluster.away = true;
    b.w.service[0].info.state = SVC_STOPPED;
    b.w.service[1].info.state = SVC_STOPPED;
    bench_expect(&b, bench_prepare(&b), MAINT_GATE_REFUSED);
    expect_text("CA02");
    expect_text("Lab CA");
    assert_int_equal(b.a.state, MAINT_REFUSED);
    b.req.dry_run = true;
    bench_expect(&b, bench_prepare(&b), MAINT_GATE_REFUSED);
    expect_text("CA02");
    assert_int_equal(turns(), 0);
    assert_int_equal(b.w.publishes, 0);
}

static void prepare__moves_between_ready_and_pause__refused(void **state)
{
    (void)state;
    b.req.prepare_only = true;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    b.req.prepare_only = false;
    b.w.cluster.away = true;
    bench_expect(&b, bench_prepare(&b), MAINT_GATE_REFUSED);
    assert_int_equal(b.a.state, MAINT_ABORTED);
    assert_int_equal(turns(), 0);
}

static void prepare__cluster_does_not_answer__nothing_touched(void **state)
{
    (void)state;
    b.w.cluster.deaf = true;
    bench_expect(&b, bench_prepare(&b), MAINT_FAILED);
    expect_text("is not known, so nothing is done to it");
    assert_true(bench_restored(&b));
    assert_int_equal(turns(), 0);
}

static void prepare__resource_failed_or_service_outside__gate_refuses(void **state)
{
    (void)state;
    /* It ran once, so that its keys are known. */
    b.req.dry_run = true;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    b.req.dry_run = false;
    ca()->state = CLUSTER_OFFLINE;
    bench_expect(&b, bench_prepare(&b), MAINT_GATE_REFUSED);
    expect_text("started outside the cluster");
    b.w.service[0].info.state = SVC_STOPPED;
    ca()->state = CLUSTER_FAILED;
    bench_expect(&b, bench_prepare(&b), MAINT_GATE_REFUSED);
    expect_text("failed");
    assert_int_equal(turns(), 0);
}

static void pause_and_finish__clustered__through_the_cluster_alone(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    assert_int_equal(ca()->state, CLUSTER_OFFLINE);
    assert_true(ca()->persistent_down);
    assert_int_equal(b.w.cluster.resource[1].state, CLUSTER_ONLINE); /* the disk */
    assert_int_equal(b.w.cluster.resource[1].turns, 0);
    assert_int_equal(b.w.cluster.resource[2].state, CLUSTER_OFFLINE);
    assert_int_equal(b.w.cluster.resource[3].state, CLUSTER_OFFLINE);
    assert_int_equal(b.w.service[0].info.state, SVC_STOPPED);
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_true(bench_restored(&b));
    assert_true(b.a.comparison.good);
    assert_int_equal(b.w.service[2].starts, 0);
}

static void pause__cluster_refuses__undone(void **state)
{
    (void)state;
    ca()->refuses = true;
    bench_expect(&b, bench_prepare(&b), MAINT_PAUSE_FAILED);
    expect_text("the cluster refuses");
    assert_true(bench_restored(&b));
}

static void pause__offline_pending_for_ever__held_then_restored(void **state)
{
    (void)state;
    ca()->lame = true;
    bench_expect(&b, bench_prepare(&b), MAINT_RESUME_HELD);
    expect_text("stop pending: cluster resource 'Lab CA' on CA01");
    assert_int_equal(b.a.state, MAINT_HELD);
    ca()->lame = false;
    bench_expect(&b, bench_abort(&b), MAINT_DONE);
    assert_true(bench_restored(&b));
}

static void tick__role_moves__told_held_offline_and_no_start_there(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    bench_expect(&b, bench_tick(&b), MAINT_DONE);
    int64_t next = maint_next_tick(b.m);
    assert_true(next != WHEN_NONE && next <= b.w.now + 60);
    b.w.cluster.away = true;
    for (int i = 0; i < 3; i++) {
        b.w.now += 60;
        bench_expect(&b, bench_tick(&b), MAINT_DONE);
    }
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_FAILED_OVER), 1);
    bench_expect(&b, bench_finish(&b), MAINT_RESUME_HELD);
    expect_text("CA02");
    assert_int_equal(ca()->state, CLUSTER_OFFLINE);
    assert_true(ca()->persistent_down);
    b.w.cluster.away = false;
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_true(bench_restored(&b));
}

static void finish__does_not_come_online__held_with_the_state(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    b.w.service[0].fails_start = true;
    bench_expect(&b, bench_finish(&b), MAINT_RESUME_HELD);
    expect_text("cluster resource 'Lab CA' on CA01, failed");
    assert_int_equal(b.a.state, MAINT_HELD);
    b.w.service[0].fails_start = false;
    b.w.now += 60;
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_true(bench_restored(&b));
}

/* The cluster's own answer to a failure here: it tries the other node. */
static void finish__comes_online_on_the_other_node__told_and_held(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    b.w.service[0].fails_start = true;
    b.w.cluster.bounces = true;
    bench_expect(&b, bench_finish(&b), MAINT_RESUME_HELD);
    expect_text("CA02");
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_FAILED_OVER), 1);
    /* Somebody moves the role back, and it comes online. */
    b.w.service[0].fails_start = b.w.cluster.bounces = b.w.cluster.away = false;
    b.w.service[0].info.state = SVC_RUNNING;
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_true(bench_restored(&b));
}

static void tick__somebody_brings_it_online__alarm_or_offline_again(void **state)
{
    (void)state;
    for (int again = 0; again < 2; again++) {
        b.policy.watch = again ? WATCH_STOP_AGAIN : WATCH_ALARM;
        maint_set_policy(b.m, &b.policy);
        bench_expect(&b, bench_prepare(&b), MAINT_DONE);
        ca()->state = CLUSTER_ONLINE;
        ca()->persistent_down = false;
        b.w.service[0].info.state = SVC_RUNNING;
        bench_expect(&b, bench_tick(&b), MAINT_DONE);
        assert_int_equal(ca()->state, again ? CLUSTER_OFFLINE : CLUSTER_ONLINE);
        if (!again)
            assert_non_null(strstr(b.w.last_text, "Stop-ClusterResource \"Lab CA\""));
        b.w.now += 60;
        bench_expect(&b, bench_finish(&b), MAINT_DONE);
        assert_true(bench_restored(&b));
        b.req.change = "CHG-2";
    }
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_CA_STARTED), 1);
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_CA_STOPPED_AGAIN), 1);
}

static void tick__started_outside_the_cluster__alarm_never_touched(void **state)
{
    (void)state;
    b.policy.watch = WATCH_STOP_AGAIN;
    maint_set_policy(b.m, &b.policy);
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    b.w.service[0].info.state = SVC_RUNNING;
    bench_expect(&b, bench_tick(&b), MAINT_DONE);
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_CA_STARTED), 1);
    assert_non_null(strstr(b.w.last_text, "started outside the cluster"));
    assert_non_null(strstr(b.w.last_text, "net stop"));
    assert_int_equal(b.w.service[0].info.state, SVC_RUNNING);
    assert_string_equal(b.w.crime, "");
}

static void tick__cluster_does_not_answer__told_once_and_deadline_holds(void **state)
{
    (void)state;
    bench_expect(&b, bench_prepare(&b), MAINT_DONE);
    b.w.cluster.deaf = true;
    bench_expect(&b, bench_tick(&b), MAINT_DONE);
    bench_expect(&b, bench_tick(&b), MAINT_DONE);
    assert_int_equal(world_count_event(&b.w, FIND_MAINT_WATCH_BLIND), 1);
    b.w.now = b.a.row.deadline + 1;
    bench_expect(&b, bench_tick(&b), MAINT_DEADLINE_PASSED);
    assert_int_equal(b.a.state, MAINT_HELD);
    b.w.cluster.deaf = false;
    bench_expect(&b, bench_finish(&b), MAINT_DONE);
    assert_true(bench_restored(&b));
}

static void services_seam__names__resource_or_service(void **state)
{
    (void)state;
    const struct svc_control *svc = &b.seams.svc;
    struct err err = ERR_INIT;
    struct svc_info info, list[8];
    char text[SVC_TEXT_MAX];
    size_t n = 0;
    assert_int_equal(svc->ops->query(svc->self, "cluster:No Such", &info, &err), ERR_NOT_FOUND);
    assert_int_equal(svc->ops->query(svc->self, "NoSuch", &info, &err), ERR_NOT_FOUND);
    assert_int_equal(svc->ops->query(svc->self, "certsvc", &info, &err), ERR_OK);
    assert_string_equal(info.resource, "Lab CA");
    assert_int_equal(info.start, SVC_DEMAND);
    assert_string_equal(svc_info_text(&info, text), "running: cluster resource 'Lab CA' on CA01");
    assert_int_equal(svc->ops->query(svc->self, "StoppedDependant", &info, &err), ERR_OK);
    assert_string_equal(info.resource, "");
    assert_string_equal(svc_info_text(&info, text), "stopped");
    assert_int_equal(svc->ops->set_start(svc->self, "CertSvc", SVC_AUTO, false, &err),
                     ERR_UNSUPPORTED);
    assert_int_equal(svc->ops->dependants(svc->self, "CertSvc", list, 8, &n, &err), ERR_OK);
    assert_int_equal(n, 3);
    assert_string_equal(list[0].name, "RunningDependant");
    assert_string_equal(list[1].name, "cluster:Lab Web");
    assert_string_equal(list[2].name, "StoppedDependant");
    assert_int_equal(svc->ops->dependants(svc->self, "CertSvc", list, 2, &n, &err), ERR_LIMIT);
    for (int s = -1; s < 140; s++)
        assert_non_null(cluster_state_name((enum cluster_state)s));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(prepare__other_node_owns_it__refused_and_names_the_owner),
        CASE(prepare__moves_between_ready_and_pause__refused),
        CASE(prepare__cluster_does_not_answer__nothing_touched),
        CASE(prepare__resource_failed_or_service_outside__gate_refuses),
        CASE(pause_and_finish__clustered__through_the_cluster_alone),
        CASE(pause__cluster_refuses__undone),
        CASE(pause__offline_pending_for_ever__held_then_restored),
        CASE(tick__role_moves__told_held_offline_and_no_start_there),
        CASE(finish__does_not_come_online__held_with_the_state),
        CASE(finish__comes_online_on_the_other_node__told_and_held),
        CASE(tick__somebody_brings_it_online__alarm_or_offline_again),
        CASE(tick__started_outside_the_cluster__alarm_never_touched),
        CASE(tick__cluster_does_not_answer__told_once_and_deadline_holds),
        CASE(services_seam__names__resource_or_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
