/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What the CA itself holds as the reference of the continuous watch, and CRL numbers over time. */
#include "watch/own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "support/desk.h"
#include "unit/cmocka_unit.h"

static bool metrics_hold(struct desk *d, const char *text)
{
    SCOPED(buf_free) struct buf all = BUF_INIT;
    struct err err = ERR_INIT;
    if (file_read(d->metrics, 10000000, &all, &err))
        fail_msg("%s", err.text);
    return strstr(buf_str(&all), text) != NULL;
}

/* The CA signs new CRLs, which stay where they are. */
static void publish_only(struct desk *d)
{
    struct world *w = &d->b.w;
    for (uint32_t k = 0; k < w->keys; k++) {
        w->base[k].number++;
        w->base[k].this_update = w->now - 600;
        w->base[k].next_update = w->now + w->period;
        w->delta[k] = (struct world_crl){
            w->base[k].number, w->now - 600, w->base[k].next_update, true, k, 0, false};
    }
}

static void settle(struct desk *d)
{
    d->b.w.now += d->config.maintenance.propagation + 60;
    desk_look(d);
}

static void watch_look__published_and_copied_nowhere__told_after_propagation(void **state)
{
    struct desk *d = *state;
    desk_look(d);
    publish_only(d);
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_CRL_STALE), 0);
    d->b.w.now += d->config.maintenance.propagation / 2;
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_CRL_STALE), 0);
    settle(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_CRL_STALE), 4); /* keys, base and delta */
    assert_true(metrics_hold(
        d, "type=\"base\",cdp=\"http://crl/ca0.crl\",server=\"10.0.0.1\",scope=\"own\"} 0"));
    world_deliver_all(&d->b.w);
    desk_look(d);
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_FINDING_OVER), 4);
    assert_string_equal(d->b.w.crime, "");
}

static void watch_look__published_and_half_copied__no_alarm_before_propagation(void **state)
{
    struct desk *d = *state;
    desk_look(d);
    settle(d);
    publish_only(d);
    d->b.w.location[0].frozen = true;
    world_deliver_all(&d->b.w);
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_STALE_NODE), 0);
    assert_int_equal(world_count_event(&d->b.w, FIND_CRL_STALE), 0);
    settle(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_STALE_NODE), 1);
}

/* More often than the propagation time: what is old enough is missed all the same. */
static void watch_look__published_faster_than_copied__told(void **state)
{
    struct desk *d = *state;
    size_t told = 0;
    desk_look(d);
    for (int i = 0; i < 20; i++) {
        publish_only(d);
        d->b.w.now += d->config.maintenance.propagation / 10;
        desk_look(d);
        told += world_count_event(&d->b.w, FIND_CRL_STALE);
    }
    assert_int_equal(told, 4);
}

static void watch_look__published_then_ca_stopped_and_restart__told(void **state)
{
    struct desk *d = *state;
    desk_look(d);
    publish_only(d);
    desk_look(d);
    d->b.w.service[0].info.state = SVC_STOPPED;
    d->b.w.service[1].info.state = SVC_STOPPED;
    watch_free(&d->watch);
    bench_restart(&d->b);
    desk_wire(d);
    settle(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_CRL_STALE), 4);
    assert_string_equal(d->b.w.crime, "");
}

static void watch_look__stopped_ca_and_newer_served__no_reference(void **state)
{
    struct desk *d = *state;
    desk_look(d);
    d->b.w.service[0].info.state = SVC_STOPPED;
    d->b.w.service[1].info.state = SVC_STOPPED;
    publish_only(d);
    world_deliver_all(&d->b.w);
    SCOPED(look_free) struct look *l = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(watch_look(d->watch, &l, &err), ERR_OK);
    for (size_t i = 0; i < l->findings.n; i++)
        assert_int_not_equal(l->findings.item[i].id, FIND_CRL_NUMBER_AHEAD);
}

static void set_back(struct desk *d, uint64_t by)
{
    for (uint32_t k = 0; k < d->b.w.keys; k++) {
        d->b.w.base[k].number -= by;
        d->b.w.delta[k].number -= by;
        d->b.w.base[k].this_update = d->b.w.delta[k].this_update = d->b.w.now - 600;
    }
    world_deliver_all(&d->b.w);
}

static void watch_look__numbers_gone_back__held_until_exceeded(void **state)
{
    struct desk *d = *state;
    desk_look(d);
    set_back(d, 3);
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_CRL_NUMBER_REGRESS), 2);
    for (int i = 0; i < 3; i++) { /* the third reaches the former number with other bytes */
        publish_only(d);
        world_deliver_all(&d->b.w);
        for (int k = 0; k < 3; k++) {
            settle(d);
            assert_int_equal(world_count_event(&d->b.w, FIND_FINDING_OVER), 0);
        }
    }
    publish_only(d);
    world_deliver_all(&d->b.w);
    desk_look(d);
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_FINDING_OVER), 2);
}

static void watch_look__numbers_gone_back_over_a_restart__told(void **state)
{
    struct desk *d = *state;
    desk_look(d);
    watch_free(&d->watch);
    bench_restart(&d->b);
    desk_wire(d);
    set_back(d, 3);
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_CRL_NUMBER_REGRESS), 2);
    watch_free(&d->watch);
    bench_restart(&d->b);
    desk_wire(d);
    for (int i = 0; i < 4; i++) {
        desk_look(d);
        assert_int_equal(world_count_event(&d->b.w, FIND_FINDING_OVER), 0);
    }
}

static enum severity severity_of(struct desk *d, uint32_t id)
{
    SCOPED(look_free) struct look *l = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(watch_look(d->watch, &l, &err), ERR_OK);
    for (size_t i = 0; i < l->findings.n; i++) {
        if (l->findings.item[i].id == id)
            return l->findings.item[i].severity;
    }
    return SEV_OK;
}

static void watch_look__former_crl_expired__number_is_no_longer_critical(void **state)
{
    struct desk *d = *state;
    desk_look(d);
    set_back(d, 3);
    assert_int_equal(severity_of(d, FIND_CRL_NUMBER_REGRESS), SEV_CRITICAL);
    d->b.w.now += d->b.w.period + 60;
    assert_int_equal(severity_of(d, FIND_CRL_NUMBER_REGRESS), SEV_WARNING);
}

/* AD CS: one number for every CRL of a publish run. A week of deltas is no gap for the base. */
static void watch_look__weekly_base_daily_delta__no_gap(void **state)
{
    struct desk *d = *state;
    uint64_t number = d->b.w.base[0].number;
    desk_look(d);
    for (int day = 1; day <= 14; day++) {
        d->b.w.now += 86400;
        number++;
        for (uint32_t k = 0; k < d->b.w.keys; k++) {
            d->b.w.delta[k].number = number;
            d->b.w.delta[k].this_update = d->b.w.now - 600;
            if (day % 7 == 0)
                d->b.w.base[k].number = number;
        }
        world_deliver_all(&d->b.w);
        assert_int_equal(severity_of(d, FIND_CRL_NUMBER_GAP), SEV_OK);
    }
    d->b.w.base[0].number = number + 2;
    world_deliver_all(&d->b.w);
    assert_int_equal(severity_of(d, FIND_CRL_NUMBER_GAP), SEV_INFO);
    assert_int_equal(severity_of(d, FIND_CRL_NUMBER_GAP), SEV_OK);
}

/* ---- as clients see it, and what is above ---- */

static void watch_look__a_cache_serves_an_old_crl__told_and_over(void **state)
{
    struct desk *d = *state;
    struct world *w = &d->b.w;
    struct world_location *cache = &w->location[w->n_locations++];
    *cache = w->location[0];
    cache->address[0] = '\0';
    cache->as_client = true;
    desk_look(d);
    assert_int_equal(world_count_event(w, FIND_CACHE_SERVES_OLD), 0);
    settle(d);
    cache->frozen = true;
    publish_only(d);
    world_deliver_all(w);
    desk_look(d);
    assert_int_equal(world_count_event(w, FIND_CACHE_SERVES_OLD), 0);
    settle(d);
    assert_int_equal(world_count_event(w, FIND_CACHE_SERVES_OLD), 1);
    assert_int_equal(world_count_event(w, FIND_CRL_STALE), 0);
    cache->frozen = false;
    world_deliver_all(w);
    desk_look(d);
    desk_look(d);
    assert_int_equal(world_count_event(w, FIND_FINDING_OVER), 1);
}

/* Clients that cannot be asked for take nothing from what the servers have. */
static void watch_look__the_way_of_clients_is_closed__runway_is_that_of_the_servers(void **state)
{
    struct desk *d = *state;
    struct world *w = &d->b.w;
    struct world_location *cache = &w->location[w->n_locations++];
    SCOPED(look_free) struct look *l = NULL;
    struct err err = ERR_INIT;
    *cache = w->location[0];
    cache->address[0] = '\0';
    cache->as_client = cache->down = true;
    assert_int_equal(watch_look(d->watch, &l, &err), ERR_OK);
    assert_true(l->round.runway.weakest > 0);
}

static void watch_look__the_chain_ends_below_the_root__told_once(void **state)
{
    struct desk *d = *state;
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_PARENT_UNKNOWN), 0);
    (void)err_set(&d->b.w.unknown_parent, ERR_NOT_FOUND, "the certificate of 'CN=Root' is missing");
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_PARENT_UNKNOWN), 1);
    assert_non_null(strstr(d->b.w.last_text, "CN=Root"));
    desk_look(d);
    assert_int_equal(world_count_event(&d->b.w, FIND_PARENT_UNKNOWN), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, desk_begin, desk_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(watch_look__published_and_copied_nowhere__told_after_propagation),
        CASE(watch_look__published_and_half_copied__no_alarm_before_propagation),
        CASE(watch_look__published_faster_than_copied__told),
        CASE(watch_look__published_then_ca_stopped_and_restart__told),
        CASE(watch_look__stopped_ca_and_newer_served__no_reference),
        CASE(watch_look__numbers_gone_back__held_until_exceeded),
        CASE(watch_look__numbers_gone_back_over_a_restart__told),
        CASE(watch_look__former_crl_expired__number_is_no_longer_critical),
        CASE(watch_look__weekly_base_daily_delta__no_gap),
        CASE(watch_look__a_cache_serves_an_old_crl__told_and_over),
        CASE(watch_look__the_way_of_clients_is_closed__runway_is_that_of_the_servers),
        CASE(watch_look__the_chain_ends_below_the_root__told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
