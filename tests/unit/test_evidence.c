/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "report/evidence.h"

static char *bundle(void)
{
    struct err err = ERR_INIT;
    struct buf out = BUF_INIT;
    struct evidence *e = NULL;
    assert_int_equal(evidence_new("Lab CA", "CHG0012345", &e, &err), ERR_OK);
    assert_int_equal(evidence_add_json(e, 1000, "before", "{\"runway\": 5, \"ok\": true}", &err),
                     ERR_OK);
    assert_int_equal(evidence_add_text(e, 2000, "audit", "paused by LAB\\admin", &err), ERR_OK);
    assert_int_equal(evidence_add_json(e, 3000, "after", "[1, 2, 3]", &err), ERR_OK);
    assert_int_equal(evidence_write(e, &out, &err), ERR_OK);
    evidence_free(&e);
    return buf_steal(&out);
}

static int verify(const char *text, struct evidence_facts *f, struct err *err)
{
    return evidence_verify(text, strlen(text), f, err);
}

static void evidence_add__bad_json__refused(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct evidence *e = NULL;
    assert_int_equal(evidence_new("\xff", "", &e, &err), ERR_INVALID);
    assert_int_equal(evidence_new("x", "", &e, &err), ERR_OK);
    assert_int_equal(evidence_add_json(e, 0, "x", "{", &err), ERR_PARSE);
    assert_int_equal(evidence_add_json(e, 0, "x", "{\"a\":1,\"a\":2}", &err), ERR_PARSE);
    assert_int_equal(evidence_add_text(e, 0, "x", "\xff", &err), ERR_INVALID);
    evidence_free(&e);
}

static void evidence_verify__no_bundle__parse_error(void **state)
{
    (void)state;
    struct evidence_facts f;
    struct err err = ERR_INIT;
    assert_int_equal(verify("", &f, &err), ERR_PARSE);
    assert_int_equal(verify("[]", &f, &err), ERR_PARSE);
    assert_int_equal(verify("{\"schema\":\"other\"}", &f, &err), ERR_PARSE);
    assert_int_equal(
        verify("{\"schema\":\"crlagent-evidence\",\"version\":2,\"entries\":[]}", &f, &err),
        ERR_PARSE);
}

static void evidence_entry__by_kind__its_json_or_not_found(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    char *b = bundle();
    assert_int_equal(evidence_entry(b, strlen(b), "during", &out, &err), ERR_NOT_FOUND);
    assert_int_equal(evidence_entry("{", 1, "after", &out, &err), ERR_PARSE);
    assert_int_equal(out.len, 0);
    assert_int_equal(evidence_entry(b, strlen(b), "after", &out, &err), ERR_OK);
    assert_string_equal(buf_str(&out), "[1,2,3]");
    free(b);
}

static void evidence_verify__untouched__good(void **state)
{
    (void)state;
    struct evidence_facts f;
    struct err err = ERR_INIT;
    SCOPED(scope_free) char *text = bundle();
    assert_int_equal(verify(text, &f, &err), ERR_OK);
    assert_int_equal(f.entries, 3);
    assert_int_equal(f.bad, 0);
    assert_string_equal(f.change_id, "CHG0012345");
    assert_int_equal(strlen(f.head), 64);
}

/* Every single character of the file that carries meaning is tried. */
static void evidence_verify__any_letter_or_digit_changed__noticed(void **state)
{
    (void)state;
    SCOPED(scope_free) char *text = bundle();
    size_t tried = 0;
    for (size_t i = 0; text[i]; i++) {
        char keep = text[i];
        struct evidence_facts f;
        bool word = (keep >= '0' && keep <= '9') || (keep >= 'a' && keep <= 'z') ||
                    (keep >= 'A' && keep <= 'Z');
        if (!word)
            continue;
        text[i] = keep == '1' ? '2' : keep == 'x' ? 'y' : keep >= '0' && keep <= '9' ? '1' : 'x';
        if (evidence_verify(text, strlen(text), &f, NULL) == ERR_OK)
            fail_msg("a change at byte %zu ('%c') was not noticed", i, keep);
        text[i] = keep;
        tried++;
    }
    assert_true(tried > 300);
}

static void evidence_verify__edited_entry__names_it(void **state)
{
    (void)state;
    struct evidence_facts f;
    struct err err = ERR_INIT;
    SCOPED(scope_free) char *text = bundle();
    char *p = strstr(text, "admin");
    assert_non_null(p);
    memcpy(p, "nobdy", 5);
    assert_int_equal(verify(text, &f, &err), ERR_CRYPTO);
    assert_int_equal(f.bad, 2);
    assert_non_null(strstr(err.text, "entry 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_add__bad_json__refused),
        cmocka_unit_test(evidence_verify__no_bundle__parse_error),
        cmocka_unit_test(evidence_entry__by_kind__its_json_or_not_found),
        cmocka_unit_test(evidence_verify__untouched__good),
        cmocka_unit_test(evidence_verify__any_letter_or_digit_changed__noticed),
        cmocka_unit_test(evidence_verify__edited_entry__names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
