/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <string.h>

#include "ca/patient.h"

/* A CA that does not answer the next n calls, its service, a clock that only moves in waits. */
static struct {
    int fails, calls, publishes;
    long os_code;
    enum svc_state state;
    int64_t mono_ms;
    struct clock clock;
    struct ca_patient patient;
    struct ca_admin admin;
} f;

static int answer(struct err *err)
{
    f.calls++;
    if (f.fails <= 0)
        return ERR_OK;
    f.fails--;
    return err_set_os(err, ERR_UNAVAILABLE, f.os_code, "no server");
}

static int fake_publish(void *self, unsigned what, int64_t until, struct err *err)
{
    (void)self, (void)what, (void)until;
    int rc = answer(err);
    f.publishes += !rc;
    return rc;
}

static int fake_long(void *self, enum ca_prop id, int32_t index, int32_t *ret, struct err *err)
{
    (void)self, (void)id, (void)index;
    int rc = answer(err);
    if (!rc)
        *ret = 7;
    return rc;
}

static int fake_query(void *self, const char *name, struct svc_info *ret, struct err *err)
{
    (void)self, (void)err;
    assert_string_equal(name, "CertSvc");
    *ret = (struct svc_info){.state = f.state};
    return ERR_OK;
}

static int64_t fake_mono(void *self)
{
    (void)self;
    return f.mono_ms;
}

static int fake_sleep(void *self, int64_t ms)
{
    (void)self;
    f.mono_ms += ms;
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    static const struct ca_admin_ops admin = {.publish = fake_publish, .prop_long = fake_long};
    static const struct svc_ops svc = {.query = fake_query};
    static const struct clock_ops clock = {fake_mono, fake_mono, fake_sleep};
    memset(&f, 0, sizeof f);
    f.os_code = (long)(int32_t)0x800706BA;
    f.state = SVC_RUNNING;
    f.mono_ms = 1000;
    f.clock = (struct clock){&clock, NULL};
    f.patient = (struct ca_patient){
        .inner = {&admin, NULL}, .svc = {&svc, NULL}, .clock = &f.clock, .service = "CertSvc"};
    f.admin = ca_patient_seam(&f.patient);
    return 0;
}

static int ask_number(struct err *err)
{
    int32_t n = 0;
    int rc = f.admin.ops->prop_long(f.admin.self, CA_PROP_CERT_COUNT, 0, &n, err);
    assert_int_equal(n, rc ? 0 : 7);
    return rc;
}

static void ca_patient__never_answers__clear_error_after_a_second(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    f.fails = 1000;
    assert_int_equal(ask_number(&err), ERR_UNAVAILABLE);
    assert_int_equal(f.calls, CA_PATIENT_TRIES);
    assert_true(f.mono_ms - 1000 < 2000);
    assert_non_null(strstr(err.text, "'CertSvc' runs"));
    assert_non_null(strstr(err.text, "no server"));
    assert_int_equal(err.os_code, f.os_code);
    /* The next question does not wait as well; later ones do. */
    int64_t before = f.mono_ms;
    assert_int_equal(ask_number(&err), ERR_UNAVAILABLE);
    assert_int_equal(f.calls, CA_PATIENT_TRIES + 1);
    assert_int_equal(f.mono_ms, before);
    f.mono_ms += CA_PATIENT_REST_MS;
    assert_int_equal(ask_number(&err), ERR_UNAVAILABLE);
    assert_int_equal(f.calls, 2 * CA_PATIENT_TRIES + 1);
}

static void ca_patient__service_stopped__asked_once(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    f.fails = 1;
    f.state = SVC_STOPPED;
    assert_int_equal(ask_number(&err), ERR_UNAVAILABLE);
    assert_int_equal(f.calls, 1);
    assert_string_equal(err.text, "no server");
}

/* The server died in the middle: the call may have had its effect. */
static void ca_patient__other_failure__not_repeated(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    f.fails = 1;
    f.os_code = (long)(int32_t)0x80010108;
    assert_int_equal(f.admin.ops->publish(f.admin.self, CA_CRL_BASE, 0, &err), ERR_UNAVAILABLE);
    assert_int_equal(f.calls, 1);
    assert_int_equal(f.publishes, 0);
}

static void ca_patient__moment_of_silence__answer_and_no_error(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    for (int fails = 0; fails < CA_PATIENT_TRIES; fails++) {
        f.fails = fails;
        assert_int_equal(ask_number(&err), ERR_OK);
        assert_int_equal(err.code, ERR_OK);
    }
    f.fails = 2;
    assert_int_equal(f.admin.ops->publish(f.admin.self, CA_CRL_BASE, 0, &err), ERR_OK);
    assert_int_equal(f.publishes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ca_patient__never_answers__clear_error_after_a_second, set_up),
        cmocka_unit_test_setup(ca_patient__service_stopped__asked_once, set_up),
        cmocka_unit_test_setup(ca_patient__other_failure__not_repeated, set_up),
        cmocka_unit_test_setup(ca_patient__moment_of_silence__answer_and_no_error, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
