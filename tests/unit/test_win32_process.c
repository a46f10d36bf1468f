/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Child processes: this program starts itself in several roles. */
#include "cmocka_unit.h"

#include <windows.h>
#include <aclapi.h>
#include <sddl.h>
#include <shellapi.h>

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/process.h"
#include "base/str.h"
#include "win32/deadline.h"
#include "win32/process.h"
#include "win32/process_int.h"
#include "win32/token.h"
#include "win32/utf.h"

static char own[1024];

/* Roles --------------------------------------------------------------------------------------- */

static int role_args(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        printf("[%s]", argv[i]);
    return 0;
}

static int role_cat(void)
{
    char block[4096];
    int n;
    while ((n = _read(0, block, sizeof block)) > 0)
        _write(1, block, (unsigned)n);
    return 0;
}

static int role_flood(void)
{
    char block[8192];
    memset(block, 'f', sizeof block);
    for (size_t i = 0; i < 2 * LIMIT_CHILD_OUTPUT / sizeof block; i++)
        fwrite(block, 1, sizeof block, stdout);
    return 7;
}

/* Starts a grandchild that would live on, names its process id, and sleeps. */
static int role_family(void)
{
    wchar_t command[1200];
    STARTUPINFOW start = {.cb = sizeof start};
    PROCESS_INFORMATION info;
    swprintf(command, 1200, L"\"%hs\" sleep", own);
    if (!CreateProcessW(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &start, &info))
        return 9;
    printf("%lu", (unsigned long)info.dwProcessId);
    fflush(stdout);
    Sleep(60000);
    return 0;
}

static int role(int argc, char **argv)
{
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
    if (!strcmp(argv[1], "args"))
        return role_args(argc, argv);
    if (!strcmp(argv[1], "cat"))
        return role_cat();
    if (!strcmp(argv[1], "flood"))
        return role_flood();
    if (!strcmp(argv[1], "family"))
        return role_family();
    if (!strcmp(argv[1], "exit"))
        return (int)strtoul(argv[2], NULL, 0);
    if (!strcmp(argv[1], "sleep"))
        Sleep(60000);
    return 0;
}

/* Cases --------------------------------------------------------------------------------------- */

static void process_run__no_such_program__not_found(void **state)
{
    (void)state;
    const char *argv[] = {"C:\\no such folder\\x.exe", NULL};
    const char *relative[] = {"certutil.exe", NULL};
    const char *quoted[] = {"C:\\a\"b.exe", NULL};
    struct process_result r;
    struct err err = ERR_INIT;
    assert_int_equal(process_run(argv, NULL, 5000, &r, &err), ERR_NOT_FOUND);
    assert_int_equal(process_run(relative, NULL, 5000, &r, &err), ERR_INVALID);
    assert_int_equal(process_run(quoted, NULL, 5000, &r, &err), ERR_INVALID);
}

static void process_run__time_out__family_is_killed(void **state)
{
    (void)state;
    const char *argv[] = {own, "family", NULL};
    struct process_result r;
    struct err err = ERR_INIT;
    assert_int_equal(process_run(argv, NULL, 2500, &r, &err), ERR_TIMEOUT);
    assert_true(r.ms < 10000);
    DWORD pid = strtoul(buf_str(&r.out), NULL, 10);
    assert_true(pid != 0);
    HANDLE h = OpenProcess(SYNCHRONIZE, FALSE, pid);
    if (h)
        assert_int_equal(WaitForSingleObject(h, 5000), WAIT_OBJECT_0);
    buf_clear(&r.out);
}

static void process_run__exit_code__as_it_is(void **state)
{
    (void)state;
    const char *argv[] = {own, "exit", "0x800706BA", NULL};
    struct process_result r;
    assert_int_equal(process_run(argv, NULL, 20000, &r, NULL), ERR_OK);
    assert_true(r.exit_code == 0x800706BAu);
    buf_clear(&r.out);
}

static void process_run__floods__output_is_capped(void **state)
{
    (void)state;
    const char *argv[] = {own, "flood", NULL};
    struct process_result r;
    assert_int_equal(process_run(argv, NULL, 20000, &r, NULL), ERR_OK);
    assert_int_equal(r.exit_code, 7);
    assert_int_equal(r.out.len, LIMIT_CHILD_OUTPUT);
    buf_clear(&r.out);
}

static void process_run__input__is_fed(void **state)
{
    (void)state;
    char *text = malloc(300001);
    memset(text, 'i', 300000);
    text[300000] = '\0';
    const char *argv[] = {own, "cat", NULL};
    struct process_result r;
    assert_int_equal(process_run(argv, text, 20000, &r, NULL), ERR_OK);
    assert_int_equal(r.out.len, 300000);
    assert_memory_equal(r.out.data, text, 300000);
    buf_clear(&r.out);
    free(text);
}

/* Pipes --------------------------------------------------------------------------------------- */

/* Names of a process id and a counter were taken by any user, and no child could be started. */
static void child_start__guessable_names_taken__started_all_the_same(void **state)
{
    (void)state;
    const char *argv[] = {own, "exit", "7", NULL};
    HANDLE taken[200];
    struct process_result r;
    struct err err = ERR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
        wchar_t name[80];
        swprintf(name, ARRAY_LEN(name), L"\\\\.\\pipe\\crlagent-child-%lu-%zu",
                 GetCurrentProcessId(), i + 1);
        taken[i] = CreateNamedPipeW(name, PIPE_ACCESS_INBOUND, PIPE_TYPE_BYTE, 1, 16, 16, 0, NULL);
        assert_true(taken[i] != INVALID_HANDLE_VALUE);
    }
    int rc = process_run(argv, NULL, 20000, &r, &err);
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        CloseHandle(taken[i]);
    if (rc)
        fail_msg("%s", err.text);
    assert_int_equal(r.exit_code, 7);
    buf_clear(&r.out);
}

static int compare_names(const void *a, const void *b)
{
    return wcscmp(a, b);
}

static void child_pipe_name__many__random_and_never_the_same(void **state)
{
    (void)state;
    static wchar_t names[1000][CHILD_PIPE_NAME_MAX];
    const size_t prefix = wcslen(L"\\\\.\\pipe\\crlagent-child-");
    static const wchar_t digits[] = L"0123456789abcdef";
    unsigned seen[32] = {0}; /* per place: the digits that stood there, a bit each */
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(child_pipe_name(names[i], NULL), ERR_OK);
        assert_int_equal(wcslen(names[i]), prefix + 32);
        for (size_t k = 0; k < 32; k++) {
            const wchar_t *digit = wcschr(digits, names[i][prefix + k]);
            assert_non_null(digit);
            seen[k] |= 1u << (digit - digits);
        }
    }
    for (size_t k = 0; k < 32; k++)
        assert_int_equal(seen[k], 0xFFFF);
    qsort(names, ARRAY_LEN(names), sizeof names[0], compare_names);
    for (size_t i = 1; i < ARRAY_LEN(names); i++)
        assert_true(wcscmp(names[i - 1], names[i]) != 0);
}

static void child_pipe_make__access_list__owner_alone(void **state)
{
    (void)state;
    SCOPED(local_free) PSECURITY_DESCRIPTOR sd = NULL;
    SCOPED(local_free) PSID owner = NULL;
    struct child_pipe p = {0};
    ACL *list = NULL;
    ACCESS_ALLOWED_ACE *entry = NULL;
    SECURITY_DESCRIPTOR_CONTROL control = 0;
    DWORD revision = 0;
    assert_int_equal(child_pipe_make(true, &p, NULL), ERR_OK);
    assert_int_equal(GetSecurityInfo(p.ours, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, NULL,
                                     NULL, &list, NULL, &sd),
                     ERROR_SUCCESS);
    child_pipe_close(&p);
    assert_non_null(list); /* NULL would be everybody */
    assert_int_equal(list->AceCount, 1);
    assert_true(GetAce(list, 0, (void **)&entry));
    assert_int_equal(entry->Header.AceType, ACCESS_ALLOWED_ACE_TYPE);
    assert_int_equal(sid_of("S-1-3-4", &owner, NULL), ERR_OK);
    assert_true(EqualSid((PSID)&entry->SidStart, owner));
    assert_true(GetSecurityDescriptorControl(sd, &control, &revision));
    assert_true(control & SE_DACL_PROTECTED);
}

static const char *const awkward[] = {
    "plain", "",       "two words", "quo\"te", "\\",    "end\\",   "a b\\",   "\\\\srv\\x y\\",
    "\\\"",  "a\\\"b", "a\\\\\"b",  "%PATH%",  "a&b|c", "tab\tin", "\xC3\xBC"};

static void process_quote__table__taken_apart_again(void **state)
{
    (void)state;
    const char *argv[ARRAY_LEN(awkward) + 2] = {"C:\\Program Files\\x.exe"};
    memcpy(argv + 1, awkward, sizeof awkward);
    SCOPED(buf_free) struct buf line = BUF_INIT;
    wchar_t *wide = NULL;
    int n = 0;
    assert_int_equal(process_quote(argv, &line, NULL), ERR_OK);
    assert_int_equal(utf_to_wide(buf_str(&line), &wide, NULL), ERR_OK);
    wchar_t **parts = CommandLineToArgvW(wide, &n);
    assert_int_equal(n, ARRAY_LEN(awkward) + 1);
    for (int i = 0; i < n; i++) {
        char *text = NULL;
        assert_int_equal(utf_from_wide(parts[i], &text, NULL), ERR_OK);
        assert_string_equal(text, argv[i]);
        free(text);
    }
    LocalFree(parts);
    free(wide);
}

static void process_quote__known_values__as_documented(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"a", "\"p\" a"},
        {"", "\"p\" \"\""},
        {"a b", "\"p\" \"a b\""},
        {"a\\", "\"p\" a\\"},
        {"a b\\", "\"p\" \"a b\\\\\""},
        {"\"", "\"p\" \"\\\"\""},
        {"\\\"", "\"p\" \"\\\\\\\"\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *argv[] = {"p", rows[i].in, NULL};
        SCOPED(buf_free) struct buf line = BUF_INIT;
        assert_int_equal(process_quote(argv, &line, NULL), ERR_OK);
        assert_string_equal(buf_str(&line), rows[i].out);
    }
}

static void worker__speaks_both_ways__and_ends(void **state)
{
    (void)state;
    const char *argv[] = {own, "cat", NULL};
    struct worker_setup setup = {.argv = argv, .restricted = true};
    struct worker *w = NULL;
    struct err err = ERR_INIT;
    char got[5] = "";
    if (worker_start(&setup, &w, &err))
        fail_msg("%s", err.text);
    assert_int_equal(worker_write(w, "hello", 5, 10000, &err), ERR_OK);
    assert_int_equal(worker_read(w, got, 5, 10000, &err), ERR_OK);
    assert_memory_equal(got, "hello", 5);
    assert_int_equal(worker_read(w, got, 1, 100, &err), ERR_TIMEOUT);
    worker_stop(w, 5000);
    worker_stop(NULL, 0);
}

static bool has_attribute(HANDLE token, PSID sid, DWORD attribute)
{
    static BYTE room[16384];
    DWORD n;
    assert_true(GetTokenInformation(token, TokenGroups, room, sizeof room, &n));
    const TOKEN_GROUPS *groups = (const TOKEN_GROUPS *)room;
    for (DWORD i = 0; i < groups->GroupCount; i++) {
        if (EqualSid(groups->Groups[i].Sid, sid))
            return groups->Groups[i].Attributes & attribute;
    }
    return false;
}

/* A user that is deny-only cannot read his own program: under LocalSystem the worker would die. */
static void worker_token__own_user__stays_administrators_do_not(void **state)
{
    (void)state;
    SCOPED(handle_close) HANDLE ours = NULL;
    SCOPED(handle_close) HANDLE token = NULL;
    SCOPED(scope_free) TOKEN_USER *before = NULL;
    SCOPED(scope_free) TOKEN_USER *after = NULL;
    SCOPED(local_free) PSID admins = NULL;
    struct err err = ERR_INIT;
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &ours));
    if (worker_token(&token, &err))
        fail_msg("%s", err.text);
    assert_int_equal(token_user(ours, &before, NULL), ERR_OK);
    assert_int_equal(token_user(token, &after, NULL), ERR_OK);
    assert_true(EqualSid(before->User.Sid, after->User.Sid));
    assert_false(after->User.Attributes & SE_GROUP_USE_FOR_DENY_ONLY);
    assert_int_equal(sid_of("S-1-5-32-544", &admins, NULL), ERR_OK);
    assert_false(has_attribute(token, admins, SE_GROUP_ENABLED));
}

static void worker__dies__unavailable(void **state)
{
    (void)state;
    const char *argv[] = {own, "exit", "3", NULL};
    struct worker_setup setup = {.argv = argv};
    struct worker *w = NULL;
    struct err err = ERR_INIT;
    char got;
    assert_int_equal(worker_start(&setup, &w, &err), ERR_OK);
    assert_int_equal(worker_read(w, &got, 1, 10000, &err), ERR_UNAVAILABLE);
    worker_stop(w, 0);
}

/* deadline ------------------------------------------------------------------------------------ */

struct slow {
    struct deadline_job job;
    DWORD ms;
    int answer;
};
static volatile LONG dropped;

static int slow_run(struct deadline_job *job, struct err *err)
{
    struct slow *s = (struct slow *)job;
    Sleep(s->ms);
    s->answer = 42;
    return s->ms == 1 ? err_set(err, ERR_IO, "one") : ERR_OK;
}

static void slow_drop(struct deadline_job *job)
{
    InterlockedIncrement(&dropped);
    free(job);
}

static struct slow *make_slow(DWORD ms)
{
    struct slow *s = calloc(1, sizeof *s);
    s->job.run = slow_run;
    s->job.drop = slow_drop;
    s->ms = ms;
    return s;
}

/* The job's own thread may hold the last reference a moment longer than the caller. */
static void wait_dropped(LONG n)
{
    for (int i = 0; i < 100 && dropped < n; i++)
        Sleep(50);
    assert_int_equal(dropped, n);
}

static void deadline_run__in_time__result_and_error(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    dropped = 0;
    struct slow *s = make_slow(0);
    assert_int_equal(deadline_run(DEADLINE_CA, &s->job, 10000, &err), ERR_OK);
    assert_int_equal(s->answer, 42);
    deadline_release(&s->job);
    s = make_slow(1);
    assert_int_equal(deadline_run(DEADLINE_CA, &s->job, 10000, &err), ERR_IO);
    assert_string_equal(err.text, "one");
    deadline_release(&s->job);
    wait_dropped(2);
}

static void deadline_run__hangs__left_behind_then_counted_out(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    dropped = 0;
    for (int i = 0; i < DEADLINE_STUCK_MAX; i++) {
        struct slow *s = make_slow(1500);
        assert_int_equal(deadline_run(DEADLINE_CA, &s->job, 20, &err), ERR_TIMEOUT);
        deadline_release(&s->job);
    }
    assert_int_equal(deadline_stuck(DEADLINE_CA), DEADLINE_STUCK_MAX);
    struct slow *s = make_slow(0);
    assert_int_equal(deadline_run(DEADLINE_CA, &s->job, 1000, &err), ERR_BUSY);
    deadline_release(&s->job);
    for (int i = 0; i < 100 && deadline_stuck(DEADLINE_CA); i++)
        Sleep(50);
    assert_int_equal(deadline_stuck(DEADLINE_CA), 0);
    wait_dropped(DEADLINE_STUCK_MAX + 1);
}

/* A cluster that hangs uses up the cluster's places alone. */
static void deadline_run__other_pool_full__still_run(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    dropped = 0;
    for (int i = 0; i < DEADLINE_STUCK_MAX; i++) {
        struct slow *s = make_slow(1500);
        assert_int_equal(deadline_run(DEADLINE_CLUSTER, &s->job, 20, &err), ERR_TIMEOUT);
        deadline_release(&s->job);
    }
    struct slow *s = make_slow(0);
    assert_int_equal(deadline_run(DEADLINE_CLUSTER, &s->job, 1000, &err), ERR_BUSY);
    assert_non_null(strstr(err.text, "the cluster"));
    deadline_release(&s->job);
    assert_int_equal(deadline_stuck(DEADLINE_CA), 0);
    s = make_slow(0);
    assert_int_equal(deadline_run(DEADLINE_CA, &s->job, 10000, &err), ERR_OK);
    assert_int_equal(s->answer, 42);
    deadline_release(&s->job);
    for (int i = 0; i < 100 && deadline_stuck(DEADLINE_CLUSTER); i++)
        Sleep(50);
    assert_int_equal(deadline_stuck(DEADLINE_CLUSTER), 0);
    wait_dropped(DEADLINE_STUCK_MAX + 2);
}

int main(int argc, char **argv)
{
    wchar_t wide[1024];
    char *path = NULL;
    GetModuleFileNameW(NULL, wide, 1024);
    if (!utf_from_wide(wide, &path, NULL))
        str_copy(own, sizeof own, path);
    free(path);
    if (argc > 1)
        return role(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process_run__no_such_program__not_found),
        cmocka_unit_test(process_run__time_out__family_is_killed),
        cmocka_unit_test(process_run__exit_code__as_it_is),
        cmocka_unit_test(process_run__floods__output_is_capped),
        cmocka_unit_test(process_run__input__is_fed),
        cmocka_unit_test(child_start__guessable_names_taken__started_all_the_same),
        cmocka_unit_test(child_pipe_name__many__random_and_never_the_same),
        cmocka_unit_test(child_pipe_make__access_list__owner_alone),
        cmocka_unit_test(process_quote__table__taken_apart_again),
        cmocka_unit_test(process_quote__known_values__as_documented),
        cmocka_unit_test(worker__speaks_both_ways__and_ends),
        cmocka_unit_test(worker_token__own_user__stays_administrators_do_not),
        cmocka_unit_test(worker__dies__unavailable),
        cmocka_unit_test(deadline_run__in_time__result_and_error),
        cmocka_unit_test(deadline_run__hangs__left_behind_then_counted_out),
        cmocka_unit_test(deadline_run__other_pool_full__still_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
