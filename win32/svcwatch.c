/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The SCM delivers a notification as an APC to the thread that asked for it, once per request. So
 * one thread per watch asks, waits alertably, reports, and asks again. The buffer belongs to the
 * SCM until the APC has run or the service handle is closed, so it lives in the watch, and the
 * handle is closed before the watch is freed. */
#include "win32/svcwatch.h"

#include <stdlib.h>

#include "base/str.h"
#include "win32/scm.h"
#include "win32/werr.h"

#define WATCH_MASK                                                                                 \
    (SERVICE_NOTIFY_STOPPED | SERVICE_NOTIFY_START_PENDING | SERVICE_NOTIFY_STOP_PENDING |         \
     SERVICE_NOTIFY_RUNNING | SERVICE_NOTIFY_CONTINUE_PENDING | SERVICE_NOTIFY_PAUSE_PENDING |     \
     SERVICE_NOTIFY_PAUSED | SERVICE_NOTIFY_DELETE_PENDING)

struct svc_watch {
    char name[SVC_NAME_MAX];
    svc_watch_fn fn;
    void *arg;
    HANDLE stop, thread;
    SC_HANDLE scm, service;
    SERVICE_NOTIFYW notify;
    bool arrived; /* set by the APC, on the watcher's thread */
    DWORD last;   /* state reported last; 0 = none yet */
};

static void CALLBACK on_notify(void *parameter)
{
    SERVICE_NOTIFYW *n = parameter;
    struct svc_watch *w = n->pContext;
    w->arrived = true;
}

static int open_handles(struct svc_watch *w, struct err *err)
{
    int rc = scm_open(SC_MANAGER_CONNECT, &w->scm, err);
    if (!rc)
        rc = scm_open_service(w->scm, w->name, SERVICE_QUERY_STATUS, &w->service, err);
    return rc;
}

static void close_handles(struct svc_watch *w)
{
    scm_close(&w->service);
    scm_close(&w->scm);
    SleepEx(0, TRUE); /* an APC that is queued already runs now, while w lives */
}

static void report(struct svc_watch *w, DWORD state, DWORD pid)
{
    if (state != w->last)
        w->fn(w->arg, w->name, (enum svc_state)state, pid);
    w->last = state;
}

/* The state that was reported last is left out of the mask: Windows remembers it by itself, other
 * implementations would answer at once for ever. */
static DWORD mask_without(DWORD state)
{
    static const DWORD bits[] = {
        [SERVICE_STOPPED] = SERVICE_NOTIFY_STOPPED,
        [SERVICE_START_PENDING] = SERVICE_NOTIFY_START_PENDING,
        [SERVICE_STOP_PENDING] = SERVICE_NOTIFY_STOP_PENDING,
        [SERVICE_RUNNING] = SERVICE_NOTIFY_RUNNING,
        [SERVICE_CONTINUE_PENDING] = SERVICE_NOTIFY_CONTINUE_PENDING,
        [SERVICE_PAUSE_PENDING] = SERVICE_NOTIFY_PAUSE_PENDING,
        [SERVICE_PAUSED] = SERVICE_NOTIFY_PAUSED,
    };
    return state < ARRAY_LEN(bits) ? WATCH_MASK & ~bits[state] : WATCH_MASK;
}

static DWORD ask(struct svc_watch *w)
{
    w->arrived = false;
    w->notify = (SERVICE_NOTIFYW){
        .dwVersion = SERVICE_NOTIFY_STATUS_CHANGE,
        .pfnNotifyCallback = on_notify,
        .pContext = w,
    };
    return NotifyServiceStatusChangeW(w->service, mask_without(w->last), &w->notify);
}

/* Waits for the notification or for the end of the watch; true = notification. */
static bool wait_alertable(struct svc_watch *w)
{
    while (!w->arrived) {
        if (WaitForSingleObjectEx(w->stop, INFINITE, TRUE) == WAIT_OBJECT_0)
            return false;
    }
    return true;
}

/* The SCM drops a client that is too slow; new handles make it good again. A service that is gone
 * ends the watch. */
static bool open_again(struct svc_watch *w)
{
    struct err err = ERR_INIT;
    close_handles(w);
    if (WaitForSingleObject(w->stop, 100) == WAIT_OBJECT_0)
        return false;
    if (open_handles(w, &err) == ERR_OK)
        return true;
    report(w, 0, 0);
    return false;
}

static void report_present(struct svc_watch *w)
{
    SERVICE_STATUS_PROCESS now = {0};
    if (scm_status(w->service, w->name, &now, NULL) == ERR_OK)
        report(w, now.dwCurrentState, now.dwProcessId);
}

static DWORD WINAPI watch_thread(void *arg)
{
    struct svc_watch *w = arg;
    report_present(w);
    for (;;) {
        DWORD e = ask(w);
        if (e == ERROR_SERVICE_MARKED_FOR_DELETE) {
            report(w, 0, 0);
            break;
        }
        if (e != ERROR_SUCCESS) {
            if (!open_again(w))
                break;
            report_present(w);
            continue;
        }
        if (!wait_alertable(w))
            break;
        if (w->notify.dwNotificationStatus == ERROR_SERVICE_MARKED_FOR_DELETE ||
            w->notify.dwNotificationTriggered & SERVICE_NOTIFY_DELETE_PENDING) {
            report(w, 0, 0);
            break;
        }
        report(w, w->notify.ServiceStatus.dwCurrentState, w->notify.ServiceStatus.dwProcessId);
    }
    close_handles(w);
    return 0;
}

int svc_watch_open(const char *name, svc_watch_fn fn, void *arg, struct svc_watch **ret,
                   struct err *err)
{
    struct svc_watch *w = calloc(1, sizeof *w);
    if (!w)
        return err_nomem(err);
    w->fn = fn;
    w->arg = arg;
    int rc = ERR_OK;
    if (!str_copy(w->name, sizeof w->name, name))
        rc = err_set(err, ERR_INVALID, "the service name '%.40s...' is too long", name);
    if (!rc)
        rc = open_handles(w, err);
    if (!rc) {
        w->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
        if (w->stop)
            w->thread = CreateThread(NULL, 0, watch_thread, w, 0, NULL);
        if (!w->thread)
            rc = err_set_win32(err, GetLastError(), "starting to watch the service '%s'", name);
    }
    if (rc) {
        svc_watch_close(w);
        return rc;
    }
    *ret = w;
    return ERR_OK;
}

void svc_watch_close(struct svc_watch *w)
{
    if (!w)
        return;
    if (w->thread) {
        SetEvent(w->stop);
        WaitForSingleObject(w->thread, INFINITE);
        CloseHandle(w->thread);
    }
    if (w->stop)
        CloseHandle(w->stop);
    scm_close(&w->service);
    scm_close(&w->scm);
    free(w);
}
