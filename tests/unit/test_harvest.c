/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What issued certificates carry, from the CA's answer into the store and into the view. */
#include "unit/cmocka_unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cdp/probe.h"
#include "maint/harvest.h"
#include "support/pki.h"
#include "support/scratch.h"

#define NOW 1795420800ll
#define DAY 86400ll
#define OLD "http://old.test/a.crl"
#define NEW "http://new.test/a.crl"

static char dir[SCRATCH_MAX];
static struct store *store;
static struct pki_ca *ca, *renewed, *stranger;
static struct ca_view view;
static struct err err;

/* What the CA answers, and what it was asked. */
static struct {
    struct buf certs;
    int rc;
    struct ca_issued_query query;
    int asked;
} answer;

static int fake_issued(void *self, const struct ca_issued_query *query, struct buf *ret,
                       struct err *e)
{
    (void)self;
    answer.asked++;
    answer.query = *query;
    if (answer.rc)
        return err_set(e, (enum err_code)answer.rc, "the database does not answer");
    return buf_add(ret, buf_str(&answer.certs), answer.certs.len);
}

static const struct ca_admin_ops ops = {.name = "fake", .issued = fake_issued};
static const struct ca_admin admin = {&ops, NULL};
static const struct harvest_limits limits = {.count = 100, .age = 30 * DAY};

static void issue(const struct pki_ca *by, const char *cdp, const char *ocsp, int64_t until)
{
    static uint64_t serial = 100;
    const struct pki_cert spec = {
        .common_name = "leaf", .serial = ++serial, .until = until, .cdp = cdp, .ocsp = ocsp};
    SCOPED(pki_ca_free) struct pki_ca *leaf = pki_issue(by, &spec);
    pki_ca_cert_der(leaf, &answer.certs);
}

static int set_up(void **state)
{
    (void)state;
    char path[SCRATCH_MAX + 16];
    scratch_make("harvest", dir);
    snprintf(path, sizeof path, "%s/state.db", dir);
    memset(&answer, 0, sizeof answer);
    err_clear(&err);
    ca = pki_ca_new("Lab CA", PKI_P256);
    renewed = pki_ca_renew(ca, PKI_P256);
    stranger = pki_ca_new("Other CA", PKI_P256);
    view = (struct ca_view){.n_keys = 2, .key = calloc(2, sizeof *view.key)};
    view.key[1].key_index = 1;
    pki_ca_cert_der(ca, &view.key[0].cert);
    pki_ca_cert_der(renewed, &view.key[1].cert);
    return store_open(path, STORE_WRITE, NOW, &store, NULL, &err);
}

static int tear_down(void **state)
{
    (void)state;
    ca_view_free(&view);
    pki_ca_free(&ca);
    pki_ca_free(&renewed);
    pki_ca_free(&stranger);
    buf_free(&answer.certs);
    store_close(&store);
    scratch_remove(dir);
    return 0;
}

static void harvest__refusals__nothing_lost(void **state)
{
    (void)state;
    static const struct harvest_limits off = {.count = 0};
    issue(ca, OLD, NULL, NOW + DAY);
    assert_int_equal(harvest_refresh(store, &admin, &off, NOW, &view, &err), ERR_OK);
    assert_int_equal(answer.asked, 0);
    assert_int_equal(harvest_refresh(store, &admin, &limits, NOW, &view, &err), ERR_OK);
    assert_int_equal(view.n_carried, 1);
    answer.rc = ERR_DENIED;
    assert_int_equal(harvest_refresh(store, &admin, &limits, NOW + 2 * DAY - 1, &view, &err),
                     ERR_DENIED);
    assert_non_null(strstr(err.text, "issued recently"));
    answer.rc = ERR_UNSUPPORTED;
    assert_int_equal(harvest_refresh(store, &admin, &limits, NOW + DAY, &view, &err), ERR_OK);
    answer.rc = 0;
    buf_puts(&answer.certs, "no certificate");
    assert_int_equal(harvest_refresh(store, &admin, &limits, NOW + DAY - 1 + 2, &view, &err),
                     ERR_PARSE);
    assert_int_equal(harvest_recall(store, NOW, &view, &err), ERR_OK);
    assert_int_equal(view.n_carried, 1); /* as before */
}

static void harvest__two_keys__each_location_at_its_key(void **state)
{
    (void)state;
    issue(renewed, NEW, "http://ocsp.test/", NOW + 10 * DAY);
    issue(ca, OLD, NULL, NOW + 3 * DAY);
    issue(ca, OLD, NULL, NOW + 5 * DAY);
    issue(ca, "http://gone.test/a.crl", NULL, NOW - 1); /* expired by the clock here */
    issue(stranger, "http://other.test/a.crl", NULL, NOW + DAY);
    assert_int_equal(harvest_refresh(store, &admin, &limits, NOW, &view, &err), ERR_OK);
    assert_int_equal(answer.query.max, 100);
    assert_int_equal(answer.query.since, NOW - 30 * DAY);
    assert_int_equal(view.n_carried, 3);
    assert_string_equal(view.carried[0].url, OLD);
    assert_int_equal(view.carried[0].key_index, 0);
    assert_int_equal(view.carried[0].until, NOW + 5 * DAY); /* the one that lives longest */
    assert_string_equal(view.carried[1].url, NEW);
    assert_int_equal(view.carried[1].key_index, 1);
    assert_int_equal(view.carried[2].role, ROLE_OCSP);
    assert_true(view.key[0].issued.len && view.key[1].issued.len);
}

/* Once a day; what has left the newest certificates stays until the last of them has expired. */
static void harvest__days_pass__kept_until_the_last_expires(void **state)
{
    (void)state;
    issue(ca, OLD, NULL, NOW + 5 * DAY);
    assert_int_equal(harvest_refresh(store, &admin, &limits, NOW, &view, &err), ERR_OK);
    assert_int_equal(harvest_refresh(store, &admin, &limits, NOW + DAY - 1, &view, &err), ERR_OK);
    assert_int_equal(answer.asked, 1);
    buf_clear(&answer.certs);
    issue(ca, NEW, NULL, NOW + 100 * DAY);
    assert_int_equal(harvest_refresh(store, &admin, &limits, NOW + DAY, &view, &err), ERR_OK);
    assert_int_equal(answer.asked, 2);
    assert_int_equal(view.n_carried, 2);
    assert_int_equal(harvest_recall(store, NOW + 5 * DAY - 1, &view, &err), ERR_OK);
    assert_int_equal(view.n_carried, 2);
    assert_int_equal(harvest_recall(store, NOW + 5 * DAY, &view, &err), ERR_OK);
    assert_int_equal(view.n_carried, 1);
    assert_string_equal(view.carried[0].url, NEW);
    /* The clock was put back by a year: asked at once, not in a year. */
    assert_int_equal(harvest_refresh(store, &admin, &limits, NOW - 365 * DAY, &view, &err), ERR_OK);
    assert_int_equal(answer.asked, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(harvest__refusals__nothing_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(harvest__two_keys__each_location_at_its_key, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(harvest__days_pass__kept_until_the_last_expires, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
