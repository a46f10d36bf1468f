/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The lab's CertSvc: SCM service, start conditions, schedule and retry timer, answers to
 * administrators. "certsrv.exe dependant" is a service that does nothing and depends on it. */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cadb.h"
#include "caprops.h"
#include "certmake.h"
#include "hsmclient.h"
#include "labwin.h"
#include "parent.h"
#include "publish.h"
#include "rpc.h"

static struct {
    SERVICE_STATUS_HANDLE handle;
    HANDLE stop;
    CRITICAL_SECTION lock; /* one administration call, publication or stop at a time */
    struct ca ca;
    struct hsm *hsm;
    DWORD checkpoint;
} svc;

static void report(DWORD state, DWORD exit_code, DWORD hint_ms)
{
    SERVICE_STATUS s = {.dwServiceType = SERVICE_WIN32_OWN_PROCESS, .dwCurrentState = state};
    s.dwWin32ExitCode = exit_code;
    s.dwWaitHint = hint_ms;
    s.dwCheckPoint = state == SERVICE_RUNNING || state == SERVICE_STOPPED ? 0 : ++svc.checkpoint;
    s.dwControlsAccepted =
        state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN : 0;
    SetServiceStatus(svc.handle, &s);
}

static DWORD WINAPI control(DWORD code, DWORD type, void *data, void *context)
{
    (void)type;
    (void)data;
    (void)context;
    if (code == SERVICE_CONTROL_STOP || code == SERVICE_CONTROL_SHUTDOWN) {
        report(SERVICE_STOP_PENDING, 0, (DWORD)lab_number("stop_hint_ms", 30000));
        SetEvent(svc.stop);
    }
    return code == SERVICE_CONTROL_PAUSE ? ERROR_CALL_NOT_IMPLEMENTED : NO_ERROR;
}

/* Pending for that many milliseconds with a growing checkpoint (a polite slow service). */
static void pend(DWORD state, long ms)
{
    for (; ms > 0; ms -= 500) {
        report(state, 0, 2000);
        Sleep(ms > 500 ? 500 : (DWORD)ms);
    }
}

static HRESULT start_failed(DWORD event, HRESULT hr)
{
    char text[512], code[16];
    snprintf(code, sizeof code, "0x%lx", (unsigned long)hr);
    const char *strings[] = {svc.ca.common_name, publish_error_text(hr, text, sizeof text), code};
    lab_event(EVENTLOG_ERROR_TYPE, event, strings, 3);
    return hr;
}

/* With the SafeNet provider a start too soon after the stop fails with event 34. */
static HRESULT check_pause_since_stop(void)
{
    int64_t stopped = reg_filetime("SOFTWARE\\crlagent-lab", "LastStop");
    long min = lab_number("min_restart_seconds", 0);
    if (min > 0 && stopped != WHEN_NONE && lab_now() - stopped < min)
        return start_failed(34, HRESULT_FROM_WIN32(RPC_S_DUPLICATE_ENDPOINT));
    return S_OK;
}

static HRESULT check_start(void)
{
    HRESULT hr = (HRESULT)lab_number("start_refused", 0);
    if (FAILED(hr))
        return start_failed(39, hr);
    hr = check_pause_since_stop();
    if (FAILED(hr))
        return hr;
    hr = ca_load(&svc.ca);
    if (SUCCEEDED(hr))
        hr = hsm_open(&svc.hsm);
    for (size_t i = 0; i < svc.ca.n_certs && SUCCEEDED(hr); i++)
        if (svc.ca.certs[i].x509)
            hr = hsm_test_key(svc.hsm, svc.ca.certs[i].label, svc.ca.certs[i].public_key);
    if (FAILED(hr))
        return start_failed(100, hr);
    bool ignore_offline = reg_dword(svc.ca.key, "CRLFlags", 0) & 8;
    for (size_t i = 0; i < svc.ca.n_certs && SUCCEEDED(hr); i++) {
        if (ca_cert_state(&svc.ca, i) != 3)
            continue;
        hr = parent_check(svc.ca.certs[i].x509);
        if (FAILED(hr))
            start_failed(48, hr);
        if (hr == CRYPT_E_REVOCATION_OFFLINE && ignore_offline)
            hr = S_OK;
    }
    return FAILED(hr) ? start_failed(100, hr) : S_OK;
}

/* ---- administration calls ---- */

static HRESULT op_publish(json_t *request)
{
    const char *caller = json_string_value(json_object_get(request, "caller"));
    return publish_run(
        &svc.ca, svc.hsm, (unsigned)json_integer_value(json_object_get(request, "flags")),
        json_integer_value(json_object_get(request, "until")), caller ? caller : "?");
}

static HRESULT op_prop(json_t *request, json_t *answer, struct buf *bytes)
{
    struct ca_value v = {0};
    HRESULT hr =
        caprops_get(&svc.ca, svc.hsm, (long)json_integer_value(json_object_get(request, "id")),
                    (long)json_integer_value(json_object_get(request, "index")),
                    (long)json_integer_value(json_object_get(request, "type")), &v);
    json_object_set_new(answer, "number", json_integer(v.number));
    if (v.bytes.len)
        buf_add(bytes, v.bytes.data, v.bytes.len);
    buf_free(&v.bytes);
    return hr;
}

static void table_row(void *arg, const struct crl_row *r)
{
    char from[WHEN_TEXT_MAX], to[WHEN_TEXT_MAX], next[WHEN_TEXT_MAX];
    json_array_append_new(
        arg,
        json_pack("{s:I,s:I,s:I,s:i,s:i,s:b,s:s,s:s,s:s,s:i,s:I,s:i,s:s}", "CRLRowId",
                  (json_int_t)r->id, "CRLNumber", (json_int_t)r->number, "CRLMinBase",
                  (json_int_t)r->min_base, "CRLNameId", (int)r->key, "CRLPartitionIndex",
                  (int)r->partition, "delta", (int)r->delta, "CRLThisUpdate",
                  when_format(r->this_update, from), "CRLNextUpdate",
                  when_format(r->next_update, to), "CRLNextPublish",
                  when_format(r->next_publish ? r->next_publish : WHEN_NONE, next),
                  "CRLPublishFlags", (int)r->flags, "CRLPublishStatusCode", (json_int_t)r->status,
                  "CRLPublishAttempts", (int)r->attempts, "CRLPublishError", r->error));
}

static HRESULT op_revoke(json_t *request)
{
    int64_t at = json_integer_value(json_object_get(request, "at"));
    json_int_t count = json_integer_value(json_object_get(request, "count"));
    const char *serial = json_string_value(json_object_get(request, "serial"));
    int64_t now = lab_now();
    if (count > 0)
        return cadb_revoke_many(count, now) ? S_OK : E_FAIL;
    if (serial == NULL || *serial == 0)
        return E_INVALIDARG;
    int reason = (int)json_integer_value(json_object_get(request, "reason"));
    return cadb_revoke(serial, at ? at : now, reason, now + 2 * 31536000) ? S_OK : E_FAIL;
}

static const char *text_of(json_t *request, const char *name)
{
    return json_string_value(json_object_get(request, name));
}

/* What a policy module would decide comes with the request. */
static HRESULT op_issue(json_t *request, json_t *answer, struct buf *bytes)
{
    int64_t now = lab_now(), serial = 0;
    int64_t from = now - 86400 * json_integer_value(json_object_get(request, "back"));
    RAND_bytes((unsigned char *)&serial, 6);
    const struct ca_cert *ca = &svc.ca.certs[svc.ca.n_certs - 1];
    const struct cert_spec spec = {
        .common_name = text_of(request, "cn"),
        .serial = serial | 1ll << 48,
        .not_before = from - 600,
        .not_after = now + 86400 * json_integer_value(json_object_get(request, "days")),
        .cdp = text_of(request, "cdp"),
        .aia = text_of(request, "aia"),
        .ocsp = text_of(request, "ocsp"),
        .public_key = text_of(request, "public"),
        .ocsp_signing = text_of(request, "signing") != NULL,
    };
    HRESULT hr = spec.common_name ? cert_make(ca, svc.hsm, &spec, bytes) : E_INVALIDARG;
    int64_t id = SUCCEEDED(hr) ? cadb_issue(20, spec.not_before, spec.not_after, bytes) : 0;
    json_object_set_new(answer, "id", json_integer(id));
    return SUCCEEDED(hr) && !id ? E_FAIL : hr;
}

struct issued_list {
    json_t *rows;
    struct buf *bytes;
};

static void issued_one(void *arg, const struct issued_row *r)
{
    struct issued_list *l = arg;
    json_array_append_new(l->rows, json_pack("{s:I,s:i,s:I,s:I,s:I,s:I}", "id", (json_int_t)r->id,
                                             "disposition", r->disposition, "not_before",
                                             (json_int_t)r->not_before, "not_after",
                                             (json_int_t)r->not_after, "at",
                                             (json_int_t)l->bytes->len, "len", (json_int_t)r->len));
    buf_add(l->bytes, r->raw, r->len);
}

static HRESULT op_issued(json_t *answer, struct buf *bytes)
{
    struct issued_list l = {json_array(), bytes};
    cadb_each_issued(issued_one, &l);
    json_object_set_new(answer, "rows", l.rows);
    return S_OK;
}

static HRESULT dispatch(const char *op, json_t *request, json_t *answer, struct buf *bytes)
{
    bool denied = lab_number("deny_admin", 0) != 0;
    if (strcmp(op, "ping") == 0)
        return S_OK;
    if (strcmp(op, "roles") == 0) {
        json_object_set_new(answer, "number", json_integer(denied ? 0x300 : 0x303));
        return S_OK;
    }
    if (strcmp(op, "prop") == 0)
        return op_prop(request, answer, bytes);
    if (strcmp(op, "issued") == 0)
        return op_issued(answer, bytes);
    if (strcmp(op, "issue") == 0)
        return op_issue(request, answer, bytes);
    if (denied)
        return E_ACCESSDENIED;
    if (strcmp(op, "publish") == 0)
        return op_publish(request);
    if (strcmp(op, "revoke") == 0)
        return op_revoke(request);
    if (strcmp(op, "table") == 0) {
        json_t *rows = json_array();
        cadb_each(table_row, rows);
        json_object_set_new(answer, "rows", rows);
        return S_OK;
    }
    return E_NOTIMPL;
}

static HRESULT handle(const char *op, json_t *request, json_t *answer, struct buf *bytes)
{
    lab_delay("com_delay_ms");
    if (strcmp(op, "shutdown") == 0) {
        report(SERVICE_STOP_PENDING, 0, 30000);
        SetEvent(svc.stop);
        return S_OK;
    }
    EnterCriticalSection(&svc.lock);
    HRESULT hr = dispatch(op, request, answer, bytes);
    LeaveCriticalSection(&svc.lock);
    return hr;
}

static DWORD WINAPI pipe_thread(void *arg)
{
    (void)arg;
    return rpc_serve(handle);
}

/* ---- schedule ---- */

static unsigned due_now(int64_t now)
{
    int64_t base = reg_filetime(svc.ca.key, "CRLNextPublish");
    int64_t delta = reg_filetime(svc.ca.key, "CRLDeltaNextPublish");
    bool deltas = ca_period(&svc.ca, "CRLDeltaPeriod", "CRLDeltaPeriodUnits", "Days", 0) > 0;
    bool bases = ca_period(&svc.ca, "CRLPeriod", "CRLPeriodUnits", "Weeks", 1) > 0;
    struct crl_row newest = {0};
    bool any = cadb_newest(0, 0, false, &newest);
    buf_free(&newest.raw);
    if (lab_number("no_schedule", 0))
        return 0;
    if (!any || (bases && base != WHEN_NONE && base <= now))
        return PUBLISH_BASE;
    return deltas && delta != WHEN_NONE && delta <= now ? PUBLISH_DELTA : 0;
}

/* retry_at: next try of failed writes; hold_until: no new scheduled run before, after a failed one.
 */
static void run_schedule(int64_t *retry_at, int64_t *hold_until)
{
    int64_t now = lab_now(), pause = lab_number("retry_seconds", 600);
    unsigned due = now >= *hold_until ? due_now(now) : 0;
    if (due && FAILED(publish_run(&svc.ca, svc.hsm, due, 0, NULL)))
        *hold_until = now + pause;
    if (publish_retry_wanted() && *retry_at && now >= *retry_at) {
        publish_retry(&svc.ca);
        *retry_at = 0;
    }
    if (!publish_retry_wanted())
        *retry_at = 0;
    else if (*retry_at == 0 || *retry_at > now + pause) /* the setting may have been shortened */
        *retry_at = now + pause;
}

static void serve_until_stop(void)
{
    int64_t retry_at = 0, hold_until = 0;
    do {
        EnterCriticalSection(&svc.lock);
        run_schedule(&retry_at, &hold_until);
        LeaveCriticalSection(&svc.lock);
    } while (WaitForSingleObject(svc.stop, 1000) == WAIT_TIMEOUT);
}

static void stopping(void)
{
    pend(SERVICE_STOP_PENDING, lab_number("stop_delay_ms", 0));
    while (lab_number("stop_hang", 0))
        Sleep(250);                  /* no checkpoint: the SCM sees a service that does not move */
    EnterCriticalSection(&svc.lock); /* a publication in progress ends first */
    hsm_close(svc.hsm);
    const char *strings[] = {svc.ca.common_name};
    lab_event(EVENTLOG_INFORMATION_TYPE, 38, strings, 1);
    reg_put_filetime("SOFTWARE\\crlagent-lab", "LastStop", lab_now());
}

/* Whether a real CA makes an overdue CRL at its start is reported both ways; with the setting
 * skip_overdue=1 it waits for the period after. */
static void skip_overdue(void)
{
    int64_t now = lab_now();
    int64_t base = ca_period(&svc.ca, "CRLPeriod", "CRLPeriodUnits", "Weeks", 1);
    int64_t delta = ca_period(&svc.ca, "CRLDeltaPeriod", "CRLDeltaPeriodUnits", "Days", 0);
    if (base && reg_filetime(svc.ca.key, "CRLNextPublish") <= now)
        reg_put_filetime(svc.ca.key, "CRLNextPublish", now + base);
    if (delta && reg_filetime(svc.ca.key, "CRLDeltaNextPublish") <= now)
        reg_put_filetime(svc.ca.key, "CRLDeltaNextPublish", now + delta);
}

/* What the installation of a real CA has done before anybody sees it running. */
static void first_publication(void)
{
    struct crl_row newest = {0};
    if (!cadb_newest(0, 0, false, &newest))
        publish_run(&svc.ca, svc.hsm, PUBLISH_BASE, 0, NULL);
    else if (lab_number("skip_overdue", 0))
        skip_overdue();
    buf_free(&newest.raw);
}

static void WINAPI service_main(DWORD argc, LPWSTR *argv)
{
    (void)argc;
    (void)argv;
    svc.handle = RegisterServiceCtrlHandlerExW(L"CertSvc", control, NULL);
    svc.stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    InitializeCriticalSection(&svc.lock);
    report(SERVICE_START_PENDING, 0, 30000);
    pend(SERVICE_START_PENDING, lab_number("start_delay_ms", 0));
    while (lab_number("start_hang", 0))
        Sleep(250);
    HRESULT hr = check_start();
    if (SUCCEEDED(hr) && !cadb_open("C:\\windows\\system32\\CertLog\\labca.db"))
        hr = start_failed(17, E_FAIL); /* the database did not open */
    if (FAILED(hr)) {
        hsm_close(svc.hsm);
        report(SERVICE_STOPPED, (DWORD)hr, 0);
        return;
    }
    first_publication();
    HANDLE thread = CreateThread(NULL, 0, pipe_thread, NULL, 0, NULL);
    const char *strings[] = {svc.ca.common_name};
    lab_event(EVENTLOG_INFORMATION_TYPE, 26, strings, 1);
    report(SERVICE_RUNNING, 0, 0);
    serve_until_stop();
    stopping();
    if (thread)
        CloseHandle(thread);
    report(SERVICE_STOPPED, 0, 0);
    ExitProcess(0); /* the pipe goes with the process */
}

static void WINAPI dependant_main(DWORD argc, LPWSTR *argv)
{
    (void)argc;
    (void)argv;
    svc.handle = RegisterServiceCtrlHandlerExW(L"LabWebEnroll", control, NULL);
    svc.stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    report(SERVICE_RUNNING, 0, 0);
    WaitForSingleObject(svc.stop, INFINITE);
    report(SERVICE_STOPPED, 0, 0);
}

int main(int argc, char **argv)
{
    wchar_t name[] = L"CertSvc", dependant[] = L"LabWebEnroll";
    bool is_dependant = argc > 1 && strcmp(argv[1], "dependant") == 0;
    SERVICE_TABLE_ENTRYW table[] = {
        {is_dependant ? dependant : name, is_dependant ? dependant_main : service_main},
        {NULL, NULL}};
    if (StartServiceCtrlDispatcherW(table))
        return 0;
    fprintf(stderr, "certsrv: this program is started by the service control manager\n");
    return 1;
}
