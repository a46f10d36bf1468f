/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/scope.h"
#include "base/str.h"
#include "base/when.h"
#include "store/history.h"
#include "store/maintenance.h"
#include "support/scratch.h"

#define NOW 1763892620 /* 2025-11-23T10:10:20Z */

static char dir[SCRATCH_MAX];
static char path[SCRATCH_MAX + 16];
static struct err err;

static int set_up(void **state)
{
    (void)state;
    scratch_make("store", dir);
    snprintf(path, sizeof path, "%s/state.db", dir);
    err_clear(&err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(dir);
    return 0;
}

static struct store *opened(void)
{
    struct store *s = NULL;
    if (store_open(path, STORE_WRITE, NOW, &s, NULL, &err))
        fail_msg("%s", err.text);
    return s;
}

static void write_file(const char *name, const void *data, size_t len)
{
    assert_int_equal(file_write_atomic(name, data, len, &err), ERR_OK);
}

static struct store_maintenance sample(void)
{
    struct store_maintenance m = {
        .epoch = 1,
        .state = "preparing",
        .change = "CHG0012345",
        .reason = "Firmware 7.9 für das HSM",
        .owner_sid = "S-1-5-21-1-2-3-500",
        .owner_name = "LAB\\admin",
        .window = 14400,
        .reserve = 7200,
        .deadline_action = "hold",
        .created = NOW,
        .paused = WHEN_NONE,
        .stopped = WHEN_NONE,
        .resumed = WHEN_NONE,
        .ended = WHEN_NONE,
        .runway_until = WHEN_NONE,
        .resume_by = WHEN_NONE,
        .deadline = WHEN_NONE,
        .outcome = -1,
        .note = "",
    };
    return m;
}

static void store_open__empty_path__refused(void **state)
{
    (void)state;
    struct store *s = NULL;
    assert_int_equal(store_open("", STORE_WRITE, NOW, &s, NULL, &err), ERR_INVALID);
    assert_int_equal(store_open(NULL, STORE_WRITE, NOW, &s, NULL, &err), ERR_INVALID);
    assert_null(s);
}

static void store_open__read_without_file__not_found(void **state)
{
    (void)state;
    struct store *s = NULL;
    assert_int_equal(store_open(path, STORE_READ, NOW, &s, NULL, &err), ERR_NOT_FOUND);
    assert_null(s);
}

static void store_open__folder_missing__clear_error(void **state)
{
    (void)state;
    struct store *s = NULL;
    char far[SCRATCH_MAX + 32];
    snprintf(far, sizeof far, "%s/none/state.db", dir);
    assert_int_equal(store_open(far, STORE_WRITE, NOW, &s, NULL, &err), ERR_IO);
    assert_non_null(strstr(err.text, "none/state.db"));
}

static void store_open__garbage__set_aside_and_kept(void **state)
{
    (void)state;
    char garbage[4096];
    memset(garbage, 'x', sizeof garbage);
    write_file(path, garbage, sizeof garbage);
    SCOPED(store_close) struct store *s = NULL;
    struct store_opened info;
    assert_int_equal(store_open(path, STORE_READ, NOW, &s, &info, &err), ERR_IO);
    assert_int_equal(store_open(path, STORE_WRITE, NOW, &s, &info, &err), ERR_OK);
    assert_non_null(strstr(info.set_aside, "state.db.damaged-20251123T101020Z"));
    assert_true(info.why[0] != '\0');
    SCOPED(buf_free) struct buf kept = BUF_INIT;
    assert_int_equal(file_read(info.set_aside, 10000, &kept, &err), ERR_OK);
    assert_int_equal(kept.len, sizeof garbage);
    assert_memory_equal(kept.data, garbage, sizeof garbage);
}

static void store_open__damaged_twice_in_a_second__nothing_overwritten(void **state)
{
    (void)state;
    write_file(path, "first", 5);
    struct store *s = opened();
    store_close(&s);
    write_file(path, "second", 6);
    struct store_opened info;
    assert_int_equal(store_open(path, STORE_WRITE, NOW, &s, &info, &err), ERR_EXISTS);
    SCOPED(buf_free) struct buf kept = BUF_INIT;
    assert_int_equal(file_read(path, 10000, &kept, &err), ERR_OK);
    assert_string_equal(kept.data, "second");
}

/* A page in the middle of a table is overwritten: the header is still fine. */
static void store_open__inner_page_damaged__set_aside(void **state)
{
    (void)state;
    struct store *s = opened();
    char blob[3000];
    memset(blob, 7, sizeof blob);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(store_cache_put(s, "cdp-urls", i, 0, blob, sizeof blob, NOW, &err), 0);
    store_close(&s);
    SCOPED(buf_free) struct buf b = BUF_INIT;
    assert_int_equal(file_read(path, 1 << 22, &b, &err), ERR_OK);
    assert_true(b.len > 100000);
    memset(b.data + 4096 * 3, 0xAA, b.len - 4096 * 3 - 4096);
    write_file(path, b.data, b.len);
    struct store_opened info;
    assert_int_equal(store_open(path, STORE_WRITE, NOW, &s, &info, &err), ERR_OK);
    assert_true(info.set_aside[0] != '\0');
    store_close(&s);
}

static void store_open__foreign_database__refused_and_untouched(void **state)
{
    (void)state;
    /* The first 100 bytes of an SQLite header with somebody else's application id would do; a real
     * one is made by changing the id of ours (offset 68, file format section 1.3). */
    struct store *s = opened();
    store_close(&s);
    SCOPED(buf_free) struct buf b = BUF_INIT;
    assert_int_equal(file_read(path, 1 << 22, &b, &err), ERR_OK);
    memcpy(b.data + 68, "\x01\x02\x03\x04", 4);
    write_file(path, b.data, b.len);
    assert_int_equal(store_open(path, STORE_WRITE, NOW, &s, NULL, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "none of crlagent"));
    SCOPED(buf_free) struct buf after = BUF_INIT;
    assert_int_equal(file_read(path, 1 << 22, &after, &err), ERR_OK);
    assert_memory_equal(after.data + 68, "\x01\x02\x03\x04", 4);
}

static void store_open__newer_schema__refused(void **state)
{
    (void)state;
    struct store *s = opened();
    store_close(&s);
    SCOPED(buf_free) struct buf b = BUF_INIT;
    assert_int_equal(file_read(path, 1 << 22, &b, &err), ERR_OK);
    memcpy(b.data + 60, "\0\0\0\x63", 4); /* user_version */
    write_file(path, b.data, b.len);
    assert_int_equal(store_open(path, STORE_WRITE, NOW, &s, NULL, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "99"));
    assert_non_null(strstr(err.text, "newer"));
}

static void store_open__reader_writes__denied(void **state)
{
    (void)state;
    SCOPED(store_close) struct store *w = opened();
    SCOPED(store_close) struct store *r = NULL;
    assert_int_equal(store_open(path, STORE_READ, NOW, &r, NULL, &err), ERR_OK);
    assert_int_not_equal(store_value_set(r, "a", "b", &err), ERR_OK);
    assert_int_equal(store_begin(r, &err), ERR_DENIED);
    assert_int_equal(store_value_set(w, "a", "b", &err), ERR_OK);
    SCOPED(buf_free) struct buf v = BUF_INIT;
    assert_int_equal(store_value_get(r, "a", &v, &err), ERR_OK);
    assert_string_equal(v.data, "b");
}

static void store_maintenance_save__second_one__busy(void **state)
{
    (void)state;
    SCOPED(store_close) struct store *s = opened();
    struct store_maintenance a = sample(), b = sample();
    assert_int_equal(store_maintenance_save(s, &a, &err), ERR_OK);
    assert_int_equal(store_maintenance_save(s, &b, &err), ERR_BUSY);
    assert_int_equal(b.id, 0);
    str_copy(a.state, sizeof a.state, "refused");
    assert_int_equal(store_maintenance_save(s, &a, &err), ERR_OK);
    assert_int_equal(store_maintenance_save(s, &b, &err), ERR_OK);
    assert_true(b.id > a.id);
}

static void store_maintenance_save__paused_without_deadline__refused(void **state)
{
    (void)state;
    SCOPED(store_close) struct store *s = opened();
    struct store_maintenance a = sample();
    str_copy(a.state, sizeof a.state, "paused");
    assert_int_not_equal(store_maintenance_save(s, &a, &err), ERR_OK);
    str_copy(a.state, sizeof a.state, "sleeping");
    assert_int_not_equal(store_maintenance_save(s, &a, &err), ERR_OK);
}

static void store_maintenance__round_trip__every_field(void **state)
{
    (void)state;
    struct store *s = opened();
    struct store_maintenance a = sample(), b;
    a.paused = NOW + 1;
    a.stopped = NOW + 2;
    a.resumed = NOW + 3;
    a.runway_until = NOW + 5;
    a.resume_by = NOW + 6;
    a.deadline = NOW + 7;
    a.burn = 75;
    a.outcome = 14;
    a.undo = a.cover = true;
    str_copy(a.note, sizeof a.note, "why");
    assert_int_equal(store_maintenance_save(s, &a, &err), ERR_OK);
    store_close(&s);
    s = opened();
    memset(&b, 0, sizeof b);
    assert_int_equal(store_maintenance_active(s, &b, &err), ERR_OK);
    assert_int_equal(a.id, b.id);
    assert_string_equal(a.state, b.state);
    assert_string_equal(a.change, b.change);
    assert_string_equal(a.reason, b.reason);
    assert_string_equal(a.owner_sid, b.owner_sid);
    assert_string_equal(a.owner_name, b.owner_name);
    assert_string_equal(a.note, b.note);
    const int64_t left[] = {a.epoch,        a.window,    a.reserve,  a.created, a.paused,
                            a.stopped,      a.resumed,   a.ended,    a.burn,    a.outcome,
                            a.runway_until, a.resume_by, a.deadline, a.undo,    a.cover};
    const int64_t right[] = {b.epoch,        b.window,    b.reserve,  b.created, b.paused,
                             b.stopped,      b.resumed,   b.ended,    b.burn,    b.outcome,
                             b.runway_until, b.resume_by, b.deadline, b.undo,    b.cover};
    assert_memory_equal(left, right, sizeof left);
    assert_int_equal(store_maintenance_by_change(s, "CHG0012345", &b, &err), ERR_OK);
    assert_int_equal(store_maintenance_by_change(s, "CHG", &b, &err), ERR_NOT_FOUND);
    size_t n = 0;
    struct store_maintenance list[3];
    assert_int_equal(store_maintenance_list(s, list, 3, &n, &err), ERR_OK);
    assert_int_equal(n, 1);
    store_close(&s);
}

static void store_service_save__saved_twice__first_former_state_stays(void **state)
{
    (void)state;
    SCOPED(store_close) struct store *s = opened();
    struct store_maintenance m = sample();
    assert_int_equal(store_maintenance_save(s, &m, &err), ERR_OK);
    struct store_service v = {.seq = 1,
                              .name = "CertSvc",
                              .former = SVC_RUNNING,
                              .former_start = SVC_AUTO,
                              .former_delayed = true};
    assert_int_equal(store_service_save(s, m.id, &v, &err), ERR_OK);
    v.former = SVC_STOPPED;
    v.former_start = SVC_DEMAND;
    v.stopped = true;
    assert_int_equal(store_service_save(s, m.id, &v, &err), ERR_OK);
    struct store_service got[2];
    size_t n = 0;
    assert_int_equal(store_service_list(s, m.id, got, 2, &n, &err), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(got[0].former, SVC_RUNNING);
    assert_int_equal(got[0].former_start, SVC_AUTO);
    assert_true(got[0].former_delayed && got[0].stopped);
    assert_int_not_equal(store_service_save(s, 77, &v, &err), ERR_OK);
}

static void store_step__begun_and_not_ended__interrupted(void **state)
{
    (void)state;
    SCOPED(store_close) struct store *s = opened();
    struct store_maintenance m = sample();
    assert_int_equal(store_maintenance_save(s, &m, &err), ERR_OK);
    struct store_step a = {.epoch = 1, .name = "stop", .subject = "CertSvc", .began = NOW};
    struct store_step b = a;
    assert_int_equal(store_step_begin(s, m.id, &a, &err), ERR_OK);
    a.ended = NOW + 2;
    str_copy(a.outcome, sizeof a.outcome, "done");
    assert_int_equal(store_step_end(s, &a, &err), ERR_OK);
    assert_int_equal(store_step_begin(s, m.id, &b, &err), ERR_OK);
    assert_int_equal(store_step_interrupt(s, m.id, NOW + 9, &err), ERR_OK);
    struct store_step got[4];
    size_t n = 0;
    assert_int_equal(store_step_list(s, m.id, got, 4, &n, &err), ERR_OK);
    assert_int_equal(n, 2);
    assert_string_equal(got[0].outcome, "done");
    assert_int_equal(got[0].ended, NOW + 2);
    assert_string_equal(got[1].outcome, "interrupted");
    assert_int_equal(store_step_list(s, m.id, got, 1, &n, &err), ERR_OK);
    assert_int_equal(n, 1);
    assert_string_equal(got[0].outcome, "interrupted");
}

static void store_commit__inner_part_failed__all_rolled_back(void **state)
{
    (void)state;
    SCOPED(store_close) struct store *s = opened();
    struct store_service v = {.name = "CertSvc"};
    assert_int_equal(store_begin(s, &err), ERR_OK);
    assert_int_equal(store_value_set(s, "a", "1", &err), ERR_OK);
    assert_int_not_equal(store_service_save(s, 999, &v, &err), ERR_OK);
    assert_int_not_equal(store_commit(s, &err), ERR_OK);
    SCOPED(buf_free) struct buf b = BUF_INIT;
    assert_int_equal(store_value_get(s, "a", &b, &err), ERR_NOT_FOUND);
    assert_int_equal(store_begin(s, &err), ERR_OK);
    assert_int_equal(store_begin(s, &err), ERR_OK);
    assert_int_equal(store_value_set(s, "a", "2", &err), ERR_OK);
    assert_int_equal(store_commit(s, &err), ERR_OK);
    assert_int_equal(store_commit(s, &err), ERR_OK);
    assert_int_equal(store_value_get(s, "a", &b, &err), ERR_OK);
    assert_string_equal(b.data, "2");
}

static int full(void *arg, const char *what)
{
    (void)what;
    int *left = arg;
    return (*left)-- > 0 ? ERR_OK : ERR_IO;
}

static void store_value_set__disk_full__says_so(void **state)
{
    (void)state;
    SCOPED(store_close) struct store *s = opened();
    int left = 0;
    store__set_fault(s, full, &left);
    assert_int_equal(store_value_set(s, "a", "b", &err), ERR_IO);
    assert_non_null(strstr(err.text, "disk is full"));
    store__set_fault(s, NULL, NULL);
    assert_int_equal(store_value_set(s, "a", "b", &err), ERR_OK);
}

static void store_audit__change_or_removal__impossible(void **state)
{
    (void)state;
    SCOPED(store_close) struct store *s = opened();
    struct store_audit a = {.when = NOW, .sid = "S-1-5-18", .verb = "abort", .outcome = 11};
    assert_int_equal(store_audit_add(s, &a, &err), ERR_OK);
    a.maintenance = 5;
    assert_int_not_equal(store_audit_add(s, &a, &err), ERR_OK);
    struct store_audit got[2];
    size_t n = 0;
    assert_int_equal(store_audit_list(s, 0, got, 2, &n, &err), ERR_OK);
    assert_int_equal(n, 1);
    assert_string_equal(got[0].sid, "S-1-5-18");
    assert_int_equal(got[0].outcome, 11);
}

static void store_probe__list_and_prune__by_age(void **state)
{
    (void)state;
    SCOPED(store_close) struct store *s = opened();
    struct store_probe p = {.url = "http://a/",
                            .number = "17",
                            .this_update = NOW,
                            .next_update = WHEN_NONE,
                            .visible_seconds = WHEN_NONE};
    for (int i = 0; i < 10; i++) {
        p.when = NOW + i;
        if (i == 9)
            p.visible_seconds = 4;
        assert_int_equal(store_probe_add(s, &p, &err), ERR_OK);
    }
    struct store_probe *got = calloc(10, sizeof *got);
    assert_non_null(got);
    size_t n = 0;
    assert_int_equal(store_probe_list(s, NULL, WHEN_NONE, got, 10, &n, &err), ERR_OK);
    assert_int_equal(n, 10);
    assert_int_equal(got[0].visible_seconds, 4);
    assert_true(got[1].visible_seconds == WHEN_NONE && got[1].next_update == WHEN_NONE);
    assert_int_equal(store_prune(s, NOW + 7, WHEN_NONE, &err), ERR_OK);
    assert_int_equal(store_probe_list(s, "http://a/", WHEN_NONE, got, 10, &n, &err), ERR_OK);
    assert_int_equal(n, 3);
    assert_int_equal(store_probe_list(s, "http://b/", WHEN_NONE, got, 10, &n, &err), ERR_OK);
    assert_int_equal(n, 0);
    free(got);
}

static void store_notice__life_of_one__queue_order(void **state)
{
    (void)state;
    SCOPED(store_close) struct store *s = opened();
    int64_t next = 0;
    assert_int_equal(store_notice_next(s, NULL, &next, &err), ERR_OK);
    assert_true(next == WHEN_NONE);
    assert_int_equal(store_notice_add(s, "mail", "k1", "one", 3, NOW, &err), ERR_OK);
    assert_int_equal(store_notice_add(s, "mail", "k1", "two!", 4, NOW + 1, &err), ERR_OK);
    assert_int_equal(store_notice_add(s, "hook", "k1", "three", 5, NOW, &err), ERR_OK);
    struct store_notice got[4];
    size_t n = 0;
    assert_int_equal(store_notice_due(s, NULL, NOW, got, 4, &n, &err), ERR_OK);
    assert_int_equal(n, 2);
    SCOPED(buf_free) struct buf body = BUF_INIT;
    assert_int_equal(store_notice_body(s, got[0].id, &body, &err), ERR_OK);
    assert_string_equal(body.data, "two!");
    assert_int_equal(store_notice_failed(s, got[0].id, NOW + 60, "refused", &err), ERR_OK);
    assert_int_equal(store_notice_sent(s, got[1].id, NOW, &err), ERR_OK);
    assert_int_equal(store_notice_sent(s, got[1].id, NOW, &err), ERR_NOT_FOUND);
    SCOPED(buf_free) struct buf kept = BUF_INIT;
    assert_int_equal(store_notice_body(s, got[1].id, &kept, &err), ERR_OK);
    assert_int_equal(kept.len, 0);
    assert_int_equal(store_notice_next(s, "mail", &next, &err), ERR_OK);
    assert_int_equal(next, NOW + 60);
    assert_int_equal(store_notice_due(s, "mail", NOW + 60, got, 4, &n, &err), ERR_OK);
    assert_int_equal(n, 1);
    assert_string_equal(got[0].last_error, "refused");
    assert_int_equal(got[0].tries, 1);
    assert_int_equal(store_notice_due(s, "hook", NOW + 60, got, 4, &n, &err), ERR_OK);
    assert_int_equal(n, 0);
}

static void store_notice__channel_away__its_own_wait_the_others_do_not(void **state)
{
    (void)state;
    SCOPED(store_close) struct store *s = opened();
    static const char *const keep[] = {"mail"};
    struct store_notice got[8];
    int64_t next = 0, count = 0;
    size_t n = 0;
    bool failing = true;
    assert_int_equal(store_notice_add(s, "mail", "k1", "1", 1, NOW, &err), ERR_OK);
    assert_int_equal(store_notice_add(s, "mail", "k2", "2", 1, NOW, &err), ERR_OK);
    assert_int_equal(store_notice_add(s, "hook", "k1", "3", 1, NOW, &err), ERR_OK);
    assert_int_equal(store_notice_due(s, NULL, NOW, got, 8, &n, &err), ERR_OK);
    assert_int_equal(n, 3);
    assert_int_equal(store_notice_failing(s, "mail", got[0].id, NOW + 86400, &failing, &err),
                     ERR_OK);
    assert_false(failing);
    assert_int_equal(store_notice_failed(s, got[0].id, NOW + 60, "silent", &err), ERR_OK);
    assert_int_equal(store_notice_failing(s, "mail", got[0].id, NOW + 86400, &failing, &err),
                     ERR_OK);
    assert_false(failing);
    assert_int_equal(store_notice_failing(s, "mail", got[1].id, NOW + 86400, &failing, &err),
                     ERR_OK);
    assert_true(failing);
    assert_int_equal(store_notice_failing(s, "mail", got[1].id, NOW + 59, &failing, &err), ERR_OK);
    assert_false(failing); /* that one has been given up */
    assert_int_equal(store_notice_postpone(s, "mail", NOW + 60, &err), ERR_OK);
    assert_int_equal(store_notice_due(s, NULL, NOW + 59, got, 8, &n, &err), ERR_OK);
    assert_int_equal(n, 1);
    assert_string_equal(got[0].channel, "hook");
    /* A new start: at once, but not what was given up. */
    assert_int_equal(store_notice_failed(s, got[0].id, NOW + 1000000, "refused", &err), ERR_OK);
    assert_int_equal(store_notice_retry_all(s, NOW + 1, NOW + 86400, &err), ERR_OK);
    assert_int_equal(store_notice_next(s, "mail", &next, &err), ERR_OK);
    assert_int_equal(next, NOW + 1);
    assert_int_equal(store_notice_next(s, "hook", &next, &err), ERR_OK);
    assert_int_equal(next, NOW + 1000000);
    assert_int_equal(store_notice_drop_others(s, keep, 1, NOW + 1000000, NOW + 2000000,
                                              "not configured", &count, &err),
                     ERR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(store_notice_next(s, "hook", &next, &err), ERR_OK);
    assert_int_equal(next, NOW + 2000000);
    /* What nobody took in all that time goes, too. */
    assert_int_equal(store_prune(s, WHEN_NONE, NOW + 1, &err), ERR_OK);
    assert_int_equal(store_notice_next(s, NULL, &next, &err), ERR_OK);
    assert_true(next == WHEN_NONE);
}

static void store_small__timer_and_cache__round_trip(void **state)
{
    (void)state;
    SCOPED(store_close) struct store *s = opened();
    int64_t due = 0;
    assert_int_equal(store_timer_get(s, "deadline", &due, &err), ERR_OK);
    assert_true(due == WHEN_NONE);
    assert_int_equal(store_timer_set(s, "deadline", NOW, &err), ERR_OK);
    assert_int_equal(store_timer_set(s, "deadline", NOW + 5, &err), ERR_OK);
    assert_int_equal(store_timer_get(s, "deadline", &due, &err), ERR_OK);
    assert_int_equal(due, NOW + 5);
    assert_int_equal(store_timer_clear(s, "deadline", &err), ERR_OK);
    SCOPED(buf_free) struct buf b = BUF_INIT;
    int64_t when = 0;
    assert_int_equal(store_cache_get(s, "ca-cert", 0, 0, &b, &when, &err), ERR_NOT_FOUND);
    assert_int_equal(store_cache_put(s, "ca-cert", 0, 0, "\0\1\2", 3, NOW, &err), ERR_OK);
    assert_int_equal(store_cache_get(s, "ca-cert", 0, 0, &b, &when, &err), ERR_OK);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "\0\1\2", 3);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(store_open__empty_path__refused),
        CASE(store_open__read_without_file__not_found),
        CASE(store_open__folder_missing__clear_error),
        CASE(store_open__garbage__set_aside_and_kept),
        CASE(store_open__damaged_twice_in_a_second__nothing_overwritten),
        CASE(store_open__inner_page_damaged__set_aside),
        CASE(store_open__foreign_database__refused_and_untouched),
        CASE(store_open__newer_schema__refused),
        CASE(store_open__reader_writes__denied),
        CASE(store_maintenance_save__second_one__busy),
        CASE(store_maintenance_save__paused_without_deadline__refused),
        CASE(store_maintenance__round_trip__every_field),
        CASE(store_service_save__saved_twice__first_former_state_stays),
        CASE(store_step__begun_and_not_ended__interrupted),
        CASE(store_commit__inner_part_failed__all_rolled_back),
        CASE(store_value_set__disk_full__says_so),
        CASE(store_audit__change_or_removal__impossible),
        CASE(store_probe__list_and_prune__by_age),
        CASE(store_notice__life_of_one__queue_order),
        CASE(store_notice__channel_away__its_own_wait_the_others_do_not),
        CASE(store_small__timer_and_cache__round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
