/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Events of the CA as Windows renders them, and what is made of them. */
#include "health/caevent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/when.h"
#include "health/rules.h"
#include "unit/cmocka_unit.h"

#define SYSTEM(id, record, when)                                                                   \
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"                \
    "<Provider Name='Microsoft-Windows-CertificationAuthority' "                                   \
    "Guid='{6A71D062-9AFE-4F35-AD08-52134F85DFB9}' EventSourceName='CertSvc'/>"                    \
    "<EventID Qualifiers='49754'>" id "</EventID><Version>0</Version><Level>2</Level>"             \
    "<Task>0</Task><Opcode>0</Opcode><Keywords>0x80000000000000</Keywords>"                        \
    "<TimeCreated SystemTime='" when "'/><EventRecordID>" record "</EventRecordID>"                \
    "<Correlation/><Execution ProcessID='2164' ThreadID='0'/><Channel>Application</Channel>"       \
    "<Computer>ca01.lab.test</Computer><Security UserID='S-1-5-18'/></System>"

static const char event_65[] =
    SYSTEM("65", "4711",
           "2026-11-23T13:31:41.1234567Z") "<EventData Name='MSG_E_BASE_CRL'>"
                                           "<Data Name='CAKeyIdentifier'>1</Data>"
                                           "<Data Name='URL'>file://\\\\web01.lab.test\\pki\\Lab "
                                           "&amp; CA.crl</Data>"
                                           "<Data Name='ErrorMessageText'>Zugriff verweigert "
                                           "0x80070005 (WIN32: 5)\r\n</Data>"
                                           "<Data Name='param4'/></EventData></Event>";

static void ca_event_parse__malformed__refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "<Event/>",
        "<Other><System><EventID>65</EventID></System></Other>",
        "<Event><System><EventID>x</EventID><TimeCreated SystemTime='2026-11-23T13:31:41Z'/>"
        "</System></Event>",
        "<Event><System><EventID>65</EventID></System></Event>",
        "<Event><System><EventID>65</EventID><TimeCreated SystemTime='yesterday evening, 8'/>"
        "</System></Event>",
        "<Event><System><EventID>65</EventID>",
    };
    struct health_ca_event e = {.id = 7};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(ca_event_parse(bad[i], strlen(bad[i]), &e, NULL), ERR_PARSE);
    char *huge = calloc(1, CA_EVENT_XML_MAX + 1);
    assert_non_null(huge);
    assert_int_equal(ca_event_parse(huge, CA_EVENT_XML_MAX + 1, &e, NULL), ERR_LIMIT);
    free(huge);
    assert_int_equal(e.id, 7);
}

static void ca_event_parse__event_65__number_time_place_and_text(void **state)
{
    (void)state;
    struct health_ca_event e;
    char when[WHEN_TEXT_MAX];
    assert_int_equal(ca_event_parse(event_65, strlen(event_65), &e, NULL), ERR_OK);
    assert_int_equal(e.id, 65);
    assert_int_equal(e.record, 4711);
    assert_string_equal(when_format(e.when, when), "2026-11-23T13:31:41Z");
    assert_int_equal(e.key, 1);
    assert_string_equal(e.where, "file://\\\\web01.lab.test\\pki\\Lab & CA.crl");
    assert_non_null(strstr(e.text, "Zugriff verweigert 0x80070005"));
    assert_null(strchr(e.text, '\n'));
}

static void ca_event_parse__other_forms__read_too(void **state)
{
    (void)state;
    struct health_ca_event e;
    static const char user[] =
        SYSTEM("130", "1", "2026-11-23T13:31:41Z") "<UserData><Failed "
                                                   "xmlns='x'><Data>0</Data><Data>0x80090030</"
                                                   "Data></Failed></UserData>"
                                                   "</Event>";
    static const char bare[] = SYSTEM("26", "2", "2026-11-23T13:31:41.5Z") "</Event>";
    static const char drive[] = SYSTEM(
        "66", "3",
        "2026-11-23T13:31:41Z") "<EventData><Data>0.2</Data><Data>c:\\windows\\CertEnroll\\x+.crl</"
                                "Data></EventData></Event>";
    assert_int_equal(ca_event_parse(user, strlen(user), &e, NULL), ERR_OK);
    assert_string_equal(e.text, "0; 0x80090030");
    assert_int_equal(ca_event_parse(bare, strlen(bare), &e, NULL), ERR_OK);
    assert_int_equal(e.key, -1);
    assert_string_equal(e.text, "");
    assert_int_equal(ca_event_parse(drive, strlen(drive), &e, NULL), ERR_OK);
    assert_string_equal(e.where, "c:\\windows\\CertEnroll\\x+.crl");
    assert_int_equal(e.key, 0);
}

/* ---- rules ---- */

#define NOW 1764000000

struct desk {
    struct probe_target target[2];
    struct probe_result *result;
    struct health_ca_event event[4];
    struct health_input in;
    struct findings found;
};

static int begin(void **state)
{
    struct desk *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->result = calloc(2, sizeof *d->result);
    assert_non_null(d->result);
    for (size_t i = 0; i < 2; i++) {
        struct probe_result *r = &d->result[i];
        (void)str_copy(d->target[i].url, sizeof d->target[i].url,
                       i ? "http://pki.test/x+.crl" : "http://pki.test/x.crl");
        d->target[i].role = i ? ROLE_CRL_DELTA : ROLE_CRL_BASE;
        r->signature = CRL_SIG_GOOD;
        r->facts.number = (struct crl_number){1, {9}};
        r->facts.this_update = NOW - 86400;
        r->facts.next_update = NOW + 6 * 86400;
        if (i)
            r->facts.delta_base = (struct crl_number){1, {9}};
        r->facts.next_publish = WHEN_NONE;
        r->age = -1;
        r->server_date = WHEN_NONE;
    }
    d->in = (struct health_input){.ca = "Lab CA",
                                  .targets = d->target,
                                  .results = d->result,
                                  .n = 2,
                                  .events = d->event,
                                  .now = NOW};
    *state = d;
    return 0;
}

static int end(void **state)
{
    struct desk *d = *state;
    findings_free(&d->found);
    free(d->result);
    free(d);
    return 0;
}

static void add(struct desk *d, uint32_t id, int64_t ago, const char *where)
{
    struct health_ca_event *e = &d->event[d->in.n_events++];
    *e = (struct health_ca_event){
        .id = id, .record = 100 + d->in.n_events, .when = NOW - ago, .key = 0};
    (void)str_copy(e->where, sizeof e->where, where);
    snprintf(e->text, sizeof e->text, "0; %s", where);
}

static const struct finding *judged(struct desk *d, uint32_t id)
{
    findings_free(&d->found);
    assert_int_equal(health_evaluate(&d->in, NULL, &d->found, NULL), ERR_OK);
    for (size_t i = 0; i < d->found.n; i++) {
        if (d->found.item[i].id == id)
            return &d->found.item[i];
    }
    return NULL;
}

static void rule_events__several_of_a_kind__the_newest_with_its_record(void **state)
{
    struct desk *d = *state;
    add(d, 65, 300, "\\\\web01\\pki");
    add(d, 74, 200, "ldap:///CN=x");
    const struct finding *f = judged(d, FIND_CA_PUBLISH_BASE_FAILED);
    assert_non_null(f);
    assert_non_null(strstr(f->found, "event 74, record 102, at "));
    assert_non_null(strstr(f->found, "(2 of this kind)"));
    assert_null(judged(d, FIND_CA_PUBLISH_DELTA_FAILED));
}

static void rule_events__newer_crl_of_the_same_kind_and_key__over(void **state)
{
    struct desk *d = *state;
    static const struct {
        uint32_t event, finding;
        size_t crl;
    } rows[] = {{65, FIND_CA_PUBLISH_BASE_FAILED, 0},  {74, FIND_CA_PUBLISH_BASE_FAILED, 0},
                {66, FIND_CA_PUBLISH_DELTA_FAILED, 1}, {75, FIND_CA_PUBLISH_DELTA_FAILED, 1},
                {67, FIND_CA_PUBLISH_GIVEN_UP, 0},     {130, FIND_CA_SIGN_FAILED, 1}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct crl_facts *newer = &d->result[rows[i].crl].facts;
        d->in.n_events = 0;
        add(d, rows[i].event, 3600, "");
        assert_non_null(judged(d, rows[i].finding));
        newer->this_update = NOW - 60;
        assert_null(judged(d, rows[i].finding));
        d->event[0].key = 1; /* that of another key says nothing */
        assert_non_null(judged(d, rows[i].finding));
        newer->this_update = NOW - 86400;
    }
    /* A delta says nothing of a base that could not be written. */
    d->in.n_events = 0;
    add(d, 65, 3600, "");
    d->result[1].facts.this_update = NOW - 60;
    assert_non_null(judged(d, FIND_CA_PUBLISH_BASE_FAILED));
}

static void rule_events__later_success_at_that_location__over(void **state)
{
    struct desk *d = *state;
    add(d, 65, 300, "\\\\web01\\pki");
    add(d, 68, 200, "\\\\web02\\pki");
    assert_non_null(judged(d, FIND_CA_PUBLISH_BASE_FAILED));
    add(d, 68, 100, "\\\\web01\\pki");
    assert_null(judged(d, FIND_CA_PUBLISH_BASE_FAILED));
    add(d, 65, 50, "\\\\web01\\pki");
    assert_non_null(judged(d, FIND_CA_PUBLISH_BASE_FAILED));
}

static void rule_events__started_later__over(void **state)
{
    struct desk *d = *state;
    add(d, 100, 3600, "");
    add(d, 62, 3600, "");
    assert_non_null(judged(d, FIND_CA_NOT_STARTED));
    add(d, 26, 3590, "");
    assert_null(judged(d, FIND_CA_NOT_STARTED));
    assert_non_null(judged(d, FIND_CA_SETTINGS_RESET)); /* the 26 of the same start */
    add(d, 26, 60, "");
    assert_null(judged(d, FIND_CA_SETTINGS_RESET));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ca_event_parse__malformed__refused),
        cmocka_unit_test(ca_event_parse__event_65__number_time_place_and_text),
        cmocka_unit_test(ca_event_parse__other_forms__read_too),
        CASE(rule_events__several_of_a_kind__the_newest_with_its_record),
        CASE(rule_events__newer_crl_of_the_same_kind_and_key__over),
        CASE(rule_events__later_success_at_that_location__over),
        CASE(rule_events__started_later__over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
