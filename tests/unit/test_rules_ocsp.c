/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A change to a healthy OCSP answer beside a healthy CRL, and the findings it must give. */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "health/rules.h"

#define NOW 1795420800ll
#define DAY 86400ll

struct world {
    struct probe_target t[2];
    struct probe_result r[2];
    struct health_input in;
};

static void set_http(struct world *w, size_t i, const char *url, const char *type)
{
    str_copy(w->t[i].url, sizeof w->t[i].url, url);
    str_copy(w->r[i].content_type, sizeof w->r[i].content_type, type);
    w->t[i].kind = LOC_HTTP;
    w->t[i].origin = FROM_CERTIFICATE;
    w->r[i].status = PROBE_OK;
    w->r[i].http_status = 200;
    w->r[i].age = -1;
    w->r[i].started = w->r[i].server_date = NOW;
}

/* A delegated answer about a certificate of this CA, with nothing to complain about. */
static struct ocsp_facts *healthy(struct world *w)
{
    memset(w, 0, sizeof *w);
    set_http(w, 0, "http://pki/x.crl", "application/pkix-crl");
    w->t[0].role = ROLE_CRL_BASE;
    w->r[0].signature = CRL_SIG_GOOD;
    struct crl_facts *f = &w->r[0].facts;
    f->this_update = NOW - DAY;
    f->next_publish = NOW + 5 * DAY;
    f->next_update = NOW + 6 * DAY;
    f->number = (struct crl_number){1, {17}};
    set_http(w, 1, "http://pki/ocsp", "application/ocsp-response");
    w->t[1].role = ROLE_OCSP;
    w->t[1].ocsp_request_len = 70;
    w->in =
        (struct health_input){.ca = "Lab CA", .targets = w->t, .results = w->r, .n = 2, .now = NOW};
    w->r[1].ocsp = (struct ocsp_facts){.asked = true,
                                       .answered = true,
                                       .matched = true,
                                       .no_check = true,
                                       .signature = OCSP_SIG_GOOD,
                                       .signer = OCSP_SIGNER_DELEGATED,
                                       .status = OCSP_STATUS_GOOD,
                                       .this_update = NOW - DAY,
                                       .next_update = NOW + DAY,
                                       .signer_from = NOW - DAY,
                                       .signer_until = NOW + 13 * DAY,
                                       .signer_name = "/CN=responder"};
    return &w->r[1].ocsp;
}
static void w_good(struct world *w)
{
    (void)w;
}
static void w_asked_and_down(struct world *w)
{
    (void)w;
    w->r[1].status = PROBE_HTTP_STATUS;
}
static void w_no_end(struct world *w)
{
    w->r[1].ocsp.next_update = WHEN_NONE; /* newer information is always there: no fault */
}
static void w_stale(struct world *w)
{
    w->r[1].ocsp.next_update = NOW;
}
static void w_unauthorized(struct world *w)
{
    w->r[1].ocsp.response = 6;
}
static void w_spoilt(struct world *w)
{
    w->r[1].ocsp.signature = OCSP_SIG_BAD;
    w->r[1].ocsp.next_update = NOW - DAY; /* what an unsigned answer says is not looked at */
}
static void w_wrong_signer(struct world *w)
{
    w->r[1].ocsp.signer = OCSP_SIGNER_NOBODY;
}
static void w_signer_expired(struct world *w)
{
    w->r[1].ocsp.signer_until = NOW;
}
static void w_signer_expiring(struct world *w)
{
    w->r[1].ocsp.signer_from = NOW - 13 * DAY - DAY / 2;
    w->r[1].ocsp.signer_until = NOW + DAY / 2;
}
static void w_no_nocheck(struct world *w)
{
    w->r[1].ocsp.no_check = false;
}
static void w_old_crl(struct world *w)
{
    w->r[1].ocsp.this_update = NOW - DAY - 1;
}
static void w_old_crl_in_grace(struct world *w)
{
    w->r[1].ocsp.this_update = NOW - DAY;
    w->r[0].facts.this_update = NOW - 1800;
}
static void w_another(struct world *w)
{
    w->r[1].ocsp.matched = false;
}
static void w_html(struct world *w)
{
    w->r[1].ocsp.answered = false;
    w->r[1].status = PROBE_NOT_A_CRL;
}
static void w_get_down(struct world *w)
{
    w->t[1].ocsp_request_len = 0;
    w->r[1].ocsp = (struct ocsp_facts){.asked = false};
    w->r[1].status = PROBE_HTTP_STATUS;
    w->r[1].http_status = 503;
}
static void w_get_answers(struct world *w)
{
    w_get_down(w);
    w->r[1].http_status = 405;
}

static const struct {
    const char *name;
    void (*change)(struct world *w);
    const char *ids;   /* as they are found */
    const char *state; /* of the responder's row */
} cases[] = {
    {"good", w_good, "", "OK"},
    {"asked and down", w_asked_and_down, "4082", "Unable to Download"},
    {"without nextUpdate", w_no_end, "", "OK"},
    {"stale", w_stale, "4083", "Expired"},
    {"unauthorized", w_unauthorized, "4084", "Error"},
    {"spoilt", w_spoilt, "4085", "Error"},
    {"wrong signer", w_wrong_signer, "4086", "Error"},
    {"signer expired", w_signer_expired, "4086", "Error"},
    {"signer expiring", w_signer_expiring, "4093", "OK"},
    {"without nocheck", w_no_nocheck, "4096", "OK"},
    {"old crl", w_old_crl, "4087", "OK"},
    {"old crl in grace", w_old_crl_in_grace, "", "OK"},
    {"about another", w_another, "4088", "Error"},
    {"html", w_html, "4088", "Error"},
    {"get down", w_get_down, "4082", "Unable to Download"},
    {"get answers", w_get_answers, "4094", "Unable to Download"},
};

static struct world world;

static void health_evaluate__ocsp_table__known_findings(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(findings_free) struct findings found = {0};
        struct err err = ERR_INIT;
        uint32_t verdicts[2];
        char ids[200] = "";
        print_message("  %s\n", cases[i].name);
        healthy(&world);
        cases[i].change(&world);
        assert_int_equal(health_evaluate(&world.in, verdicts, &found, &err), ERR_OK);
        for (size_t k = 0; k < found.n; k++) {
            size_t n = strlen(ids);
            snprintf(ids + n, sizeof ids - n, "%s%u", k ? " " : "", found.item[k].id);
            assert_true(found.item[k].expected[0] && found.item[k].found[0]);
            assert_string_equal(found.item[k].url, "http://pki/ocsp");
        }
        assert_string_equal(ids, cases[i].ids);
        assert_string_equal(health_state(&world.t[1], &world.r[1], verdicts[1]), cases[i].state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_evaluate__ocsp_table__known_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
