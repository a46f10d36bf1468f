/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A report that was kept as JSON is the same report again, and what is no report is refused. */
#include "unit/report_lab.h"

#include "crl/judge.h"
#include "report/reread.h"

static struct err err;

static int reread(const char *text, struct report_copy **ret)
{
    err_clear(&err);
    return report_reread(text, strlen(text), ret, &err);
}

static char *rendered(const struct report *r, enum report_format format)
{
    struct buf out = BUF_INIT;
    assert_int_equal(report_render(r, format, NULL, &out, &err), ERR_OK);
    return buf_steal(&out);
}

static struct report_copy *copy_of(const struct report *r)
{
    struct report_copy *c = NULL;
    char *json = rendered(r, REPORT_JSON);
    if (reread(json, &c))
        fail_msg("%s", err.text);
    free(json);
    return c;
}

static void reread__no_report__refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"schema\":\"crlagent-evidence\",\"version\":1}",
        "{\"schema\":\"crlagent-report\",\"version\":2}",
        "{\"schema\":\"crlagent-report\",\"version\":1}",
        "{\"schema\":\"crlagent-report\",\"version\":1,\"generated\":\"soon\"}",
        "{\"schema\":\"crlagent-report\",\"version\":1,\"locations\":[{}]}",
        "{\"schema\":\"crlagent-report\",\"version\":1,\"findings\":[{\"severity\":\"x\"}]}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct report_copy *c = NULL;
        if (reread(bad[i], &c) != ERR_PARSE)
            fail_msg("'%s' was taken: %s", bad[i], err.text);
        assert_null(c);
    }
}

static void reread__wrong_types_and_control_characters__nothing_of_them(void **state)
{
    (void)state;
    struct report_copy *c = NULL;
    assert_int_equal(
        reread(
            "{\"schema\":\"crlagent-report\",\"version\":1,\"generated\":\"2026-01-01T00:00:00Z\","
            "\"ca\":\"x\\u001b[2Jy\",\"runway\":7,\"history\":[3,{}],\"hsm\":[],\"findings\":{},"
            "\"locations\":[{\"url\":\"http://a/"
            "\\u0007\",\"type\":9,\"status\":\"good\",\"key\":-1,"
            "\"partition\":1e99,\"crl\":{\"number\":{},\"sha256\":\"zz\",\"verdicts\":[1,\"x\"]}}]"
            "}",
            &c),
        ERR_OK);
    assert_string_equal(c->report.ca, "x?[2Jy");
    assert_string_equal(c->targets[0].url, "http://a/?");
    assert_int_equal(c->results[0].status, PROBE_INTERNAL);
    assert_int_equal(c->targets[0].key_index, 0);
    char *html = rendered(&c->report, REPORT_HTML);
    free(html);
    report_copy_free(&c);
    report_copy_free(&c);
}

static void reread__every_cut__refused(void **state)
{
    (void)state;
    char *json = rendered(changed(), REPORT_JSON);
    size_t len = strlen(json) - 2; /* the last ones are '}' and the end of the line */
    for (size_t n = 0; n < len; n += 7) {
        struct report_copy *c = NULL;
        assert_int_equal(report_reread(json, n, &c, &err), ERR_PARSE);
        assert_null(c);
    }
    free(json);
}

/* Judged, with a finding. */
static struct report *full(void)
{
    static struct findings findings;
    static uint32_t verdicts[LAB_PROBES];
    struct report *r = changed();
    verdicts[0] = CRL_V_EXPIRING | CRL_V_OVERDUE;
    verdicts[1] = CRL_V_STALE;
    r->verdicts = verdicts;
    findings_free(&findings);
    struct finding *f = findings_add(&findings, FIND_CRL_STALE);
    (void)str_copy(f->url, sizeof f->url, "http://a.test/lab.crl");
    (void)str_copy(f->address, sizeof f->address, "10.0.0.2");
    (void)str_copy(f->found, sizeof f->found, "41 <older>");
    finding_fill_remedy(f);
    r->findings = &findings;
    return r;
}

static void reread__full_report__every_rendering_is_the_same(void **state)
{
    (void)state;
    static const enum report_format formats[] = {REPORT_TEXT, REPORT_JSON,    REPORT_XML,
                                                 REPORT_HTML, REPORT_METRICS, REPORT_NAGIOS};
    struct report *r = full();
    const struct report *before = r->before;
    struct report_copy *then = copy_of(before);
    r->before = NULL;
    struct report_copy *now = copy_of(r);
    r->before = before;
    now->report.before = &then->report;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        char *was = rendered(r, formats[i]), *is = rendered(&now->report, formats[i]);
        wanted(is, was);
        free(was);
        free(is);
    }
    char *page = rendered(&now->report, REPORT_HTML);
    assert_non_null(strstr(page, " worse than before"));
    free(page);
    findings_free((struct findings *)(uintptr_t)r->findings);
    report_copy_free(&now);
    report_copy_free(&then);
}

/* The name was asked once each time, and another server of the farm answered. */
static void compare__one_row_answered_by_another_server__same_location(void **state)
{
    (void)state;
    reset();
    add(&before_lab, "http://a.test/lab.crl", "", 0, false, 6 * DAY);
    add(&now_lab, "http://a.test/lab.crl", "", 0, false, 6 * DAY);
    (void)str_copy(before_lab.r[0].address, sizeof before_lab.r[0].address, "10.0.0.1");
    (void)str_copy(now_lab.r[0].address, sizeof now_lab.r[0].address, "10.0.0.2");
    struct report *r = finish(&now_lab);
    struct report_copy *then = copy_of(finish(&before_lab));
    r->before = &then->report;
    char *text = rendered(r, REPORT_TEXT);
    assert_non_null(strstr(text, "    0 locations worse than before"));
    assert_null(strstr(text, "no longer among"));
    free(text);
    report_copy_free(&then);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reread__no_report__refused),
        cmocka_unit_test(reread__wrong_types_and_control_characters__nothing_of_them),
        cmocka_unit_test(reread__every_cut__refused),
        cmocka_unit_test(reread__full_report__every_rendering_is_the_same),
        cmocka_unit_test(compare__one_row_answered_by_another_server__same_location),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
