/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "health/runway.h"
#include "report/report_int.h"

#define NOW 1763863200 /* 2025-11-23T02:00:00Z */
#define HOUR 3600
#define DAY (24 * HOUR)
#define LDAP_TAIL                                                                                  \
    ",CN=ca1,CN=CDP,CN=Public%20Key%20Services,CN=Services,CN=Configuration,DC=lab,DC=test"
#define LDAP_BASE                                                                                  \
    "ldap:///CN=Lab%20Issuing%20CA" LDAP_TAIL "?certificateRevocationList?base?objectClass="       \
    "cRLDistributionPoint"
#define LDAP_DELTA                                                                                 \
    "ldap:///CN=Lab%20Issuing%20CA" LDAP_TAIL "?deltaRevocationList?base?objectClass="             \
    "cRLDistributionPoint"

/* Targets and results of one report; before has a set of its own. */
struct lab {
    struct probe_target t[24];
    struct probe_result r[24];
    size_t n;
    struct runway runway;
    struct report report;
};

static struct lab now_lab, before_lab;

static struct probe_result *add(struct lab *l, const char *url, const char *server, uint32_t key,
                                bool delta, int64_t left)
{
    struct probe_target *t = &l->t[l->n];
    struct probe_result *r = &l->r[l->n++];
    assert_true(str_copy(t->url, sizeof t->url, url));
    assert_true(str_copy(t->address, sizeof t->address, server));
    assert_true(str_copy(r->address, sizeof r->address, server));
    t->kind = str_starts(url, "ldap:") ? LOC_LDAP : str_starts(url, "http:") ? LOC_HTTP : LOC_FILE;
    t->role = delta ? ROLE_CRL_DELTA : ROLE_CRL_BASE;
    t->key_index = key;
    t->origin = FROM_CA_CDP;
    r->signature = CRL_SIG_GOOD;
    r->facts.number.len = 1;
    r->facts.number.bytes[0] = 42;
    r->facts.delta_base.len = delta;
    r->facts.this_update = NOW - DAY;
    r->facts.next_update = NOW + left;
    r->facts.next_publish = WHEN_NONE;
    return r;
}

static struct report *finish(struct lab *l)
{
    runway_compute(l->t, l->r, l->n, NOW, 600, &l->runway);
    l->report.generated = NOW;
    l->report.propagation = 600;
    l->report.targets = l->t;
    l->report.results = l->r;
    l->report.n = l->n;
    l->report.runway = &l->runway;
    (void)str_copy(l->report.ca, sizeof l->report.ca, "CN=Lab Issuing CA");
    return &l->report;
}

static void reset(void)
{
    memset(&now_lab, 0, sizeof now_lab);
    memset(&before_lab, 0, sizeof before_lab);
}

static void wanted(const char *got, const char *want)
{
    if (strcmp(got, want) != 0)
        fprintf(stderr, "got:\n%s\nexpected:\n%s\n", got, want);
    assert_string_equal(got, want);
}

/* Two keys, LDAP at two controllers, a farm of two nodes, a file. */
static void fill(struct lab *l)
{
    static const char *const dc[] = {"dc1.lab.test", "dc2.lab.test"};
    static const char *const node[] = {"10.0.0.1", "10.0.0.2"};
    for (int i = 0; i < 2; i++)
        add(l, LDAP_BASE, dc[i], 0, false, 6 * DAY);
    for (int i = 0; i < 2; i++)
        add(l, LDAP_DELTA, dc[i], 0, true, 20 * HOUR);
    for (int i = 0; i < 2; i++)
        add(l, "http://pki.lab.test/CertEnroll/current/Lab%20Issuing%20CA.crl", node[i], 0, false,
            6 * DAY - i * 5 * DAY);
    for (int i = 0; i < 2; i++)
        add(l, "http://pki.lab.test/lab+.crl", node[i], 0, true, 20 * HOUR);
    for (int i = 0; i < 2; i++)
        add(l, "http://pki.lab.test/lab(1).crl", node[i], 1, false, 6 * DAY);
    const char *path = "C:\\Windows\\System32\\CertSrv\\CertEnroll\\Lab Issuing CA(1)+.crl";
    add(l, path, path, 1, true, -2 * HOUR)->status = PROBE_NOT_FOUND;
}

static void report_text__ldap_two_nodes_two_keys__one_line_each(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    reset();
    fill(&now_lab);
    assert_int_equal(report_render(finish(&now_lab), REPORT_TEXT, NULL, &out, &err), 0);
    wanted(buf_str(&out),
           "Runway: none at the weakest location; none for clients that try the URLs in order\n"
           "    because  key 1 delta at C:\\Windows\\System32\\CertSrv\\CertEnroll\\Lab Issuing "
           "CA(1)+.crl\n"
           "OK  CN=Lab Issuing CA: 0 critical, 0 warnings, 11 locations, 2025-11-23T02:00:00Z\n"
           "\n"
           "  State               Runway No. Type  Key  Location\n"
           "  OK                  5d 23h  42 base    0  "
           "ldap:///CN=Lab%20Issuing%20CA,…?certificateRevocat… @dc1\n"
           "  OK                  5d 23h  42 base    0  "
           "ldap:///CN=Lab%20Issuing%20CA,…?certificateRevocat… @dc2\n"
           "  OK                  5d 23h  42 base    0  "
           "http://pki.lab.test/…/Lab%20Issuing%20CA.crl @10.0.0.1\n"
           "  OK                 23h 50m  42 base    0  "
           "http://pki.lab.test/…/Lab%20Issuing%20CA.crl @10.0.0.2\n"
           "  OK                 19h 50m  42 delta   0  "
           "ldap:///CN=Lab%20Issuing%20CA,…?deltaRevocationList @dc1\n"
           "  OK                 19h 50m  42 delta   0  "
           "ldap:///CN=Lab%20Issuing%20CA,…?deltaRevocationList @dc2\n"
           "  OK                 19h 50m  42 delta   0  http://pki.lab.test/lab+.crl @10.0.0.1\n"
           "  OK                 19h 50m  42 delta   0  http://pki.lab.test/lab+.crl @10.0.0.2\n"
           "\n"
           "  OK                  5d 23h  42 base    1  http://pki.lab.test/lab(1).crl @10.0.0.1\n"
           "  OK                  5d 23h  42 base    1  http://pki.lab.test/lab(1).crl @10.0.0.2\n"
           "  Unable to Download    none   - delta   1  C:\\…\\Lab Issuing CA(1)+.crl\n");
}

static void text_shorten__no_room__middle_gives_way(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        enum location_kind kind;
        size_t room;
        const char *want;
    } rows[] = {
        {"http://pki.lab.test/a.crl", LOC_HTTP, 25, "http://pki.lab.test/a.crl"},
        {"http://pki.lab.test/a/b/c/d/name.crl", LOC_HTTP, 32, "http://pki.lab.test/…/name.crl"},
        {"http://pki.lab.test/a/b/Lab%20Issuing%20CA(1)+.crl", LOC_HTTP, 38,
         "http://pki.lab.test/…/Lab%20Is…1)+.crl"},
        {"\\\\web1\\crl$\\deep\\deeper\\lab.crl", LOC_FILE, 24, "\\\\web1\\…\\lab.crl"},
        {LDAP_BASE, LOC_LDAP, 60, "ldap:///CN=Lab%20Issuing%20CA,…?certificateRevocationList"},
        {LDAP_BASE, LOC_LDAP, 45, "ldap:///CN=Lab%20Issuing%20CA,…?certificateR…"},
        {LDAP_BASE, LOC_LDAP, 20, "ldap:///CN…ng%20CA,…"},
        {"http://a.very.long.host.name.example.test/x", LOC_HTTP, 20, "http://a.v…le.test/x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char got[LIMIT_URL_CHARS + 32];
        text_shorten(rows[i].url, rows[i].kind, rows[i].room, got, sizeof got);
        assert_true(text_width(got, strlen(got)) <= rows[i].room);
        assert_string_equal(got, rows[i].want);
    }
}

static struct report_maintenance window = {.id = "m-7",
                                           .change_id = "CHG0042",
                                           .owner = "Duty <Admin>",
                                           .reason = "HSM firmware",
                                           .state = "paused",
                                           .from = NOW - HOUR,
                                           .until = NOW + 3 * HOUR,
                                           .resume_by = NOW + 15 * HOUR,
                                           .muted = 4};
static const struct report_hsm hsm = {true, true, NOW - 600, 38, 35, 96, 1};
static const struct report_point history[] = {
    {NOW - 3 * DAY, 4 * DAY, -1},
    {NOW - 2 * DAY, 6 * DAY, 75},
    {NOW - DAY, INT64_MIN, -1},
};

/* Before: all good, and a location that is gone since. Now: one fails, one is older, one is new. */
static struct report *changed(void)
{
    reset();
    add(&before_lab, "http://a.test/lab.crl", "10.0.0.1", 0, false, 6 * DAY);
    add(&before_lab, "http://a.test/lab.crl", "10.0.0.2", 0, false, 6 * DAY);
    add(&before_lab, "http://a.test/lab+.crl", "10.0.0.1", 0, true, DAY);
    add(&before_lab, "http://old.test/lab.crl", "", 0, false, 6 * DAY);
    add(&now_lab, "http://a.test/lab.crl", "10.0.0.1", 0, false, 6 * DAY);
    add(&now_lab, "http://a.test/lab.crl", "10.0.0.2", 0, false, 5 * DAY)->facts.number.bytes[0] =
        41;
    now_lab.r[1].facts.sha256[0] = 1;
    add(&now_lab, "http://a.test/lab+.crl", "10.0.0.1", 0, true, DAY)->status = PROBE_TIMEOUT;
    add(&now_lab, "http://new.test/lab.crl", "", 0, false, 6 * DAY);
    struct report *r = finish(&now_lab);
    r->before = finish(&before_lab);
    before_lab.report.generated = NOW - DAY;
    (void)str_copy(r->phase, sizeof r->phase, "after");
    r->maintenance = &window;
    r->hsm = &hsm;
    r->history = history;
    r->n_history = ARRAY_LEN(history);
    return r;
}

static void report_text__maintenance_hsm_and_before__all_told(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    assert_int_equal(report_render(changed(), REPORT_TEXT, NULL, &out, &err), 0);
    wanted(buf_str(&out),
           "Runway: none at the weakest location; none for clients that try the URLs in order\n"
           "    because  key 0 delta at http://a.test/lab+.crl on 10.0.0.1\n"
           "OK  CN=Lab Issuing CA: 0 critical, 0 warnings, 4 locations, 2025-11-23T02:00:00Z\n"
           "\n"
           "Maintenance\n"
           "    state    paused, change CHG0042, by Duty <Admin>, window 2025-11-23T01:00:00Z to\n"
           "             2025-11-23T05:00:00Z, resume by 2025-11-23T17:00:00Z, 4 alarms muted\n"
           "\n"
           "HSM\n"
           "    state    key test good at 2025-11-23T01:50:00Z, 38 ms (usual 35 ms); 1 of 96 tests "
           "failed\n"
           "\n"
           "  State              Runway No. Type  Key  Location\n"
           "  OK                 5d 23h  42 base    0  http://a.test/lab.crl @10.0.0.1\n"
           "  OK                 4d 23h  41 base    0  http://a.test/lab.crl @10.0.0.2\n"
           "  OK                 5d 23h  42 base    0  http://new.test/lab.crl\n"
           "  Unable to Download   none   - delta   0  http://a.test/lab+.crl @10.0.0.1\n"
           "\n"
           "Compared with the report before\n"
           "    WORSE    http://a.test/lab.crl @10.0.0.2\n"
           "             OK, number 42, until 2025-11-29T02:00:00Z -> OK, number 41, until "
           "2025-11-28T02:00:00Z\n"
           "    WORSE    http://a.test/lab+.crl @10.0.0.1\n"
           "             OK, number 42, until 2025-11-24T02:00:00Z -> Unable to Download, number "
           "-, until -\n"
           "    changed  http://new.test/lab.crl\n"
           "             new location: OK\n"
           "    WORSE    http://old.test/lab.crl\n"
           "             no longer among the locations\n"
           "    3 locations worse than before\n");
}

/* The part of text from the first mark to the end mark after it. */
static void part_is(const struct buf *text, const char *from, const char *to, const char *want)
{
    const char *a = strstr(buf_str(text), from);
    assert_non_null(a);
    const char *b = strstr(a, to);
    assert_non_null(b);
    char *part = test_malloc((size_t)(b - a) + 1);
    memcpy(part, a, (size_t)(b - a));
    part[b - a] = 0;
    wanted(part, want);
    test_free(part);
}

static void report_json__maintenance_hsm_history_and_before__all_told(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    assert_int_equal(report_render(changed(), REPORT_JSON, NULL, &out, &err), 0);
    part_is(&out, "  \"maintenance\"", "  \"locations\"",
            "  \"maintenance\": {\n"
            "    \"id\": \"m-7\",\n"
            "    \"change\": \"CHG0042\",\n"
            "    \"owner\": \"Duty <Admin>\",\n"
            "    \"reason\": \"HSM firmware\",\n"
            "    \"state\": \"paused\",\n"
            "    \"from\": \"2025-11-23T01:00:00Z\",\n"
            "    \"until\": \"2025-11-23T05:00:00Z\",\n"
            "    \"resume_by\": \"2025-11-23T17:00:00Z\",\n"
            "    \"muted\": 4\n"
            "  },\n"
            "  \"hsm\": {\n"
            "    \"good\": true,\n"
            "    \"when\": \"2025-11-23T01:50:00Z\",\n"
            "    \"latency_ms\": 38,\n"
            "    \"baseline_ms\": 35,\n"
            "    \"samples\": 96,\n"
            "    \"failures\": 1\n"
            "  },\n");
    part_is(&out, "  \"comparison\"", "\n}\n",
            "  \"comparison\": {\n"
            "    \"before\": \"2025-11-22T02:00:00Z\",\n"
            "    \"worse\": 3,\n"
            "    \"changes\": [\n"
            "      {\n"
            "        \"url\": \"http://a.test/lab.crl\",\n"
            "        \"address\": \"10.0.0.2\",\n"
            "        \"worse\": true,\n"
            "        \"text\": \"OK, number 42, until 2025-11-29T02:00:00Z -> OK, number 41, until "
            "2025-11-28T02:00:00Z\"\n"
            "      },\n"
            "      {\n"
            "        \"url\": \"http://a.test/lab+.crl\",\n"
            "        \"address\": \"10.0.0.1\",\n"
            "        \"worse\": true,\n"
            "        \"text\": \"OK, number 42, until 2025-11-24T02:00:00Z -> Unable to Download, "
            "number -, until -\"\n"
            "      },\n"
            "      {\n"
            "        \"url\": \"http://new.test/lab.crl\",\n"
            "        \"address\": null,\n"
            "        \"worse\": false,\n"
            "        \"text\": \"new location: OK\"\n"
            "      },\n"
            "      {\n"
            "        \"url\": \"http://old.test/lab.crl\",\n"
            "        \"address\": null,\n"
            "        \"worse\": true,\n"
            "        \"text\": \"no longer among the locations\"\n"
            "      }\n"
            "    ]\n"
            "  },\n"
            "  \"history\": [\n"
            "    {\n"
            "      \"when\": \"2025-11-20T02:00:00Z\",\n"
            "      \"weakest_seconds\": 345600,\n"
            "      \"visible_seconds\": null\n"
            "    },\n"
            "    {\n"
            "      \"when\": \"2025-11-21T02:00:00Z\",\n"
            "      \"weakest_seconds\": 518400,\n"
            "      \"visible_seconds\": 75\n"
            "    },\n"
            "    {\n"
            "      \"when\": \"2025-11-22T02:00:00Z\",\n"
            "      \"weakest_seconds\": null,\n"
            "      \"visible_seconds\": null\n"
            "    }\n"
            "  ]");
}

/* The end-to-end test of the page looks at it in a browser. */
static void keep(const struct buf *page)
{
    const char *path = getenv("CRLAGENT_TEST_PAGE");
    FILE *f = path ? fopen(path, "wb") : NULL;
    if (!f)
        return;
    assert_int_equal(fwrite(buf_str(page), 1, page->len, f), page->len);
    assert_int_equal(fclose(f), 0);
}

static void report_html__maintenance_hsm_history_and_before__all_told(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    SCOPED(findings_free) struct findings findings = {0};
    struct err err = ERR_INIT;
    struct report *r = changed();
    struct finding *f = findings_add(&findings, 4043);
    assert_non_null(f);
    (void)str_copy(f->url, sizeof f->url, "http://a.test/lab+.crl");
    (void)str_copy(f->found, sizeof f->found, "nothing in 15 s <b>");
    finding_fill_remedy(f);
    r->findings = &findings;
    assert_int_equal(report_render(r, REPORT_HTML, NULL, &out, &err), 0);
    keep(&out);
    part_is(&out, "<section><h2>Maintenance", "<section><h2>Life",
            "<section><h2>Maintenance</h2><dl><dt>State</dt><dd>paused</dd><dt>Change</"
            "dt><dd>CHG0042</dd><dt>Owner</dt><dd>Duty &lt;Admin&gt;</dd><dt>Reason</dt><dd>HSM "
            "firmware</dd><dt>Window</dt><dd>2025-11-23T01:00:00Z to "
            "2025-11-23T05:00:00Z</dd><dt>Resume by</dt><dd>2025-11-23T17:00:00Z</dd><dt>Alarms "
            "muted</dt><dd>4</dd></dl></section>\n");
    part_is(&out, "<section><h2>Compared", "<section><h2>Locations",
            "<section><h2>Compared with <time>2025-11-22T02:00:00Z</time></h2>\n"
            "<article class=\"bad\"><h3><b class=\"bad\">worse</b> http://a.test/lab.crl at "
            "10.0.0.2</h3><p>OK, number 42, until 2025-11-29T02:00:00Z -&gt; OK, number 41, until "
            "2025-11-28T02:00:00Z</p></article>\n"
            "<article class=\"bad\"><h3><b class=\"bad\">worse</b> http://a.test/lab+.crl at "
            "10.0.0.1</h3><p>OK, number 42, until 2025-11-24T02:00:00Z -&gt; Unable to Download, "
            "number -, until -</p></article>\n"
            "<article class=\"good\"><h3><b class=\"good\">changed</b> "
            "http://new.test/lab.crl</h3><p>new location: OK</p></article>\n"
            "<article class=\"bad\"><h3><b class=\"bad\">worse</b> "
            "http://old.test/lab.crl</h3><p>no longer among the locations</p></article>\n"
            "<p>4 locations differ, 3 worse than before.</p></section>\n");
    part_is(&out, "<section><h2>Runway over", "</main>",
            "<section><h2>Runway over time</h2><svg class=\"history\" viewBox=\"0 0 100 40\" "
            "preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Weakest runway from "
            "2025-11-20T02:00:00Z to 2025-11-22T02:00:00Z, at most 6d 00h\"><polyline "
            "points=\"0.000,13.667 50.000,1.000 100.000,39.000 \"/></svg><p "
            "class=\"ends\"><time>2025-11-20T02:00:00Z</time><span>highest 6d "
            "00h</span><time>2025-11-22T02:00:00Z</time></p>\n"
            "<p>Published 2025-11-21T02:00:00Z, visible everywhere after 75 s.</p>\n"
            "</section>\n"
            "<section><h2>HSM</h2><dl><dt>Last key test</dt><dd>good at 2025-11-23T01:50:00Z, 38 "
            "ms</dd><dt>Usual</dt><dd>35 ms (median)</dd><dt>History</dt><dd>1 of 96 tests "
            "failed</dd></dl></section>\n");
    assert_null(strstr(buf_str(&out), "15 s <b>"));
    assert_non_null(strstr(buf_str(&out), "class=\"window\" x="));
    assert_non_null(strstr(buf_str(&out), "<line class=\"resume\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_shorten__no_room__middle_gives_way),
        cmocka_unit_test(report_text__ldap_two_nodes_two_keys__one_line_each),
        cmocka_unit_test(report_text__maintenance_hsm_and_before__all_told),
        cmocka_unit_test(report_json__maintenance_hsm_history_and_before__all_told),
        cmocka_unit_test(report_html__maintenance_hsm_history_and_before__all_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
