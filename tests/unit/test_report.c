/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/report_lab.h"

#include "report/simulation.h"

#define LDAP_TAIL                                                                                  \
    ",CN=ca1,CN=CDP,CN=Public%20Key%20Services,CN=Services,CN=Configuration,DC=lab,DC=test"
#define LDAP_BASE                                                                                  \
    "ldap:///CN=Lab%20Issuing%20CA" LDAP_TAIL "?certificateRevocationList?base?objectClass="       \
    "cRLDistributionPoint"
#define LDAP_DELTA                                                                                 \
    "ldap:///CN=Lab%20Issuing%20CA" LDAP_TAIL "?deltaRevocationList?base?objectClass="             \
    "cRLDistributionPoint"

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
    wanted(
        buf_str(&out),
        "Runway: none at the weakest location; clients find no usable delta CRL of key 1\n"
        "    because  key 1 delta at C:\\Windows\\System32\\CertSrv\\CertEnroll\\Lab Issuing "
        "CA(1)+.crl\n"
        "    by CRL   key 0 base   weakest 23h 50m, clients  5d 23h\n"
        "             key 0 delta  weakest 19h 50m, clients 19h 50m\n"
        "             key 1 base   weakest  5d 23h, clients  5d 23h\n"
        "             key 1 delta  weakest    none, clients    none\n"
        "CRITICAL  CN=Lab Issuing CA: 0 critical, 0 warnings, 11 locations, 2025-11-23T02:00:00Z\n"
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

static void report_text__maintenance_hsm_and_before__all_told(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    assert_int_equal(report_render(changed(), REPORT_TEXT, NULL, &out, &err), 0);
    wanted(
        buf_str(&out),
        "Runway: none at the weakest location; clients find no usable delta CRL of key 0\n"
        "    because  key 0 delta at http://a.test/lab+.crl on 10.0.0.1\n"
        "    by CRL   key 0 base   weakest  4d 23h, clients  4d 23h\n"
        "             key 0 delta  weakest    none, clients    none\n"
        "CRITICAL  CN=Lab Issuing CA: 0 critical, 0 warnings, 4 locations, 2025-11-23T02:00:00Z\n"
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

/* Every combination of figures gets words that are true for it. */
static void report_headline__each_combination__true_words(void **state)
{
    (void)state;
    static const struct {
        int64_t first, second; /* left at two locations; 0 = nothing came from there */
        const char *word, *runway, *weakest, *clients;
    } rows[] = {
        {6 * DAY, 5 * DAY, "OK", "4d 23h", "until 2025-11-28T02:00:00Z at the weakest location",
         "5d 23h for clients that try the URLs in order"},
        {6 * DAY, 0, "WARNING", "none", "at the weakest location",
         "5d 23h for clients that try the URLs in order"},
        {6 * DAY, -2 * HOUR, "WARNING", "none",
         "at the weakest location, expired 2h 00m ago (2025-11-23T00:00:00Z)",
         "5d 23h for clients that try the URLs in order"},
        {6 * DAY, 300, "WARNING", "none",
         "at the weakest location, expires 2025-11-23T02:05:00Z, within the 10m 00s that a new CRL "
         "takes to arrive",
         "5d 23h for clients that try the URLs in order"},
        {0, 0, "CRITICAL", "none", "at the weakest location",
         "clients find no usable base CRL of key 0"},
        {-2 * HOUR, -2 * HOUR, "CRITICAL", "none",
         "at the weakest location, expired 2h 00m ago (2025-11-23T00:00:00Z)",
         "the base CRL of key 0 that clients get expired 2h 00m ago (2025-11-23T00:00:00Z)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct headline h;
        reset();
        struct probe_result *a = add(&now_lab, "http://a.test/1.crl", "", 0, false, rows[i].first);
        struct probe_result *b = add(&now_lab, "http://a.test/2.crl", "", 0, false, rows[i].second);
        a->status = rows[i].first ? PROBE_OK : PROBE_TIMEOUT;
        b->status = rows[i].second ? PROBE_OK : PROBE_TIMEOUT;
        report_headline(finish(&now_lab), &h);
        wanted(h.word, rows[i].word);
        wanted(h.runway, rows[i].runway);
        wanted(h.weakest, rows[i].weakest);
        wanted(h.clients, rows[i].clients);
    }
}

static void report_headline__no_location__unknown_and_exit_3(void **state)
{
    (void)state;
    struct headline h;
    reset();
    const struct report *r = finish(&now_lab);
    report_headline(r, &h);
    wanted(h.word, "UNKNOWN");
    wanted(h.runway, "unknown");
    assert_int_equal(report_exit_code(r, SEV_WARNING), 3);
}

/* A thousand findings of one kind do not bury the one of another. */
static void report_text__many_findings_alike__some_and_the_number(void **state)
{
    (void)state;
    SCOPED(findings_free) struct findings findings = {0};
    SCOPED(buf_free) struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    reset();
    add(&now_lab, "http://a.test/1.crl", "", 0, false, 6 * DAY);
    for (int i = 0; i < 1001; i++)
        assert_non_null(findings_add(&findings, i == 500 ? FIND_STALE_NODE : FIND_LOC_TIMEOUT));
    struct report *r = finish(&now_lab);
    r->findings = &findings;
    assert_int_equal(report_render(r, REPORT_TEXT, NULL, &out, &err), 0);
    size_t told = 0;
    for (const char *p = buf_str(&out); (p = strstr(p, "  4043 critical")); p++)
        told++;
    assert_int_equal(told, REPORT_ALIKE);
    assert_non_null(strstr(buf_str(&out), "  4043 at 997 more locations: "));
    assert_non_null(strstr(buf_str(&out), "  4030 critical"));
}

/* Two locations: the delta turns yellow and red and dies in the outage, the base lives on. */
static void report_simulation__base_and_delta__minutes_and_verdict(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    struct simulate_line line[3];
    size_t n = 0;
    reset();
    add(&now_lab, "http://a.test/lab.crl", "10.0.0.1", 0, false, 6 * DAY);
    add(&now_lab, "http://a.test/lab+.crl", "10.0.0.1", 0, true, 20 * HOUR)->facts.next_publish =
        NOW + 17 * HOUR;
    add(&now_lab, "http://a.test/old.crl", "10.0.0.1", 0, false, -HOUR);
    const struct report *r = finish(&now_lab);
    const struct crl_thresholds t = {.warn_seconds = 2 * HOUR, .crit_seconds = HOUR};
    struct simulate_outage o = {
        .from = NOW, .seconds = 36 * HOUR, .propagation = 600, .thresholds = &t};
    simulate_outage(now_lab.t, now_lab.r, 3, &o, line, &n);
    assert_int_equal(n, 3);
    report_simulation(r, line, n, &o, NULL, &out);
    wanted(buf_str(&out),
           "Runway: none at the weakest location, expired 1h 00m ago (2025-11-23T01:00:00Z)\n"
           "Outage of 1d 12h from 2025-11-23T02:00:00Z: nothing is signed until "
           "2025-11-24T14:00:00Z,\n"
           "a new CRL is everywhere 10m 00s later. Times are UTC, to the minute.\n\n"
           "  Type  Key  Yellow       Red          Fatal            Spare  Location\n"
           "  base    0  already      already      already        -1d 13h  "
           "http://a.test/old.crl @10.0.0.1\n"
           "  delta   0  11-23 19:00  11-23 21:00  11-23 22:00   -16h 10m  "
           "http://a.test/lab+.crl @10.0.0.1\n"
           "  base    0  -            -            -               4d 11h  "
           "http://a.test/lab.crl @10.0.0.1\n"
           "\nThe outage does not fit: 2 of 3 locations run out before a new CRL is there.\n"
           "No outage fits: the first has no runway at its beginning.\n");
    assert_false(simulation_fits(line, n));
    buf_clear(&out);
    report_simulation(r, line, 0, &o, NULL, &out);
    assert_non_null(strstr(buf_str(&out), "nothing can be said"));
    assert_false(simulation_fits(line, 0));
}

/* A console shows what needs somebody; what is well is a number. */
static void report_text__two_thousand_locations__not_ok_ones_first(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    char url[64];
    size_t lines = 0;
    reset();
    for (int i = 0; i < LAB_PROBES; i++) {
        snprintf(url, sizeof url, "http://a.test/%d.crl", i);
        add(&now_lab, url, "", 0, false, 6 * DAY)->status = i % 10 == 9 ? PROBE_TIMEOUT : PROBE_OK;
    }
    assert_int_equal(report_render(finish(&now_lab), REPORT_TEXT, NULL, &out, &err), 0);
    for (const char *p = buf_str(&out); (p = strchr(p, '\n')); p++)
        lines++;
    assert_in_range(lines, 100, 115);
    assert_non_null(strstr(buf_str(&out), "/9.crl"));
    assert_null(strstr(buf_str(&out), "/10.crl"));
    assert_non_null(strstr(buf_str(&out), "1800 locations that are OK and 100 that are not"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_shorten__no_room__middle_gives_way),
        cmocka_unit_test(report_text__ldap_two_nodes_two_keys__one_line_each),
        cmocka_unit_test(report_text__maintenance_hsm_and_before__all_told),
        cmocka_unit_test(report_headline__each_combination__true_words),
        cmocka_unit_test(report_headline__no_location__unknown_and_exit_3),
        cmocka_unit_test(report_text__many_findings_alike__some_and_the_number),
        cmocka_unit_test(report_simulation__base_and_delta__minutes_and_verdict),
        cmocka_unit_test(report_text__two_thousand_locations__not_ok_ones_first),
        cmocka_unit_test(report_json__maintenance_hsm_history_and_before__all_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
