/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/eventlog.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "win32/utf.h"
#include "win32/werr.h"

#define LOG_KEY "SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\"
/* One insertion string holds at most 31,839 characters, an event 61,440 bytes: ReportEvent. */
#define STRING_CHARS 6000

struct event_log {
    HANDLE source;
};

static int key_path(const char *source, wchar_t **ret, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    buf_printf(&path, LOG_KEY "%s", source);
    return utf_to_wide(buf_str(&path), ret, err);
}

int event_log_register(const char *source, const char *message_file, struct err *err)
{
    SCOPED(scope_free) wchar_t *path = NULL;
    SCOPED(scope_free) wchar_t *file = NULL;
    const DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    int rc = key_path(source, &path, err);
    if (!rc)
        rc = utf_to_wide(message_file, &file, err);
    if (rc)
        return rc;
    LSTATUS e = RegSetKeyValueW(HKEY_LOCAL_MACHINE, path, L"EventMessageFile", REG_EXPAND_SZ, file,
                                (DWORD)((wcslen(file) + 1) * sizeof *file));
    if (!e)
        e = RegSetKeyValueW(HKEY_LOCAL_MACHINE, path, L"TypesSupported", REG_DWORD, &types,
                            sizeof types);
    if (e)
        return err_set_win32(err, (unsigned long)e, "registering the event source '%s'", source);
    return ERR_OK;
}

int event_log_unregister(const char *source, struct err *err)
{
    SCOPED(scope_free) wchar_t *path = NULL;
    int rc = key_path(source, &path, err);
    if (rc)
        return rc;
    LSTATUS e = RegDeleteKeyW(HKEY_LOCAL_MACHINE, path);
    if (e && e != ERROR_FILE_NOT_FOUND)
        return err_set_win32(err, (unsigned long)e, "removing the event source '%s'", source);
    return ERR_OK;
}

int event_log_open(const char *source, struct event_log **ret, struct err *err)
{
    SCOPED(scope_free) wchar_t *wide = NULL;
    int rc = utf_to_wide(source, &wide, err);
    if (rc)
        return rc;
    struct event_log *log = calloc(1, sizeof *log);
    if (!log)
        return err_nomem(err);
    log->source = RegisterEventSourceW(NULL, wide);
    if (!log->source) {
        DWORD e = GetLastError();
        free(log);
        return err_set_win32(err, e, "opening the event log as '%s'", source);
    }
    *ret = log;
    return ERR_OK;
}

void event_log_close(struct event_log *log)
{
    if (!log)
        return;
    DeregisterEventSource(log->source);
    free(log);
}

static WORD type_of(enum severity severity)
{
    switch (severity) {
    case SEV_CRITICAL:
        return EVENTLOG_ERROR_TYPE;
    case SEV_WARNING:
        return EVENTLOG_WARNING_TYPE;
    case SEV_OK:
    case SEV_INFO:
        break;
    }
    return EVENTLOG_INFORMATION_TYPE;
}

/* A text that cannot be converted is shown as a question mark: the event must not be lost. */
static wchar_t *insertion(const char *text)
{
    wchar_t *wide = NULL;
    if (utf_to_wide(text ? text : "", &wide, NULL))
        return NULL;
    if (wcslen(wide) > STRING_CHARS)
        wide[STRING_CHARS] = L'\0';
    return wide;
}

/* There is nobody to tell when the event log refuses: the log file has the line too. */
static void emit(void *self, const struct event *ev)
{
    struct event_log *log = self;
    wchar_t *owned[EVENT_PARAMS_MAX + 1] = {NULL};
    const wchar_t *strings[EVENT_PARAMS_MAX + 1];
    if (!ev->id)
        return;
    size_t n = ev->n_params < EVENT_PARAMS_MAX ? ev->n_params : EVENT_PARAMS_MAX;
    for (size_t i = 0; i <= n; i++) {
        owned[i] = insertion(i ? ev->params[i - 1] : ev->text);
        strings[i] = owned[i] ? owned[i] : L"?";
    }
    ReportEventW(log->source, type_of(ev->severity), 0, ev->id, NULL, (WORD)(n + 1), 0, strings,
                 NULL);
    for (size_t i = 0; i <= n; i++)
        free(owned[i]);
}

struct event_sink event_log_sink(struct event_log *log)
{
    return (struct event_sink){emit, log};
}
