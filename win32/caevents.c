/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/caevents.h"

#include <windows.h>

#include <stdlib.h>
#include <winevt.h>

#include "base/str.h"
#include "win32/deadline.h"
#include "win32/utf.h"
#include "win32/werr.h"

#define READ_MS 5000
#define NEXT_MS 1000
#define BATCH 16

typedef EVT_HANDLE(WINAPI *query_fn)(EVT_HANDLE, LPCWSTR, LPCWSTR, DWORD);
typedef BOOL(WINAPI *next_fn)(EVT_HANDLE, DWORD, EVT_HANDLE *, DWORD, DWORD, PDWORD);
typedef BOOL(WINAPI *render_fn)(EVT_HANDLE, EVT_HANDLE, DWORD, DWORD, PVOID, PDWORD, PDWORD);
typedef BOOL(WINAPI *close_fn)(EVT_HANDLE);

struct api {
    query_fn query;
    next_fn next;
    render_fn render;
    close_fn close;
};

struct reading {
    struct deadline_job job; /* first */
    struct api api;
    int64_t seconds;
    size_t max, n;
    struct health_ca_event *event;
    wchar_t *wide; /* one event */
    DWORD wide_bytes;
};

static bool load(struct api *ret)
{
    /* From the system folder only. Never unloaded: a thread may be left behind in it. */
    HMODULE dll = LoadLibraryExW(L"wevtapi.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (!dll)
        return false;
    ret->query = (query_fn)(void *)GetProcAddress(dll, "EvtQuery");
    ret->next = (next_fn)(void *)GetProcAddress(dll, "EvtNext");
    ret->render = (render_fn)(void *)GetProcAddress(dll, "EvtRender");
    ret->close = (close_fn)(void *)GetProcAddress(dll, "EvtClose");
    return ret->query && ret->next && ret->render && ret->close;
}

static int render_one(struct reading *r, EVT_HANDLE h, struct err *err)
{
    SCOPED(scope_free) char *text = NULL;
    DWORD used = 0, count = 0;
    while (!r->api.render(NULL, h, EvtRenderEventXml, r->wide_bytes, r->wide, &used, &count)) {
        DWORD code = GetLastError();
        if (code != ERROR_INSUFFICIENT_BUFFER)
            return err_set_win32(err, code, "rendering an event");
        /* Two bytes per character; what is longer than any event of the CA is left out. */
        if (used <= r->wide_bytes || used > CA_EVENT_XML_MAX * 2)
            return ERR_OK;
        wchar_t *grown = realloc(r->wide, used);
        if (!grown)
            return err_nomem(err);
        r->wide = grown;
        r->wide_bytes = used;
    }
    struct err ignored = ERR_INIT;
    if (utf_from_wide(r->wide, &text, &ignored) == ERR_OK &&
        ca_event_parse(text, strlen(text), &r->event[r->n], &ignored) == ERR_OK)
        r->n++;
    return ERR_OK; /* one event that is not understood hides no other */
}

static int read_all(struct reading *r, EVT_HANDLE result, struct err *err)
{
    int rc = ERR_OK;
    while (!rc && r->n < r->max) {
        EVT_HANDLE batch[BATCH] = {NULL};
        DWORD got = 0;
        if (!r->api.next(result, BATCH, batch, NEXT_MS, 0, &got)) {
            DWORD code = GetLastError();
            return code == ERROR_NO_MORE_ITEMS
                       ? ERR_OK
                       : err_set_win32(err, code, "reading the Application log");
        }
        for (DWORD i = 0; i < got; i++) {
            if (!rc && r->n < r->max)
                rc = render_one(r, batch[i], err);
            r->api.close(batch[i]);
        }
        if (!got)
            break;
    }
    return rc;
}

static int run(struct deadline_job *job, struct err *err)
{
    struct reading *r = (struct reading *)job;
    wchar_t query[400];
    swprintf(query, ARRAY_LEN(query),
             L"*[System[Provider[@Name='Microsoft-Windows-CertificationAuthority'] and "
             L"(EventID=26 or (EventID>=62 and EventID<=75) or EventID=100 or EventID=130) and "
             L"TimeCreated[timediff(@SystemTime)<=%lld]]]",
             (long long)r->seconds * 1000);
    if (!load(&r->api))
        return err_set(err, ERR_UNSUPPORTED, "this Windows has no interface to its event log");
    SetLastError(ERROR_SUCCESS);
    EVT_HANDLE result =
        r->api.query(NULL, L"Application", query, EvtQueryChannelPath | EvtQueryReverseDirection);
    DWORD code = GetLastError();
    if (!result && (code == ERROR_SUCCESS || code == ERROR_CALL_NOT_IMPLEMENTED))
        return err_set(err, ERR_UNSUPPORTED, "this system's event log cannot be read (Wine)");
    if (!result)
        return err_set_win32(err, code, "asking the Application log for the CA's events");
    int rc = read_all(r, result, err);
    r->api.close(result);
    return rc;
}

static void drop(struct deadline_job *job)
{
    struct reading *r = (struct reading *)job;
    free(r->event);
    free(r->wide);
    free(r);
}

static int read_events(void *self, int64_t seconds, struct health_ca_event *ret, size_t max,
                       size_t *ret_n, struct err *err)
{
    (void)self;
    struct reading *r = calloc(1, sizeof *r);
    if (!r)
        return err_nomem(err);
    r->job.run = run;
    r->job.drop = drop;
    r->seconds = seconds;
    r->max = max < CA_EVENTS_MAX ? max : CA_EVENTS_MAX;
    r->event = calloc(r->max + 1, sizeof *r->event);
    int rc = r->event ? deadline_run(DEADLINE_EVENTS, &r->job, READ_MS, err) : err_nomem(err);
    if (!rc) {
        memcpy(ret, r->event, r->n * sizeof *ret);
        *ret_n = r->n;
    }
    if (r->event)
        deadline_release(&r->job);
    else
        drop(&r->job);
    return rc;
}

const struct ca_event_log *ca_event_log_system(void)
{
    static const struct ca_event_log log = {read_events, NULL};
    return &log;
}
