/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The work of the service over simulated days: engine, watch, store, queue of notices, reports and
 * evidence, on one injected clock; a CRL change each hour, a whole maintenance four times a day, a
 * location that comes and goes, a webhook that is never there. What must not grow: memory, handles,
 * the store beyond what it is told to keep. CRLA_SOAK_DAYS: how many days (default 1); figures are
 * printed. */
#ifdef _WIN32
#define PSAPI_VERSION 2 /* in kernel32 */
#include <windows.h>
#include <psapi.h>
#else
#include <dirent.h>
#include <malloc.h>
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "store/history.h"
#include "support/desk.h"
#include "unit/cmocka_unit.h"
#include "watch/bundle.h"
#include "watch/watch.h"

#define HOUR 3600
#define MAINTENANCE_BYTES 16384 /* rows of one maintenance and its audit: kept for ever */
#define NOTICE_BYTES 4096       /* the row of one that was sent: kept for thirty days */
#define MEMORY_SLACK 1048576    /* caches of SQLite and of the C library */

struct usage {
    uint64_t memory; /* bytes in use; 0 = cannot be told in this build */
    uint64_t handles;
    uint64_t store; /* bytes in use in the database */
    uint64_t rows;  /* of probe history */
};

struct soak {
    struct desk desk;
    struct notify_channel channel[NOTIFY_CHANNELS_MAX];
    size_t n_channels;
    int looks, maintenances, changes, notices;
    struct usage half;
};

#ifdef _WIN32
/* Wine tells neither private bytes nor the number of handles: then the working set, and the lowest
 * handle that is free (new ones take the lowest). */
static void system_usage(struct usage *ret)
{
    PROCESS_MEMORY_COUNTERS_EX memory = {.cb = sizeof memory};
    DWORD handles = 0;
    HANDLE lowest = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (GetProcessMemoryInfo(GetCurrentProcess(), (PROCESS_MEMORY_COUNTERS *)&memory,
                             sizeof memory))
        ret->memory = memory.PrivateUsage ? memory.PrivateUsage : memory.WorkingSetSize;
    if (!GetProcessHandleCount(GetCurrentProcess(), &handles) || !handles)
        handles = (DWORD)((uintptr_t)lowest / 4);
    ret->handles = handles;
    CloseHandle(lowest);
}
#else
/* With the address sanitizer the C library counts nothing; leaks are its own matter then. */
static void system_usage(struct usage *ret)
{
    DIR *open = opendir("/proc/self/fd");
    while (open && readdir(open))
        ret->handles++;
    if (open)
        closedir(open);
    ret->memory = mallinfo2().uordblks;
}
#endif

static uint64_t pragma(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *q = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    uint64_t n = (uint64_t)sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return n;
}

/* Pages that hold something: free ones are used again before the file grows. */
static uint64_t store_bytes(const char *path)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    uint64_t pages = pragma(db, "PRAGMA page_count") - pragma(db, "PRAGMA freelist_count");
    uint64_t bytes = pages * pragma(db, "PRAGMA page_size");
    sqlite3_close(db);
    return bytes;
}

static struct usage measure(struct soak *d)
{
    struct usage u = {0};
    struct err err = ERR_INIT;
    struct store_probe *rows = calloc(100000, sizeof *rows);
    size_t n = 0;
    assert_non_null(rows);
    maint_answer_free(&d->desk.b.a);
    assert_int_equal(store_probe_list(d->desk.b.store, "", 0, rows, 100000, &n, &err), ERR_OK);
    free(rows);
    u.rows = n;
    u.store = store_bytes(d->desk.b.path);
    system_usage(&u);
    return u;
}

static int begin(void **state)
{
    static const char text[] = "<crlagent version=\"1\"><notify><minimum>warning</minimum>"
                               "<webhook-url>http://127.0.0.1:1/x</webhook-url></notify>"
                               "</crlagent>";
    struct soak *d = calloc(1, sizeof *d);
    assert_non_null(d);
    bench_open(&d->desk.b, "soak");
    if (config_parse("test", text, strlen(text), &d->desk.config, NULL, &d->desk.b.err))
        fail_msg("%s", d->desk.b.err.text);
    d->desk.config.probe.history = 6 * HOUR; /* shorter than a file may say */
    d->n_channels = notify_channels(&d->desk.config, d->channel);
    assert_int_equal(d->n_channels, 1);
    snprintf(d->desk.metrics, sizeof d->desk.metrics, "%s/crlagent.prom", d->desk.b.dir);
    desk_wire(&d->desk);
    *state = d;
    return 0;
}

static int end(void **state)
{
    struct soak *d = *state;
    watch_free(&d->desk.watch);
    config_free(&d->desk.config);
    bench_close(&d->desk.b);
    free(d);
    return 0;
}

/* The CA publishes, as it does by itself, while it runs. */
static void publish(struct soak *d)
{
    struct world *w = &d->desk.b.w;
    if (w->service[0].info.state != SVC_RUNNING)
        return;
    for (size_t k = 0; k < w->keys; k++) {
        w->base[k].number++;
        w->base[k].this_update = w->now - 600;
        w->base[k].next_update = w->now + 7 * 24 * HOUR;
        w->delta[k].number++;
        w->delta[k].this_update = w->now - 600;
        w->delta[k].next_update = w->now + 24 * HOUR;
    }
    world_deliver_all(w);
    d->changes++;
}

static void render(struct soak *d, const struct look *l)
{
    static const enum report_format formats[] = {REPORT_HTML, REPORT_JSON, REPORT_METRICS};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        SCOPED(buf_free) struct buf out = BUF_INIT;
        int code;
        if (look_render(l, d->desk.b.store, "soak", formats[i], SEV_WARNING, &out, &code,
                        &d->desk.b.err))
            fail_msg("%s", d->desk.b.err.text);
        assert_true(out.len > 100);
    }
}

/* One look, what it has to tell, and what waits to be sent; then until is the time. */
static void look(struct soak *d, int64_t until)
{
    SCOPED(look_free) struct look *l = NULL;
    struct world *w = &d->desk.b.w;
    w->n_events = 0;
    w->location[0].down = d->looks++ % 12 < 3;
    if (watch_look(d->desk.watch, &l, &d->desk.b.err))
        fail_msg("%s", d->desk.b.err.text);
    if (d->looks % 12 == 0)
        render(d, l);
    assert_int_equal(notify_flush(d->desk.b.store, d->channel, NULL, w->now,
                                  &d->desk.setup.seams.events, &d->desk.b.err),
                     ERR_OK);
    if (until > w->now) {
        w->mono_ms += (until - w->now) * 1000;
        w->now = until;
    }
}

/* The webhook is there again and takes everything. */
static void delivered(struct soak *d)
{
    struct store_notice due[64];
    size_t n = 0;
    do {
        assert_int_equal(
            store_notice_due(d->desk.b.store, NULL, INT64_MAX, due, 64, &n, &d->desk.b.err),
            ERR_OK);
        for (size_t i = 0; i < n; i++, d->notices++)
            assert_int_equal(
                store_notice_sent(d->desk.b.store, due[i].id, d->desk.b.w.now, &d->desk.b.err),
                ERR_OK);
    } while (n == 64);
}

static void evidence(struct soak *d)
{
    SCOPED(buf_free) struct buf out = BUF_INIT;
    char head[65];
    if (bundle_make(d->desk.b.store, d->maintenances, "Lab CA", "{\"outcome\":\"done\"}",
                    d->desk.b.w.now, &out, head, &d->desk.b.err))
        fail_msg("%s", d->desk.b.err.text);
}

/* An hour without the HSM: every minute a tick and a look. */
static void maintenance(struct soak *d)
{
    struct world *w = &d->desk.b.w;
    char change[32];
    snprintf(change, sizeof change, "CHG%07d", ++d->maintenances);
    d->desk.b.req.change = change;
    w->location[0].down = false;
    bench_expect(&d->desk.b, bench_prepare(&d->desk.b), MAINT_DONE);
    w->hsm_away = true;
    for (int minute = 0; minute < 60; minute++) {
        look(d, w->now + 60);
        (void)bench_tick(&d->desk.b);
    }
    w->hsm_away = w->location[0].down = false;
    bench_expect(&d->desk.b, bench_finish(&d->desk.b), MAINT_DONE);
    assert_true(bench_restored(&d->desk.b));
    evidence(d);
}

static void hour(struct soak *d, int n)
{
    struct world *w = &d->desk.b.w;
    int64_t over = w->now + HOUR;
    publish(d);
    delivered(d);
    if (n % 6 == 2)
        maintenance(d);
    while (w->now < over) {
        int64_t due = watch_next(d->desk.watch);
        look(d, due > w->now ? due : w->now + 60);
    }
}

static void show(const struct soak *d, int hours, const struct usage *u)
{
    printf("soak %4d h: %d changes of CRLs, %d looks, %d maintenances, %d notices: memory %llu "
           "KiB, handles "
           "%llu, store %llu KiB, probe rows %llu\n",
           hours, d->changes, d->looks, d->maintenances, d->notices,
           (unsigned long long)u->memory / 1024, (unsigned long long)u->handles,
           (unsigned long long)u->store / 1024, (unsigned long long)u->rows);
}

/* The first half of the time fills what is kept; the second may not add to it. */
static void service_soak__days_of_hourly_crls__nothing_grows(void **state)
{
    struct soak *d = *state;
    const char *asked = getenv("CRLA_SOAK_DAYS");
    int hours = 24 * (asked ? (int)strtol(asked, NULL, 10) : 1), at_half = 0, notices_at_half = 0;
    for (int h = 0; h < hours; h++) {
        hour(d, h);
        if (h + 1 == hours / 2) {
            delivered(d);
            d->half = measure(d);
            at_half = d->maintenances;
            notices_at_half = d->notices;
            show(d, h + 1, &d->half);
        }
    }
    delivered(d);
    struct usage now = measure(d);
    show(d, hours, &now);
    assert_true(d->looks > 8 * hours && d->changes >= hours - d->maintenances);
    assert_int_equal(d->maintenances, hours / 6);
    assert_int_equal(now.handles, d->half.handles);
    assert_true(now.rows <= d->half.rows + d->half.rows / 10);
    if (now.memory > d->half.memory + MEMORY_SLACK)
        fail_msg("memory grew from %llu to %llu bytes", (unsigned long long)d->half.memory,
                 (unsigned long long)now.memory);
    uint64_t kept = (uint64_t)(d->maintenances - at_half) * MAINTENANCE_BYTES +
                    (uint64_t)(d->notices - notices_at_half) * NOTICE_BYTES;
    if (now.store > d->half.store + d->half.store / 10 + kept)
        fail_msg("the store grew from %llu to %llu bytes", (unsigned long long)d->half.store,
                 (unsigned long long)now.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(service_soak__days_of_hourly_crls__nothing_grows, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
