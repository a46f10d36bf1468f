/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/service.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "win32/scm.h"
#include "win32/utf.h"
#include "win32/werr.h"

void scm_close(SC_HANDLE *h)
{
    if (*h)
        CloseServiceHandle(*h);
    *h = NULL;
}

int scm_open(DWORD rights, SC_HANDLE *ret, struct err *err)
{
    *ret = OpenSCManagerW(NULL, NULL, rights);
    if (!*ret)
        return err_set_win32(err, GetLastError(), "opening the service control manager");
    return ERR_OK;
}

int scm_open_service(SC_HANDLE scm, const char *name, DWORD rights, SC_HANDLE *ret, struct err *err)
{
    SCOPED(scope_free) wchar_t *wide = NULL;
    int rc = utf_to_wide(name, &wide, err);
    if (rc)
        return rc;
    *ret = OpenServiceW(scm, wide, rights);
    if (!*ret)
        return err_set_win32(err, GetLastError(), "opening the service '%s'", name);
    return ERR_OK;
}

int scm_status(SC_HANDLE service, const char *name, SERVICE_STATUS_PROCESS *ret, struct err *err)
{
    DWORD need;
    if (!QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)ret, sizeof *ret, &need))
        return err_set_win32(err, GetLastError(), "asking for the state of the service '%s'", name);
    return ERR_OK;
}

int scm_config(SC_HANDLE service, const char *name, QUERY_SERVICE_CONFIGW **ret, struct err *err)
{
    DWORD need = 0;
    if (QueryServiceConfigW(service, NULL, 0, &need) || GetLastError() != ERROR_INSUFFICIENT_BUFFER)
        return err_set_win32(err, GetLastError(), "reading the settings of the service '%s'", name);
    SCOPED(scope_free) QUERY_SERVICE_CONFIGW *config = calloc(1, need);
    if (!config)
        return err_nomem(err);
    if (!QueryServiceConfigW(service, config, need, &need))
        return err_set_win32(err, GetLastError(), "reading the settings of the service '%s'", name);
    *ret = steal_ptr(config);
    return ERR_OK;
}

static int open_both(const char *name, DWORD rights, SC_HANDLE *ret_scm, SC_HANDLE *ret_service,
                     struct err *err)
{
    int rc = scm_open(SC_MANAGER_CONNECT, ret_scm, err);
    if (!rc)
        rc = scm_open_service(*ret_scm, name, rights, ret_service, err);
    return rc;
}

static bool is_delayed(SC_HANDLE service)
{
    SERVICE_DELAYED_AUTO_START_INFO info = {0};
    DWORD need;
    return QueryServiceConfig2W(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, (BYTE *)&info,
                                sizeof info, &need) &&
           info.fDelayedAutostart;
}

static void fill_info(struct svc_info *info, const char *name, const SERVICE_STATUS_PROCESS *status)
{
    str_copy(info->name, sizeof info->name, name);
    info->state = (enum svc_state)status->dwCurrentState;
    info->pid = status->dwProcessId;
    info->checkpoint = status->dwCheckPoint;
    info->wait_hint_ms = status->dwWaitHint;
    info->exit_code = status->dwWin32ExitCode == ERROR_SERVICE_SPECIFIC_ERROR
                          ? status->dwServiceSpecificExitCode
                          : status->dwWin32ExitCode;
}

static int query_open(SC_HANDLE service, const char *name, struct svc_info *ret, struct err *err)
{
    SCOPED(scope_free) QUERY_SERVICE_CONFIGW *config = NULL;
    SERVICE_STATUS_PROCESS status = {0};
    struct svc_info info = {0};
    int rc = scm_status(service, name, &status, err);
    if (!rc)
        rc = scm_config(service, name, &config, err);
    if (rc)
        return rc;
    fill_info(&info, name, &status);
    info.start = (enum svc_start)config->dwStartType;
    info.delayed_auto = info.start == SVC_AUTO && is_delayed(service);
    *ret = info;
    return ERR_OK;
}

static int scm_query(void *self, const char *name, struct svc_info *ret, struct err *err)
{
    (void)self;
    SCOPED(scm_close) SC_HANDLE scm = NULL;
    SCOPED(scm_close) SC_HANDLE service = NULL;
    int rc = open_both(name, SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG, &scm, &service, err);
    return rc ? rc : query_open(service, name, ret, err);
}

/* The SCM gives them in reverse start order: the first one can be stopped first. */
static int enumerate(SC_HANDLE service, const char *name, ENUM_SERVICE_STATUSW **ret, DWORD *ret_n,
                     struct err *err)
{
    SCOPED(scope_free) ENUM_SERVICE_STATUSW *list = NULL;
    DWORD need = 0;
    *ret_n = 0;
    /* A service installed between the two calls makes the second one fall short: ask again. */
    for (int tries = 0; tries < 4; tries++) {
        DWORD room = need;
        if (EnumDependentServicesW(service, SERVICE_STATE_ALL, list, room, &need, ret_n)) {
            *ret = steal_ptr(list);
            return ERR_OK;
        }
        DWORD e = GetLastError();
        if (e != ERROR_MORE_DATA)
            return err_set_win32(err, e, "listing the services that depend on '%s'", name);
        free(list);
        list = calloc(1, need);
        if (!list)
            return err_nomem(err);
    }
    return err_set(err, ERR_BUSY, "the services that depend on '%s' keep changing", name);
}

static int scm_dependants(void *self, const char *name, struct svc_info *ret, size_t max,
                          size_t *ret_n, struct err *err)
{
    (void)self;
    SCOPED(scm_close) SC_HANDLE scm = NULL;
    SCOPED(scm_close) SC_HANDLE service = NULL;
    SCOPED(scope_free) ENUM_SERVICE_STATUSW *list = NULL;
    DWORD n = 0;
    int rc = open_both(name, SERVICE_ENUMERATE_DEPENDENTS, &scm, &service, err);
    if (!rc)
        rc = enumerate(service, name, &list, &n, err);
    for (DWORD i = 0; !rc && i < n && i < max; i++) {
        SCOPED(scope_free) char *dependant = NULL;
        SCOPED(scm_close) SC_HANDLE handle = NULL;
        rc = utf_from_wide(list[i].lpServiceName, &dependant, err);
        if (!rc)
            rc = scm_open_service(scm, dependant, SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG,
                                  &handle, err);
        if (!rc)
            rc = query_open(handle, dependant, &ret[i], err);
    }
    if (rc)
        return rc;
    *ret_n = n;
    if (n > max)
        return err_set(err, ERR_LIMIT, "%lu services depend on '%s'; expected at most %zu",
                       (unsigned long)n, name, max);
    return ERR_OK;
}

static int scm_set_start(void *self, const char *name, enum svc_start start, bool delayed_auto,
                         struct err *err)
{
    (void)self;
    SCOPED(scm_close) SC_HANDLE scm = NULL;
    SCOPED(scm_close) SC_HANDLE service = NULL;
    int rc = open_both(name, SERVICE_CHANGE_CONFIG, &scm, &service, err);
    if (rc)
        return rc;
    if (!ChangeServiceConfigW(service, SERVICE_NO_CHANGE, (DWORD)start, SERVICE_NO_CHANGE, NULL,
                              NULL, NULL, NULL, NULL, NULL, NULL))
        return err_set_win32(err, GetLastError(), "setting the start type of '%s' to %s", name,
                             svc_start_name(start, delayed_auto));
    if (start != SVC_AUTO)
        return ERR_OK;
    SERVICE_DELAYED_AUTO_START_INFO info = {.fDelayedAutostart = delayed_auto};
    if (ChangeServiceConfig2W(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &info))
        return ERR_OK;
    DWORD e = GetLastError();
    if (e == ERROR_INVALID_LEVEL) /* Wine has no delayed start */
        return ERR_OK;
    return err_set_win32(err, e, "setting the start type of '%s' to %s", name,
                         svc_start_name(start, delayed_auto));
}

static int scm_stop(void *self, const char *name, struct err *err)
{
    (void)self;
    SCOPED(scm_close) SC_HANDLE scm = NULL;
    SCOPED(scm_close) SC_HANDLE service = NULL;
    SERVICE_STATUS status;
    int rc = open_both(name, SERVICE_STOP | SERVICE_QUERY_STATUS, &scm, &service, err);
    if (rc || ControlService(service, SERVICE_CONTROL_STOP, &status))
        return rc;
    DWORD e = GetLastError();
    if (e == ERROR_SERVICE_NOT_ACTIVE)
        return ERR_OK;
    SERVICE_STATUS_PROCESS now = {0};
    if (e == ERROR_SERVICE_CANNOT_ACCEPT_CTRL && !scm_status(service, name, &now, NULL) &&
        (now.dwCurrentState == SERVICE_STOP_PENDING || now.dwCurrentState == SERVICE_STOPPED))
        return ERR_OK;
    if (e == ERROR_DEPENDENT_SERVICES_RUNNING)
        return err_set_os(err, ERR_STATE, (long)e,
                          "stopping the service '%s': services that depend on it are running",
                          name);
    return err_set_win32(err, e, "stopping the service '%s' (it is %s)", name,
                         svc_state_name((enum svc_state)now.dwCurrentState));
}

static int scm_start(void *self, const char *name, struct err *err)
{
    (void)self;
    SCOPED(scm_close) SC_HANDLE scm = NULL;
    SCOPED(scm_close) SC_HANDLE service = NULL;
    int rc = open_both(name, SERVICE_START, &scm, &service, err);
    if (rc || StartServiceW(service, 0, NULL))
        return rc;
    DWORD e = GetLastError();
    if (e == ERROR_SERVICE_ALREADY_RUNNING)
        return ERR_OK;
    return err_set_win32(err, e, "starting the service '%s'", name);
}

const struct svc_control *svc_control_scm(void)
{
    static const struct svc_ops ops = {
        .query = scm_query,
        .dependants = scm_dependants,
        .set_start = scm_set_start,
        .stop = scm_stop,
        .start = scm_start,
    };
    static const struct svc_control control = {&ops, NULL};
    return &control;
}
