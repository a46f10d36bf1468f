/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/when.h"
#include "driver/verdict.h"

#define NOW 1795406400 /* 2026-11-23T04:00:00Z */

static void verdict_read__no_document__not_known(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{",
        "done\n",
        "{\"agent\":\"ca1\",\"exit\":0}",
        "[1, 2]",
        "{\"outcome\": 5}",
        "{\"outcome\": \"do",
        "x {\"outcome\": \"done\"}", /* not at the start of a line */
        "{{{{{{{{{{{{{{{{\n{\n{\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct verdict v;
        SCOPED(buf_free) struct buf line = BUF_INIT;
        verdict_read(texts[i], strlen(texts[i]), &v);
        if (v.known)
            fail_msg("known: %s", texts[i]);
        assert_int_equal(v.resume_by, WHEN_NONE);
        verdict_line(&v, NOW, &line);
        assert_int_equal(line.len, 0);
    }
}

static void verdict_line__table__in_words(void **state)
{
    (void)state;
    static const struct {
        const char *json, *line;
    } rows[] = {
        {"{\"outcome\": \"done\"}", "done"},
        {"Welcome to ca02\n{\"schema\": 1, \"kind\": \"answer\", \"verb\": \"pre-upgrade\", "
         "\"outcome\": \"done\", \"exit\": 0, \"repeated\": false, \"state\": \"paused\", "
         "\"maintenance\": {\"resume-by\": \"2026-11-23T07:30:00Z\", \"runway-until\": "
         "\"2026-11-23T08:20:00Z\"}, \"gate\": {\"verdict\": \"passed\", \"need\": 7200, "
         "\"weakest\": 15600}}\nbye\n",
         "paused; resume by 2026-11-23T07:30:00Z (in 3h 30m); runway 4h 20m, needed 2h 00m"},
        {"{\"outcome\": \"gate-refused\", \"exit\": 10, \"repeated\": true, \"error\": {\"code\": "
         "\"state\", \"text\": \"the runway\\nis too short\"}, \"gate\": {\"need\": 25200, "
         "\"weakest\": 14000, \"decides\": \"delta CRL of key 0\"}}",
         "gate-refused (as answered before): the runway is too short; runway 3h 53m, needed 7h 00m "
         "(decided by delta CRL of key 0)"},
        {"{\"outcome\": \"done\", \"state\": \"closed\", \"comparison\": {\"down-seconds\": 3900}, "
         "\"proof\": {\"text\": \"both CRLs are new everywhere\"}}",
         "closed; the CA was away for 1h 05m; both CRLs are new everywhere"},
        /* fields of another kind than expected are as if they were not there */
        {"{\"outcome\": \"done\", \"state\": 7, \"maintenance\": [], \"gate\": {\"need\": \"x\", "
         "\"items\": 3, \"resume-by\": \"tomorrow\"}}",
         "done"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct verdict v;
        SCOPED(buf_free) struct buf line = BUF_INIT;
        verdict_read(rows[i].json, strlen(rows[i].json), &v);
        verdict_line(&v, NOW, &line);
        assert_string_equal(buf_str(&line), rows[i].line);
    }
}

static void verdict_read__findings__those_that_matter(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf json = BUF_INIT;
    struct verdict v;
    buf_puts(&json, "{\"outcome\": \"gate-refused\", \"gate\": {\"items\": [5, "
                    "{\"severity\": \"INFO\", \"title\": \"all is well\"}");
    for (int i = 0; i < 10; i++)
        buf_printf(&json,
                   ", {\"severity\": \"CRITICAL\", \"title\": \"t%d\", \"url\": \"http://x/\", "
                   "\"expected\": \"e\", \"found\": \"f\", \"remedy\": \"r\"}",
                   i);
    buf_puts(&json, "]}}");
    verdict_read(buf_str(&json), json.len, &v);
    assert_int_equal(v.n_items, VERDICT_ITEMS_MAX);
    assert_string_equal(v.item[0].title, "t0");
    assert_string_equal(v.item[3].where, "http://x/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdict_read__no_document__not_known),
        cmocka_unit_test(verdict_line__table__in_words),
        cmocka_unit_test(verdict_read__findings__those_that_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
