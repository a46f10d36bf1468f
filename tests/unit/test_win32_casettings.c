/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The CA's registry, laid out below a key of the test's own. */
#include "cmocka_unit.h"

#include <windows.h>

#include <string.h>

#include "base/when.h"
#include "win32/casettings.h"

#define ROOT "SOFTWARE\\crlagent-unit\\Configuration"
#define WROOT L"SOFTWARE\\crlagent-unit\\Configuration"
#define WCA WROOT L"\\Lab Issuing CA"

static void set(const wchar_t *key, const wchar_t *name, DWORD type, const void *data, size_t len)
{
    assert_int_equal(RegSetKeyValueW(HKEY_LOCAL_MACHINE, key, name, type, data, (DWORD)len),
                     ERROR_SUCCESS);
}
static void set_text(const wchar_t *key, const wchar_t *name, const wchar_t *text)
{
    set(key, name, REG_SZ, text, (wcslen(text) + 1) * sizeof *text);
}
static void set_dword(const wchar_t *key, const wchar_t *name, DWORD value)
{
    set(key, name, REG_DWORD, &value, sizeof value);
}

static int clean(void **state)
{
    (void)state;
    RegDeleteTreeW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\crlagent-unit");
    return 0;
}

static void read__no_key__no_ca(void **state)
{
    (void)state;
    struct ca_settings s;
    struct err err = ERR_INIT;
    assert_int_equal(ca_settings_read_from(ROOT, &s, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "has no CA"));
}

static void read__no_active__no_ca(void **state)
{
    (void)state;
    struct ca_settings s;
    struct err err = ERR_INIT;
    set_text(WROOT, L"Other", L"x");
    assert_int_equal(ca_settings_read_from(ROOT, &s, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "'Active'"));
}

static void read__wrong_type__names_the_value(void **state)
{
    (void)state;
    struct ca_settings s;
    struct err err = ERR_INIT;
    set_text(WROOT, L"Active", L"Lab Issuing CA");
    set_text(WCA, L"CRLPeriodUnits", L"1");
    assert_int_equal(ca_settings_read_from(ROOT, &s, &err), ERR_PARSE);
    assert_non_null(strstr(err.text, "CRLPeriodUnits"));
    assert_non_null(strstr(err.text, "REG_DWORD"));
}

static void read__url_without_flags__refused(void **state)
{
    (void)state;
    static const wchar_t urls[] = L"http://x/y.crl\0";
    struct ca_settings s;
    struct err err = ERR_INIT;
    set_text(WROOT, L"Active", L"Lab Issuing CA");
    set(WCA, L"CRLPublicationURLs", REG_MULTI_SZ, urls, sizeof urls);
    assert_int_equal(ca_settings_read_from(ROOT, &s, &err), ERR_PARSE);
    assert_non_null(strstr(err.text, "http://x/y.crl"));
}

static void read__nothing_but_active__documented_defaults(void **state)
{
    (void)state;
    struct ca_settings s;
    struct err err = ERR_INIT;
    set_text(WROOT, L"Active", L"Lab Issuing CA");
    set_text(WCA, L"CommonName", L"Lab Issuing CA");
    set_text(WCA, L"CAServerName", L"ca01.corp.example");
    if (ca_settings_read_from(ROOT, &s, &err))
        fail_msg("%s", err.text);
    assert_string_equal(s.config_string, "ca01.corp.example\\Lab Issuing CA");
    assert_string_equal(s.crl_period.unit, "Weeks");
    assert_int_equal(s.crl_period.count, 1);
    assert_string_equal(s.delta_period.unit, "Days");
    assert_int_equal(s.delta_period.count, 1);
    assert_int_equal(s.overlap.count, 0);
    assert_int_equal(s.clock_skew_minutes, 10);
    assert_true(s.next_publish == WHEN_NONE);
    assert_int_equal(s.n_crl_urls, 0);
    assert_null(s.provider);
    assert_false(s.wrong_overlap_name);
    assert_false(s.clustered);
    ca_settings_free(&s);
}

static void read__full__every_field(void **state)
{
    (void)state;
    static const wchar_t urls[] = L"65:C:\\Windows\\system32\\CertSrv\\CertEnroll\\%3%8%9.crl\0"
                                  L"6:http://pki.corp.example/cdp/%3%8%9.crl\0";
    static const wchar_t hashes[] = L"D4 AA 03\0-\0";
    /* 2026-11-23T00:00:00Z as FILETIME */
    uint64_t ticks = (1795392000ull + 11644473600ull) * 10000000ull;
    struct ca_settings s;
    struct err err = ERR_INIT;
    set_text(WROOT, L"Active", L"Lab Issuing CA");
    set_text(WCA, L"CommonName", L"Lab Issuing CA");
    set_text(WCA, L"CAServerName", L"ca01");
    set_text(WCA, L"DSConfigDN", L"CN=Configuration,DC=corp,DC=example");
    set_text(WCA, L"CRLPeriod", L"Days");
    set_dword(WCA, L"CRLPeriodUnits", 3);
    set_dword(WCA, L"CRLOverlapPeriodUnits", 3);
    set_dword(WCA, L"CAType", 1);
    set_dword(WCA, L"UseDS", 1);
    set(WCA, L"CRLNextPublish", REG_BINARY, &ticks, sizeof ticks);
    set(WCA, L"CRLPublicationURLs", REG_MULTI_SZ, urls, sizeof urls);
    set(WCA, L"CACertHash", REG_MULTI_SZ, hashes, sizeof hashes);
    set_text(WCA L"\\CSP", L"Provider", L"SafeNet Key Storage Provider");
    set_dword(WCA L"\\CSP", L"ProviderType", 0);
    set_text(WCA L"\\CSP", L"CNGHashAlgorithm", L"SHA256");
    if (ca_settings_read_from(ROOT, &s, &err))
        fail_msg("%s", err.text);
    assert_int_equal(s.crl_period.count, 3);
    assert_string_equal(s.domain_dn, "DC=corp,DC=example");
    assert_true(s.wrong_overlap_name);
    assert_true(s.use_ds);
    assert_int_equal(s.ca_type, 1);
    assert_true(s.next_publish == 1795392000);
    assert_true(s.delta_next_publish == WHEN_NONE);
    assert_int_equal(s.n_crl_urls, 2);
    assert_int_equal(s.crl_urls[0].flags, 65);
    assert_string_equal(s.crl_urls[1].url, "http://pki.corp.example/cdp/%3%8%9.crl");
    assert_int_equal(s.n_cert_hashes, 2);
    assert_string_equal(s.cert_hashes[0], "d4aa03");
    assert_string_equal(s.cert_hashes[1], "-");
    assert_string_equal(s.provider, "SafeNet Key Storage Provider");
    assert_string_equal(s.hash_algorithm, "SHA256");
    ca_settings_free(&s);
}

static const uint8_t entry[] = {3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0,    0xAA, 0xBB, 0x21,
                                0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0x30, 0x01, 0x00};

static void ca_store_blob_crl__cut_anywhere__parse_error(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof entry; n++) {
        const uint8_t *der = NULL;
        size_t len = 0;
        struct err err = ERR_INIT;
        assert_int_equal(ca_store_blob_crl(entry, n, &der, &len, &err), ERR_PARSE);
    }
}

static int count_crl(void *arg, const uint8_t *der, size_t len)
{
    assert_int_equal(len, 3);
    assert_memory_equal(der, entry + 26, 3);
    ++*(int *)arg;
    return 0;
}

static void ca_store_each_crl__one_good_one_bad__good_found(void **state)
{
    (void)state;
    int n = 0;
    size_t skipped = 0;
    set(L"SOFTWARE\\crlagent-unit\\CRLs\\AA", L"Blob", REG_BINARY, entry, sizeof entry);
    set(L"SOFTWARE\\crlagent-unit\\CRLs\\BB", L"Blob", REG_BINARY, entry, 9);
    struct err err = ERR_INIT;
    assert_int_equal(
        ca_store_each_crl("SOFTWARE\\crlagent-unit\\CRLs", count_crl, &n, &skipped, &err), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(skipped, 1);
    assert_int_equal(ca_store_each_crl("SOFTWARE\\crlagent-unit\\none", count_crl, &n, NULL, &err),
                     ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__no_key__no_ca),
        cmocka_unit_test_teardown(read__no_active__no_ca, clean),
        cmocka_unit_test_teardown(read__wrong_type__names_the_value, clean),
        cmocka_unit_test_teardown(read__url_without_flags__refused, clean),
        cmocka_unit_test_teardown(read__nothing_but_active__documented_defaults, clean),
        cmocka_unit_test_teardown(read__full__every_field, clean),
        cmocka_unit_test(ca_store_blob_crl__cut_anywhere__parse_error),
        cmocka_unit_test_teardown(ca_store_each_crl__one_good_one_bad__good_found, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
