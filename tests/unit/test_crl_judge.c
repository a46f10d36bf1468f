/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <string.h>

#include "base/str.h"
#include "crl/judge.h"

#define T0 INT64_C(1767225600)
#define DAY INT64_C(86400)

static struct crl_facts facts(uint8_t number)
{
    struct crl_facts f = {.this_update = T0,
                          .next_update = T0 + 10 * DAY,
                          .next_publish = T0 + 7 * DAY,
                          .number = {1, {number}},
                          .issuer_der = "name",
                          .issuer_der_len = 4,
                          .aki = {1, 2},
                          .aki_len = 2};
    f.sha256[0] = number;
    return f;
}

static void judge__times__table(void **state)
{
    (void)state;
    static const struct {
        int64_t now;
        struct crl_thresholds t;
        uint32_t want;
    } rows[] = {
        {T0 - 301, {.skew = 300}, CRL_V_FROM_FUTURE},
        {T0 - 300, {.skew = 300}, 0},
        {T0, {0}, 0},
        {T0 + 10 * DAY - 1, {.overdue_grace = 9 * DAY}, 0},
        {T0 + 10 * DAY, {.overdue_grace = 9 * DAY}, CRL_V_EXPIRED},
        {T0 + 7 * DAY + 1800, {.overdue_grace = 1800}, 0},
        {T0 + 7 * DAY + 1801, {.overdue_grace = 1800}, CRL_V_OVERDUE},
        {T0 + 8 * DAY - 1, {.warn_percent = 80, .overdue_grace = 9 * DAY}, 0},
        {T0 + 8 * DAY, {.warn_percent = 80, .overdue_grace = 9 * DAY}, CRL_V_EXPIRING},
        {T0 + 8 * DAY,
         {.crit_percent = 80, .overdue_grace = 9 * DAY},
         CRL_V_EXPIRING | CRL_V_EXPIRING_SOON},
        {T0 + 9 * DAY, {.warn_seconds = DAY, .overdue_grace = 9 * DAY}, 0},
        {T0 + 9 * DAY + 1, {.warn_seconds = DAY, .overdue_grace = 9 * DAY}, CRL_V_EXPIRING},
        /* seconds win over percent */
        {T0 + 9 * DAY, {.warn_seconds = DAY, .warn_percent = 50, .overdue_grace = 9 * DAY}, 0},
    };
    struct crl_facts f = facts(5);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t v = crl_judge(&f, NULL, &rows[i].t, rows[i].now);
        if (v != rows[i].want)
            fail_msg("row %zu: expected 0x%x, found 0x%x", i, rows[i].want, v);
    }
}

static void judge__no_next_update__never_expires_but_is_told(void **state)
{
    (void)state;
    struct crl_facts f = facts(5);
    struct crl_expectation e = {.required_until = T0 + 99999 * DAY};
    f.next_update = WHEN_NONE;
    f.next_publish = WHEN_NONE;
    assert_int_equal(crl_judge(&f, &e, NULL, T0 + 9999 * DAY), CRL_V_NO_NEXT_UPDATE);
}

static void judge__required_until__short(void **state)
{
    (void)state;
    struct crl_facts f = facts(5);
    struct crl_expectation e = {.required_until = T0 + 10 * DAY};
    assert_int_equal(crl_judge(&f, &e, NULL, T0), 0);
    e.required_until++;
    assert_int_equal(crl_judge(&f, &e, NULL, T0), CRL_V_SHORT);
}

static void judge__reference__stale_mismatch_ahead_or_other_issuer(void **state)
{
    (void)state;
    struct crl_facts f = facts(5), ref = facts(5);
    struct crl_expectation e = {.reference = &ref};
    assert_int_equal(crl_judge(&f, &e, NULL, T0), 0);
    f.sha256[3] = 1;
    assert_int_equal(crl_judge(&f, &e, NULL, T0), CRL_V_MISMATCH);
    ref.number.bytes[0] = 6;
    assert_int_equal(crl_judge(&f, &e, NULL, T0), CRL_V_STALE);
    ref.number.bytes[0] = 4;
    assert_int_equal(crl_judge(&f, &e, NULL, T0), CRL_V_NUMBER_AHEAD);
    /* without numbers the dates decide */
    ref.number.len = 0;
    ref.this_update = T0 + 1;
    assert_int_equal(crl_judge(&f, &e, NULL, T0), CRL_V_STALE);
    ref.aki[0] = 9;
    assert_int_equal(crl_judge(&f, &e, NULL, T0), CRL_V_WRONG_ISSUER);
    ref.aki_len = 0;
    ref.issuer_der[0] = 'N';
    assert_int_equal(crl_judge(&f, &e, NULL, T0), CRL_V_WRONG_ISSUER);
}

static void judge__type_and_delta_against_base(void **state)
{
    (void)state;
    struct crl_facts base = facts(10), delta = facts(12);
    struct crl_expectation e = {.delta = true, .base = &base};
    delta.delta_base = (struct crl_number){1, {10}};
    assert_int_equal(crl_judge(&delta, &e, NULL, T0), 0);
    /* a delta to an older base than the newest is normal with AD CS */
    delta.delta_base.bytes[0] = 8;
    assert_int_equal(crl_judge(&delta, &e, NULL, T0), 0);
    delta.delta_base.bytes[0] = 11;
    assert_int_equal(crl_judge(&delta, &e, NULL, T0), CRL_V_DELTA_BASE_GAP);
    delta.delta_base.bytes[0] = 8;
    delta.number.bytes[0] = 9;
    assert_int_equal(crl_judge(&delta, &e, NULL, T0), CRL_V_DELTA_OLDER);
    assert_int_equal(crl_judge(&base, &e, NULL, T0), CRL_V_WRONG_TYPE);
    e.delta = false;
    assert_int_equal(crl_judge(&delta, &e, NULL, T0), CRL_V_WRONG_TYPE);
    e.delta = true;
    delta.number.bytes[0] = 12;
    base.aki[0] = 7;
    assert_int_equal(crl_judge(&delta, &e, NULL, T0), CRL_V_DELTA_BASE_GAP);
}

static void judge__idp__url_must_be_in_it(void **state)
{
    (void)state;
    struct crl_facts f = facts(5);
    struct crl_expectation e = {.url = "http://pki/CA.crl"};
    assert_int_equal(crl_judge(&f, &e, NULL, T0), 0);
    f.has_idp = true;
    assert_int_equal(crl_judge(&f, &e, NULL, T0), 0); /* scope flags only */
    f.idp.count = 1;
    str_copy(f.idp.url[0], CRL_URL_TEXT, "HTTP://PKI/ca.crl");
    assert_int_equal(crl_judge(&f, &e, NULL, T0), 0);
    str_copy(f.idp.url[0], CRL_URL_TEXT, "http://pki/CA_Partition00001.crl");
    assert_int_equal(crl_judge(&f, &e, NULL, T0), CRL_V_IDP_MISMATCH);
}

static void judge__signature_and_contents(void **state)
{
    (void)state;
    struct crl_facts f = facts(5);
    struct crl_expectation e = {.signature = CRL_SIG_BAD};
    assert_int_equal(crl_judge(&f, &e, NULL, T0), CRL_V_BAD_SIGNATURE);
    e.signature = CRL_SIG_NO_ISSUER;
    assert_int_equal(crl_judge(&f, &e, NULL, T0), CRL_V_WRONG_ISSUER);
    e.signature = CRL_SIG_UNSUPPORTED;
    assert_int_equal(crl_judge(&f, &e, NULL, T0), CRL_V_SIGNATURE_UNSUPPORTED);
    e.signature = CRL_SIG_GOOD;
    f.warnings = CRL_WARN_WEAK_DIGEST;
    f.unknown_critical = 1;
    assert_int_equal(crl_judge(&f, &e, NULL, T0), CRL_V_WEAK_DIGEST | CRL_V_UNKNOWN_CRITICAL);
}

static void verdict_state__words_of_pkiview(void **state)
{
    (void)state;
    assert_string_equal(crl_verdict_state(0), "OK");
    assert_string_equal(crl_verdict_state(CRL_V_WEAK_DIGEST), "OK");
    assert_string_equal(crl_verdict_state(CRL_V_STALE), "Error");
    assert_string_equal(crl_verdict_state(CRL_V_STALE | CRL_V_EXPIRED), "Expired");
    assert_string_equal(crl_verdict_state(CRL_V_OVERDUE), "Expiring");
    assert_string_equal(crl_verdict_state(CRL_V_EXPIRED | CRL_V_OVERDUE), "Expired");
    assert_string_equal(crl_verdict_state(CRL_V_EXPIRED | CRL_V_BAD_SIGNATURE), "Error");
    assert_string_equal(crl_verdict_name(CRL_V_OK), "ok");
    assert_string_equal(crl_verdict_name(CRL_V_DELTA_BASE_GAP), "delta-base-gap");
    for (unsigned i = 0; i < CRL_V_COUNT; i++)
        assert_string_not_equal(crl_verdict_name((enum crl_verdict)(1u << i)), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judge__times__table),
        cmocka_unit_test(judge__no_next_update__never_expires_but_is_told),
        cmocka_unit_test(judge__required_until__short),
        cmocka_unit_test(judge__reference__stale_mismatch_ahead_or_other_issuer),
        cmocka_unit_test(judge__type_and_delta_against_base),
        cmocka_unit_test(judge__idp__url_must_be_in_it),
        cmocka_unit_test(judge__signature_and_contents),
        cmocka_unit_test(verdict_state__words_of_pkiview),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
