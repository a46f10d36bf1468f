/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Programs that are listened to: this one starts itself in several roles. */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <string.h>

#include "base/lines.h"
#include "base/process.h"
#include "base/str.h"
#include "base/when.h"

static const char *own;

static void pause_ms(int64_t ms)
{
    (void)!clock_sleep_ms(clock_system(), ms);
}

/* ---- roles ---- */

static int role(const char *name)
{
    if (strcmp(name, "agent") == 0) {
        fputs("first line\r\nhalf a ", stderr);
        fflush(stderr);
        pause_ms(300);
        fputs("line\n\nwithout end", stderr);
        fputs("{\"exit\": 10}\n", stdout);
        return 10;
    }
    if (strcmp(name, "hang") == 0) {
        fputs("going to sleep\n", stderr);
        fflush(stderr);
        pause_ms(60000);
    }
    return 0;
}

/* ---- cases ---- */

struct heard {
    struct buf text;
    int64_t first_ms; /* when the first line came */
};

static void hear(void *self, const char *line)
{
    struct heard *h = self;
    if (!h->text.len)
        h->first_ms = clock_mono_ms(clock_system());
    buf_printf(&h->text, "[%s]", line);
}

static void process_run_heard__lines_and_answer__kept_apart(void **state)
{
    (void)state;
    const char *argv[] = {own, "agent", NULL};
    struct heard h = {.text = BUF_INIT};
    struct process_listener l = {hear, &h};
    struct process_result r;
    struct err err = ERR_INIT;
    if (process_run_heard(argv, 30000, &l, &r, &err))
        fail_msg("%s", err.text);
    int64_t now = clock_mono_ms(clock_system());
    assert_int_equal(r.exit_code, 10);
    assert_string_equal(buf_str(&h.text), "[first line][half a line][without end]");
    assert_true(str_starts(buf_str(&r.out), "{\"exit\": 10}"));
    /* While it ran, not at its end. */
    assert_true(now - h.first_ms >= 200);
    buf_free(&h.text);
    buf_free(&r.out);
}

static void process_run_heard__time_out__what_was_said_is_kept(void **state)
{
    (void)state;
    const char *argv[] = {own, "hang", NULL};
    struct heard h = {.text = BUF_INIT};
    struct process_listener l = {hear, &h};
    struct process_result r;
    struct err err = ERR_INIT;
    assert_int_equal(process_run_heard(argv, 3000, &l, &r, &err), ERR_TIMEOUT);
    assert_string_equal(buf_str(&h.text), "[going to sleep]");
    buf_free(&h.text);
    buf_free(&r.out);
}

static void lines_feed__any_pieces__same_lines(void **state)
{
    (void)state;
    static const char text[] = "one\ntwo\r\n\n\rth\x1b[Kree\rfour";
    for (size_t piece = 1; piece < sizeof text; piece++) {
        struct heard h = {.text = BUF_INIT};
        struct lines l = {.each = hear, .self = &h};
        for (size_t at = 0; at < sizeof text - 1; at += piece)
            lines_feed(&l, text + at, piece < sizeof text - 1 - at ? piece : sizeof text - 1 - at);
        lines_end(&l);
        assert_string_equal(buf_str(&h.text), "[one][two][th.[Kree][four]");
        buf_free(&h.text);
    }
}

static void lines_feed__endless_line__cut(void **state)
{
    (void)state;
    struct heard h = {.text = BUF_INIT};
    struct lines l = {.each = hear, .self = &h};
    for (int i = 0; i < 5000; i++)
        lines_feed(&l, "x", 1);
    lines_feed(&l, "\ny\n", 3);
    assert_int_equal(h.text.len, LINES_CHARS_MAX + 2 + 3);
    buf_free(&h.text);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return role(argv[1]);
    own = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_feed__any_pieces__same_lines),
        cmocka_unit_test(lines_feed__endless_line__cut),
        cmocka_unit_test(process_run_heard__lines_and_answer__kept_apart),
        cmocka_unit_test(process_run_heard__time_out__what_was_said_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
