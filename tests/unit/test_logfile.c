/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/logfile.h"

#include <string.h>

#include "base/file.h"
#include "unit/cmocka_unit.h"

#define PATH "test_logfile.log"

static void remove_all(void)
{
    static const char *const names[] = {PATH, PATH ".1", PATH ".2", PATH ".3"};
    struct err err = ERR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(file_remove(names[i], &err), ERR_OK);
}

static void say(struct logfile *f, enum severity severity, const char *text)
{
    const struct event_sink sink = logfile_sink(f);
    const struct event ev = {.id = 5003, .severity = severity, .when = 1790000000, .text = text};
    event_emit(&sink, &ev);
}

static void logfile_open__no_folder__error_names_it(void **state)
{
    (void)state;
    SCOPED(logfile_close) struct logfile *f = NULL;
    struct err err = ERR_INIT;
    assert_int_not_equal(logfile_open("no-such-folder/a.log", 1000, 1, SEV_INFO, &f, &err), ERR_OK);
    assert_non_null(strstr(err.text, "no-such-folder"));
    assert_null(f);
}

static void emit__line_feeds_in_text__one_line(void **state)
{
    (void)state;
    remove_all();
    SCOPED(logfile_close) struct logfile *f = NULL;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    assert_int_equal(logfile_open(PATH, 1000, 1, SEV_INFO, &f, &err), ERR_OK);
    say(f, SEV_WARNING, "paused\n2026 forged");
    say(f, SEV_OK, "below the level");
    assert_int_equal(file_read(PATH, 4096, &text, &err), ERR_OK);
    assert_string_equal(buf_str(&text), "2026-09-21T14:13:20Z WARNING 5003 paused 2026 forged\n");
    remove_all();
}

static void emit__beyond_the_size__turned_over_and_bounded(void **state)
{
    (void)state;
    remove_all();
    SCOPED(logfile_close) struct logfile *f = NULL;
    struct file_info info;
    struct err err = ERR_INIT;
    assert_int_equal(logfile_open(PATH, 100, 2, SEV_INFO, &f, &err), ERR_OK);
    for (int i = 0; i < 20; i++)
        say(f, SEV_CRITICAL, "a line of some length");
    assert_int_equal(file_stat(PATH, &info, &err), ERR_OK);
    assert_true(info.size <= 100);
    assert_int_equal(file_stat(PATH ".2", &info, &err), ERR_OK);
    assert_int_equal(file_stat(PATH ".3", &info, &err), ERR_NOT_FOUND);
    logfile_close(&f);
    remove_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logfile_open__no_folder__error_names_it),
        cmocka_unit_test(emit__line_feeds_in_text__one_line),
        cmocka_unit_test(emit__beyond_the_size__turned_over_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
