/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "watch/alarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/when.h"
#include "unit/cmocka_unit.h"
#include "watch/told.h"

#define NOW 1764000000

struct bench {
    struct alarms alarms;
    struct findings findings;
    struct alarm_look look;
    int levels[8];
    struct alarm_news *news;
    size_t n;
};

static void look(struct bench *b)
{
    struct err err = ERR_INIT;
    free(b->news);
    b->news = NULL;
    b->look.findings = &b->findings;
    b->look.levels = b->levels;
    assert_int_equal(alarms_update(&b->alarms, &b->look, &b->news, &b->n, &err), ERR_OK);
    b->look.now += 300;
}

static struct finding *add(struct bench *b, uint32_t id, const char *url)
{
    struct finding *f = findings_add(&b->findings, id);
    assert_non_null(f);
    (void)str_copy(f->url, sizeof f->url, url);
    return f;
}

static void clear(struct bench *b)
{
    b->findings.n = 0;
}

static int begin(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->look = (struct alarm_look){.complete = true, .now = NOW};
    *state = b;
    return 0;
}

static int end(void **state)
{
    struct bench *b = *state;
    free(b->news);
    alarms_free(&b->alarms);
    findings_free(&b->findings);
    free(b);
    return 0;
}

static void alarms_read__broken__error_and_nothing_changed(void **state)
{
    static const char *const bad[] = {
        "",
        "alarms 2 0 0\n",
        "alarms 1 0 0\n4001\n",
        "alarms 1 0 0\n4001\t0\t9\t0\t0\t1\t1\t0\t0\t\thttp://a/\n",
        "alarms 1 0 0\n4001\t0\t3\t3\t0\t1\t1\t0\t0\tx\thttp://a/\tmore\n",
        "alarms 1 0 0\n4001\t0\tx\t3\t0\t1\t1\t0\t0\tx\thttp://a/\n",
    };
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = ERR_INIT;
        assert_int_equal(alarms_read(bad[i], &b->alarms, &err), ERR_PARSE);
        assert_null(b->alarms.item);
    }
}

static void alarms_update__appears_and_stays__told_once(void **state)
{
    struct bench *b = *state;
    add(b, FIND_STALE_NODE, "http://a/");
    look(b);
    assert_int_equal(b->n, 1);
    assert_int_equal(b->news[0].change, ALARM_RAISED);
    for (int i = 0; i < 500; i++) {
        look(b);
        assert_int_equal(b->n, 0);
    }
}

static void alarms_update__information__never_told(void **state)
{
    struct bench *b = *state;
    add(b, FIND_HTTP_REDIRECTED, "http://a/");
    look(b);
    assert_int_equal(b->n, 0);
    assert_int_equal(b->alarms.n, 0);
}

static void alarms_update__missing_once__not_over_yet(void **state)
{
    struct bench *b = *state;
    add(b, FIND_STALE_NODE, "http://a/");
    look(b);
    clear(b);
    look(b);
    assert_int_equal(b->n, 0);
    add(b, FIND_STALE_NODE, "http://a/");
    look(b);
    assert_int_equal(b->n, 0);
    clear(b);
    look(b);
    look(b);
    assert_int_equal(b->n, 1);
    assert_int_equal(b->news[0].change, ALARM_OVER);
    assert_int_equal(b->news[0].after, 300 * 4);
    assert_int_equal(b->alarms.n, 0);
}

static void alarms_update__look_failed__nothing_is_over(void **state)
{
    struct bench *b = *state;
    add(b, FIND_STALE_NODE, "http://a/");
    look(b);
    clear(b);
    b->look.complete = false;
    for (int i = 0; i < 5; i++) {
        look(b);
        assert_int_equal(b->n, 0);
    }
    assert_int_equal(b->alarms.n, 1);
}

static void alarms_update__worse__told_again_and_not_when_better(void **state)
{
    struct bench *b = *state;
    struct finding *f = add(b, FIND_CRL_EXPIRING, "http://a/");
    look(b);
    f->severity = SEV_CRITICAL;
    look(b);
    assert_int_equal(b->n, 1);
    assert_int_equal(b->news[0].change, ALARM_WORSE);
    f->severity = SEV_WARNING;
    look(b);
    assert_int_equal(b->n, 0);
}

static void alarms_update__runway_burns__told_at_each_level(void **state)
{
    struct bench *b = *state;
    size_t told = 0;
    add(b, FIND_CRL_OVERDUE, "http://a/");
    for (int64_t now = 0; now <= 100; now++) {
        b->levels[0] = alarm_level(0, 100, now);
        look(b);
        told += b->n;
    }
    assert_int_equal(told, 4); /* found, 50, 75, 90 */
    assert_int_equal(b->alarms.item[0].level, 3);
}

static void alarms_update__reminder_due__told_once_per_interval(void **state)
{
    struct bench *b = *state;
    size_t told = 0;
    b->look.reminder = 86400;
    add(b, FIND_STALE_NODE, "http://a/");
    for (int i = 0; i < 12 * 24 * 7; i++) {
        look(b);
        told += b->n;
        assert_true(!b->n || i == 0 || b->news[0].change == ALARM_REMINDER);
    }
    assert_int_equal(told, 7);
}

static void alarms_update__expected_in_maintenance__muted_counted_then_told(void **state)
{
    struct bench *b = *state;
    b->look.phase = ALARM_CA_DOWN;
    b->look.maintenance = 7;
    add(b, FIND_CRL_OVERDUE, "http://a/");
    look(b);
    look(b);
    assert_int_equal(b->n, 0);
    assert_int_equal(b->alarms.muted, 1);
    b->look.phase = ALARM_NORMAL;
    b->look.maintenance = 0;
    look(b);
    assert_int_equal(b->n, 1);
    assert_int_equal(b->news[0].change, ALARM_RAISED);
}

static void alarms_update__expected_and_over_before_the_end__never_told(void **state)
{
    struct bench *b = *state;
    b->look.phase = ALARM_PUBLISHING;
    b->look.maintenance = 7;
    add(b, FIND_STALE_NODE, "http://a/");
    look(b);
    clear(b);
    for (int i = 0; i < 4; i++) {
        look(b);
        assert_int_equal(b->n, 0);
    }
    assert_int_equal(b->alarms.n, 0);
    assert_int_equal(b->alarms.muted, 1);
}

static void alarms_update__stale_node_has_expired__never_muted(void **state)
{
    struct bench *b = *state;
    b->look.phase = ALARM_PUBLISHING;
    b->look.maintenance = 7;
    add(b, FIND_STALE_NODE, "http://a/");
    look(b);
    assert_int_equal(b->n, 0);
    b->findings.item[0].outage = true;
    look(b);
    assert_int_equal(b->n, 1);
    assert_int_equal(b->news[0].change, ALARM_RAISED);
}

static void alarm_expected__expiry__in_no_phase(void **state)
{
    static const uint32_t ids[] = {FIND_CRL_EXPIRED,        FIND_CRL_EXPIRING_SOON,
                                   FIND_CRL_EXPIRING,       FIND_NOTHING_USABLE,
                                   FIND_CA_CERT_EXPIRING,   FIND_PARENT_CRL_UNUSABLE,
                                   FIND_PARENT_CRL_EXPIRING};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        for (int phase = ALARM_NORMAL; phase <= ALARM_CA_DOWN; phase++)
            assert_false(alarm_expected(ids[i], (enum alarm_phase)phase));
    }
}

static void alarm_level__edges__known_values(void **state)
{
    (void)state;
    assert_int_equal(alarm_level(WHEN_NONE, 100, 50), 0);
    assert_int_equal(alarm_level(0, WHEN_NONE, 50), 0);
    assert_int_equal(alarm_level(100, 100, 100), 3);
    assert_int_equal(alarm_level(0, 100, -1), 0);
    assert_int_equal(alarm_level(0, 100, 49), 0);
    assert_int_equal(alarm_level(0, 100, 50), 1);
    assert_int_equal(alarm_level(0, 100, 75), 2);
    assert_int_equal(alarm_level(0, 100, 90), 3);
    assert_int_equal(alarm_level(0, 100, 1000), 3);
    assert_int_equal(alarm_level(INT64_MIN + 1, INT64_MAX, 0), 1);
}

static void alarms_update__more_than_the_limit__the_rest_left_out(void **state)
{
    struct bench *b = *state;
    int *levels = calloc(ALARMS_MAX + 10, sizeof *levels);
    struct err err = ERR_INIT;
    char url[64];
    assert_non_null(levels);
    for (int i = 0; i < ALARMS_MAX + 10; i++) {
        snprintf(url, sizeof url, "http://a/%d", i);
        add(b, FIND_STALE_NODE, url);
    }
    b->look.findings = &b->findings;
    b->look.levels = levels;
    assert_int_equal(alarms_update(&b->alarms, &b->look, &b->news, &b->n, &err), ERR_OK);
    assert_int_equal(b->n, ALARMS_MAX);
    free(levels);
}

static void alarms_write__read_back__nothing_told_twice(void **state)
{
    struct bench *b = *state;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    struct alarms back = {0};
    (void)str_copy(add(b, FIND_STALE_NODE, "http://a/x y.crl")->address, 80, "10.0.0.7");
    add(b, FIND_KEY_TEST_FAILED, "");
    look(b);
    assert_int_equal(b->n, 2);
    assert_int_equal(alarms_write(&b->alarms, &text, &err), ERR_OK);
    assert_int_equal(alarms_read(buf_str(&text), &back, &err), ERR_OK);
    alarms_free(&b->alarms);
    b->alarms = back;
    look(b);
    assert_int_equal(b->n, 0);
    assert_int_equal(b->alarms.n, 2);
}

static void told_event__kinds__stages_always_and_notices_never(void **state)
{
    (void)state;
    assert_false(told_event(0, SEV_CRITICAL, SEV_WARNING));
    assert_false(told_event(FIND_NOTICE_GIVEN_UP, SEV_CRITICAL, SEV_WARNING));
    assert_false(told_event(FIND_SERVICE_STARTED, SEV_INFO, SEV_WARNING));
    assert_false(told_event(FIND_NOT_PERMITTED, SEV_WARNING, SEV_CRITICAL));
    assert_true(told_event(FIND_MAINT_PREPARING, SEV_INFO, SEV_CRITICAL));
    assert_true(told_event(FIND_MAINT_CLOSED, SEV_INFO, SEV_CRITICAL));
    assert_true(told_event(FIND_MAINT_HELD, SEV_CRITICAL, SEV_CRITICAL));
}

static void told_title__mixed__the_worst_that_is_not_over_leads(void **state)
{
    (void)state;
    struct alarm_news news[3] = {
        {.change = ALARM_OVER, .finding = SIZE_MAX},
        {.change = ALARM_RAISED},
        {.change = ALARM_RAISED},
    };
    char title[200] = "";
    size_t worst;
    news[0].alarm.id = FIND_CRL_EXPIRED;
    news[0].alarm.severity = news[0].alarm.worst = SEV_CRITICAL;
    news[1].alarm.id = FIND_STALE_NODE;
    news[1].alarm.severity = news[1].alarm.worst = SEV_CRITICAL;
    news[2].alarm.id = FIND_CRL_OVERDUE;
    news[2].alarm.severity = news[2].alarm.worst = SEV_WARNING;
    told_title(news, 3, SEV_CRITICAL, "Lab CA", title, sizeof title, &worst);
    assert_int_equal(worst, 1);
    assert_non_null(strstr(title, "Lab CA: Some servers"));
    assert_non_null(strstr(title, "(1 new, 0 lasting, 1 over)"));
    told_title(news + 2, 1, SEV_CRITICAL, "", title, sizeof title, &worst);
    assert_true(worst == SIZE_MAX);
}

static void told_lines__mixed__worst_first_over_last(void **state)
{
    (void)state;
    struct alarm_news news[4] = {
        {.change = ALARM_OVER, .finding = SIZE_MAX},
        {.change = ALARM_RAISED, .finding = SIZE_MAX},
        {.change = ALARM_RAISED, .finding = SIZE_MAX},
        {.change = ALARM_RAISED, .finding = SIZE_MAX},
    };
    static const enum severity severities[] = {SEV_CRITICAL, SEV_WARNING, SEV_CRITICAL, SEV_INFO};
    const struct findings none = {0};
    struct buf out = BUF_INIT;
    for (size_t i = 0; i < 4; i++) {
        news[i].alarm.id = FIND_CRL_EXPIRED;
        news[i].alarm.severity = news[i].alarm.worst = severities[i];
        snprintf(news[i].alarm.url, sizeof news[i].alarm.url, "http://%zu.test/", i);
    }
    told_lines(news, 4, SEV_WARNING, &none, &out);
    const char *at[3] = {strstr(buf_str(&out), "//2.test"), strstr(buf_str(&out), "//1.test"),
                         strstr(buf_str(&out), "//0.test")};
    assert_true(at[0] && at[1] && at[2] && at[0] < at[1] && at[1] < at[2]);
    assert_null(strstr(buf_str(&out), "//3.test"));
    buf_free(&out);
}

static void told_report__stages__before_or_after(void **state)
{
    (void)state;
    assert_null(told_report(FIND_MAINT_PREPARING)); /* nothing was looked at yet */
    assert_null(told_report(FIND_CRL_EXPIRED));
    assert_string_equal(told_report(FIND_MAINT_READY), "before");
    assert_string_equal(told_report(FIND_MAINT_PAUSED), "before");
    assert_string_equal(told_report(FIND_MAINT_CLOSED), "after");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(alarms_read__broken__error_and_nothing_changed),
        CASE(alarms_update__appears_and_stays__told_once),
        CASE(alarms_update__information__never_told),
        CASE(alarms_update__missing_once__not_over_yet),
        CASE(alarms_update__look_failed__nothing_is_over),
        CASE(alarms_update__worse__told_again_and_not_when_better),
        CASE(alarms_update__runway_burns__told_at_each_level),
        CASE(alarms_update__reminder_due__told_once_per_interval),
        CASE(alarms_update__expected_in_maintenance__muted_counted_then_told),
        CASE(alarms_update__expected_and_over_before_the_end__never_told),
        CASE(alarms_update__stale_node_has_expired__never_muted),
        CASE(alarm_expected__expiry__in_no_phase),
        CASE(alarm_level__edges__known_values),
        CASE(alarms_update__more_than_the_limit__the_rest_left_out),
        CASE(alarms_write__read_back__nothing_told_twice),
        CASE(told_event__kinds__stages_always_and_notices_never),
        CASE(told_title__mixed__the_worst_that_is_not_over_leads),
        CASE(told_lines__mixed__worst_first_over_last),
        CASE(told_report__stages__before_or_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
