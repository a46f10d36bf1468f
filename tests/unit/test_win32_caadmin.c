/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* ICertAdmin2 through COM: the class is registered for this process only, by the test. And
 * certutil, which is this program in another role. */
#include "cmocka_unit.h"

#include "win32/caadmin.h" /* before certadm.h, whose macros have the same names */

#include <windows.h>
#include <oleauto.h>
#include <certadm.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/when.h"
#include "win32/comadmin.h"
#include "win32/deadline.h"
#include "win32/utf.h"

static const CLSID clsid = {
    0x37EABAF0, 0x7FB6, 0x11D0, {0x88, 0x17, 0x00, 0xA0, 0xC9, 0x03, 0xB8, 0x3C}};

#define CONFIG "ca01.corp.example\\Lab \xC3\xBC CA"

/* A CA behind COM --------------------------------------------------------------------------- */

static struct {
    HRESULT result; /* of every call */
    DWORD delay_ms; /* before it answers */
    wchar_t config[64];
    double date;
    LONG flags, prop, index, type, out_flags;
} ca;

static HRESULT entered(BSTR config)
{
    if (ca.delay_ms)
        Sleep(ca.delay_ms);
    wcsncpy(ca.config, config, 63);
    return ca.result;
}

static HRESULT STDMETHODCALLTYPE fake_query(ICertAdmin2 *self, REFIID iid, void **ret)
{
    (void)iid;
    *ret = self;
    return S_OK;
}
static ULONG STDMETHODCALLTYPE fake_ref(ICertAdmin2 *self)
{
    (void)self;
    return 1;
}
static HRESULT STDMETHODCALLTYPE fake_publish(ICertAdmin2 *self, const BSTR config, DATE date,
                                              LONG flags)
{
    (void)self;
    ca.date = date;
    ca.flags = flags;
    return entered(config);
}
static HRESULT STDMETHODCALLTYPE fake_property(ICertAdmin2 *self, const BSTR config, LONG id,
                                               LONG index, LONG type, LONG flags, VARIANT *ret)
{
    (void)self;
    ca.prop = id;
    ca.index = index;
    ca.type = type;
    ca.out_flags = flags;
    HRESULT hr = entered(config);
    if (FAILED(hr))
        return hr;
    if (type == 1) {
        V_VT(ret) = VT_I4;
        V_I4(ret) = 2;
    } else if (type == 3) {
        V_VT(ret) = VT_BSTR;
        V_BSTR(ret) = SysAllocStringByteLen("\x30\x03\x00\x01\x02", 5);
    } else {
        V_VT(ret) = VT_BSTR;
        V_BSTR(ret) = SysAllocString(L"Lab \u00FC CA");
    }
    return S_OK;
}
static HRESULT STDMETHODCALLTYPE fake_roles(ICertAdmin2 *self, const BSTR config, LONG *ret)
{
    (void)self;
    *ret = 0x101;
    return entered(config);
}

static ICertAdmin2Vtbl admin_vtbl = {.QueryInterface = fake_query,
                                     .AddRef = fake_ref,
                                     .Release = fake_ref,
                                     .PublishCRLs = fake_publish,
                                     .GetCAProperty = fake_property,
                                     .GetMyRoles = fake_roles};
static ICertAdmin2 admin = {&admin_vtbl};

static HRESULT STDMETHODCALLTYPE factory_query(IClassFactory *self, REFIID iid, void **ret)
{
    (void)iid;
    *ret = self;
    return S_OK;
}
static ULONG STDMETHODCALLTYPE factory_ref(IClassFactory *self)
{
    (void)self;
    return 1;
}
static HRESULT STDMETHODCALLTYPE factory_create(IClassFactory *self, IUnknown *outer, REFIID iid,
                                                void **ret)
{
    (void)self;
    (void)outer;
    (void)iid;
    *ret = &admin;
    return S_OK;
}
static HRESULT STDMETHODCALLTYPE factory_lock(IClassFactory *self, BOOL lock)
{
    (void)self;
    (void)lock;
    return S_OK;
}
static IClassFactoryVtbl factory_vtbl = {factory_query, factory_ref, factory_ref, factory_create,
                                         factory_lock};
static IClassFactory factory = {&factory_vtbl};
static DWORD registration;

static int with_class(void **state)
{
    (void)state;
    memset(&ca, 0, sizeof ca);
    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    return FAILED(CoRegisterClassObject(&clsid, (IUnknown *)&factory, CLSCTX_INPROC_SERVER,
                                        REGCLS_MULTIPLEUSE, &registration));
}

static int without_class(void **state)
{
    (void)state;
    CoRevokeClassObject(registration);
    CoUninitialize();
    return 0;
}

static struct ca_admin open_admin(enum ca_admin_way way, const char *certutil, int64_t timeout_ms)
{
    struct ca_admin_setup setup = {.config_string = CONFIG,
                                   .way = way,
                                   .certutil = certutil,
                                   .timeout_ms = timeout_ms,
                                   .publish_timeout_ms = timeout_ms};
    struct ca_admin a = {NULL, NULL};
    struct err err = ERR_INIT;
    if (ca_admin_open(&setup, &a, &err))
        fail_msg("%s", err.text);
    return a;
}

/* COM cases --------------------------------------------------------------------------------- */

static void com_date__known_values__as_documented(void **state)
{
    (void)state;
    assert_true(com_date(0) == 0.0);
    assert_true(com_date(86400) == 25570.0);
    assert_true(com_date(1795392000) == 46349.0); /* 2026-11-23T00:00:00Z */
}

static void ca_admin_open__class_missing__unsupported_or_certutil(void **state)
{
    (void)state;
    struct ca_admin a = {NULL, NULL};
    struct err err = ERR_INIT;
    assert_int_equal(com_admin_open(CONFIG, &a, &err), ERR_UNSUPPORTED);
    struct ca_admin_setup only_com = {.config_string = CONFIG, .way = CA_ADMIN_COM};
    assert_int_equal(ca_admin_open(&only_com, &a, &err), ERR_UNSUPPORTED);
    struct ca_admin_setup none = {.config_string = CONFIG, .certutil = "C:\\none\\certutil.exe"};
    assert_int_equal(ca_admin_open(&none, &a, &err), ERR_NOT_FOUND);
}

static void publish__explicit_date__utc_automation_date(void **state)
{
    (void)state;
    struct ca_admin a = open_admin(CA_ADMIN_AUTO, NULL, 10000);
    assert_string_equal(a.ops->name, "ICertAdmin2");
    assert_int_equal(a.ops->publish(a.self, CA_CRL_BASE | CA_CRL_DELTA, 1795392000, NULL), ERR_OK);
    assert_true(ca.date == 46349.0);
    assert_int_equal(ca.flags, 3);
    assert_true(wcscmp(ca.config, L"ca01.corp.example\\Lab \u00FC CA") == 0);
    ca_admin_close(&a);
    ca_admin_close(&a);
}

static void publish__hresult__kept_and_explained(void **state)
{
    (void)state;
    static const struct {
        uint32_t hr;
        int code;
        const char *text;
    } rows[] = {
        {0x800706BA, ERR_UNAVAILABLE, "does not answer"},
        {0x80070005, ERR_DENIED, "Manage CA"},
        {0x80070057, ERR_INVALID, "refused the arguments"},
        {0x80090030, ERR_CRYPTO, "HSM"},
    };
    struct ca_admin a = open_admin(CA_ADMIN_COM, NULL, 10000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = ERR_INIT;
        ca.result = (HRESULT)rows[i].hr;
        assert_int_equal(a.ops->publish(a.self, CA_CRL_BASE, 0, &err), rows[i].code);
        assert_true((uint32_t)err.os_code == rows[i].hr);
        assert_non_null(strstr(err.text, rows[i].text));
    }
    ca_admin_close(&a);
}

static void prop__each_kind__typed_and_binary_safe(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    SCOPED(buf_free) struct buf blob = BUF_INIT;
    int32_t n = 0;
    uint32_t roles = 0;
    struct ca_admin a = open_admin(CA_ADMIN_COM, NULL, 10000);
    assert_int_equal(a.ops->prop_long(a.self, CA_PROP_CERT_COUNT, 0, &n, NULL), ERR_OK);
    assert_int_equal(n, 2);
    assert_int_equal(a.ops->prop_text(a.self, CA_PROP_NAME, 0, &text, NULL), ERR_OK);
    assert_string_equal(buf_str(&text), "Lab \xC3\xBC CA");
    assert_int_equal(ca.type, 4);
    assert_int_equal(a.ops->prop_blob(a.self, CA_PROP_BASE_CRL, -1, &blob, NULL), ERR_OK);
    assert_int_equal(blob.len, 5);
    assert_memory_equal(blob.data, "\x30\x03\x00\x01\x02", 5);
    assert_int_equal(ca.index, -1);
    assert_int_equal(ca.out_flags, 2);
    assert_int_equal(a.ops->ping(a.self, NULL), ERR_OK);
    assert_int_equal(a.ops->roles(a.self, &roles, NULL), ERR_OK);
    assert_int_equal(roles, CA_ROLE_ADMIN | CA_ROLE_READ);
    ca_admin_close(&a);
}

static void prop__empty_or_unknown__not_found(void **state)
{
    (void)state;
    int32_t n = 7;
    struct ca_admin a = open_admin(CA_ADMIN_COM, NULL, 10000);
    ca.result = (HRESULT)0x80094004;
    assert_int_equal(a.ops->prop_long(a.self, CA_PROP_DELTA_CRL_STATUS, 0, &n, NULL),
                     ERR_NOT_FOUND);
    ca.result = E_INVALIDARG;
    assert_int_equal(a.ops->prop_long(a.self, CA_PROP_CRL_PARTITION_COUNT, 0, &n, NULL),
                     ERR_NOT_FOUND);
    assert_int_equal(n, 7);
    ca_admin_close(&a);
}

static void call__hangs__time_out_then_usable_again(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct ca_admin a = open_admin(CA_ADMIN_COM, NULL, 100);
    ca.delay_ms = 1000;
    int64_t start = clock_mono_ms(clock_system());
    assert_int_equal(a.ops->ping(a.self, &err), ERR_TIMEOUT);
    assert_true(clock_mono_ms(clock_system()) - start < 800);
    ca.delay_ms = 0;
    assert_int_equal(a.ops->ping(a.self, &err), ERR_OK); /* beside the one that still hangs */
    ca_admin_close(&a);                                  /* before it comes back */
    for (int i = 0; i < 100 && deadline_stuck(DEADLINE_CA); i++)
        Sleep(50);
    assert_int_equal(deadline_stuck(DEADLINE_CA), 0);
}

/* certutil ---------------------------------------------------------------------------------- */

static char own[1024];

/* What certutil was asked, for the test to read; "-GetCRL FILE" writes one. */
static int as_certutil(int argc, char **argv)
{
    wchar_t name[MAX_PATH + 20];
    GetTempPathW(MAX_PATH, name);
    wcscat(name, L"crlagent-certutil.txt");
    FILE *f = _wfopen(name, L"wb");
    for (int i = 4; f && i < argc; i++)
        fprintf(f, "%s\n", argv[i]);
    if (f)
        fclose(f);
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-GetCRL")) {
            FILE *crl = fopen(argv[i + 1], "wb");
            fwrite("\x30\x00", 1, 2, crl);
            fclose(crl);
        }
        if (!strcmp(argv[i], "-view")) { /* two that end in time, one damaged, one cut off */
            printf("\"Bin\xC3\xA4res Zertifikat\"\n"
                   "\"-----BEGIN CERTIFICATE-----\nMAMCAQc=\n-----END CERTIFICATE-----\n\"\n"
                   "\"-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n\"\n"
                   "\"-----BEGIN CERTIFICATE-----\nMAMCAQg=\n-----END CERTIFICATE-----\n\"\n"
                   "\"-----BEGIN CERTIFICATE-----\nMAMC");
            return 0;
        }
        if (!strcmp(argv[i], "-pingadmin")) {
            printf("CertUtil: -pingadmin-Befehl ist fehlgeschlagen: 0x800706ba\n");
            return (int)0x800706BA;
        }
    }
    return 0;
}

static void expect_asked(const char *want)
{
    wchar_t name[MAX_PATH + 20];
    char got[1000];
    GetTempPathW(MAX_PATH, name);
    wcscat(name, L"crlagent-certutil.txt");
    FILE *f = _wfopen(name, L"rb");
    assert_non_null(f);
    size_t n = fread(got, 1, sizeof got - 1, f);
    fclose(f);
    got[n] = '\0';
    _wremove(name);
    assert_string_equal(got, want);
}

static void certutil_publish__variants__arguments(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct ca_admin a = open_admin(CA_ADMIN_AUTO, own, 20000); /* the class is not there */
    assert_string_equal(a.ops->name, "certutil");
    assert_int_equal(a.ops->publish(a.self, 0, 0, &err), ERR_INVALID);
    assert_int_equal(a.ops->publish(a.self, CA_CRL_BASE, 1000, &err), ERR_INVALID);
    assert_int_equal(a.ops->publish(a.self, CA_CRL_BASE, 0, &err), ERR_OK);
    expect_asked("-CRL\n");
    assert_int_equal(a.ops->publish(a.self, CA_CRL_DELTA, 0, &err), ERR_OK);
    expect_asked("-CRL\ndelta\n");
    assert_int_equal(a.ops->publish(a.self, CA_CRL_BASE | CA_CRL_REPUBLISH, 0, &err), ERR_OK);
    expect_asked("-CRL\nrepublish\n");
    int64_t until = clock_now(clock_system()) + 2 * 86400 + 3 * 3600 - 60;
    assert_int_equal(a.ops->publish(a.self, CA_CRL_BASE, until, &err), ERR_OK);
    expect_asked("-CRL\n2:03\n");
    ca_admin_close(&a);
}

static void certutil_ping__german_failure__exit_code_counts(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct ca_admin a = open_admin(CA_ADMIN_CERTUTIL, own, 20000);
    assert_int_equal(a.ops->ping(a.self, &err), ERR_UNAVAILABLE);
    assert_true((uint32_t)err.os_code == 0x800706BAu);
    ca_admin_close(&a);
}

static void certutil_prop__crl_by_file__rest_unsupported(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf crl = BUF_INIT;
    struct err err = ERR_INIT;
    int32_t n;
    uint32_t roles;
    struct ca_admin a = open_admin(CA_ADMIN_CERTUTIL, own, 20000);
    assert_int_equal(a.ops->prop_blob(a.self, CA_PROP_BASE_CRL, 1, &crl, &err), ERR_OK);
    assert_int_equal(crl.len, 2);
    assert_int_equal(a.ops->prop_long(a.self, CA_PROP_BASE_CRL_STATUS, 0, &n, &err),
                     ERR_UNSUPPORTED);
    assert_int_equal(a.ops->prop_text(a.self, CA_PROP_CERT_CDP_URLS, 0, &crl, &err),
                     ERR_UNSUPPORTED);
    assert_int_equal(a.ops->roles(a.self, &roles, &err), ERR_UNSUPPORTED);
    ca_admin_close(&a);
}

static void certutil_issued__armour_in_any_language__whole_ones(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf certs = BUF_INIT;
    struct err err = ERR_INIT;
    const struct ca_issued_query all = {.max = 100, .now = 1}, one = {.max = 1, .now = 1};
    struct ca_admin a = open_admin(CA_ADMIN_CERTUTIL, own, 20000);
    assert_int_equal(a.ops->issued(a.self, &all, &certs, &err), ERR_OK);
    assert_int_equal(certs.len, 10);
    assert_memory_equal(certs.data, "\x30\x03\x02\x01\x07\x30\x03\x02\x01\x08", 10);
    expect_asked("-view\n-restrict\n-RequestID>0,Disposition=20\n-out\nRawCertificate\ncsv\n");
    buf_clear(&certs);
    assert_int_equal(a.ops->issued(a.self, &one, &certs, &err), ERR_OK);
    assert_int_equal(certs.len, 5);
    ca_admin_close(&a);
}

#define WITH_CLASS(f) cmocka_unit_test_setup_teardown(f, with_class, without_class)

int main(int argc, char **argv)
{
    wchar_t wide[1024];
    char *path = NULL;
    GetModuleFileNameW(NULL, wide, 1024);
    if (!utf_from_wide(wide, &path, NULL))
        str_copy(own, sizeof own, path);
    free(path);
    if (argc > 1)
        return as_certutil(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(com_date__known_values__as_documented),
        cmocka_unit_test(ca_admin_open__class_missing__unsupported_or_certutil),
        WITH_CLASS(publish__explicit_date__utc_automation_date),
        WITH_CLASS(publish__hresult__kept_and_explained),
        WITH_CLASS(prop__each_kind__typed_and_binary_safe),
        WITH_CLASS(prop__empty_or_unknown__not_found),
        WITH_CLASS(call__hangs__time_out_then_usable_again),
        cmocka_unit_test(certutil_publish__variants__arguments),
        cmocka_unit_test(certutil_ping__german_failure__exit_code_counts),
        cmocka_unit_test(certutil_prop__crl_by_file__rest_unsupported),
        cmocka_unit_test(certutil_issued__armour_in_any_language__whole_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
