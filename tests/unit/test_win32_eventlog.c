/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The event source, and the messages compiled into a program (this one has them too). */
#include "cmocka_unit.h"

#include <windows.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "win32/caevents.h"
#include "win32/eventlog.h"

#define SOURCE "crlagent-unit"
#define KEY L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\crlagent-unit"

static void event_log_register__then_unregister__nothing_left(void **state)
{
    (void)state;
    wchar_t file[200];
    DWORD size = sizeof file, types = 0;
    struct err err = ERR_INIT;
    assert_int_equal(event_log_unregister(SOURCE, &err), ERR_OK); /* there is none */
    assert_int_equal(event_log_register(SOURCE, "C:\\Program Files\\crlagent\\crlagent.exe", &err),
                     ERR_OK);
    assert_int_equal(RegGetValueW(HKEY_LOCAL_MACHINE, KEY, L"EventMessageFile",
                                  RRF_RT_REG_EXPAND_SZ | RRF_NOEXPAND, NULL, file, &size),
                     ERROR_SUCCESS);
    assert_true(wcscmp(file, L"C:\\Program Files\\crlagent\\crlagent.exe") == 0);
    size = sizeof types;
    assert_int_equal(RegGetValueW(HKEY_LOCAL_MACHINE, KEY, L"TypesSupported", RRF_RT_REG_DWORD,
                                  NULL, &types, &size),
                     ERROR_SUCCESS);
    assert_int_equal(types, 7);
    assert_int_equal(event_log_unregister(SOURCE, &err), ERR_OK);
    assert_int_equal(RegGetValueW(HKEY_LOCAL_MACHINE, KEY, L"TypesSupported", RRF_RT_REG_DWORD,
                                  NULL, &types, &size),
                     ERROR_FILE_NOT_FOUND);
}

static void event_log_sink__every_severity__accepted(void **state)
{
    (void)state;
    struct event_log *log = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(event_log_open(SOURCE, &log, &err), ERR_OK);
    struct event_sink sink = event_log_sink(log);
    for (int s = SEV_OK; s <= SEV_CRITICAL; s++) {
        struct event ev = {.id = 1001,
                           .severity = (enum severity)s,
                           .text = "text with \xC3\xBC and %1",
                           .n_params = 2,
                           .params = {"one", NULL}};
        event_emit(&sink, &ev);
    }
    struct event bad = {.id = 1001, .text = "\xFF not UTF-8"};
    event_emit(&sink, &bad);
    event_log_close(log);
    event_log_close(NULL);
}

#define ROW_ID(id, symbol, severity, title, cause, remedy, reference) {id, title, cause, remedy},
static const struct {
    DWORD id;
    const char *title, *cause, *remedy;
} catalogue[] = {
#define FINDING ROW_ID
#include "health/findings.def"
#undef FINDING
};

static void messages__every_catalogue_id__text_with_insertion(void **state)
{
    (void)state;
    static const wchar_t *arguments[] = {L"<the line>", L"<the place>"};
    for (size_t i = 0; i < sizeof catalogue / sizeof catalogue[0]; i++) {
        wchar_t wide[3000];
        char text[6000];
        DWORD n = FormatMessageW(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ARGUMENT_ARRAY, NULL,
                                 catalogue[i].id, 0, wide, 3000, (va_list *)arguments);
        if (!n)
            fail_msg("no message %lu", (unsigned long)catalogue[i].id);
        WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, sizeof text, NULL, NULL);
        assert_non_null(strstr(text, "<the line>"));
        if (!strstr(text, catalogue[i].title) || !strstr(text, catalogue[i].cause))
            fail_msg("message %lu: %s", (unsigned long)catalogue[i].id, text);
        /* Commands to type name the location or the change, not a placeholder. */
        bool named =
            strstr(catalogue[i].remedy, "{url}") || strstr(catalogue[i].remedy, "{change}");
        if (strstr(text, "{url}") || strstr(text, "{change}") ||
            named != (strstr(text, "<the place>") != NULL))
            fail_msg("message %lu: %s", (unsigned long)catalogue[i].id, text);
    }
}

/* On Windows a list, which may be empty; Wine has no event log to read. Never an endless wait. */
static void ca_event_log__this_host__list_or_unsupported(void **state)
{
    (void)state;
    static struct health_ca_event event[CA_EVENTS_MAX];
    const struct ca_event_log *log = ca_event_log_system();
    struct err err = ERR_INIT;
    size_t n = 0;
    ULONGLONG began = GetTickCount64();
    int rc = log->read(log->self, CA_EVENTS_SECONDS, event, CA_EVENTS_MAX, &n, &err);
    if (rc && rc != ERR_UNSUPPORTED)
        fail_msg("%s", err.text);
    assert_true(GetTickCount64() - began < 60000);
    for (size_t i = 0; i < n; i++)
        assert_true(event[i].id > 0 && event[i].when > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_log_register__then_unregister__nothing_left),
        cmocka_unit_test(event_log_sink__every_severity__accepted),
        cmocka_unit_test(ca_event_log__this_host__list_or_unsupported),
        cmocka_unit_test(messages__every_catalogue_id__text_with_insertion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
