/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The reports that the tests of the renderings share. */
#ifndef CRLAGENT_TESTS_REPORT_LAB_H
#define CRLAGENT_TESTS_REPORT_LAB_H

#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "health/runway.h"
#include "report/report_int.h"

#define NOW 1763863200 /* 2025-11-23T02:00:00Z */
#define HOUR 3600
#define DAY (24 * HOUR)
#define LAB_PROBES 2000

/* Targets and results of one report; before has a set of its own. */
struct lab {
    struct probe_target t[LAB_PROBES];
    struct probe_result r[LAB_PROBES];
    size_t n;
    struct runway runway;
    struct report report;
};

static struct lab now_lab, before_lab;

static struct probe_result *add(struct lab *l, const char *url, const char *server, uint32_t key,
                                bool delta, int64_t left)
{
    struct probe_target *t = &l->t[l->n];
    struct probe_result *r = &l->r[l->n++];
    assert_true(str_copy(t->url, sizeof t->url, url));
    assert_true(str_copy(t->address, sizeof t->address, server));
    assert_true(str_copy(r->address, sizeof r->address, server));
    t->kind = str_starts(url, "ldap:") ? LOC_LDAP : str_starts(url, "http:") ? LOC_HTTP : LOC_FILE;
    t->role = delta ? ROLE_CRL_DELTA : ROLE_CRL_BASE;
    t->key_index = key;
    t->origin = FROM_CA_CDP;
    r->signature = CRL_SIG_GOOD;
    r->facts.number.len = 1;
    r->facts.number.bytes[0] = 42;
    r->facts.delta_base.len = delta;
    r->facts.this_update = NOW - DAY;
    r->facts.next_update = NOW + left;
    r->facts.next_publish = WHEN_NONE;
    return r;
}

static struct report *finish(struct lab *l)
{
    runway_compute(l->t, l->r, l->n, NOW, 600, &l->runway);
    l->report.generated = NOW;
    l->report.propagation = 600;
    l->report.targets = l->t;
    l->report.results = l->r;
    l->report.n = l->n;
    l->report.runway = &l->runway;
    (void)str_copy(l->report.ca, sizeof l->report.ca, "CN=Lab Issuing CA");
    return &l->report;
}

static void reset(void)
{
    memset(&now_lab, 0, sizeof now_lab);
    memset(&before_lab, 0, sizeof before_lab);
}

static inline void wanted(const char *got, const char *want)
{
    if (strcmp(got, want) != 0)
        fprintf(stderr, "got:\n%s\nexpected:\n%s\n", got, want);
    assert_string_equal(got, want);
}

/* The part of text from the first mark to the end mark after it. */
static inline void part_is(const struct buf *text, const char *from, const char *to,
                           const char *want)
{
    const char *a = strstr(buf_str(text), from);
    assert_non_null(a);
    const char *b = strstr(a, to);
    assert_non_null(b);
    char *part = test_malloc((size_t)(b - a) + 1);
    memcpy(part, a, (size_t)(b - a));
    part[b - a] = 0;
    wanted(part, want);
    test_free(part);
}

static struct report_maintenance window = {.id = "m-7",
                                           .change_id = "CHG0042",
                                           .owner = "Duty <Admin>",
                                           .reason = "HSM firmware",
                                           .state = "paused",
                                           .from = NOW - HOUR,
                                           .until = NOW + 3 * HOUR,
                                           .resume_by = NOW + 15 * HOUR,
                                           .muted = 4};
static const struct report_hsm hsm = {true, true, NOW - 600, 38, 35, 96, 1};
static const struct report_point history[] = {
    {NOW - 3 * DAY, 4 * DAY, -1},
    {NOW - 2 * DAY, 6 * DAY, 75},
    {NOW - DAY, INT64_MIN, -1},
};

/* Before: all good, and a location that is gone since. Now: one fails, one is older, one is new. */
static inline struct report *changed(void)
{
    reset();
    add(&before_lab, "http://a.test/lab.crl", "10.0.0.1", 0, false, 6 * DAY);
    add(&before_lab, "http://a.test/lab.crl", "10.0.0.2", 0, false, 6 * DAY);
    add(&before_lab, "http://a.test/lab+.crl", "10.0.0.1", 0, true, DAY);
    add(&before_lab, "http://old.test/lab.crl", "", 0, false, 6 * DAY);
    add(&now_lab, "http://a.test/lab.crl", "10.0.0.1", 0, false, 6 * DAY);
    add(&now_lab, "http://a.test/lab.crl", "10.0.0.2", 0, false, 5 * DAY)->facts.number.bytes[0] =
        41;
    now_lab.r[1].facts.sha256[0] = 1;
    add(&now_lab, "http://a.test/lab+.crl", "10.0.0.1", 0, true, DAY)->status = PROBE_TIMEOUT;
    add(&now_lab, "http://new.test/lab.crl", "", 0, false, 6 * DAY);
    struct report *r = finish(&now_lab);
    r->before = finish(&before_lab);
    before_lab.report.generated = NOW - DAY;
    (void)str_copy(r->phase, sizeof r->phase, "after");
    r->maintenance = &window;
    r->hsm = &hsm;
    r->history = history;
    r->n_history = ARRAY_LEN(history);
    return r;
}

#endif
