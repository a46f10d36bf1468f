/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* One table per noun: a change to a healthy pair of locations, and the findings it must give. */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "health/rules.h"
#include "health/simulate.h"

#define NOW 1795420800ll
#define DAY 86400ll

struct world {
    struct probe_target t[4];
    struct probe_result r[4];
    struct health_known own, previous;
    struct ca_settings settings;
    struct ca_url url;
    struct health_ca_cert cert;
    struct health_ca_event event;
    struct health_input in;
};

static void set_number(struct crl_number *n, uint8_t v)
{
    n->len = 1;
    n->bytes[0] = v;
}

static void set_location(struct world *w, size_t i, const char *url, const char *address)
{
    struct probe_target *t = &w->t[i];
    struct probe_result *r = &w->r[i];
    str_copy(t->url, sizeof t->url, url);
    str_copy(t->address, sizeof t->address, address);
    str_copy(r->address, sizeof r->address, address);
    t->kind = LOC_HTTP;
    t->role = ROLE_CRL_BASE;
    t->origin = FROM_CA_CDP;
    r->status = PROBE_OK;
    r->http_status = 200;
    r->signature = CRL_SIG_GOOD;
    r->age = -1;
    r->started = NOW;
    r->server_date = NOW;
    str_copy(r->content_type, sizeof r->content_type, "application/pkix-crl");
    struct crl_facts *f = &r->facts;
    f->version = 2;
    f->issuer_der_len = 1;
    f->aki_len = 1;
    f->this_update = NOW - DAY;
    f->next_publish = NOW + 5 * DAY;
    f->next_update = NOW + 6 * DAY;
    set_number(&f->number, 17);
    f->entries = 100;
    f->bytes = 5000;
    f->sha256[0] = 17;
    str_copy(f->signature_name, sizeof f->signature_name, "sha256WithRSAEncryption");
}

/* Two servers of one name, both healthy. */
static void healthy(struct world *w)
{
    memset(w, 0, sizeof *w);
    set_location(w, 0, "http://pki/x.crl", "10.0.0.1");
    set_location(w, 1, "http://pki/x.crl", "10.0.0.2");
    set_location(w, 2, "http://pki/x.crl", "10.0.0.3");
    set_location(w, 3, "http://pki/x.crl", "10.0.0.4");
    w->in.ca = "Lab CA";
    w->in.targets = w->t;
    w->in.results = w->r;
    w->in.n = 2;
    w->in.now = NOW;
}

static void make_delta(struct world *w, size_t i, uint8_t number, uint8_t base)
{
    str_copy(w->t[i].url, sizeof w->t[i].url, "http://pki/x+.crl");
    w->t[i].role = ROLE_CRL_DELTA;
    w->r[i].facts.sha256[0] = 99;
    set_number(&w->r[i].facts.number, number);
    set_number(&w->r[i].facts.delta_base, base);
}

static void for_both(struct world *w, void (*change)(struct probe_target *, struct probe_result *))
{
    for (size_t i = 0; i < w->in.n; i++)
        change(&w->t[i], &w->r[i]);
}

static void expired(struct probe_target *t, struct probe_result *r)
{
    (void)t;
    r->facts.next_update = NOW - 60;
}
static void w_expired(struct world *w)
{
    for_both(w, expired);
}
static void w_expiring(struct world *w)
{
    w->in.n = 1;
    w->r[0].facts.this_update = NOW - 85;
    w->r[0].facts.next_publish = WHEN_NONE;
    w->r[0].facts.next_update = NOW + 15;
}
static void w_expiring_soon(struct world *w)
{
    w->in.n = 1;
    w->r[0].facts.this_update = NOW - 97;
    w->r[0].facts.next_publish = WHEN_NONE;
    w->r[0].facts.next_update = NOW + 3;
}
static void w_overdue(struct world *w)
{
    w->in.n = 1;
    w->r[0].facts.next_publish = NOW - 1801;
}
static void w_future(struct world *w)
{
    w->in.n = 1;
    w->r[0].facts.this_update = NOW + 301;
}
static void w_stale_node(struct world *w)
{
    set_number(&w->r[1].facts.number, 16);
    w->r[1].facts.sha256[0] = 16;
}
static void w_all_stale(struct world *w)
{
    w->own.facts = w->r[0].facts;
    set_number(&w->own.facts.number, 18);
    w->own.facts.sha256[0] = 18;
    w->in.own = &w->own;
    w->in.n_own = 1;
}
static void w_mismatch(struct world *w)
{
    w_all_stale(w);
    set_number(&w->own.facts.number, 17);
}
static void w_ahead(struct world *w)
{
    w_all_stale(w);
    set_number(&w->own.facts.number, 12);
}
/* 16 has to be served by now, 17 was published a moment ago and is at one of two servers. */
static void w_coming_half(struct world *w)
{
    w_stale_node(w);
    w->own.facts = w->r[1].facts;
    w->own.coming = w->r[0].facts.number;
    memcpy(w->own.coming_sha256, w->r[0].facts.sha256, 32);
    w->in.own = &w->own;
    w->in.n_own = 1;
}
static void w_coming_and_older(struct world *w)
{
    w_coming_half(w);
    set_number(&w->r[1].facts.number, 15);
}
static void w_coming_other_bytes(struct world *w)
{
    w_coming_half(w);
    w->in.n = 1;
    w->own.coming_sha256[0] ^= 1;
}
static void w_ahead_of_coming(struct world *w)
{
    w_coming_half(w);
    w->in.n = 1;
    set_number(&w->r[0].facts.number, 18);
}
static void bad_signature(struct probe_target *t, struct probe_result *r)
{
    (void)t;
    r->signature = CRL_SIG_BAD;
}
static void w_bad_signature(struct world *w)
{
    for_both(w, bad_signature);
}
static void w_wrong_issuer(struct world *w)
{
    w->in.n = 1;
    w->r[0].signature = CRL_SIG_NO_ISSUER;
}
static void w_unverified(struct world *w)
{
    w->in.n = 1;
    w->r[0].signature = CRL_SIG_NOT_CHECKED;
}
static void w_delta_at_base(struct world *w)
{
    w->in.n = 1;
    set_number(&w->r[0].facts.delta_base, 10);
}
static void w_delta_gap(struct world *w)
{
    make_delta(w, 1, 19, 18);
}
static void w_delta_older(struct world *w)
{
    make_delta(w, 1, 16, 12);
}
static void w_delta_older_base_is_normal(struct world *w)
{
    make_delta(w, 1, 17, 15);
}
static void w_idp(struct world *w)
{
    w->in.n = 1;
    w->r[0].facts.has_idp = true;
    w->r[0].facts.idp.count = 1;
    str_copy(w->r[0].facts.idp.url[0], CRL_URL_TEXT, "http://other/x.crl");
}
static void w_weak(struct world *w)
{
    w->in.n = 1;
    w->r[0].facts.warnings = CRL_WARN_WEAK_DIGEST;
}
static void w_pem(struct world *w)
{
    w->in.n = 1;
    w->r[0].facts.warnings = CRL_WARN_PEM;
}
static void w_no_next(struct world *w)
{
    w->in.n = 1;
    w->r[0].facts.next_update = WHEN_NONE;
}
static void w_lost(struct world *w)
{
    w->in.n = 1;
    w->previous.facts = w->r[0].facts;
    w->in.previous = &w->previous;
    w->in.n_previous = 1;
    set_number(&w->previous.facts.number, 16);
    w->previous.facts.entries = 200;
}
static void down(struct probe_target *t, struct probe_result *r)
{
    (void)t;
    r->status = PROBE_CONNECT;
}
static void w_one_down(struct world *w)
{
    down(&w->t[1], &w->r[1]);
}
static void w_all_down(struct world *w)
{
    for_both(w, down);
}
static void w_html(struct world *w)
{
    w->in.n = 2;
    str_copy(w->t[1].url, sizeof w->t[1].url, "http://pki2/x.crl");
    w->r[1].status = PROBE_NOT_A_CRL;
    str_copy(w->r[1].detail, sizeof w->r[1].detail, "expected a CRL, found an HTML page: x");
}
static void w_plus(struct world *w)
{
    make_delta(w, 1, 17, 15);
    str_copy(w->r[1].address, sizeof w->r[1].address, w->r[0].address);
    w->r[1].status = PROBE_HTTP_STATUS;
    w->r[1].http_status = 404;
}
static void w_plus_other_server(struct world *w)
{
    w_plus(w);
    str_copy(w->r[1].address, sizeof w->r[1].address, "10.0.0.9");
}
static void w_plus_no_base(struct world *w)
{
    w_plus(w);
    w->r[0].status = PROBE_HTTP_STATUS;
    w->r[0].http_status = 404;
}
static void w_foreign_node(struct world *w)
{
    w->in.n = 4;
    w->r[3].facts.issuer_der[0] = 7;
    w->r[3].signature = CRL_SIG_NO_ISSUER;
    set_number(&w->r[3].facts.number, 99);
}
/* Signed well, by another CA that is known too; unverified it is the same. */
static void w_foreign_good_node(struct world *w)
{
    w_foreign_node(w);
    w->r[3].signature = CRL_SIG_GOOD;
}
static void w_foreign_first_node(struct world *w)
{
    w->in.n = 4;
    w->r[0].facts.issuer_der[0] = 7;
    set_number(&w->r[0].facts.number, 99);
    for_both(w, bad_signature);
    for (size_t i = 0; i < 4; i++)
        w->r[i].signature = CRL_SIG_NOT_CHECKED;
}
static void w_delta_on_a_node(struct world *w)
{
    w->in.n = 4;
    set_number(&w->r[3].facts.number, 99);
    set_number(&w->r[3].facts.delta_base, 98);
}
static void w_stale_node_expired(struct world *w)
{
    w_stale_node(w);
    w->in.n = 4;
    w->r[1].facts.next_update = NOW - DAY;
    w->r[1].facts.this_update = NOW - 9 * DAY;
}
static void w_mime(struct world *w)
{
    w->in.n = 1;
    str_copy(w->r[0].content_type, sizeof w->r[0].content_type, "application/octet-stream");
}
static void w_mime_parameter_is_fine(struct world *w)
{
    w->in.n = 1;
    str_copy(w->r[0].content_type, sizeof w->r[0].content_type,
             "application/pkix-crl; charset=binary");
}
static void w_cache(struct world *w)
{
    w->in.n = 1;
    str_copy(w->r[0].cache_control, sizeof w->r[0].cache_control, "public, max-age=604800");
}
static void w_skew(struct world *w)
{
    w->in.n = 1;
    w->r[0].server_date = NOW - 301;
}
static void w_https(struct world *w)
{
    w->in.n = 1;
    w->t[0].kind = LOC_HTTPS;
}
static void w_redirected(struct world *w)
{
    w->in.n = 1;
    w->r[0].redirects = 1;
}
static void w_cached_old(struct world *w)
{
    w->t[1].as_client = true;
    w->t[1].address[0] = '\0';
    set_number(&w->r[1].facts.number, 16);
}
static void w_cached_expired(struct world *w)
{
    w_cached_old(w);
    w->r[1].facts.next_update = NOW - DAY;
    w->r[1].facts.this_update = NOW - 9 * DAY;
}
static void w_many_urls(struct world *w)
{
    w->in.n = 3;
    str_copy(w->t[1].url, sizeof w->t[1].url, "http://pki2/x.crl");
    str_copy(w->t[2].url, sizeof w->t[2].url, "http://pki3/x.crl");
}
static void w_big(struct world *w)
{
    w->in.n = 1;
    w->r[0].facts.bytes = 44000001;
}
static void w_slow(struct world *w)
{
    w->in.n = 1;
    w->r[0].total_ms = 12001;
}
static void w_ldap_lag(struct world *w)
{
    w_stale_node(w);
    w->t[0].kind = w->t[1].kind = LOC_LDAP;
}
static void w_parent_dead(struct world *w)
{
    str_copy(w->t[1].url, sizeof w->t[1].url, "http://root/r.crl");
    w->t[1].parent = true;
    w->r[1].facts.next_update = NOW - 1;
}
static void w_parent_expiring(struct world *w)
{
    w_parent_dead(w);
    w->r[1].facts.this_update = NOW - 100 * DAY;
    w->r[1].facts.next_update = NOW + 5 * DAY;
    w->r[1].facts.next_publish = WHEN_NONE;
}
/* A week's CRL of a parent that is online: 6 of 7 days left, then 1. */
static void w_parent_weekly(struct world *w)
{
    w_parent_dead(w);
    w->r[1].facts.this_update = NOW - DAY;
    w->r[1].facts.next_update = NOW + 6 * DAY;
}
static void w_parent_weekly_old(struct world *w)
{
    w_parent_dead(w);
    w->r[1].facts.this_update = NOW - 6 * DAY;
    w->r[1].facts.next_update = NOW + DAY;
}
static const struct crl_thresholds *half(void *arg, const struct probe_target *t)
{
    static const struct crl_thresholds parent = {.warn_percent = 50, .crit_percent = 95};
    (void)arg;
    return t->parent ? &parent : NULL;
}
static void w_parent_weekly_own_threshold(struct world *w)
{
    w_parent_weekly(w);
    w->in.thresholds_of = half;
    w->r[1].facts.this_update = NOW - 4 * DAY;
    w->r[1].facts.next_update = NOW + 3 * DAY;
}
static void w_parent_one_of_two(struct world *w)
{
    w_parent_dead(w);
    w->in.n = 3;
    w->t[2].parent = true;
    str_copy(w->t[2].url, sizeof w->t[2].url, "http://root2/r.crl");
    w->r[2].facts.next_update = NOW + 90 * DAY;
    w->r[1].status = PROBE_CONNECT;
}
static void w_overlap_name(struct world *w)
{
    w->in.n = 1;
    w->settings.crl_period.count = 1;
    w->url = (struct ca_url){CA_URL_CERT_CDP, NULL};
    w->settings.crl_urls = &w->url;
    w->settings.n_crl_urls = 1;
    w->settings.wrong_overlap_name = true;
    w->in.settings = &w->settings;
}
static char unusable[] = "ftp://user:geheim@ca01/%3%8%9.crl";
static void w_unusable_entry(struct world *w)
{
    w_overlap_name(w);
    w->settings.wrong_overlap_name = false;
    w->url.url = unusable;
}
static void w_delta_no_freshest(struct world *w)
{
    w_overlap_name(w);
    w->settings.wrong_overlap_name = false;
    w->settings.delta_period.count = 1;
}
static void w_no_cdp(struct world *w)
{
    w_overlap_name(w);
    w->settings.wrong_overlap_name = false;
    w->url.flags = CA_URL_PUBLISH_BASE;
}
static void w_base_off(struct world *w)
{
    w_overlap_name(w);
    w->settings.wrong_overlap_name = false;
    w->settings.crl_period.count = 0;
}
static void w_ignore_offline(struct world *w)
{
    w_overlap_name(w);
    w->settings.wrong_overlap_name = false;
    w->settings.crl_flags = 8;
}
static void with_cert(struct world *w, int64_t left)
{
    w->in.n = 1;
    w->cert.not_after = NOW + left;
    w->in.certs = &w->cert;
    w->in.n_certs = 1;
}
static void w_cert_expiring(struct world *w)
{
    with_cert(w, 100 * DAY);
}
static void w_cert_expired(struct world *w)
{
    with_cert(w, -1);
}
static void with_event(struct world *w, uint32_t id, const char *text)
{
    w->in.n = 1;
    w->event.id = id;
    w->event.when = NOW;
    str_copy(w->event.text, sizeof w->event.text, text);
    w->in.events = &w->event;
    w->in.n_events = 1;
}
static void w_event65(struct world *w)
{
    with_event(w, 65, "x");
}
static void w_event75(struct world *w)
{
    with_event(w, 75, "x");
}
static void w_event67(struct world *w)
{
    with_event(w, 67, "x");
}
static void w_event100(struct world *w)
{
    with_event(w, 100, "0x80092013");
}
static void w_event130(struct world *w)
{
    with_event(w, 130, "x");
}
static void w_event62(struct world *w)
{
    with_event(w, 62, "x");
}
static void w_partition_full(struct world *w)
{
    with_event(w, 130, "key: 0x80090023");
}
static void w_event_other(struct world *w)
{
    with_event(w, 26, "x");
}
static void w_aia_down(struct world *w)
{
    str_copy(w->t[1].url, sizeof w->t[1].url, "http://pki/ca.crt");
    w->t[1].role = ROLE_AIA;
    w->r[1].status = PROBE_HTTP_STATUS;
}
static void w_aia_wrong(struct world *w)
{
    w_aia_down(w);
    w->r[1].status = PROBE_OK;
    w->cert.not_after = NOW + 3650 * DAY;
    w->in.certs = &w->cert;
    w->in.n_certs = 1;
}
static void w_ocsp_down(struct world *w)
{
    w_aia_down(w);
    w->t[1].role = ROLE_OCSP;
    w->r[1].http_status = 503;
}
static void w_aia_farm_down(struct world *w)
{
    w->in.n = 4;
    for (size_t i = 1; i < 4; i++) {
        str_copy(w->t[i].url, sizeof w->t[i].url, "http://pki/ca.crt");
        w->t[i].role = ROLE_AIA;
        w->r[i].status = PROBE_HTTP_STATUS;
    }
}
static void w_ocsp_farm_down(struct world *w)
{
    w_aia_farm_down(w);
    for (size_t i = 1; i < 4; i++)
        w->t[i].role = ROLE_OCSP;
    w->r[3].http_status = 405; /* the third answers */
    w->r[1].http_status = w->r[2].http_status = 503;
}
static void w_certificate_of_many_urls(struct world *w)
{
    w->in.n = 1;
    w->t[0].origin = FROM_CERTIFICATE;
    w->t[0].named_with = 3;
}
static void w_ocsp_answers_get(struct world *w)
{
    w_ocsp_down(w);
    w->r[1].http_status = 405;
}
static void w_healthy(struct world *w)
{
    (void)w;
}

static const struct {
    const char *name;
    void (*change)(struct world *w);
    const char *ids; /* sorted as they are found */
} cases[] = {
    {"healthy", w_healthy, ""},
    {"expired", w_expired, "4033 4001"},
    {"expiring", w_expiring, "4003"},
    {"expiring soon", w_expiring_soon, "4002"},
    {"overdue", w_overdue, "4004"},
    {"future", w_future, "4033 4005"},
    {"stale node", w_stale_node, "4030"},
    {"all stale", w_all_stale, "4006"},
    {"mismatch", w_mismatch, "4007"},
    {"ahead", w_ahead, "4017"},
    {"ahead of what is on its way", w_ahead_of_coming, "4017"},
    {"on its way, half arrived", w_coming_half, ""},
    {"on its way, one older", w_coming_and_older, "4030"},
    {"on its way, other bytes", w_coming_other_bytes, "4007"},
    {"bad signature", w_bad_signature, "4033 4009"},
    {"wrong issuer", w_wrong_issuer, "4033 4008"},
    {"unverified", w_unverified, "4024"},
    {"delta at base", w_delta_at_base, "4033 4010"},
    {"delta gap", w_delta_gap, "4011"},
    {"delta older", w_delta_older, "4012"},
    {"delta to an older base", w_delta_older_base_is_normal, ""},
    {"idp", w_idp, "4013"},
    {"weak", w_weak, "4014"},
    {"pem", w_pem, "4022"},
    {"no next", w_no_next, "4016"},
    {"lost", w_lost, "4021"},
    {"one down", w_one_down, "4031"},
    {"all down", w_all_down, "4033 4041"},
    {"html", w_html, "4057"},
    {"plus", w_plus, "4033 4058"},
    {"plus, base on another server", w_plus_other_server, "4033 4044"},
    {"plus, no base either", w_plus_no_base, "4033 4033 4044 4044"},
    {"foreign node", w_foreign_node, "4008"},
    {"foreign, well signed node", w_foreign_good_node, "4008"},
    {"foreign node, nothing verified", w_foreign_first_node, "4008 4024"},
    {"delta on a node", w_delta_on_a_node, "4010"},
    {"stale node, expired", w_stale_node_expired, "4030 4001"},
    {"mime", w_mime, "4060"},
    {"mime with parameter", w_mime_parameter_is_fine, ""},
    {"cache", w_cache, "4061"},
    {"skew", w_skew, "4062"},
    {"https", w_https, "4063"},
    {"redirected", w_redirected, "4064"},
    {"cached old", w_cached_old, "4068"},
    {"cached and expired", w_cached_expired, "4068 4001"},
    {"many urls", w_many_urls, "4065"},
    {"big", w_big, "4066"},
    {"slow", w_slow, "4067"},
    {"ldap lag", w_ldap_lag, "4032"},
    {"parent dead", w_parent_dead, "4070 4001"},
    {"parent expiring", w_parent_expiring, "4071 4002"},
    {"parent weekly", w_parent_weekly, ""},
    {"parent weekly, last day", w_parent_weekly_old, "4071 4003"},
    {"parent weekly, threshold of its own", w_parent_weekly_own_threshold, "4071 4003"},
    {"parent at one of two", w_parent_one_of_two, "4041"},
    {"overlap name", w_overlap_name, "2001"},
    {"an entry that is no URL", w_unusable_entry, "2008"},
    {"base off", w_base_off, "2002"},
    {"delta without freshest", w_delta_no_freshest, "2003"},
    {"no cdp", w_no_cdp, "2004"},
    {"ignore offline", w_ignore_offline, "2005"},
    {"cert expiring", w_cert_expiring, "2006"},
    {"cert expired", w_cert_expired, "2007"},
    {"event 65", w_event65, "3001"},
    {"event 75", w_event75, "3002"},
    {"event 67", w_event67, "3003"},
    {"event 100", w_event100, "3004"},
    {"event 130", w_event130, "3005"},
    {"event 62", w_event62, "3006"},
    {"event 26", w_event_other, ""},
    {"partition full", w_partition_full, "6010"},
    {"aia down", w_aia_down, "4080"},
    {"aia wrong", w_aia_wrong, "4081"},
    {"ocsp down", w_ocsp_down, "4082"},
    {"aia down on a farm", w_aia_farm_down, "4080"},
    {"ocsp down on two of a farm", w_ocsp_farm_down, "4082 4094"},
    {"many urls in a certificate", w_certificate_of_many_urls, "4065"},
    {"ocsp answers GET only", w_ocsp_answers_get, "4094"},
};

static struct world world;

static void health_evaluate__table__known_findings(void **state)
{
    (void)state;
    size_t failures = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(findings_free) struct findings found = {0};
        struct err err = ERR_INIT;
        char ids[200] = "";
        healthy(&world);
        cases[i].change(&world);
        assert_int_equal(health_evaluate(&world.in, NULL, &found, &err), ERR_OK);
        for (size_t k = 0; k < found.n; k++) {
            size_t n = strlen(ids);
            snprintf(ids + n, sizeof ids - n, "%s%u", k ? " " : "", found.item[k].id);
            /* A finding without evidence or remedy is no help to anybody. */
            assert_true(found.item[k].expected[0] && found.item[k].found[0]);
            assert_true(found.item[k].remedy[0]);
        }
        if (strcmp(ids, cases[i].ids) != 0) {
            print_error("%s: expected '%s', found '%s'\n", cases[i].name, cases[i].ids, ids);
            failures++;
        }
    }
    assert_int_equal(failures, 0);
}

static void health_evaluate__stale_node__is_one_finding_with_the_count(void **state)
{
    (void)state;
    SCOPED(findings_free) struct findings found = {0};
    healthy(&world);
    w_stale_node(&world);
    world.in.n = 4;
    assert_int_equal(health_evaluate(&world.in, NULL, &found, NULL), ERR_OK);
    assert_int_equal(found.n, 1);
    assert_non_null(strstr(found.item[0].found, "1 of 4 servers (10.0.0.2) serves CRL number 16"));
}

static void health_evaluate__foreign_node__the_others_are_not_told_stale(void **state)
{
    (void)state;
    uint32_t verdicts[4];
    SCOPED(findings_free) struct findings found = {0};
    healthy(&world);
    w_foreign_node(&world);
    assert_int_equal(health_evaluate(&world.in, verdicts, &found, NULL), ERR_OK);
    assert_string_equal(found.item[0].address, "10.0.0.4");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(verdicts[i], 0);
}

static void health_evaluate__stale_node_expired__never_muted_and_copied(void **state)
{
    (void)state;
    SCOPED(findings_free) struct findings found = {0};
    healthy(&world);
    w_stale_node_expired(&world);
    assert_int_equal(health_evaluate(&world.in, NULL, &found, NULL), ERR_OK);
    assert_int_equal(found.n, 2);
    assert_true(found.item[0].outage);
    assert_non_null(strstr(found.item[0].found, "at 1 it has expired"));
    assert_non_null(strstr(found.item[1].remedy, "copy it"));
    assert_string_equal(found.item[1].address, "10.0.0.2");
    findings_free(&found);
    healthy(&world);
    w_stale_node(&world);
    assert_int_equal(health_evaluate(&world.in, NULL, &found, NULL), ERR_OK);
    assert_false(found.item[0].outage);
}

static void health_evaluate__nothing_usable__says_of_what_and_where(void **state)
{
    (void)state;
    SCOPED(findings_free) struct findings found = {0};
    healthy(&world);
    w_all_down(&world);
    world.t[0].partition = world.t[1].partition = 4;
    assert_int_equal(health_evaluate(&world.in, NULL, &found, NULL), ERR_OK);
    assert_string_equal(found.item[0].found,
                        "base CRL of key 0, partition 4: usable at 0 of 2 locations, the first is "
                        "http://pki/x.crl");
}

static void simulate_outage__crl_that_no_client_accepts__unusable(void **state)
{
    (void)state;
    static const enum crl_signature bad[] = {CRL_SIG_BAD, CRL_SIG_NO_ISSUER, CRL_SIG_UNSUPPORTED};
    static const uint32_t fatal[] = {CRL_V_WRONG_ISSUER, CRL_V_FROM_FUTURE, CRL_V_UNKNOWN_CRITICAL};
    struct simulate_outage o = {.from = NOW, .seconds = DAY, .thresholds = &crl_thresholds_default};
    struct simulate_line line[4];
    size_t n = 0;
    healthy(&world);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        world.r[1].signature = bad[i];
        simulate_outage(world.t, world.r, 2, &o, line, &n);
        assert_true(line[0].unknown && line[0].probe == 1 && !line[1].unknown);
    }
    for (size_t i = 0; i < ARRAY_LEN(fatal); i++) {
        const uint32_t verdicts[2] = {fatal[i], CRL_V_STALE};
        o.verdicts = verdicts;
        world.r[1].signature = CRL_SIG_GOOD;
        simulate_outage(world.t, world.r, 2, &o, line, &n);
        assert_true(line[0].unknown && line[0].probe == 0 && !line[1].unknown);
    }
    o.verdicts = NULL;
    set_number(&world.r[0].facts.delta_base, 3);
    simulate_outage(world.t, world.r, 1, &o, line, &n);
    assert_true(line[0].unknown);
    healthy(&world);
    world.r[0].facts.next_update = WHEN_NONE;
    simulate_outage(world.t, world.r, 1, &o, line, &n);
    assert_false(line[0].unknown);
}

static void findings_catalogue__every_row__sorted_and_complete(void **state)
{
    (void)state;
    size_t n = 0;
    const struct finding_kind *k = finding_kinds(&n);
    for (size_t i = 0; i < n; i++) {
        assert_true(k[i].title[0] && k[i].cause[0]);
        if (k[i].severity >= SEV_WARNING && !k[i].remedy[0])
            fail_msg("%u has no remedy", k[i].id);
        if (i)
            assert_true(k[i - 1].id < k[i].id);
        assert_ptr_equal(finding_kind_by_id(k[i].id), &k[i]);
    }
    assert_null(finding_kind_by_id(1));
}

static void simulate_outage__one_week_crl__known_minutes(void **state)
{
    (void)state;
    struct simulate_line line[4];
    size_t n = 0;
    healthy(&world);
    world.r[1].status = PROBE_CONNECT;
    struct simulate_outage o = {
        .from = NOW, .seconds = 7 * DAY, .thresholds = &crl_thresholds_default};
    simulate_outage(world.t, world.r, 2, &o, line, &n);
    assert_int_equal(n, 2);
    assert_true(line[0].unknown); /* what is broken already stands first */
    assert_int_equal(line[1].yellow, NOW - DAY + 7 * DAY / 100 * 80);
    assert_int_equal(line[1].red, NOW - DAY + 7 * DAY / 100 * 95);
    assert_int_equal(line[1].fatal, NOW + 6 * DAY);
    assert_int_equal(line[1].spare, -DAY);
    o.seconds = DAY;
    o.propagation = 3600;
    simulate_outage(world.t, world.r, 1, &o, line, &n);
    assert_int_equal(line[0].fatal, WHEN_NONE);
    world.r[0].signature = CRL_SIG_NO_ISSUER; /* somebody else's CRL helps nobody */
    simulate_outage(world.t, world.r, 1, &o, line, &n);
    assert_true(line[0].unknown);
    world.r[0].signature = CRL_SIG_GOOD;
    simulate_outage(world.t, world.r, 1, &o, line, &n);
    assert_int_equal(line[0].spare, 5 * DAY - 3600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_evaluate__table__known_findings),
        cmocka_unit_test(health_evaluate__stale_node__is_one_finding_with_the_count),
        cmocka_unit_test(health_evaluate__foreign_node__the_others_are_not_told_stale),
        cmocka_unit_test(health_evaluate__stale_node_expired__never_muted_and_copied),
        cmocka_unit_test(health_evaluate__nothing_usable__says_of_what_and_where),
        cmocka_unit_test(simulate_outage__crl_that_no_client_accepts__unusable),
        cmocka_unit_test(findings_catalogue__every_row__sorted_and_complete),
        cmocka_unit_test(simulate_outage__one_week_crl__known_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
