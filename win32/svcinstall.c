/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/svcinstall.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/when.h"
#include "win32/scm.h"
#include "win32/utf.h"
#include "win32/werr.h"

/* Failure actions: a crash or a non-zero exit restarts the service after a minute, every time; the
 * counter of failures starts again after a quiet day. */
#define RESTART_MS 60000
#define RESET_SECONDS 86400
#define POLL_MS 50

/* Quoted, because "C:\Program Files\x.exe" unquoted would let C:\Program.exe be started instead. */
static int image_path(const struct svc_setup *in, wchar_t **ret, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    if (strchr(in->program, '"'))
        return err_set(err, ERR_INVALID, "the program path '%s' contains a quote", in->program);
    buf_printf(&path, "\"%s\"", in->program);
    if (in->arguments)
        buf_printf(&path, " %s", in->arguments);
    int rc = buf_check(&path, "the service's command line", err);
    return rc ? rc : utf_to_wide(buf_str(&path), ret, err);
}

/* Optional texts: NULL stays NULL. */
static int optional_wide(const char *text, wchar_t **ret, struct err *err)
{
    return text ? utf_to_wide(text, ret, err) : ERR_OK;
}

static int create_or_open(SC_HANDLE scm, const struct svc_setup *in, SC_HANDLE *ret,
                          struct err *err)
{
    SCOPED(scope_free) wchar_t *name = NULL;
    SCOPED(scope_free) wchar_t *display = NULL;
    SCOPED(scope_free) wchar_t *path = NULL;
    SCOPED(scope_free) wchar_t *account = NULL;
    int rc = utf_to_wide(in->name, &name, err);
    if (!rc)
        rc = utf_to_wide(in->display, &display, err);
    if (!rc)
        rc = image_path(in, &path, err);
    if (!rc)
        rc = optional_wide(in->account, &account, err);
    if (rc)
        return rc;
    *ret = CreateServiceW(scm, name, display, SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS,
                          SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, path, NULL, NULL, NULL, account,
                          NULL);
    if (*ret)
        return ERR_OK;
    DWORD e = GetLastError();
    if (e != ERROR_SERVICE_EXISTS)
        return err_set_win32(err, e, "creating the service '%s'", in->name);
    rc = scm_open_service(scm, in->name, SERVICE_ALL_ACCESS, ret, err);
    if (!rc && !ChangeServiceConfigW(*ret, SERVICE_WIN32_OWN_PROCESS, SERVICE_NO_CHANGE,
                                     SERVICE_ERROR_NORMAL, path, NULL, NULL, NULL,
                                     in->change_account ? account ? account : L"LocalSystem" : NULL,
                                     NULL, display))
        rc = err_set_win32(err, GetLastError(), "changing the service '%s'", in->name);
    return rc;
}

static int set_one(SC_HANDLE service, DWORD level, void *info, const char *what, struct err *err)
{
    if (!ChangeServiceConfig2W(service, level, info))
        return err_set_win32(err, GetLastError(), "setting the service's %s", what);
    return ERR_OK;
}

static int set_failure_actions(SC_HANDLE service, struct err *err)
{
    SC_ACTION actions[3];
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        actions[i] = (SC_ACTION){SC_ACTION_RESTART, RESTART_MS};
    SERVICE_FAILURE_ACTIONSW failure = {
        .dwResetPeriod = RESET_SECONDS, .cActions = ARRAY_LEN(actions), .lpsaActions = actions};
    SERVICE_FAILURE_ACTIONS_FLAG flag = {.fFailureActionsOnNonCrashFailures = TRUE};
    int rc = set_one(service, SERVICE_CONFIG_FAILURE_ACTIONS, &failure, "failure actions", err);
    if (!rc)
        rc = set_one(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &flag, "failure flag", err);
    return rc;
}

/* A REG_MULTI_SZ of the names. */
static int set_privileges(SC_HANDLE service, const char *const *names, struct err *err)
{
    wchar_t list[1024];
    size_t used = 0;
    for (; names && *names; names++) {
        SCOPED(scope_free) wchar_t *name = NULL;
        int rc = utf_to_wide(*names, &name, err);
        if (rc)
            return rc;
        size_t n = wcslen(name) + 1;
        if (used + n + 1 > ARRAY_LEN(list))
            return err_set(err, ERR_LIMIT, "the list of required privileges is too long");
        wmemcpy(list + used, name, n);
        used += n;
    }
    if (!used)
        return ERR_OK;
    list[used] = L'\0';
    SERVICE_REQUIRED_PRIVILEGES_INFOW info = {list};
    return set_one(service, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, &info,
                   "list of required privileges", err);
}

/* Wine says "invalid level" to most of these (seen with 8.0: all but description and preshutdown);
 * on the Windows versions we support that answer does not come. */
static int tolerate_unknown_level(int rc, struct err *err)
{
    if (rc && err->os_code == ERROR_INVALID_LEVEL) {
        err_clear(err);
        return ERR_OK;
    }
    return rc;
}

static int apply_settings(SC_HANDLE service, const struct svc_setup *in, struct err *err)
{
    SCOPED(scope_free) wchar_t *text = NULL;
    int rc = utf_to_wide(in->description, &text, err);
    if (rc)
        return rc;
    SERVICE_DESCRIPTIONW description = {text};
    SERVICE_DELAYED_AUTO_START_INFO delayed = {TRUE};
    SERVICE_PRESHUTDOWN_INFO preshutdown = {in->preshutdown_ms};
    SERVICE_SID_INFO sid = {SERVICE_SID_TYPE_UNRESTRICTED};
    rc = set_one(service, SERVICE_CONFIG_DESCRIPTION, &description, "description", err);
    if (!rc)
        rc = tolerate_unknown_level(set_one(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
                                            &delayed, "delayed automatic start", err),
                                    err);
    if (!rc)
        rc = tolerate_unknown_level(set_failure_actions(service, err), err);
    if (!rc)
        rc = tolerate_unknown_level(set_one(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, &preshutdown,
                                            "preshutdown time-out", err),
                                    err);
    if (!rc)
        rc = tolerate_unknown_level(
            set_one(service, SERVICE_CONFIG_SERVICE_SID_INFO, &sid, "service SID", err), err);
    if (!rc)
        rc = tolerate_unknown_level(set_privileges(service, in->privileges, err), err);
    return rc;
}

int svc_install(const struct svc_setup *setup, struct err *err)
{
    SCOPED(scm_close) SC_HANDLE scm = NULL;
    SCOPED(scm_close) SC_HANDLE service = NULL;
    struct err own = ERR_INIT;
    if (!err)
        err = &own;
    int rc = scm_open(SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE, &scm, err);
    if (!rc)
        rc = create_or_open(scm, setup, &service, err);
    if (!rc)
        rc = apply_settings(service, setup, err);
    return rc;
}

/* Waits until the service is in state want. ERR_STATE when it falls back to "stopped" on the way
 * to "running". */
static int wait_state(SC_HANDLE service, const char *name, DWORD want, int64_t timeout_ms,
                      struct err *err)
{
    const struct clock *clock = clock_system();
    int64_t end = clock_mono_ms(clock) + timeout_ms;
    for (;;) {
        SERVICE_STATUS_PROCESS now = {0};
        int rc = scm_status(service, name, &now, err);
        if (rc || now.dwCurrentState == want)
            return rc;
        if (want == SERVICE_RUNNING && now.dwCurrentState == SERVICE_STOPPED)
            return err_set_os(err, ERR_STATE, (long)now.dwWin32ExitCode,
                              "the service '%s' ended while it started (exit code %lu, service "
                              "code %lu); see the Application event log",
                              name, (unsigned long)now.dwWin32ExitCode,
                              (unsigned long)now.dwServiceSpecificExitCode);
        if (clock_mono_ms(clock) >= end)
            return err_set(err, ERR_TIMEOUT, "the service '%s' is still %s after %lld ms", name,
                           svc_state_name((enum svc_state)now.dwCurrentState),
                           (long long)timeout_ms);
        clock_sleep_ms(clock, POLL_MS);
    }
}

int svc_start_wait(const char *name, int64_t timeout_ms, struct err *err)
{
    SCOPED(scm_close) SC_HANDLE scm = NULL;
    SCOPED(scm_close) SC_HANDLE service = NULL;
    int rc = scm_open(SC_MANAGER_CONNECT, &scm, err);
    if (!rc)
        rc = scm_open_service(scm, name, SERVICE_START | SERVICE_QUERY_STATUS, &service, err);
    if (rc)
        return rc;
    if (!StartServiceW(service, 0, NULL)) {
        DWORD e = GetLastError();
        if (e != ERROR_SERVICE_ALREADY_RUNNING)
            return err_set_win32(err, e, "starting the service '%s'", name);
    }
    return wait_state(service, name, SERVICE_RUNNING, timeout_ms, err);
}

static int stop_open(SC_HANDLE service, const char *name, int64_t timeout_ms, struct err *err)
{
    SERVICE_STATUS status;
    if (!ControlService(service, SERVICE_CONTROL_STOP, &status)) {
        DWORD e = GetLastError();
        if (e == ERROR_SERVICE_NOT_ACTIVE)
            return ERR_OK;
        if (e != ERROR_SERVICE_CANNOT_ACCEPT_CTRL) /* stopping already */
            return err_set_win32(err, e, "stopping the service '%s'", name);
    }
    return wait_state(service, name, SERVICE_STOPPED, timeout_ms, err);
}

int svc_stop_wait(const char *name, int64_t timeout_ms, struct err *err)
{
    SCOPED(scm_close) SC_HANDLE scm = NULL;
    SCOPED(scm_close) SC_HANDLE service = NULL;
    int rc = scm_open(SC_MANAGER_CONNECT, &scm, err);
    if (!rc)
        rc = scm_open_service(scm, name, SERVICE_STOP | SERVICE_QUERY_STATUS, &service, err);
    return rc ? rc : stop_open(service, name, timeout_ms, err);
}

int svc_uninstall(const char *name, int64_t timeout_ms, struct err *err)
{
    SCOPED(scm_close) SC_HANDLE scm = NULL;
    SCOPED(scm_close) SC_HANDLE service = NULL;
    int rc = scm_open(SC_MANAGER_CONNECT, &scm, err);
    if (!rc)
        rc = scm_open_service(scm, name, SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE, &service,
                              err);
    if (!rc)
        rc = stop_open(service, name, timeout_ms, err);
    if (rc)
        return rc;
    if (!DeleteService(service))
        return err_set_win32(err, GetLastError(), "deleting the service '%s'", name);
    return ERR_OK;
}
