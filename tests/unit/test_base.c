/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/opts.h"
#include "base/str.h"
#include "base/when.h"

static void err_set__long_text__cut_at_utf8_boundary(void **state)
{
    (void)state;
    char text[ERR_TEXT_MAX + 64];
    struct err err = ERR_INIT;
    memset(text, 'x', sizeof text);
    /* a two-byte character across the cut */
    text[ERR_TEXT_MAX - 2] = (char)0xC3;
    text[ERR_TEXT_MAX - 1] = (char)0xA4;
    text[sizeof text - 1] = '\0';
    assert_int_equal(err_set(&err, ERR_IO, "%s", text), ERR_IO);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 2);
    assert_true(str_is_utf8(err.text, strlen(err.text)));
}

static void err_context__outer_text__goes_in_front(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    err_set_os(&err, ERR_DENIED, 5, "access denied");
    assert_int_equal(err_context(&err, "publishing base CRL of '%s'", "X"), ERR_DENIED);
    assert_string_equal(err.text, "publishing base CRL of 'X': access denied");
    assert_int_equal(err.os_code, 5);
}

static void err__null_pointer__is_allowed(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_IO, "x"), ERR_IO);
    assert_int_equal(err_set_errno(NULL, 2, "x"), ERR_NOT_FOUND);
}

static void buf_add__beyond_max__fails_and_keeps_content(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    struct err err = ERR_INIT;
    b.max = 4;
    assert_int_equal(buf_puts(&b, "abcd"), 0);
    assert_int_not_equal(buf_puts(&b, "e"), 0);
    assert_string_equal(buf_str(&b), "abcd");
    assert_int_equal(buf_check(&b, "text", &err), ERR_LIMIT);
    buf_free(&b);
    assert_string_equal(buf_str(&b), "");
}

static void duration_parse__table__known_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
        int code;
    } cases[] = {
        {"90s", 90, ERR_OK},
        {"4h", 14400, ERR_OK},
        {"1d12h", 129600, ERR_OK},
        {"36h30m", 131400, ERR_OK},
        {"2w", 1209600, ERR_OK},
        {"0s", 0, ERR_OK},
        {"", 0, ERR_PARSE},
        {"4", 0, ERR_PARSE},
        {"h", 0, ERR_PARSE},
        {"4x", 0, ERR_PARSE},
        {"1h1d", 0, ERR_PARSE},
        {"1h1h", 0, ERR_PARSE},
        {"-4h", 0, ERR_PARSE},
        {"4 h", 0, ERR_PARSE},
        {"9999999999d", 0, ERR_PARSE},
        {"4000d", 0, ERR_LIMIT},
        {"99999999999999999999999h", 0, ERR_PARSE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t v = -1;
        struct err err = ERR_INIT;
        assert_int_equal(duration_parse(cases[i].text, &v, &err), cases[i].code);
        if (cases[i].code == ERR_OK)
            assert_int_equal(v, cases[i].seconds);
        else
            assert_true(strlen(err.text) > 10 && v == -1);
    }
}

static void when_parse__table__known_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t when;
        int ok;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0, 1},
        {"2026-11-23T04:10:00Z", 1795407000, 1},
        {"2026-11-23T05:10+01:00", 1795407000, 1},
        {"2000-02-29 00:00:00Z", 951782400, 1},
        {"1999-02-29T00:00:00Z", 0, 0},
        {"2026-13-01T00:00:00Z", 0, 0},
        {"2026-11-23T24:00:00Z", 0, 0},
        {"2026-11-23T04:10:00", 0, 0},
        {"2026-11-23T04:10:00Zx", 0, 0},
        {"", 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t v = -7;
        struct err err = ERR_INIT;
        int rc = when_parse(cases[i].text, &v, &err);
        assert_int_equal(rc, cases[i].ok ? ERR_OK : ERR_PARSE);
        assert_int_equal(v, cases[i].ok ? cases[i].when : -7);
    }
}

static void when_format__every_day_of_eight_centuries__parses_back(void **state)
{
    (void)state;
    for (int64_t t = INT64_C(-11676096000) + 12345; t < INT64_C(13569465600); t += 86400 * 3 + 61) {
        char text[WHEN_TEXT_MAX];
        int64_t back = 0;
        assert_int_equal(when_parse(when_format(t, text), &back, NULL), ERR_OK);
        assert_int_equal(back, t);
    }
}

static void duration_format__table__two_units(void **state)
{
    (void)state;
    char text[WHEN_TEXT_MAX];
    assert_string_equal(duration_format(59, text), "59s");
    assert_string_equal(duration_format(14700, text), "4h 05m");
    assert_string_equal(duration_format(-11400, text), "-3h 10m");
    assert_string_equal(duration_format(604740, text), "6d 23h");
}

static void str_is_utf8__malformed__refused(void **state)
{
    (void)state;
    assert_true(str_is_utf8("Zertifizierungsstelle \xC3\xA4 \xF0\x9F\x94\x91", 29));
    assert_false(str_is_utf8("\xC0\x80", 2));         /* overlong NUL */
    assert_false(str_is_utf8("\xED\xA0\x80", 3));     /* surrogate */
    assert_false(str_is_utf8("\xF4\x90\x80\x80", 4)); /* beyond U+10FFFF */
    assert_false(str_is_utf8("\xE2\x82", 2));         /* cut */
    assert_false(str_is_utf8("\x80", 1));
}

static void str_copy__too_long__cut_between_characters(void **state)
{
    (void)state;
    char dst[4];
    assert_false(str_copy(dst, sizeof dst,
                          "ab\xC3\xA4"
                          "c"));
    assert_string_equal(dst, "ab");
    assert_true(str_copy(dst, sizeof dst, "abc"));
}

static void str_unhex__odd_or_foreign__refused(void **state)
{
    (void)state;
    uint8_t out[4];
    size_t n = 0;
    assert_int_equal(str_unhex("abc", out, sizeof out, &n, NULL), ERR_PARSE);
    assert_int_equal(str_unhex("zz", out, sizeof out, &n, NULL), ERR_PARSE);
    assert_int_equal(str_unhex("0102030405", out, sizeof out, &n, NULL), ERR_LIMIT);
    assert_int_equal(str_unhex("DEad00", out, sizeof out, &n, NULL), ERR_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(out, "\xDE\xAD\x00", 3);
}

struct parsed {
    bool json;
    int64_t window;
    const char *change;
    struct opt_list urls;
};

static int parse(struct parsed *p, int argc, char **argv, int *args, bool *help, struct err *err)
{
    const struct opt table[] = {
        {"json", OPT_FLAG, &p->json, NULL, "JSON"},
        {"window", OPT_DURATION, &p->window, "TIME", "how long"},
        {"change", OPT_TEXT, &p->change, "ID", "ticket"},
        {"url", OPT_LIST, &p->urls, "URL", "location"},
    };
    const struct opts o = {table, ARRAY_LEN(table), 0, 1};
    return opts_parse(&o, argc, argv, args, help, err);
}

static void opts_parse__mixed_forms__all_taken(void **state)
{
    (void)state;
    char *argv[] = {"--window=4h", "file", "-change", "CHG1", "--json", "--url", "a", "--url=b"};
    struct parsed p = {0};
    struct err err = ERR_INIT;
    int args = 0;
    bool help = true;
    assert_int_equal(parse(&p, (int)ARRAY_LEN(argv), argv, &args, &help, &err), ERR_OK);
    assert_true(p.json && !help);
    assert_int_equal(p.window, 14400);
    assert_string_equal(p.change, "CHG1");
    assert_int_equal(p.urls.n, 2);
    assert_int_equal(args, 1);
    assert_string_equal(argv[0], "file");
}

static void opts_parse__bad_input__refused_with_help(void **state)
{
    (void)state;
    static const struct {
        const char *arg[3];
        int argc;
        const char *says;
    } cases[] = {
        {{"--windw", "4h", NULL}, 2, "did you mean '--window'"},
        {{"--zzzzzzzzzz", NULL, NULL}, 1, "--help"},
        {{"--window", NULL, NULL}, 1, "--window TIME"},
        {{"--window", "4", NULL}, 2, "not a duration"},
        {{"--json=1", NULL, NULL}, 1, "takes no value"},
        {{"a", "b", NULL}, 2, "unexpected argument 'b'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct parsed p = {0};
        struct err err = ERR_INIT;
        char *argv[3];
        int args;
        bool help;
        for (int k = 0; k < cases[i].argc; k++)
            argv[k] = str_dup(cases[i].arg[k]);
        char *keep[3];
        memcpy(keep, argv, sizeof keep);
        assert_int_equal(parse(&p, cases[i].argc, argv, &args, &help, &err), ERR_INVALID);
        assert_non_null(strstr(err.text, cases[i].says));
        for (int k = 0; k < cases[i].argc; k++)
            free(keep[k]);
    }
}

static void file_write_atomic__replace__reader_sees_new_content(void **state)
{
    (void)state;
    const char *path = "test_base.tmp.txt";
    SCOPED(buf_free) struct buf b = BUF_INIT;
    struct err err = ERR_INIT;
    assert_int_equal(file_write_atomic(path, "one", 3, &err), ERR_OK);
    assert_int_equal(file_write_atomic(path, "second", 6, &err), ERR_OK);
    assert_int_equal(file_read(path, 100, &b, &err), ERR_OK);
    assert_string_equal(buf_str(&b), "second");
    assert_int_equal(file_read(path, 5, &b, &err), ERR_LIMIT);
    assert_int_equal(b.len, 6);
    assert_int_equal(file_remove(path, &err), ERR_OK);
    assert_int_equal(file_remove(path, &err), ERR_OK);
    assert_int_equal(file_read(path, 5, &b, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, path));
}

static void file_make_dirs__nested__made_and_listed(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct file_info info;
    assert_int_equal(file_make_dirs("test_base.dir/a \xC3\xA4/b", &err), ERR_OK);
    assert_int_equal(file_make_dirs("test_base.dir/a \xC3\xA4/b", &err), ERR_OK);
    assert_int_equal(file_stat("test_base.dir/a \xC3\xA4/b", &info, &err), ERR_OK);
    assert_true(info.is_dir);
    assert_int_equal(file_write_atomic("test_base.dir/a \xC3\xA4", "x", 1, &err) != ERR_OK, 1);
}

static void str_copy_words__too_long__ends_after_a_word(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t size;
        const char *out;
    } rows[] = {
        {"", 8, ""},
        {"one two", 8, "one two"},
        {"one two three", 12, "one two ..."},
        {"one two three", 13, "one two ..."},
        {"one two three", 14, "one two three"},
        {"onetwothreefour", 10, "onetw ..."},
        {"one   two", 8, "one ..."},
        {"one two", 4, "one"}, /* no room for the dots */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char dst[32];
        bool whole = str_copy_words(dst, rows[i].size, rows[i].in);
        assert_string_equal(dst, rows[i].out);
        assert_int_equal(whole, strcmp(rows[i].in, rows[i].out) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_set__long_text__cut_at_utf8_boundary),
        cmocka_unit_test(err_context__outer_text__goes_in_front),
        cmocka_unit_test(err__null_pointer__is_allowed),
        cmocka_unit_test(buf_add__beyond_max__fails_and_keeps_content),
        cmocka_unit_test(duration_parse__table__known_values),
        cmocka_unit_test(when_parse__table__known_values),
        cmocka_unit_test(when_format__every_day_of_eight_centuries__parses_back),
        cmocka_unit_test(duration_format__table__two_units),
        cmocka_unit_test(str_is_utf8__malformed__refused),
        cmocka_unit_test(str_copy__too_long__cut_between_characters),
        cmocka_unit_test(str_copy_words__too_long__ends_after_a_word),
        cmocka_unit_test(str_unhex__odd_or_foreign__refused),
        cmocka_unit_test(opts_parse__mixed_forms__all_taken),
        cmocka_unit_test(opts_parse__bad_input__refused_with_help),
        cmocka_unit_test(file_write_atomic__replace__reader_sees_new_content),
        cmocka_unit_test(file_make_dirs__nested__made_and_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
