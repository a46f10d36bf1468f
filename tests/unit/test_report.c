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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_shorten__no_room__middle_gives_way),
        cmocka_unit_test(report_text__ldap_two_nodes_two_keys__one_line_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
