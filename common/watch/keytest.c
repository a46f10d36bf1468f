/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The HSM is watched every day, not only on the day of its upgrade: a test signature with each key,
 * its time, and whether that is unusual. */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "store/history.h"
#include "watch/watch.h"

#define TESTS_MAX 1000
/* Slow = both: so many times the median, and so many milliseconds. A few milliseconds more are the
 * network's mood. */
#define SLOW_TIMES 3
#define SLOW_MS 500
#define BASELINE_MIN 5 /* tests before there is a usual time */

int keytest_run(const struct watch_setup *s, const struct ca_view *view, bool *ret_failed,
                struct err *err)
{
    const struct key_probe *probe = &s->seams.key;
    *ret_failed = false;
    int rc = ERR_OK;
    for (size_t i = 0; i < view->n_keys && !rc; i++) {
        const struct ca_key *k = &view->key[i];
        if (!k->living || !k->cert.len)
            continue;
        struct key_probe_result r = {0};
        struct err why = ERR_INIT;
        int64_t began = clock_mono_ms(s->seams.clock);
        int bad = probe->probe(probe->self, (const uint8_t *)buf_str(&k->cert), k->cert.len,
                               s->config->ca.key_probe_timeout * 1000, &r, &why);
        struct store_keytest t = {.when = clock_now(s->seams.clock),
                                  .key_index = k->key_index,
                                  .good = bad == ERR_OK,
                                  .ms = bad ? clock_mono_ms(s->seams.clock) - began : r.sign_ms};
        (void)str_copy(t.detail, sizeof t.detail, bad ? why.text : r.detail);
        if (bad)
            *ret_failed = true;
        rc = store_keytest_add(s->store, &t, err);
    }
    return rc;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Median of the good tests of that key but the newest; -1 while there are too few. */
static int64_t baseline(const struct store_keytest *t, size_t n, uint32_t key)
{
    int64_t ms[TESTS_MAX];
    size_t count = 0, skipped = 0;
    for (size_t i = 0; i < n; i++) {
        if (t[i].key_index == key && t[i].good && skipped++)
            ms[count++] = t[i].ms;
    }
    if (count < BASELINE_MIN)
        return -1;
    qsort(ms, count, sizeof *ms, by_value);
    return ms[count / 2];
}

static int add_finding(struct findings *list, uint32_t id, const char *ca,
                       const struct store_keytest *t, int64_t usual, struct err *err)
{
    struct finding *f = findings_add(list, id);
    if (!f)
        return err_nomem(err);
    (void)str_copy(f->ca, sizeof f->ca, ca);
    f->key_index = t->key_index;
    if (t->good) {
        snprintf(f->expected, sizeof f->expected, "about %lld ms, as usual", (long long)usual);
        snprintf(f->found, sizeof f->found, "%lld ms", (long long)t->ms);
    } else {
        (void)str_copy(f->expected, sizeof f->expected, "a test signature that verifies");
        (void)str_copy(f->found, sizeof f->found, t->detail);
    }
    finding_fill_remedy(f);
    return ERR_OK;
}

static const struct store_keytest *newest(const struct store_keytest *t, size_t n, uint32_t key)
{
    for (size_t i = 0; i < n; i++) {
        if (t[i].key_index == key)
            return &t[i];
    }
    return NULL;
}

int keytest_judge(struct store *store, const char *ca, int64_t now, uint32_t keys,
                  struct report_hsm *ret, struct findings *findings, struct err *err)
{
    SCOPED(scope_free) struct store_keytest *t = calloc(TESTS_MAX, sizeof *t);
    size_t n = 0;
    (void)now;
    *ret = (struct report_hsm){.baseline_ms = -1, .good = true};
    int rc = t ? store_keytest_list(store, WHEN_NONE, t, TESTS_MAX, &n, err) : err_nomem(err);
    if (rc || !n)
        return rc;
    ret->known = true;
    ret->when = t[0].when;
    ret->samples = (uint32_t)n;
    for (size_t i = 0; i < n; i++)
        ret->failures += !t[i].good;
    for (uint32_t key = 0; key < keys && !rc; key++) {
        const struct store_keytest *last = newest(t, n, key);
        if (!last)
            continue;
        int64_t usual = baseline(t, n, key);
        bool slow =
            last->good && usual >= 0 && last->ms > usual * SLOW_TIMES && last->ms > usual + SLOW_MS;
        if (last->ms >= ret->latency_ms || !last->good) {
            ret->latency_ms = last->ms;
            ret->baseline_ms = usual;
        }
        ret->good = ret->good && last->good;
        if (!last->good || slow)
            rc = add_finding(findings, last->good ? FIND_KEY_TEST_SLOW : FIND_KEY_TEST_FAILED, ca,
                             last, usual, err);
    }
    return rc;
}
