/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The control pipe under clients that behave and clients that do not. */
#include "cmocka_unit.h"

#include <windows.h>
#include <sddl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/when.h"
#include "win32/pipe_int.h"
#include "win32/token.h"

#define NAME "\\\\.\\pipe\\crlagent-unit\\control"
#define WIDE L"\\\\.\\pipe\\crlagent-unit\\control"
#define WAIT_MS 15000

static struct pipe_server *server;
static struct pipe_peer last_peer;
static struct pipe_call *kept; /* of the request "keep" */
static HANDLE kept_event;

/* "echo": back as it came; "steps N": N progress messages; "keep": the test answers. */
static void on_request(void *arg, struct pipe_call *call, const struct pipe_peer *peer,
                       const char *data, size_t len)
{
    (void)arg;
    last_peer = *peer;
    if (len == 4 && !memcmp(data, "keep", 4)) {
        kept = call;
        SetEvent(kept_event);
        return;
    }
    for (int i = 0; len > 6 && !memcmp(data, "steps ", 6) && i < 100; i++) {
        char text[20];
        int n = snprintf(text, sizeof text, "step %d", i);
        assert_int_equal(pipe_call_progress(call, text, (size_t)n, NULL), ERR_OK);
    }
    (void)pipe_call_finish(call, data, len, NULL);
}

static int open_server(const struct pipe_server_setup *extra)
{
    struct pipe_server_setup setup = extra ? *extra : (struct pipe_server_setup){0};
    struct err err = ERR_INIT;
    setup.name = NAME;
    setup.request = on_request;
    setup.rate = setup.rate ? setup.rate : 10000;
    kept = NULL;
    kept_event = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (pipe_server_open(&setup, &server, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    return 0;
}

static int setup_server(void **state)
{
    (void)state;
    struct pipe_server_setup setup = {.idle_ms = 700};
    return open_server(&setup);
}

static int close_server(void **state)
{
    (void)state;
    pipe_server_close(server);
    server = NULL;
    CloseHandle(kept_event);
    return 0;
}

static struct pipe_client *connect_client(void)
{
    struct pipe_client *c = NULL;
    struct err err = ERR_INIT;
    if (pipe_client_open(NAME, GetCurrentProcessId(), WAIT_MS, &c, &err))
        fail_msg("%s", err.text);
    return c;
}

static void expect_echo(struct pipe_client *c, const char *text, size_t len)
{
    SCOPED(buf_free) struct buf got = BUF_INIT;
    enum pipe_kind kind = PIPE_PROGRESS;
    struct err err = ERR_INIT;
    if (pipe_client_send(c, text, len, WAIT_MS, &err) ||
        pipe_client_receive(c, WAIT_MS, &kind, &got, &err))
        fail_msg("%s", err.text);
    assert_int_equal(kind, PIPE_FINAL);
    assert_int_equal(got.len, len);
    assert_memory_equal(got.data, text, len);
}

static void expect_service_works(void)
{
    struct pipe_client *c = connect_client();
    expect_echo(c, "still there?", 12);
    pipe_client_close(c);
}

static HANDLE raw_client(void)
{
    for (int i = 0; i < 100; i++) {
        HANDLE h =
            CreateFileW(WIDE, GENERIC_READ | FILE_WRITE_DATA, 0, NULL, OPEN_EXISTING, 0, NULL);
        if (h != INVALID_HANDLE_VALUE)
            return h;
        WaitNamedPipeW(WIDE, 200);
    }
    fail_msg("no place");
    return NULL;
}

/* The server has cut the raw client off: its read ends. */
static void expect_cut(HANDLE h)
{
    char byte;
    DWORD n;
    assert_false(ReadFile(h, &byte, 1, &n, NULL));
    CloseHandle(h);
}

static void pipe_client_open__nobody_listens__unavailable(void **state)
{
    (void)state;
    struct pipe_client *c = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(pipe_client_open(NAME "-none", 0, 100, &c, &err), ERR_UNAVAILABLE);
    assert_int_equal(pipe_client_open("\\\\server\\pipe\\x", 0, 100, &c, &err), ERR_INVALID);
    assert_null(c);
}

static void pipe_server_open__name_taken__exists(void **state)
{
    (void)state;
    struct pipe_server_setup setup = {.name = NAME, .request = on_request};
    struct pipe_server *second = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(pipe_server_open(&setup, &second, &err), ERR_EXISTS);
    expect_service_works();
}

static void pipe_server_open__unknown_group__not_found(void **state)
{
    (void)state;
    struct pipe_server_setup setup = {
        .name = NAME "2", .operators = "no such group", .request = on_request};
    struct pipe_server *s = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(pipe_server_open(&setup, &s, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "no such group"));
}

static void request__other_server_process__refused(void **state)
{
    (void)state;
    struct pipe_client *c = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(pipe_client_open(NAME, GetCurrentProcessId() + 4, WAIT_MS, &c, &err),
                     ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "Nothing was sent"));
    assert_int_equal(pipe_client_open(NAME, GetCurrentProcessId(), WAIT_MS, &c, &err), ERR_OK);
    pipe_client_close(c);
}

/* A pipe under the control pipe's name as anybody can make it, with the owner that the descriptor
 * says; the SCM has told nothing (pid 0). */
static int open_squatted(const wchar_t *sddl, struct err *err)
{
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes};
    struct pipe_client *c = NULL;
    char byte;
    DWORD n = 0;
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(
        sddl, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL));
    HANDLE h = CreateNamedPipeW(WIDE L"-taken", PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE | PIPE_NOWAIT, 1,
                                4096, 4096, 0, &attributes);
    LocalFree(attributes.lpSecurityDescriptor);
    assert_true(h != INVALID_HANDLE_VALUE);
    int rc = pipe_client_open(NAME "-taken", 0, WAIT_MS, &c, err);
    assert_false(ReadFile(h, &byte, 1, &n, NULL)); /* not a byte */
    pipe_client_close(c);
    CloseHandle(h);
    return rc;
}

static void pipe_client_open__scm_silent__owner_decides(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct pipe_client *c = NULL;
    assert_int_equal(open_squatted(L"D:(A;;GA;;;WD)", &err), ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "Nothing was sent"));
    assert_int_equal(open_squatted(L"O:BAD:(A;;GA;;;WD)", &err), ERR_OK);
    assert_int_equal(pipe_client_open(NAME, 0, WAIT_MS, &c, &err), ERR_OK); /* our own server's */
    pipe_client_close(c);
}

static void pipe_owner_trusted__table__three_and_nobody_else(void **state)
{
    (void)state;
    static const struct {
        const char *sid;
        bool trusted;
    } rows[] = {
        {"S-1-5-18", true},           {"S-1-5-32-544", true},  {"S-1-5-19", false},
        {"S-1-5-20", false},          {"S-1-5-32-545", false}, {"S-1-1-0", false},
        {"S-1-5-11", false},          {"S-1-5-7", false},      {"S-1-5-21-1-2-3-500", false},
        {"S-1-5-21-1-2-3-544", false}};
    SCOPED(local_free) PSID ours = NULL;
    SCOPED(local_free) PSID others = NULL;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SCOPED(local_free) PSID sid = NULL;
        assert_int_equal(sid_of(rows[i].sid, &sid, NULL), ERR_OK);
        assert_int_equal(pipe_owner_trusted(sid), rows[i].trusted);
    }
    assert_int_equal(sid_of_service("crlagent", &ours, NULL), ERR_OK);
    assert_int_equal(sid_of_service("crlagent2", &others, NULL), ERR_OK);
    assert_true(pipe_owner_trusted(ours));
    assert_false(pipe_owner_trusted(others));
    assert_false(pipe_owner_trusted(NULL));
}

/* An administrator in a remote shell has S-1-5-2 in his token. */
static void pipe_security__denies__anonymous_alone(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf sddl = BUF_INIT;
    SCOPED(local_free) PSID group = NULL;
    SCOPED(local_free) PSECURITY_DESCRIPTOR sd = NULL;
    SCOPED(local_free) PSID anonymous = NULL;
    BOOL present = FALSE, defaulted = FALSE;
    ACL *list = NULL;
    assert_int_equal(sid_of("S-1-5-21-1-2-3-1001", &group, NULL), ERR_OK);
    assert_int_equal(sid_of("S-1-5-7", &anonymous, NULL), ERR_OK);
    assert_int_equal(pipe_security__text(group, group, &sddl, NULL), ERR_OK);
    assert_null(strstr(buf_str(&sddl), ";NU)"));
    assert_int_equal(pipe_security(group, group, &sd, NULL), ERR_OK);
    assert_true(GetSecurityDescriptorDacl(sd, &present, &list, &defaulted) && present && list);
    assert_int_equal(list->AceCount, 6);
    unsigned denied = 0;
    for (DWORD i = 0; i < list->AceCount; i++) {
        ACE_HEADER *head = NULL;
        assert_true(GetAce(list, i, (void **)&head));
        if (head->AceType == ACCESS_ALLOWED_ACE_TYPE)
            continue;
        assert_int_equal(head->AceType, ACCESS_DENIED_ACE_TYPE);
        assert_true(EqualSid((PSID) & ((ACCESS_DENIED_ACE *)head)->SidStart, anonymous));
        denied++;
    }
    assert_int_equal(denied, 1);
}

static void request__sizes__echoed(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 4091, 4096, 5000, LIMIT_PIPE_MESSAGE};
    char *text = malloc(LIMIT_PIPE_MESSAGE + 1);
    memset(text, 'x', LIMIT_PIPE_MESSAGE + 1);
    struct pipe_client *c = connect_client();
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        expect_echo(c, text, sizes[i]);
    struct err err = ERR_INIT;
    assert_int_equal(pipe_client_send(c, text, LIMIT_PIPE_MESSAGE + 1, WAIT_MS, &err), ERR_LIMIT);
    pipe_client_close(c);
    free(text);
}

static void request__progress__in_order_then_final(void **state)
{
    (void)state;
    struct pipe_client *c = connect_client();
    struct err err = ERR_INIT;
    assert_int_equal(pipe_client_send(c, "steps 100", 9, WAIT_MS, &err), ERR_OK);
    for (int i = 0; i <= 100; i++) {
        SCOPED(buf_free) struct buf got = BUF_INIT;
        enum pipe_kind kind;
        char want[20];
        snprintf(want, sizeof want, "step %d", i);
        assert_int_equal(pipe_client_receive(c, WAIT_MS, &kind, &got, &err), ERR_OK);
        assert_int_equal(kind, i < 100 ? PIPE_PROGRESS : PIPE_FINAL);
        assert_string_equal(buf_str(&got), i < 100 ? want : "steps 100");
    }
    pipe_client_close(c);
}

static void request__caller__is_named(void **state)
{
    (void)state;
    expect_service_works();
    assert_true(strncmp(last_peer.sid, "S-1-", 4) == 0);
    assert_true(last_peer.account[0] != '\0');
    assert_int_equal(last_peer.pid, GetCurrentProcessId());
    assert_int_equal(last_peer.right, PIPE_RIGHT_ADMIN);
}

static void receive__time_out__connection_stays_usable(void **state)
{
    (void)state;
    SCOPED(buf_free) struct buf got = BUF_INIT;
    enum pipe_kind kind;
    struct err err = ERR_INIT;
    struct pipe_client *c = connect_client();
    assert_int_equal(pipe_client_send(c, "keep", 4, WAIT_MS, &err), ERR_OK);
    assert_int_equal(pipe_client_receive(c, 900, &kind, &got, &err), ERR_TIMEOUT); /* > idle time */
    assert_int_equal(WaitForSingleObject(kept_event, WAIT_MS), WAIT_OBJECT_0);
    assert_false(pipe_call_gone(kept));
    assert_int_equal(pipe_call_finish(kept, "late", 4, &err), ERR_OK);
    assert_int_equal(pipe_client_receive(c, WAIT_MS, &kind, &got, &err), ERR_OK);
    assert_string_equal(buf_str(&got), "late");
    pipe_client_close(c);
}

static void client_dies__while_called__call_goes_on(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct pipe_client *c = connect_client();
    assert_int_equal(pipe_client_send(c, "keep", 4, WAIT_MS, &err), ERR_OK);
    assert_int_equal(WaitForSingleObject(kept_event, WAIT_MS), WAIT_OBJECT_0);
    pipe_client_close(c);
    for (int i = 0; i < 200 && !pipe_call_gone(kept); i++)
        Sleep(10);
    assert_true(pipe_call_gone(kept));
    assert_int_equal(pipe_call_progress(kept, "x", 1, &err), ERR_OK);
    assert_int_equal(pipe_call_finish(kept, "x", 1, &err), ERR_OK);
    expect_service_works();
}

static void server_close__call_is_out__finish_is_harmless(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(open_server(NULL), 0);
    struct pipe_client *c = connect_client();
    assert_int_equal(pipe_client_send(c, "keep", 4, WAIT_MS, &err), ERR_OK);
    assert_int_equal(WaitForSingleObject(kept_event, WAIT_MS), WAIT_OBJECT_0);
    close_server(NULL);
    assert_int_equal(pipe_call_finish(kept, "x", 1, &err), ERR_OK);
    SCOPED(buf_free) struct buf got = BUF_INIT;
    enum pipe_kind kind;
    assert_int_equal(pipe_client_receive(c, WAIT_MS, &kind, &got, &err), ERR_UNAVAILABLE);
    pipe_client_close(c);
}

static void hostile__garbage_half_huge_silent__cut_others_unhurt(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        DWORD len;
    } rows[] = {
        {"GET / HTTP/1.1\r\n\r\n", 18}, /* garbage */
        {"\x05\x00\x00\x00Qab", 7},     /* half a message */
        {"\x00\x00\x40\x06Q", 5},       /* announces 100 MB */
        {"\xff\xff\xff\xffQ", 5},       /* announces 4 GB */
        {"\x01\x00\x00\x00Pa", 6},      /* the kind of an answer */
        {"\x01\x00\x00\x00\x00"
         "a",
         6},     /* no kind */
        {"", 0}, /* says nothing */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        DWORD n;
        HANDLE h = raw_client();
        if (rows[i].len)
            assert_true(WriteFile(h, rows[i].bytes, rows[i].len, &n, NULL));
        expect_service_works();
        expect_cut(h);
    }
}

static void hostile__floods_without_reading__cut_others_unhurt(void **state)
{
    (void)state;
    HANDLE h = raw_client();
    char frame[5 + 60000] = {0x60, (char)0xEA, 0, 0, 'Q'};
    DWORD n;
    int written = 0;
    /* Its answers fill the pipe; at last the server gives it up and a write fails. */
    while (written < 2000 && WriteFile(h, frame, sizeof frame, &n, NULL))
        written++;
    assert_in_range(written, 1, 1999);
    CloseHandle(h);
    expect_service_works();
}

static DWORD WINAPI polite_client(void *arg)
{
    volatile LONG *done = arg;
    struct pipe_client *c = NULL;
    if (pipe_client_open(NAME, GetCurrentProcessId(), WAIT_MS, &c, NULL))
        return 1;
    for (int i = 0; i < 5; i++) {
        SCOPED(buf_free) struct buf got = BUF_INIT;
        enum pipe_kind kind;
        if (pipe_client_send(c, "echo", 4, WAIT_MS, NULL) ||
            pipe_client_receive(c, WAIT_MS, &kind, &got, NULL) || strcmp(buf_str(&got), "echo"))
            return 1;
    }
    pipe_client_close(c);
    InterlockedIncrement(done);
    return 0;
}

static void clients__sixty_four_at_once_and_more__all_served(void **state)
{
    (void)state;
    volatile LONG done = 0;
    HANDLE threads[80];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        threads[i] = CreateThread(NULL, 65536, polite_client, (void *)&done, 0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        WaitForSingleObject(threads[i], 60000);
        CloseHandle(threads[i]);
    }
    assert_int_equal(done, ARRAY_LEN(threads));
}

static void clients__all_places_taken_by_silent_ones__next_gets_in(void **state)
{
    (void)state;
    struct pipe_server_setup setup = {.idle_ms = 700, .max_clients = 4};
    assert_int_equal(open_server(&setup), 0);
    HANDLE silent[4];
    for (size_t i = 0; i < 4; i++)
        silent[i] = raw_client();
    struct pipe_client *c = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(pipe_client_open(NAME, GetCurrentProcessId(), 100, &c, &err), ERR_BUSY);
    expect_service_works(); /* after the idle time */
    for (size_t i = 0; i < 4; i++)
        CloseHandle(silent[i]);
    close_server(NULL);
}

static void rate__more_than_allowed__slowed_down(void **state)
{
    (void)state;
    struct pipe_server_setup setup = {.rate = 20};
    assert_int_equal(open_server(&setup), 0);
    struct pipe_client *c = connect_client();
    int64_t start = clock_mono_ms(clock_system());
    for (int i = 0; i < 20; i++)
        expect_echo(c, "x", 1);
    int64_t took = clock_mono_ms(clock_system()) - start;
    assert_true(took >= 400); /* 10 at once, 10 more at 20 a second */
    pipe_client_close(c);
    close_server(NULL);
}

#define WITH_SERVER(f) cmocka_unit_test_setup_teardown(f, setup_server, close_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipe_client_open__nobody_listens__unavailable),
        WITH_SERVER(pipe_server_open__name_taken__exists),
        cmocka_unit_test(pipe_server_open__unknown_group__not_found),
        WITH_SERVER(request__other_server_process__refused),
        WITH_SERVER(pipe_client_open__scm_silent__owner_decides),
        cmocka_unit_test(pipe_owner_trusted__table__three_and_nobody_else),
        cmocka_unit_test(pipe_security__denies__anonymous_alone),
        WITH_SERVER(request__sizes__echoed),
        WITH_SERVER(request__progress__in_order_then_final),
        WITH_SERVER(request__caller__is_named),
        WITH_SERVER(receive__time_out__connection_stays_usable),
        WITH_SERVER(client_dies__while_called__call_goes_on),
        cmocka_unit_test(server_close__call_is_out__finish_is_harmless),
        WITH_SERVER(hostile__garbage_half_huge_silent__cut_others_unhurt),
        WITH_SERVER(hostile__floods_without_reading__cut_others_unhurt),
        WITH_SERVER(clients__sixty_four_at_once_and_more__all_served),
        cmocka_unit_test(clients__all_places_taken_by_silent_ones__next_gets_in),
        cmocka_unit_test(rate__more_than_allowed__slowed_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
