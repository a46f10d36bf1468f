/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/report_lab.h"

static void write_file(const char *name, const char *ext, const struct buf *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.%s", getenv("CRLAGENT_TEST_PAGES"), name, ext);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(buf_str(text), 1, text->len, f), text->len);
    assert_int_equal(fclose(f), 0);
}

/* The end-to-end tests look at the page in a browser, and hold the others against their schemas. */
static void keep(const struct report *r, const char *name)
{
    static const struct {
        enum report_format format;
        const char *ext;
    } kinds[] = {{REPORT_HTML, "html"},
                 {REPORT_JSON, "json"},
                 {REPORT_XML, "xml"},
                 {REPORT_METRICS, "prom"}};
    struct err err = ERR_INIT;
    for (size_t i = 0; getenv("CRLAGENT_TEST_PAGES") && i < ARRAY_LEN(kinds); i++) {
        SCOPED(buf_free) struct buf text = BUF_INIT;
        assert_int_equal(report_render(r, kinds[i].format, NULL, &text, &err), 0);
        write_file(name, kinds[i].ext, &text);
    }
}

/* Each piece stands in the page, in this order. */
static void in_order(const struct buf *page, const char *const *pieces, size_t n)
{
    const char *at = buf_str(page);
    for (size_t i = 0; i < n; i++) {
        const char *found = strstr(at, pieces[i]);
        if (!found)
            fprintf(stderr, "'%s' is not in what follows '%.200s'\n", pieces[i], at);
        assert_non_null(found);
        at = found + strlen(pieces[i]);
    }
}

static void one_finding(struct findings *list, uint32_t id, const char *url, const char *address,
                        const char *found)
{
    struct finding *f = findings_add(list, id);
    assert_non_null(f);
    (void)str_copy(f->url, sizeof f->url, url);
    (void)str_copy(f->address, sizeof f->address, address);
    (void)str_copy(f->found, sizeof f->found, found);
    finding_fill_remedy(f);
}

static void report_html__maintenance_hsm_history_and_before__all_told(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    SCOPED(findings_free) struct findings findings = {0};
    struct err err = ERR_INIT;
    struct report *r = changed();
    one_finding(&findings, FIND_LOC_TIMEOUT, "http://a.test/lab+.crl", "", "nothing in 15 s <b>");
    r->findings = &findings;
    assert_int_equal(report_render(r, REPORT_HTML, NULL, &out, &err), 0);
    keep(r, "full");
    static const char *const pieces[] = {
        "<b class=\"bad\">CRITICAL</b>",
        "after maintenance",
        ">none</div>",
        "clients find no usable delta CRL of key 0",
        "<h2>Maintenance</h2>",
        "<dt>Owner</dt><dd>Duty &lt;Admin&gt;</dd>",
        "<dt>Resume by</dt><dd><span class=\"nb\">2025-11-23T17:00:00Z</span></dd>",
        "<dt>Last key test</dt><dd>good at",
        "1 of 96 tests failed",
        "<h2>Runway by CRL</h2>",
        "key 0 base",
        "4d 23h",
        "key 0 delta",
        "none",
        "<h3>Base CRLs</h3>",
        "class=\"window\" x=",
        "<line class=\"resume\"",
        "<h3>Delta CRLs</h3>",
        "<span class=\"bad\">Unable to Download</span><b class=\"bad\">none</b>",
        "<h2>Findings</h2>",
        "nothing in 15 s &lt;b&gt;",
        "<span class=\"nb\">--url</span>",
        "<h2>Compared with <time>2025-11-22T02:00:00Z</time></h2>",
        ">worse</b>",
        "data-name=\"Before\">OK, number 42, until <span class=\"nb\">2025-11-29T02:00:00Z</span>",
        "data-name=\"Now\">OK, number 41",
        "data-name=\"Now\">Unable to Download</td>",
        "data-name=\"Before\">not there</td>",
        "data-name=\"Now\">not there</td>",
        "4 locations differ, 3 worse than before.",
        "<h2>Locations</h2>",
        "<h2>Runway over time</h2>",
        "highest 6d 00h, lowest none",
        "Published <time>2025-11-21T02:00:00Z</time>, visible everywhere after 75 s.",
    };
    in_order(&out, pieces, ARRAY_LEN(pieces));
    assert_null(strstr(buf_str(&out), "15 s <b>"));
}

static void report_html__nothing_wrong__says_so(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    reset();
    add(&now_lab, "http://a.test/lab.crl", "10.0.0.1", 0, false, 6 * DAY);
    add(&now_lab, "http://a.test/lab+.crl", "10.0.0.1", 0, true, 20 * HOUR);
    assert_int_equal(report_render(finish(&now_lab), REPORT_HTML, NULL, &out, &err), 0);
    keep(&now_lab.report, "good");
    static const char *const pieces[] = {"<b class=\"good\">OK</b>", "0 critical, 0 warnings",
                                         "<div class=\"big good\">19h 50m</div>", "<p>None.</p>"};
    in_order(&out, pieces, ARRAY_LEN(pieces));
}

#define MANY 2000
#define LONG_LDAP                                                                                  \
    "ldap:///CN=Contoso%20Issuing%20CA%2003,CN=ca1,CN=CDP,CN=Public%20Key%20Services,"             \
    "CN=Services,CN=Configuration,DC=corp,DC=contoso,DC=example?certificateRevocationList?base?"   \
    "objectClass=cRLDistributionPoint"

/* A large site: forty controllers, farms of servers, a root that signs twice a year; one in nine
 * locations is silent, one in thirteen ends soon. */
static void fill_many(struct lab *l, struct findings *findings)
{
    char url[200], server[80];
    for (int i = 0; i < MANY; i++) {
        struct probe_result *p;
        snprintf(url, sizeof url, "http://cdp%d.corp.contoso.example/CertEnroll/%s.crl", i / 8,
                 i % 3 ? "Contoso%20Issuing%20CA%2003" : "Contoso%20Issuing%20CA%2003+");
        snprintf(server, sizeof server,
                 i < 40 ? "dc%02d.corp.contoso.example" : "2001:db8:12:%x::80", i);
        bool delta = i >= 40 && i % 3 == 0;
        p = add(l, i < 40 ? LONG_LDAP : url, server, (uint32_t)(i & 1), delta,
                delta ? 20 * HOUR + i * 60 : 6 * DAY - i * 100);
        p->facts.this_update = NOW - (delta ? HOUR : DAY);
        p->facts.next_publish = p->facts.next_update - (delta ? 3 * HOUR : DAY);
        if (i % 13 == 5)
            p->facts.next_update = NOW + (i % 29 - 3) * HOUR;
        if (i % 9 == 4) {
            p->status = PROBE_TIMEOUT;
            one_finding(findings, FIND_LOC_TIMEOUT, url, server, "nothing in 15 s");
        }
        if (i % 500 == 77) {
            l->t[l->n - 1].parent = true;
            p->facts.next_update = NOW + 170 * DAY;
            p->facts.this_update = NOW - 20 * DAY;
        }
    }
    one_finding(findings, FIND_STALE_NODE, LONG_LDAP, "dc07.corp.contoso.example",
                "1 of 40 servers (dc07.corp.contoso.example) serves CRL number 41");
}

/* The chart shows some of each kind, the table all; findings of one kind are grouped. */
static void report_html__two_thousand_locations__bounded_chart(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    SCOPED(findings_free) struct findings findings = {0};
    static struct report_point quarter[91];
    struct err err = ERR_INIT;
    reset();
    fill_many(&now_lab, &findings);
    for (size_t i = 0; i < ARRAY_LEN(quarter); i++) {
        quarter[i] = (struct report_point){NOW - (int64_t)(90 - i) * DAY,
                                           (int64_t)(7 - i % 7) * DAY, i % 7 ? -1 : 20 + (int)i};
        if (i > 40 && i < 44)
            quarter[i].weakest = INT64_MIN;
    }
    struct report *r = finish(&now_lab);
    r->findings = &findings;
    r->maintenance = &window;
    r->history = quarter;
    r->n_history = ARRAY_LEN(quarter);
    assert_int_equal(report_render(r, REPORT_HTML, NULL, &out, &err), 0);
    keep(r, "many");
    size_t rows = 0, bars = 0;
    for (const char *p = buf_str(&out); (p = strstr(p, "<td class=\"state\"")); p++)
        rows++;
    for (const char *p = buf_str(&out); (p = strstr(p, "<div class=\"row\">")); p++)
        bars++;
    assert_int_equal(rows, MANY);
    assert_in_range(bars, 34, 90);
    static const char *const pieces[] = {
        " more serve no CRL",           " more end later",
        "CRLs of the parent CAs",       "<summary>4043 at 219 more locations</summary>",
        "Some servers behind one name", "on paper only the others"};
    in_order(&out, pieces, ARRAY_LEN(pieces));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report_html__maintenance_hsm_history_and_before__all_told),
        cmocka_unit_test(report_html__nothing_wrong__says_so),
        cmocka_unit_test(report_html__two_thousand_locations__bounded_chart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
