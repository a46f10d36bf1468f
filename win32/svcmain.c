/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Three threads at most: the SCM's dispatcher (the handler runs there and returns at once), the
 * service thread (start, then wait, then stop), and a ticker that reports a pending state again
 * every few seconds with a higher check point, so that the SCM sees progress however long start or
 * stop take. */
#include "win32/svcmain.h"

#include <windows.h>
#include <winsvc.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "win32/utf.h"
#include "win32/werr.h"

#define TICK_MS 2000
#define WAIT_HINT_MS 15000

/* One service per process: SERVICE_WIN32_OWN_PROCESS has a single main function without argument.
 */
static struct {
    const struct svc_program *program;
    wchar_t *name;
    SERVICE_STATUS_HANDLE handle;
    CRITICAL_SECTION lock; /* guards state and checkpoint */
    DWORD state, checkpoint, exit_code, specific_code;
    HANDLE ending; /* manual reset: somebody wants the end */
    volatile LONG reason;
    int rc;
    struct err err;
} g;

static void report(DWORD state)
{
    EnterCriticalSection(&g.lock);
    if (g.state == SERVICE_STOPPED) { /* the last word was said */
        LeaveCriticalSection(&g.lock);
        return;
    }
    bool pending = state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;
    g.checkpoint = pending ? (state == g.state ? g.checkpoint + 1 : 1) : 0;
    g.state = state;
    SERVICE_STATUS status = {
        .dwServiceType = SERVICE_WIN32_OWN_PROCESS,
        .dwCurrentState = state,
        .dwControlsAccepted =
            state == SERVICE_RUNNING
                ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_PRESHUTDOWN
                : 0,
        .dwWin32ExitCode = g.exit_code,
        .dwServiceSpecificExitCode = g.specific_code,
        .dwCheckPoint = g.checkpoint,
        .dwWaitHint = pending ? WAIT_HINT_MS : 0,
    };
    if (g.handle)
        SetServiceStatus(g.handle, &status);
    LeaveCriticalSection(&g.lock);
}

static void ask_end(enum svc_stop_reason why)
{
    InterlockedCompareExchange(&g.reason, (LONG)why, -1);
    SetEvent(g.ending);
}

static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *context)
{
    (void)type;
    (void)data;
    (void)context;
    switch (control) {
    case SERVICE_CONTROL_STOP:
        report(SERVICE_STOP_PENDING);
        ask_end(SVC_STOP_ASKED);
        return NO_ERROR;
    case SERVICE_CONTROL_SHUTDOWN:
    case SERVICE_CONTROL_PRESHUTDOWN:
        report(SERVICE_STOP_PENDING);
        ask_end(SVC_STOP_SHUTDOWN);
        return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE:
        return NO_ERROR; /* the SCM knows what was reported last */
    default:
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

struct ticker {
    HANDLE thread, stop;
};

static DWORD WINAPI tick(void *arg)
{
    HANDLE stop = arg;
    while (WaitForSingleObject(stop, TICK_MS) == WAIT_TIMEOUT) {
        EnterCriticalSection(&g.lock);
        DWORD state = g.state;
        LeaveCriticalSection(&g.lock);
        if (state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING)
            report(state);
    }
    return 0;
}

/* Without a ticker the service works all the same; only a slow start would look hung. */
static void ticker_begin(struct ticker *t)
{
    t->thread = NULL;
    t->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (t->stop)
        t->thread = CreateThread(NULL, 0, tick, t->stop, 0, NULL);
}

static void ticker_end(struct ticker *t)
{
    if (t->thread) {
        SetEvent(t->stop);
        WaitForSingleObject(t->thread, INFINITE);
        CloseHandle(t->thread);
    }
    if (t->stop)
        CloseHandle(t->stop);
    *t = (struct ticker){NULL, NULL};
}

/* start, wait, stop; returns what start said. */
static int run_program(void)
{
    struct ticker ticker;
    report(SERVICE_START_PENDING);
    ticker_begin(&ticker);
    int rc = g.program->start(g.program->self, &g.err);
    ticker_end(&ticker);
    if (rc)
        return rc;
    if (WaitForSingleObject(g.ending, 0) != WAIT_OBJECT_0)
        report(SERVICE_RUNNING);
    WaitForSingleObject(g.ending, INFINITE);
    report(SERVICE_STOP_PENDING);
    ticker_begin(&ticker);
    g.program->stop(g.program->self, (enum svc_stop_reason)g.reason);
    ticker_end(&ticker);
    return ERR_OK;
}

static void WINAPI service_main(DWORD argc, wchar_t **argv)
{
    (void)argc;
    (void)argv;
    g.handle = RegisterServiceCtrlHandlerExW(g.name, on_control, NULL);
    if (!g.handle) {
        g.rc = err_set_win32(&g.err, GetLastError(), "registering the service's control handler");
        return;
    }
    g.rc = run_program();
    if (g.rc) {
        g.exit_code = ERROR_SERVICE_SPECIFIC_ERROR;
        g.specific_code = (DWORD)g.rc;
    }
    report(SERVICE_STOPPED);
}

static int begin(const struct svc_program *program, struct err *err)
{
    g.program = program;
    g.reason = -1;
    g.rc = ERR_OK;
    g.state = g.exit_code = g.specific_code = 0;
    g.handle = NULL;
    err_clear(&g.err);
    g.ending = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!g.ending)
        return err_set_win32(err, GetLastError(), "preparing the service");
    InitializeCriticalSection(&g.lock);
    return ERR_OK;
}

static int finish(struct err *err)
{
    if (g.rc && err)
        *err = g.err;
    DeleteCriticalSection(&g.lock);
    CloseHandle(g.ending);
    g.ending = NULL;
    free(g.name);
    g.name = NULL;
    return g.rc;
}

int svc_main_run(const char *name, const struct svc_program *program, struct err *err)
{
    int rc = begin(program, err);
    if (rc)
        return rc;
    g.rc = utf_to_wide(name, &g.name, &g.err);
    SERVICE_TABLE_ENTRYW table[] = {{g.name, service_main}, {NULL, NULL}};
    if (!g.rc && !StartServiceCtrlDispatcherW(table)) {
        DWORD e = GetLastError();
        if (e == ERROR_FAILED_SERVICE_CONTROLLER_CONNECT)
            g.rc = err_set_os(&g.err, ERR_STATE, (long)e,
                              "this verb is for the service control manager; use 'crlagent start', "
                              "or 'crlagent service --console' to watch it in a console");
        else
            g.rc = err_set_win32(&g.err, e, "connecting to the service control manager");
    }
    return finish(err);
}

/* Returns when the program has stopped: after a close event Windows ends the process as soon as
 * the handler comes back. */
static HANDLE console_done;

static BOOL WINAPI on_console(DWORD event)
{
    ask_end(SVC_STOP_CONSOLE);
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT)
        WaitForSingleObject(console_done, 10000);
    return TRUE;
}

int svc_main_console(const struct svc_program *program, struct err *err)
{
    int rc = begin(program, err);
    if (rc)
        return rc;
    console_done = CreateEventW(NULL, TRUE, FALSE, NULL);
    SetConsoleCtrlHandler(on_console, TRUE);
    g.rc = run_program();
    SetEvent(console_done);
    SetConsoleCtrlHandler(on_console, FALSE);
    CloseHandle(console_done);
    return finish(err);
}
