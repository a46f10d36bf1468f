/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <string.h>

#include "ca/admin.h"
#include "ca/service.h"
#include "ca/settings.h"

static void ca_cpf_verdict__table__known_values(void **state)
{
    (void)state;
    static const struct {
        uint32_t flags;
        enum ca_publish_verdict verdict;
    } cases[] = {
        {0, CA_PUBLISH_UNKNOWN},
        {CPF_BASE, CA_PUBLISH_UNKNOWN},
        {CPF_BASE | CPF_COMPLETE | CPF_MANUAL, CA_PUBLISH_COMPLETE},
        {CPF_DELTA | CPF_SHADOW | CPF_COMPLETE, CA_PUBLISH_COMPLETE},
        {CPF_BASE | CPF_LDAP_ERROR, CA_PUBLISH_PARTIAL},
        {CPF_BASE | CPF_COMPLETE | CPF_CASTORE_ERROR, CA_PUBLISH_PARTIAL},
        {CPF_DELTA | CPF_POSTPONED_BASE_FILE, CA_PUBLISH_PARTIAL},
        {CPF_BASE | CPF_SIGNATURE_ERROR | CPF_COMPLETE, CA_PUBLISH_FAILED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(ca_cpf_verdict(cases[i].flags), cases[i].verdict);
}

static void ca_cpf_format__bits__named(void **state)
{
    (void)state;
    char text[256];
    assert_string_equal(ca_cpf_format(0, text, sizeof text), "0 (unknown)");
    assert_string_equal(ca_cpf_format(CPF_BASE | CPF_LDAP_ERROR, text, sizeof text),
                        "BASE|LDAP_ERROR");
    char small[8];
    assert_int_equal(strlen(ca_cpf_format(0x3FFF, small, sizeof small)), 7);
}

static void ca_hresult_explain__sides__known_values(void **state)
{
    (void)state;
    assert_string_equal(ca_hresult_explain(0x800706BA).side, "ca-not-running");
    assert_string_equal(ca_hresult_explain(0x80090030).side, "hsm");
    assert_string_equal(ca_hresult_explain(0x80090fff).side, "hsm");
    assert_string_equal(ca_hresult_explain(0x8007208D).side, "directory");
    assert_string_equal(ca_hresult_explain(0x80092013).side, "parent-crl");
    assert_string_equal(ca_hresult_explain(0x12345678).side, "other");
}

static void ca_period_seconds__unknown_unit__refused(void **state)
{
    (void)state;
    struct ca_period p = {"Fortnights", 1};
    int64_t s = -1;
    struct err err = ERR_INIT;
    assert_int_equal(ca_period_seconds(&p, &s, &err), ERR_PARSE);
    assert_non_null(strstr(err.text, "Fortnights"));
    assert_int_equal(s, -1);
    p = (struct ca_period){"weeks", 2};
    assert_int_equal(ca_period_seconds(&p, &s, &err), ERR_OK);
    assert_int_equal(s, 1209600);
}

static void svc_names__out_of_range__unknown(void **state)
{
    (void)state;
    assert_string_equal(svc_state_name((enum svc_state)99), "unknown");
    assert_string_equal(svc_state_name(SVC_RUNNING), "running");
    assert_string_equal(svc_start_name(SVC_AUTO, true), "automatic (delayed)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ca_cpf_verdict__table__known_values),
        cmocka_unit_test(ca_cpf_format__bits__named),
        cmocka_unit_test(ca_hresult_explain__sides__known_values),
        cmocka_unit_test(ca_period_seconds__unknown_unit__refused),
        cmocka_unit_test(svc_names__out_of_range__unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
