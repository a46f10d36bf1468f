/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The real SCM: this program installs itself as a service and drives it. */
#include "cmocka_unit.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/when.h"
#include "win32/sdplace.h"
#include "win32/service.h"
#include "win32/svcinstall.h"
#include "win32/svcmain.h"
#include "win32/svcwatch.h"
#include "win32/utf.h"

#define NAME "crlagent-unit-service"
#define WAIT_MS 20000

/* The service inside -------------------------------------------------------------------------- */

static int service_start(void *self, struct err *err)
{
    (void)self;
    (void)err;
    return ERR_OK;
}

static void service_stop(void *self, enum svc_stop_reason why)
{
    (void)self;
    (void)why;
}

static int service_start_fails(void *self, struct err *err)
{
    (void)self;
    return err_set(err, ERR_IO, "no disk");
}

static int run_as_service(const char *how)
{
    struct svc_program good = {service_start, service_stop, NULL};
    struct svc_program bad = {service_start_fails, service_stop, NULL};
    struct err err = ERR_INIT;
    return svc_main_run(NAME, strcmp(how, "bad") ? &good : &bad, &err);
}

/* Helpers ------------------------------------------------------------------------------------- */

static char *own_path(void)
{
    wchar_t wide[1024];
    char *path = NULL;
    GetModuleFileNameW(NULL, wide, 1024);
    assert_int_equal(utf_from_wide(wide, &path, NULL), ERR_OK);
    return path;
}

static void install(const char *arguments)
{
    static const char *const privileges[] = {"SeChangeNotifyPrivilege", NULL};
    char *path = own_path();
    struct svc_setup setup = {
        .name = NAME,
        .display = "crlagent unit test",
        .description = "Made and removed by a unit test.",
        .program = path,
        .arguments = arguments,
        .privileges = privileges,
        .preshutdown_ms = 20000,
    };
    struct err err = ERR_INIT;
    if (svc_install(&setup, &err))
        fail_msg("%s", err.text);
    free(path);
}

static bool on_wine(void)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL;
}

/* Wine 8 has no delayed start: it answers "invalid level". */
static bool has_delayed_start(void)
{
    SC_HANDLE scm = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service = OpenServiceW(scm, L"crlagent-unit-service", SERVICE_ALL_ACCESS);
    SERVICE_DELAYED_AUTO_START_INFO info = {0};
    DWORD need;
    BOOL ok = QueryServiceConfig2W(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, (BYTE *)&info,
                                   sizeof info, &need) &&
              ChangeServiceConfig2W(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &info);
    CloseServiceHandle(service);
    CloseServiceHandle(scm);
    return ok;
}

static int remove_service(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    int rc = svc_uninstall(NAME, WAIT_MS, &err);
    return rc == ERR_OK || rc == ERR_NOT_FOUND ? 0 : -1;
}

static const struct svc_ops *ops(void)
{
    return svc_control_scm()->ops;
}

/* Cases --------------------------------------------------------------------------------------- */

static void query__no_such_service__not_found(void **state)
{
    (void)state;
    struct svc_info info;
    struct err err = ERR_INIT;
    assert_int_equal(ops()->query(NULL, "no-such-service", &info, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "'no-such-service'"));
    assert_int_equal(ops()->stop(NULL, "no-such-service", &err), ERR_NOT_FOUND);
    assert_int_equal(ops()->start(NULL, "no-such-service", &err), ERR_NOT_FOUND);
    assert_int_equal(svc_uninstall("no-such-service", 1, &err), ERR_NOT_FOUND);
}

static void sid_text_of__accounts__known(void **state)
{
    (void)state;
    char text[190];
    struct err err = ERR_INIT;
    assert_int_equal(sid_text_of("LocalSystem", text, sizeof text, &err), ERR_OK);
    assert_string_equal(text, "S-1-5-18");
    assert_int_equal(sid_text_of("NT SERVICE\\TrustedInstaller", text, sizeof text, &err), ERR_OK);
    assert_string_equal(text, "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464");
    assert_int_equal(sid_text_of("NOBODY-HAS-THIS-NAME", text, sizeof text, &err), ERR_NOT_FOUND);
}

static void sd_place__nothing_there__not_found(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf sd = BUF_INIT;
    struct err err = ERR_INIT;
    struct sd_place service = sd_place_service("no-such-service");
    struct sd_place ca = sd_place_ca("SOFTWARE\\Microsoft");
    assert_int_equal(service.read(service.self, &sd, &err), ERR_NOT_FOUND);
    assert_int_equal(service.write(service.self, "", 1, &err), ERR_NOT_FOUND);
    assert_int_equal(ca.read(ca.self, &sd, &err), ERR_NOT_FOUND);
    assert_int_equal(ca.write(ca.self, "", 1, &err), ERR_NOT_FOUND);
    assert_int_equal(sd.len, 0);
}

/* On Windows the service's own access list goes there and back. Wine 8 accepts a change and keeps
 * none: then the grant must fail, and revoke has nothing to do. */
static void grant_service__round_trip__same_entries(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf before = BUF_INIT, after = BUF_INIT;
    enum grant_outcome outcome;
    struct err err = ERR_INIT;
    const struct grant g = {"service " NAME,      "grant-" NAME ".txt", "nobody",
                            "S-1-5-80-1-2-3-4-5", SD_SERVICE_RIGHTS,    sd_place_service(NAME)};
    install(NULL);
    assert_int_equal(g.place.read(g.place.self, &before, &err), ERR_OK);
    int rc = grant_give(&g, false, &outcome, &err);
    assert_int_equal(rc, on_wine() ? ERR_STATE : ERR_OK);
    assert_int_equal(grant_revoke(&g, false, &outcome, &err), ERR_OK);
    assert_int_equal(outcome, on_wine() ? GRANT_NOTHING : GRANT_RESTORED);
    assert_int_equal(g.place.read(g.place.self, &after, &err), ERR_OK);
    assert_true(sd_same_access(before.data, before.len, after.data, after.len));
}

static void svc_install__quote_in_path__refused(void **state)
{
    (void)state;
    struct svc_setup setup = {
        .name = NAME, .display = "d", .description = "d", .program = "C:\\a\"b.exe"};
    struct err err = ERR_INIT;
    assert_int_equal(svc_install(&setup, &err), ERR_INVALID);
}

static void svc_main_run__not_started_by_scm__says_so(void **state)
{
    (void)state;
    struct svc_program program = {service_start, service_stop, NULL};
    struct err err = ERR_INIT;
    assert_int_equal(svc_main_run(NAME, &program, &err), ERR_STATE);
    assert_non_null(strstr(err.text, "crlagent start"));
}

static void svc_install__then_query__auto_delayed_quoted(void **state)
{
    (void)state;
    install("run good");
    struct svc_info info;
    struct err err = ERR_INIT;
    assert_int_equal(ops()->query(NULL, NAME, &info, &err), ERR_OK);
    assert_int_equal(info.state, SVC_STOPPED);
    assert_int_equal(info.start, SVC_AUTO);
    assert_int_equal(info.delayed_auto, has_delayed_start());
    assert_int_equal(info.pid, 0);
    wchar_t image[1024];
    DWORD size = sizeof image;
    assert_int_equal(RegGetValueW(HKEY_LOCAL_MACHINE,
                                  L"SYSTEM\\CurrentControlSet\\Services\\crlagent-unit-service",
                                  L"ImagePath", RRF_RT_REG_SZ | RRF_RT_REG_EXPAND_SZ | RRF_NOEXPAND,
                                  NULL, image, &size),
                     ERROR_SUCCESS);
    assert_int_equal(image[0], L'"');
    assert_non_null(wcsstr(image, L".exe\" run good"));
    install("run good"); /* a second time changes nothing and fails nothing */
}

static void start_stop__good_service__states_follow(void **state)
{
    (void)state;
    install("run good");
    struct svc_info info;
    struct err err = ERR_INIT;
    if (svc_start_wait(NAME, WAIT_MS, &err))
        fail_msg("%s", err.text);
    assert_int_equal(ops()->query(NULL, NAME, &info, &err), ERR_OK);
    assert_int_equal(info.state, SVC_RUNNING);
    assert_true(info.pid != 0);
    assert_int_equal(ops()->start(NULL, NAME, &err), ERR_OK); /* runs already */
    assert_int_equal(svc_stop_wait(NAME, WAIT_MS, &err), ERR_OK);
    assert_int_equal(ops()->stop(NULL, NAME, &err), ERR_OK); /* stopped already */
    assert_int_equal(ops()->query(NULL, NAME, &info, &err), ERR_OK);
    assert_int_equal(info.state, SVC_STOPPED);
}

static void svc_start_wait__service_ends_at_once__state_with_code(void **state)
{
    (void)state;
    install("run bad");
    struct err err = ERR_INIT;
    assert_int_equal(svc_start_wait(NAME, WAIT_MS, &err), ERR_STATE);
    assert_non_null(strstr(err.text, "ended while it started"));
}

static void set_start__every_type__read_back(void **state)
{
    (void)state;
    install("run good");
    static const struct {
        enum svc_start start;
        bool delayed;
    } rows[] = {{SVC_DISABLED, false}, {SVC_AUTO, false}, {SVC_DEMAND, false}, {SVC_AUTO, true}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct svc_info info;
        struct err err = ERR_INIT;
        assert_int_equal(ops()->set_start(NULL, NAME, rows[i].start, rows[i].delayed, &err),
                         ERR_OK);
        assert_int_equal(ops()->query(NULL, NAME, &info, &err), ERR_OK);
        assert_int_equal(info.start, rows[i].start);
        assert_int_equal(info.delayed_auto, rows[i].delayed && has_delayed_start());
    }
}

static void dependants__one_service_depends__listed(void **state)
{
    (void)state;
    install("run good");
    struct svc_info list[2];
    size_t n = 99;
    struct err err = ERR_INIT;
    assert_int_equal(ops()->dependants(NULL, NAME, list, 2, &n, &err), ERR_OK);
    assert_int_equal(n, 0);
    SC_HANDLE scm = OpenSCManagerW(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    SC_HANDLE other =
        CreateServiceW(scm, L"crlagent-unit-dep", L"dep", SERVICE_ALL_ACCESS,
                       SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL,
                       L"C:\\none.exe", NULL, NULL, L"crlagent-unit-service\0", NULL, NULL);
    assert_non_null(other);
    int rc = ops()->dependants(NULL, NAME, list, 2, &n, &err);
    int rc_small = ops()->dependants(NULL, NAME, list, 0, &n, &err);
    DeleteService(other);
    CloseServiceHandle(other);
    CloseServiceHandle(scm);
    assert_int_equal(rc, ERR_OK);
    if (on_wine() && n == 0)
        skip(); /* Wine 8 answers EnumDependentServices with an empty list */
    assert_int_equal(n, 1);
    assert_string_equal(list[0].name, "crlagent-unit-dep");
    assert_int_equal(rc_small, ERR_LIMIT);
}

struct seen {
    CRITICAL_SECTION lock;
    unsigned calls;
    enum svc_state last;
};

static void on_state(void *arg, const char *name, enum svc_state now, uint32_t pid)
{
    struct seen *s = arg;
    (void)pid;
    assert_string_equal(name, NAME);
    EnterCriticalSection(&s->lock);
    s->calls++;
    s->last = now;
    LeaveCriticalSection(&s->lock);
}

static bool wait_seen(struct seen *s, enum svc_state want)
{
    for (int i = 0; i < 200; i++) {
        EnterCriticalSection(&s->lock);
        bool there = s->calls > 0 && s->last == want;
        LeaveCriticalSection(&s->lock);
        if (there)
            return true;
        Sleep(25);
    }
    return false;
}

static void svc_watch__service_starts_and_stops__seen(void **state)
{
    (void)state;
    install("run good");
    struct seen seen = {.calls = 0};
    InitializeCriticalSection(&seen.lock);
    struct svc_watch *watch = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(svc_watch_open("no-such-service", on_state, &seen, &watch, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(svc_watch_open(NAME, on_state, &seen, &watch, &err), ERR_OK);
    assert_true(wait_seen(&seen, SVC_STOPPED));
    assert_int_equal(svc_start_wait(NAME, WAIT_MS, &err), ERR_OK);
    assert_true(wait_seen(&seen, SVC_RUNNING));
    assert_int_equal(svc_stop_wait(NAME, WAIT_MS, &err), ERR_OK);
    assert_true(wait_seen(&seen, SVC_STOPPED));
    Sleep(300);
    EnterCriticalSection(&seen.lock);
    unsigned calls = seen.calls;
    LeaveCriticalSection(&seen.lock);
    assert_in_range(calls, 3, 6); /* no storm: each change once */
    svc_watch_close(watch);
    assert_int_equal(svc_start_wait(NAME, WAIT_MS, &err), ERR_OK);
    assert_int_equal(svc_stop_wait(NAME, WAIT_MS, &err), ERR_OK);
    assert_int_equal(seen.calls, calls); /* nothing after the close */
    DeleteCriticalSection(&seen.lock);
}

static void svc_watch_close__nothing_happened__returns(void **state)
{
    (void)state;
    install("run good");
    struct seen seen = {.calls = 0};
    InitializeCriticalSection(&seen.lock);
    for (int i = 0; i < 20; i++) {
        struct svc_watch *watch = NULL;
        struct err err = ERR_INIT;
        assert_int_equal(svc_watch_open(NAME, on_state, &seen, &watch, &err), ERR_OK);
        svc_watch_close(watch);
    }
    svc_watch_close(NULL);
    DeleteCriticalSection(&seen.lock);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "run") == 0)
        return run_as_service(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sid_text_of__accounts__known),
        cmocka_unit_test(sd_place__nothing_there__not_found),
        cmocka_unit_test_teardown(grant_service__round_trip__same_entries, remove_service),
        cmocka_unit_test(query__no_such_service__not_found),
        cmocka_unit_test(svc_install__quote_in_path__refused),
        cmocka_unit_test(svc_main_run__not_started_by_scm__says_so),
        cmocka_unit_test_teardown(svc_install__then_query__auto_delayed_quoted, remove_service),
        cmocka_unit_test_teardown(start_stop__good_service__states_follow, remove_service),
        cmocka_unit_test_teardown(svc_start_wait__service_ends_at_once__state_with_code,
                                  remove_service),
        cmocka_unit_test_teardown(set_start__every_type__read_back, remove_service),
        cmocka_unit_test_teardown(dependants__one_service_depends__listed, remove_service),
        cmocka_unit_test_teardown(svc_watch__service_starts_and_stops__seen, remove_service),
        cmocka_unit_test_teardown(svc_watch_close__nothing_happened__returns, remove_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
