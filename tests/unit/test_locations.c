/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cdp/locations.h"

static char template_file[] = "C:\\Windows\\system32\\CertSrv\\CertEnroll\\%3%8%9.crl";
static char template_ldap[] =
    "ldap:///CN=%7%8,CN=%2,CN=CDP,CN=Public Key Services,CN=Services,%6%10";
static char template_http[] = "http://%1/CertEnroll/%3%8%9.crl";
static char template_inert[] = "file://%1/CertEnroll/%3%8%9.crl";

static const struct token_values values = {
    .server_dns = "ca01.corp.test",
    .ca_name = "Lab CA",
    .config_dn = "CN=Configuration,DC=corp,DC=test",
};

static const struct probe_target *find(const struct locations *l, const char *url)
{
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->item[i].url, url) == 0)
            return &l->item[i];
    }
    return NULL;
}

static void locations_add_url__bad_url__counted_and_refused(void **state)
{
    (void)state;
    SCOPED(locations_free) struct locations l = {0};
    struct err err = ERR_INIT;
    assert_int_equal(locations_add_url(&l, "ftp://x/y", ROLE_CRL_BASE, FROM_CONFIG, 0, &err),
                     ERR_UNSUPPORTED);
    assert_int_equal(l.n, 0);
    assert_int_equal(l.n_skipped, 1);
    assert_true(l.skip[0].why[0] != '\0');
}

static void locations_add_url__same_location_twice__origins_joined(void **state)
{
    (void)state;
    SCOPED(locations_free) struct locations l = {0};
    assert_int_equal(locations_add_url(&l, "http://PKI/a.crl", ROLE_CRL_BASE, FROM_CONFIG, 0, NULL),
                     ERR_OK);
    assert_int_equal(
        locations_add_url(&l, "http://pki:80/a.crl", ROLE_CRL_BASE, FROM_CERTIFICATE, 0, NULL),
        ERR_OK);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.item[0].origin, FROM_CONFIG | FROM_CERTIFICATE);
    /* another key, another role, a parent's: not the same */
    assert_int_equal(locations_add_url(&l, "http://pki/a.crl", ROLE_CRL_BASE, FROM_CONFIG, 1, NULL),
                     ERR_OK);
    assert_int_equal(
        locations_add_url(&l, "http://pki/a.crl", ROLE_CRL_DELTA, FROM_CONFIG, 0, NULL), ERR_OK);
    assert_int_equal(locations_add_url(&l, "http://pki/a.crl", ROLE_CRL_BASE, FROM_PARENT, 0, NULL),
                     ERR_OK);
    assert_int_equal(l.n, 4);
    assert_true(l.item[3].parent);
}

static void locations_add_configured__url_of_another_key__that_row(void **state)
{
    (void)state;
    static const char url[] = "http://pki/a(1).crl";
    const struct location_key otherwise = {0, 0};
    SCOPED(locations_free) struct locations l = {0};
    assert_int_equal(locations_add_url(&l, "http://pki/a.crl", ROLE_CRL_BASE, FROM_CA_CDP, 0, NULL),
                     ERR_OK);
    assert_int_equal(locations_add_url(&l, url, ROLE_CRL_BASE, FROM_CA_CDP, 1, NULL), ERR_OK);
    assert_int_equal(
        locations_add_parent_url(&l, "http://root/r.crl", ROLE_CRL_BASE, FROM_PARENT, 0, 1, NULL),
        ERR_OK);
    assert_int_equal(locations_add_configured(&l, "http://PKI:80/a(1).crl", "", ROLE_CRL_BASE, NULL,
                                              otherwise, NULL),
                     ERR_OK);
    assert_int_equal(
        locations_add_configured(&l, "http://root/r.crl", "", ROLE_CRL_BASE, NULL, otherwise, NULL),
        ERR_OK);
    assert_int_equal(l.n, 3);
    assert_int_equal(l.item[0].origin, FROM_CA_CDP);
    assert_int_equal(l.item[1].origin, FROM_CA_CDP | FROM_CONFIG);
    assert_int_equal(l.item[1].key_index, 1);
    assert_int_equal(l.item[2].origin, FROM_PARENT | FROM_CONFIG);
    /* Two addresses of it: two rows of that key, the same address once. */
    static const char *const at[] = {"10.0.0.1", "10.0.0.2", "10.0.0.1"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            locations_add_configured(&l, url, at[i], ROLE_CRL_BASE, NULL, otherwise, NULL), ERR_OK);
    assert_int_equal(l.n, 4);
    assert_string_equal(l.item[1].address, "10.0.0.1");
    assert_string_equal(l.item[3].address, "10.0.0.2");
    assert_int_equal(l.item[3].key_index, 1);
    /* Somebody asks for the first again: it is there. */
    assert_int_equal(
        locations_add_configured(&l, "http://pki/a.crl", "", ROLE_CRL_DELTA, NULL, otherwise, NULL),
        ERR_OK);
    assert_int_equal(l.n, 5);
}

static void locations_add_configured__nobody_else_names_it__key_as_said(void **state)
{
    (void)state;
    const struct location_key otherwise = {2, 0}, named = {1, 4};
    SCOPED(locations_free) struct locations l = {0};
    struct err err = ERR_INIT;
    assert_int_equal(
        locations_add_configured(&l, "ftp://x/y", "", ROLE_CRL_BASE, NULL, otherwise, &err),
        ERR_UNSUPPORTED);
    assert_int_equal(
        locations_add_configured(&l, "http://m/a.crl", "", ROLE_CRL_BASE, NULL, otherwise, &err),
        ERR_OK);
    assert_int_equal(
        locations_add_configured(&l, "http://m/b.crl", "", ROLE_CRL_BASE, &named, otherwise, &err),
        ERR_OK);
    assert_int_equal(
        locations_add_configured(&l, "http://m/a.crl", "", ROLE_CRL_BASE, &named, otherwise, &err),
        ERR_OK);
    assert_int_equal(l.n, 3);
    assert_int_equal(l.item[0].key_index, 2);
    assert_int_equal(l.item[1].key_index, 1);
    assert_int_equal(l.item[1].partition, 4);
    assert_int_equal(l.item[2].key_index, 1);
}

static void locations_add_url__items_taken_out_between__no_duplicates(void **state)
{
    (void)state;
    SCOPED(locations_free) struct locations l = {0};
    char url[64];
    for (int i = 0; i < 300; i++) {
        snprintf(url, sizeof url, "http://pki/%d.crl", i);
        assert_int_equal(locations_add_url(&l, url, ROLE_CRL_BASE, FROM_CONFIG, 0, NULL), ERR_OK);
    }
    l.n = 100;
    for (int i = 0; i < 300; i++) {
        snprintf(url, sizeof url, "http://pki/%d.crl", i);
        assert_int_equal(locations_add_url(&l, url, ROLE_CRL_BASE, FROM_CONFIG, 0, NULL), ERR_OK);
    }
    assert_int_equal(l.n, 300);
}

static void locations_refuse_foreign__file_of_a_certificate__left_out_and_noted(void **state)
{
    (void)state;
    SCOPED(locations_free) struct locations l = {0};
    static const struct {
        const char *url;
        uint32_t origin;
    } in[] = {
        {"file://thief.test/share/x.crl", FROM_CERTIFICATE},
        {"http://pki/a.crl", FROM_CERTIFICATE},
        {"ldap://thief.test/CN=x", FROM_PARENT},
        {"\\\\nas\\pki\\a.crl", FROM_CERTIFICATE | FROM_COMMAND_LINE},
        {"/etc/hostname", FROM_CERTIFICATE | FROM_FRESHEST},
        {"ldap:///CN=x", FROM_FRESHEST},
        {"\\\\ca01\\CertEnroll\\a.crl", FROM_CA_PUBLISH},
    };
    for (size_t i = 0; i < ARRAY_LEN(in); i++)
        assert_int_equal(locations_add_url(&l, in[i].url, ROLE_CRL_BASE, in[i].origin, 2, NULL),
                         ERR_OK);
    locations_refuse_foreign(&l);
    assert_int_equal(l.n, 4);
    assert_string_equal(l.item[0].url, "http://pki/a.crl");
    assert_string_equal(l.item[1].url, "\\\\nas\\pki\\a.crl");
    assert_string_equal(l.item[3].url, "\\\\ca01\\CertEnroll\\a.crl");
    assert_int_equal(l.n_skips, 3);
    assert_string_equal(l.skip[2].url, "/etc/hostname");
    assert_int_equal(l.skip[2].reason, SKIP_FOREIGN);
    assert_int_equal(l.skip[2].key_index, 2);
    /* what is left is still found */
    assert_int_equal(locations_add_url(&l, "http://pki/a.crl", ROLE_CRL_BASE, FROM_CONFIG, 2, NULL),
                     ERR_OK);
    assert_int_equal(l.n, 4);
}

static void locations_skip__more_than_are_kept__counted_without_passwords(void **state)
{
    (void)state;
    SCOPED(locations_free) struct locations l = {0};
    char url[64];
    for (int i = 0; i < LOCATION_SKIPS + 5; i++) {
        snprintf(url, sizeof url, "ftp://user:geheim@h/%d", i);
        assert_int_equal(locations_add_url(&l, url, ROLE_CRL_BASE, FROM_CERTIFICATE, 0, NULL),
                         ERR_UNSUPPORTED);
        assert_int_equal(locations_add_url(&l, "ftp://h/1", ROLE_CRL_BASE, FROM_CONFIG, 0, NULL),
                         ERR_UNSUPPORTED);
    }
    assert_int_equal(l.n_skips, LOCATION_SKIPS);
    assert_int_equal(l.n_skipped, LOCATION_SKIPS + 6);
    for (size_t i = 0; i < l.n_skips; i++) {
        assert_null(strstr(l.skip[i].url, "geheim"));
        assert_null(strstr(l.skip[i].why, "geheim"));
    }
    assert_int_equal(locations_spread(&l, NULL, 0, NULL, 0, NULL), ERR_OK);
    assert_int_equal(l.n_skips, LOCATION_SKIPS);
}

static void locations_add_settings__default_list__flags_decide(void **state)
{
    (void)state;
    SCOPED(locations_free) struct locations l = {0};
    struct ca_url urls[] = {
        {65, template_file}, {79, template_ldap}, {6, template_http}, {0, template_inert}};
    struct ca_settings s = {.crl_urls = urls, .n_crl_urls = 4, .delta_period = {"Days", 1}};
    struct token_values v = values;
    v.key_index = 1;
    assert_int_equal(locations_add_settings(&l, &s, &v, NULL), ERR_OK);
    const struct probe_target *t =
        find(&l, "C:\\Windows\\system32\\CertSrv\\CertEnroll\\Lab CA(1).crl");
    assert_non_null(t);
    assert_int_equal(t->origin, FROM_CA_PUBLISH);
    t = find(&l, "http://ca01.corp.test/CertEnroll/Lab%20CA(1)+.crl");
    assert_non_null(t);
    assert_int_equal(t->role, ROLE_CRL_DELTA);
    assert_int_equal(t->origin, FROM_FRESHEST);
    t = find(&l, "http://ca01.corp.test/CertEnroll/Lab%20CA(1).crl");
    assert_non_null(t);
    assert_int_equal(t->origin, FROM_CA_CDP);
    assert_int_equal(l.n, 6); /* three locations, base and delta; the inert one is left out */
    assert_int_equal(l.n_skipped, 0);
}

static void locations_add_settings__deltas_off__no_delta(void **state)
{
    (void)state;
    SCOPED(locations_free) struct locations l = {0};
    struct ca_url urls[] = {{79, template_ldap}};
    struct ca_settings s = {.crl_urls = urls, .n_crl_urls = 1};
    assert_int_equal(locations_add_settings(&l, &s, &values, NULL), ERR_OK);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.item[0].kind, LOC_LDAP);
    assert_int_equal(l.item[0].origin, FROM_CA_CDP | FROM_CA_PUBLISH);
}

static void locations_add_property__lines__each_one(void **state)
{
    (void)state;
    SCOPED(locations_free) struct locations l = {0};
    assert_int_equal(locations_add_property(&l,
                                            "http://a/x.crl\r\n\r\nnonsense://y\nhttp://b/x.crl",
                                            ROLE_CRL_BASE, 0, NULL),
                     ERR_OK);
    assert_int_equal(l.n, 2);
    assert_int_equal(l.n_skipped, 1);
}

static void fake_resolve(void *self, struct host_addresses *hosts, size_t n, int64_t timeout_ms)
{
    (void)self;
    (void)timeout_ms;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(hosts[i].host, "site") == 0) {
            str_copy(hosts[i].address[0], sizeof hosts[i].address[0], "10.0.0.1");
            str_copy(hosts[i].address[1], sizeof hosts[i].address[1], "2001:db8::2");
            hosts[i].n = 2;
        } else {
            err_set(&hosts[i].err, ERR_NOT_FOUND, "no such name");
        }
    }
}

static void locations_spread__names_and_domain_controllers__one_target_each(void **state)
{
    (void)state;
    static const struct resolver fake = {fake_resolve, NULL};
    static const char servers[2][80] = {"dc1.corp.test", "dc2.corp.test"};
    SCOPED(locations_free) struct locations l = {0};
    assert_int_equal(locations_add_url(&l, "http://site/a.crl", ROLE_CRL_BASE, 1, 0, NULL), ERR_OK);
    assert_int_equal(locations_add_url(&l, "http://gone/a.crl", ROLE_CRL_BASE, 1, 0, NULL), ERR_OK);
    assert_int_equal(locations_add_url(&l, "ldap:///cn=x", ROLE_CRL_BASE, 1, 0, NULL), ERR_OK);
    assert_int_equal(locations_add_url(&l, "ldap://dc9/cn=x", ROLE_CRL_BASE, 1, 0, NULL), ERR_OK);
    assert_int_equal(locations_spread(&l, &fake, 1000, servers, 2, NULL), ERR_OK);
    assert_int_equal(l.n, 6);
    assert_string_equal(l.item[0].address, "10.0.0.1");
    assert_string_equal(l.item[1].address, "2001:db8::2");
    assert_true(l.item[2].unresolved);
    assert_string_equal(l.item[3].address, "dc1.corp.test");
    assert_string_equal(l.item[4].address, "dc2.corp.test");
    assert_string_equal(l.item[5].address, "");
}

static void locations_spread__ldaps_without_host__each_domain_controller(void **state)
{
    (void)state;
    static const char servers[2][80] = {"dc1.corp.test", "dc2.corp.test"};
    SCOPED(locations_free) struct locations l = {0};
    assert_int_equal(locations_add_url(&l, "ldaps:///cn=x", ROLE_CRL_BASE, 1, 0, NULL), ERR_OK);
    assert_int_equal(locations_add_url(&l, "ldaps://dc9/cn=x", ROLE_CRL_BASE, 1, 0, NULL), ERR_OK);
    assert_int_equal(locations_spread(&l, NULL, 1000, servers, 2, NULL), ERR_OK);
    assert_int_equal(l.n, 3);
    assert_string_equal(l.item[1].address, "dc2.corp.test");
    assert_string_equal(l.item[2].address, "");
}

static void locations_spread__behind_a_proxy__one_target_by_name(void **state)
{
    (void)state;
    static const struct resolver fake = {fake_resolve, NULL};
    SCOPED(locations_free) struct locations l = {0};
    assert_int_equal(locations_add_url(&l, "http://site/a.crl", ROLE_CRL_BASE, 1, 0, NULL), ERR_OK);
    assert_int_equal(locations_add_url(&l, "http://gone/a.crl", ROLE_CRL_BASE, 1, 0, NULL), ERR_OK);
    l.item[0].by_name = l.item[1].by_name = true;
    assert_int_equal(locations_spread(&l, &fake, 1000, NULL, 0, NULL), ERR_OK);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.item[0].address, "");
    assert_false(l.item[1].unresolved);
}

static void locations_add_client_view__spread__one_more_per_crl_over_http(void **state)
{
    (void)state;
    static const struct resolver fake = {fake_resolve, NULL};
    SCOPED(locations_free) struct locations l = {0}, names = {0};
    assert_int_equal(locations_add_url(&l, "http://site/a.crl", ROLE_CRL_BASE, 1, 0, NULL), ERR_OK);
    assert_int_equal(locations_add_url(&l, "http://site/a.crl", ROLE_CRL_BASE, 1, 1, NULL), ERR_OK);
    assert_int_equal(locations_add_url(&l, "http://site/a.crt", ROLE_AIA, 1, 0, NULL), ERR_OK);
    assert_int_equal(locations_add_url(&l, "ldap:///cn=x", ROLE_CRL_BASE, 1, 0, NULL), ERR_OK);
    str_copy(l.item[0].address, sizeof l.item[0].address, "10.0.0.7");
    assert_int_equal(locations_copy(&l, &names, NULL), ERR_OK);
    assert_int_equal(locations_spread(&l, &fake, 1000, NULL, 0, NULL), ERR_OK);
    size_t before = l.n;
    assert_int_equal(locations_add_client_view(&l, &names, NULL), ERR_OK);
    assert_int_equal(l.n, before + 2);
    for (size_t i = before; i < l.n; i++) {
        assert_true(l.item[i].as_client && l.item[i].by_name);
        assert_string_equal(l.item[i].address, "");
        assert_int_equal(l.item[i].key_index, i - before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locations_add_url__bad_url__counted_and_refused),
        cmocka_unit_test(locations_add_url__same_location_twice__origins_joined),
        cmocka_unit_test(locations_add_configured__url_of_another_key__that_row),
        cmocka_unit_test(locations_add_configured__nobody_else_names_it__key_as_said),
        cmocka_unit_test(locations_add_url__items_taken_out_between__no_duplicates),
        cmocka_unit_test(locations_refuse_foreign__file_of_a_certificate__left_out_and_noted),
        cmocka_unit_test(locations_skip__more_than_are_kept__counted_without_passwords),
        cmocka_unit_test(locations_add_settings__default_list__flags_decide),
        cmocka_unit_test(locations_add_settings__deltas_off__no_delta),
        cmocka_unit_test(locations_add_property__lines__each_one),
        cmocka_unit_test(locations_spread__names_and_domain_controllers__one_target_each),
        cmocka_unit_test(locations_spread__ldaps_without_host__each_domain_controller),
        cmocka_unit_test(locations_spread__behind_a_proxy__one_target_by_name),
        cmocka_unit_test(locations_add_client_view__spread__one_more_per_crl_over_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
