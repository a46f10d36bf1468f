/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <direct.h>
#include <process.h>
#else
#include <unistd.h>
#endif

#include "base/file.h"
#include "base/when.h"
#include "driver/journal.h"
#include "driver/status.h"

static char dir[400]; /* in the folder for temporary files; gone at the end */

static void remove_all(void)
{
    static const char *const names[] = {"C1.journal", "C1.journal-wal", "C1.journal-shm",
                                        "lock-C1",    "lock-h_22",      "lock-C1-journal"};
    struct err err = ERR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[480];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)!file_remove(path, &err);
    }
}

static int choose_folder(void **state)
{
    const char *temp = getenv("TMPDIR") ? getenv("TMPDIR") : getenv("TEMP");
    (void)state;
    snprintf(dir, sizeof dir, "%s/test-journal-%ld", temp ? temp : "/tmp", (long)getpid());
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    remove_all();
    return rmdir(dir);
}

static struct journal *fresh(void)
{
    struct journal *j = NULL;
    struct err err = ERR_INIT;
    remove_all();
    assert_int_equal(journal_open(dir, "C1", false, &j, &err), ERR_OK);
    return j;
}

static void journal_open__read_only_and_absent__not_found(void **state)
{
    (void)state;
    struct journal *j = NULL;
    struct err err = ERR_INIT;
    remove_all();
    assert_int_equal(journal_open(dir, "nothing", true, &j, &err), ERR_NOT_FOUND);
    assert_null(j);
}

static void journal_lock__held_by_another__busy(void **state)
{
    (void)state;
    SCOPED(journal_close) struct journal *a = fresh();
    SCOPED(journal_close) struct journal *b = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(journal_open(dir, "C1", false, &b, &err), ERR_OK);
    assert_int_equal(journal_lock(a, "h:22", &err), ERR_OK);
    assert_int_equal(journal_lock(b, "h:22", &err), ERR_BUSY);
    assert_non_null(strstr(err.text, "another hsmupgrade is working on 'h:22'"));
    assert_int_equal(journal_lock(b, "C1", &err), ERR_OK);
    journal_close(&a);
    assert_int_equal(journal_lock(b, "h:22", &err), ERR_OK);
}

static void journal_set__begun_then_done__survives_reopening(void **state)
{
    (void)state;
    SCOPED(journal_close) struct journal *j = fresh();
    struct journal_step s;
    struct err err = ERR_INIT;
    assert_int_equal(journal_step(j, "hsm1", "update", &s, &err), ERR_OK);
    assert_int_equal(s.state, STEP_NEW);
    assert_int_equal(journal_set(j, 100, "hsm1", "update", STEP_BEGUN, "", &err), ERR_OK);
    journal_close(&j);
    assert_int_equal(journal_open(dir, "C1", false, &j, &err), ERR_OK);
    assert_int_equal(journal_step(j, "hsm1", "update", &s, &err), ERR_OK);
    assert_int_equal(s.state, STEP_BEGUN);
    assert_int_equal(s.begun, 100);
    assert_int_equal(s.ended, WHEN_NONE);
    assert_int_equal(journal_set(j, 160, "hsm1", "update", STEP_BEGUN, "", &err), ERR_OK);
    assert_int_equal(journal_set(j, 170, "hsm1", "update", STEP_DONE, "proven", &err), ERR_OK);
    assert_int_equal(journal_step(j, "hsm1", "update", &s, &err), ERR_OK);
    assert_int_equal(s.state, STEP_DONE);
    assert_int_equal(s.tries, 2);
    assert_int_equal(s.ended, 170);
    assert_string_equal(s.detail, "proven");
}

static void journal_fact__hostile_text__kept_as_it_is(void **state)
{
    (void)state;
    SCOPED(journal_close) struct journal *j = fresh();
    SCOPED(buf_free) struct buf v = BUF_INIT;
    struct err err = ERR_INIT;
    assert_int_equal(journal_fact(j, "hsm1", "k", &v, &err), ERR_OK);
    assert_int_equal(v.len, 0);
    assert_int_equal(journal_set_fact(j, "hsm1", "k", "x'); DROP TABLE step; --", &err), ERR_OK);
    assert_int_equal(journal_set_fact(j, "hsm1", "k", "y'); DROP TABLE step; --", &err), ERR_OK);
    assert_int_equal(journal_fact(j, "hsm1", "k", &v, &err), ERR_OK);
    assert_string_equal(buf_str(&v), "y'); DROP TABLE step; --");
    assert_int_equal(journal_set(j, 1, "hsm1", "before", STEP_BEGUN, "", &err), ERR_OK);
}

static void starred(const void *self, const char *text, struct buf *ret)
{
    const char *at = strstr(text, self);
    buf_add(ret, text, at ? (size_t)(at - text) : strlen(text));
    buf_puts(ret, at ? "********" : "");
}

static void journal_set__secret_in_the_detail__not_written(void **state)
{
    (void)state;
    SCOPED(journal_close) struct journal *j = fresh();
    struct journal_step s;
    struct err err = ERR_INIT;
    journal_clean_with(j, starred, "5/Rd79MAGd/G9EY5");
    assert_int_equal(journal_set(j, 1, "h", "update", STEP_HELD, "asked: 5/Rd79MAGd/G9EY5", &err),
                     ERR_OK);
    assert_int_equal(journal_step(j, "h", "update", &s, &err), ERR_OK);
    assert_string_equal(s.detail, "asked: ********");
}

static void journal_forget_run__after_a_run__only_what_must_last_stays(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        bool stays;
    } facts[] = {{"host-key", true},       {"check.clients", true}, {"before.clients", false},
                 {"update.typed", false},  {"plan", false},         {"before.software@1", false},
                 {"reboot@2.early", false}};
    SCOPED(journal_close) struct journal *j = fresh();
    struct journal_step s;
    struct err err = ERR_INIT;
    assert_int_equal(journal_set(j, 1, "h", "transfer", STEP_BEGUN, "", &err), ERR_OK);
    assert_int_equal(journal_set(j, 2, "h", "transfer", STEP_DONE, "", &err), ERR_OK);
    assert_int_equal(journal_set(j, 2, "h", "so-login", STEP_FAILED, "A00000", &err), ERR_OK);
    assert_int_equal(journal_set(j, 2, "k", "so-login", STEP_DONE, "", &err), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(facts); i++)
        assert_int_equal(journal_set_fact(j, "h", facts[i].key, "x", &err), ERR_OK);
    assert_int_equal(journal_forget_run(j, &err), ERR_OK);
    assert_int_equal(journal_step(j, "h", "transfer", &s, &err), ERR_OK);
    assert_int_equal(s.state, STEP_NEW);
    assert_int_equal(s.begun, WHEN_NONE);
    assert_int_equal(journal_step(j, "h", "so-login", &s, &err), ERR_OK);
    assert_int_equal(s.state, STEP_FAILED);
    assert_string_equal(s.detail, "A00000");
    assert_int_equal(journal_step(j, "k", "so-login", &s, &err), ERR_OK);
    assert_int_equal(s.state, STEP_NEW);
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        SCOPED(buf_free) struct buf v = BUF_INIT;
        assert_int_equal(journal_fact(j, "h", facts[i].key, &v, &err), ERR_OK);
        assert_int_equal(v.len > 0, facts[i].stays);
    }
}

static void status__some_steps__in_order(void **state)
{
    (void)state;
    SCOPED(journal_close) struct journal *j = fresh();
    SCOPED(buf_free) struct buf text = BUF_INIT;
    SCOPED(buf_free) struct buf json = BUF_INIT;
    struct err err = ERR_INIT;
    assert_int_equal(journal_set(j, 100, "hsm1", "before", STEP_BEGUN, "", &err), ERR_OK);
    assert_int_equal(journal_set(j, 105, "hsm1", "before", STEP_DONE, "", &err), ERR_OK);
    assert_int_equal(journal_set(j, 110, "hsm1", "update", STEP_BEGUN, "why \"so\"", &err), ERR_OK);
    assert_int_equal(status_text(j, "C1", 200, &text, &err), ERR_OK);
    assert_true(strstr(buf_str(&text), "before") < strstr(buf_str(&text), "update"));
    assert_int_equal(status_json(j, "C1", 15, &json, &err), ERR_OK);
    assert_non_null(strstr(buf_str(&json), "\"exit\": 15"));
    assert_non_null(strstr(buf_str(&json), "why \\\"so\\\""));
    assert_non_null(strstr(buf_str(&json), "\"begun\": \"1970-01-01T00:01:40Z\""));
    /* what has not ended has no such field */
    const char *ended = strstr(buf_str(&json), "\"ended\": ");
    assert_non_null(ended);
    assert_null(strstr(ended + 1, "\"ended\": "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(journal_open__read_only_and_absent__not_found),
        cmocka_unit_test(journal_lock__held_by_another__busy),
        cmocka_unit_test(journal_set__begun_then_done__survives_reopening),
        cmocka_unit_test(journal_fact__hostile_text__kept_as_it_is),
        cmocka_unit_test(journal_set__secret_in_the_detail__not_written),
        cmocka_unit_test(journal_forget_run__after_a_run__only_what_must_last_stays),
        cmocka_unit_test(status__some_steps__in_order),
    };
    return cmocka_run_group_tests(tests, choose_folder, remove_folder);
}
