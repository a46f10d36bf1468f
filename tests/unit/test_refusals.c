/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/refusals.h"

#include <stdio.h>
#include <string.h>

#include "support/scratch.h"
#include "unit/cmocka_unit.h"

#define NOW 1764000000

static char dir[SCRATCH_MAX], path[SCRATCH_MAX + 16];
static struct store *store;
static struct refusals r;
static struct store_audit rows[64];

static int setup(void **state)
{
    (void)state;
    scratch_make("refusals", dir);
    snprintf(path, sizeof path, "%s/state.db", dir);
    memset(&r, 0, sizeof r);
    return store_open(path, STORE_WRITE, NOW, &store, NULL, NULL);
}

static int teardown(void **state)
{
    (void)state;
    store_close(&store);
    scratch_remove(dir);
    return 0;
}

static struct refused refused(const char *sid, const char *verb)
{
    return (struct refused){.sid = sid,
                            .name = "LAB\\reader",
                            .verb = verb,
                            .change = "CHG1",
                            .why = "this account may not do that",
                            .outcome = 21};
}

static bool note(const char *sid, const char *verb, int64_t when)
{
    struct err err = ERR_INIT;
    const struct refused what = refused(sid, verb);
    bool told = false;
    if (refusals_note(&r, store, when, &what, &told, &err))
        fail_msg("%s", err.text);
    return told;
}

static size_t count(void)
{
    size_t n = 0;
    assert_int_equal(store_audit_list(store, 0, rows, ARRAY_LEN(rows), &n, NULL), ERR_OK);
    return n;
}

static int full(void *arg, const char *what)
{
    (void)arg;
    (void)what;
    return ERR_IO;
}

static void refusals_note__store_full__error_and_due_again(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    bool told = false;
    const struct refused what = refused("S-1-5-21-1", "pause");
    store__set_fault(store, full, NULL);
    assert_int_not_equal(refusals_note(&r, store, NOW, &what, &told, &err), ERR_OK);
    assert_true(told);
    store__set_fault(store, NULL, NULL);
    assert_true(note("S-1-5-21-1", "pause", NOW + 1));
    assert_int_equal(count(), 1);
}

static void refusals_note__first__row_says_who_what_why(void **state)
{
    (void)state;
    assert_true(note("S-1-5-21-1", "pause", NOW));
    assert_int_equal(count(), 1);
    assert_string_equal(rows[0].sid, "S-1-5-21-1");
    assert_string_equal(rows[0].name, "LAB\\reader");
    assert_string_equal(rows[0].verb, "pause");
    assert_string_equal(rows[0].change, "CHG1");
    assert_string_equal(rows[0].detail, "refused: this account may not do that");
    assert_int_equal(rows[0].outcome, 21);
    assert_int_equal(rows[0].maintenance, 0);
    assert_int_equal(rows[0].when, NOW);
}

static void refusals_note__again_and_again__one_row_then_the_count(void **state)
{
    (void)state;
    assert_true(note("S-1-5-21-1", "pause", NOW));
    for (int i = 1; i < 500; i++)
        assert_false(note("S-1-5-21-1", "pause", NOW + i));
    assert_int_equal(count(), 1);
    assert_true(note("S-1-5-21-1", "pause", NOW + REFUSAL_SPAN));
    assert_int_equal(count(), 2);
    assert_non_null(strstr(rows[0].detail, "499 more"));
}

static void refusals_note__other_verb_or_account__row_of_its_own(void **state)
{
    (void)state;
    assert_true(note("S-1-5-21-1", "pause", NOW));
    assert_true(note("S-1-5-21-1", "publish", NOW));
    assert_true(note("S-1-5-21-2", "pause", NOW));
    assert_int_equal(count(), 3);
}

static void refusals_note__clock_set_back__row(void **state)
{
    (void)state;
    assert_true(note("S-1-5-21-1", "pause", NOW));
    assert_true(note("S-1-5-21-1", "pause", NOW - 5));
}

static void refusals_note__more_accounts_than_kept__bounded(void **state)
{
    (void)state;
    char sid[64];
    for (int i = 0; i < REFUSAL_KEPT + 8; i++) {
        snprintf(sid, sizeof sid, "S-1-5-21-%d", i);
        assert_true(note(sid, "pause", NOW + i));
    }
    assert_int_equal(r.n, REFUSAL_KEPT);
    assert_false(note(sid, "pause", NOW + 100));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(refusals_note__store_full__error_and_due_again),
        CASE(refusals_note__first__row_says_who_what_why),
        CASE(refusals_note__again_and_again__one_row_then_the_count),
        CASE(refusals_note__other_verb_or_account__row_of_its_own),
        CASE(refusals_note__clock_set_back__row),
        CASE(refusals_note__more_accounts_than_kept__bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
