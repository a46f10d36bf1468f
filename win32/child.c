/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A child gets exactly three handles (an explicit list), no console, and lives in a job that ends
 * with our last handle to it: nothing it starts outlives us. */
#include "win32/process_int.h"

#include <bcrypt.h>
#include <sddl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "win32/process.h"
#include "win32/utf.h"
#include "win32/werr.h"

/* Quoting ------------------------------------------------------------------------------------- */

static void quote_one(struct buf *out, const char *arg)
{
    if (*arg && !strpbrk(arg, " \t\n\v\"")) {
        buf_puts(out, arg);
        return;
    }
    buf_putc(out, '"');
    for (;; arg++) {
        size_t slashes = strspn(arg, "\\");
        arg += slashes;
        /* Backslashes count twice in front of a quote (ours at the end, or one of the text). */
        for (size_t i = 0; i < (*arg == '\0' || *arg == '"' ? 2 * slashes : slashes); i++)
            buf_putc(out, '\\');
        if (!*arg)
            break;
        if (*arg == '"')
            buf_putc(out, '\\');
        buf_putc(out, *arg);
    }
    buf_putc(out, '"');
}

int process_quote(const char *const *argv, struct buf *ret, struct err *err)
{
    /* The program's name follows another rule: it ends at the next quote, whatever stands before.
     */
    if (strchr(argv[0], '"'))
        return err_set(err, ERR_INVALID, "the program path '%s' contains a quote", argv[0]);
    buf_printf(ret, "\"%s\"", argv[0]);
    for (size_t i = 1; argv[i]; i++) {
        buf_putc(ret, ' ');
        quote_one(ret, argv[i]);
    }
    return buf_check(ret, "a command line", err);
}

static bool is_full_path(const char *path)
{
    return (path[0] && path[1] == ':' && (path[2] == '\\' || path[2] == '/')) ||
           str_starts(path, "\\\\");
}

/* Pipes --------------------------------------------------------------------------------------- */

/* 128 random bits: whoever knew the name before could take it, and no child could be started. */
int child_pipe_name(wchar_t name[CHILD_PIPE_NAME_MAX], struct err *err)
{
    static const wchar_t prefix[] = L"\\\\.\\pipe\\crlagent-child-";
    static const wchar_t digits[] = L"0123456789abcdef";
    UCHAR bytes[16];
    NTSTATUS status = BCryptGenRandom(NULL, bytes, sizeof bytes, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
    if (status)
        return err_set_os(err, ERR_CRYPTO, status, "no random numbers for the pipe of a child");
    wchar_t *at = wmemcpy(name, prefix, ARRAY_LEN(prefix) - 1) + ARRAY_LEN(prefix) - 1;
    for (size_t i = 0; i < sizeof bytes; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    *at = L'\0';
    return ERR_OK;
}

/* In words: the owner (OW, owner rights) and nobody else. The child needs no entry: it inherits its
 * end open. */
#define OWNER_ALONE L"D:P(A;;GA;;;OW)"

/* An anonymous pipe knows no overlapped transfers, so it is one with a name that nobody can know:
 * first instance, one client, gone with us. */
int child_pipe_make(bool we_read, struct child_pipe *ret, struct err *err)
{
    wchar_t name[CHILD_PIPE_NAME_MAX];
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    SECURITY_ATTRIBUTES owner = {.nLength = sizeof owner};
    int rc = child_pipe_name(name, err);
    if (rc)
        return rc;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(OWNER_ALONE, SDDL_REVISION_1,
                                                              &owner.lpSecurityDescriptor, NULL))
        return err_set_win32(err, GetLastError(), "building the access list of a child's pipe");
    ret->ov.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE ours = CreateNamedPipeW(name,
                                   (we_read ? PIPE_ACCESS_INBOUND : PIPE_ACCESS_OUTBOUND) |
                                       FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                                   PIPE_TYPE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1,
                                   65536, 65536, 0, &owner);
    DWORD e = GetLastError();
    LocalFree(owner.lpSecurityDescriptor);
    if (ours == INVALID_HANDLE_VALUE)
        return err_set_win32(err, e, "making a pipe for a child process");
    ret->ours = ours;
    if (!ret->ov.hEvent)
        return err_nomem(err);
    HANDLE theirs = CreateFileW(name, we_read ? GENERIC_WRITE : GENERIC_READ, 0, &inherit,
                                OPEN_EXISTING, 0, NULL);
    if (theirs == INVALID_HANDLE_VALUE)
        return err_set_win32(err, GetLastError(), "making a pipe for a child process");
    ret->theirs = theirs;
    return ERR_OK;
}

static void close_handle(HANDLE *h)
{
    if (*h)
        CloseHandle(*h);
    *h = NULL;
}

void child_pipe_close(struct child_pipe *p)
{
    DWORD len;
    if (p->pending) {
        CancelIoEx(p->ours, &p->ov);
        child_result(p, &len);
    }
    close_handle(&p->ours);
    close_handle(&p->theirs);
    close_handle(&p->ov.hEvent);
}

static DWORD begun(struct child_pipe *p, BOOL ok)
{
    DWORD e = ok ? ERROR_SUCCESS : GetLastError();
    p->pending = e == ERROR_SUCCESS || e == ERROR_IO_PENDING;
    return p->pending ? ERROR_SUCCESS : e;
}

DWORD child_read(struct child_pipe *p, void *data, DWORD len)
{
    return begun(p, ReadFile(p->ours, data, len, NULL, &p->ov));
}

DWORD child_write(struct child_pipe *p, const void *data, DWORD len)
{
    return begun(p, WriteFile(p->ours, data, len, NULL, &p->ov));
}

DWORD child_result(struct child_pipe *p, DWORD *ret_len)
{
    p->pending = false;
    return GetOverlappedResult(p->ours, &p->ov, ret_len, TRUE) ? ERROR_SUCCESS : GetLastError();
}

/* Start --------------------------------------------------------------------------------------- */

static int make_job(const struct child_setup *setup, HANDLE *ret, struct err *err)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    if (setup->limits)
        limits = *setup->limits;
    limits.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    *ret = CreateJobObjectW(NULL, NULL);
    if (!*ret ||
        !SetInformationJobObject(*ret, JobObjectExtendedLimitInformation, &limits, sizeof limits))
        return err_set_win32(err, GetLastError(), "making a job for a child process");
    JOBOBJECT_BASIC_UI_RESTRICTIONS ui;
    if (setup->ui) {
        ui = *setup->ui;
        if (!SetInformationJobObject(*ret, JobObjectBasicUIRestrictions, &ui, sizeof ui))
            return err_set_win32(err, GetLastError(), "limiting a child process");
    }
    return ERR_OK;
}

static int make_null(HANDLE *ret, struct err *err)
{
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    HANDLE h = CreateFileW(L"NUL", GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit,
                           OPEN_EXISTING, 0, NULL);
    if (h == INVALID_HANDLE_VALUE)
        return err_set_win32(err, GetLastError(), "opening NUL");
    *ret = h;
    return ERR_OK;
}

/* Never NULL once the pipes are made. */
static HANDLE standard_error(const struct child *c)
{
    return c->null_error ? c->null_error : c->says.theirs ? c->says.theirs : c->out.theirs;
}

static int create_process(const struct child_setup *setup, struct child *c, wchar_t *program,
                          wchar_t *command, LPPROC_THREAD_ATTRIBUTE_LIST list,
                          PROCESS_INFORMATION *ret, struct err *err)
{
    const DWORD flags = CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT |
                        EXTENDED_STARTUPINFO_PRESENT |
                        (setup->no_console ? DETACHED_PROCESS : CREATE_NO_WINDOW);
    STARTUPINFOEXW start = {.StartupInfo = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES}};
    start.StartupInfo.hStdInput = c->in.theirs;
    start.StartupInfo.hStdOutput = c->out.theirs;
    start.StartupInfo.hStdError = standard_error(c);
    start.lpAttributeList = list;
    BOOL ok = setup->token ? CreateProcessAsUserW(setup->token, program, command, NULL, NULL, TRUE,
                                                  flags, NULL, NULL, &start.StartupInfo, ret)
                           : CreateProcessW(program, command, NULL, NULL, TRUE, flags, NULL, NULL,
                                            &start.StartupInfo, ret);
    if (!ok)
        return err_set_win32(err, GetLastError(), "starting '%s'", setup->argv[0]);
    return ERR_OK;
}

/* A process that is in a job already (of a terminal, of the Task Scheduler) cannot enter another
 * one with limits for the user interface (AssignProcessToJobObject): the other limits must do then.
 */
static bool assign_without_ui(const struct child_setup *setup, struct child *c, HANDLE process)
{
    DWORD e = GetLastError();
    struct child_setup plain = *setup;
    HANDLE job = NULL;
    struct err ignored = ERR_INIT;
    plain.ui = NULL;
    if (setup->ui && make_job(&plain, &job, &ignored) == ERR_OK &&
        AssignProcessToJobObject(job, process)) {
        CloseHandle(c->job);
        c->job = job;
        return true;
    }
    if (job)
        CloseHandle(job);
    SetLastError(e);
    return false;
}

static int start_in_job(const struct child_setup *setup, struct child *c, wchar_t *program,
                        wchar_t *command, struct err *err)
{
    HANDLE handles[3] = {c->in.theirs, c->out.theirs, standard_error(c)};
    size_t n_handles = handles[2] == handles[1] ? 2 : 3; /* none may stand twice */
    SIZE_T size = 0;
    PROCESS_INFORMATION info = {0};
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    SCOPED(scope_free) LPPROC_THREAD_ATTRIBUTE_LIST list = calloc(1, size);
    if (!list)
        return err_nomem(err);
    if (!InitializeProcThreadAttributeList(list, 1, 0, &size) ||
        !UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles,
                                   n_handles * sizeof handles[0], NULL, NULL))
        return err_set_win32(err, GetLastError(), "preparing to start '%s'", setup->argv[0]);
    int rc = create_process(setup, c, program, command, list, &info, err);
    DeleteProcThreadAttributeList(list);
    if (rc)
        return rc;
    c->process = info.hProcess;
    if (!AssignProcessToJobObject(c->job, info.hProcess) &&
        !assign_without_ui(setup, c, info.hProcess)) {
        rc = err_set_win32(err, GetLastError(), "putting '%s' into its job", setup->argv[0]);
        TerminateProcess(info.hProcess, 1);
    } else {
        ResumeThread(info.hThread);
    }
    CloseHandle(info.hThread);
    return rc;
}

int child_start(const struct child_setup *setup, struct child *ret, struct err *err)
{
    SCOPED(buf_free) struct buf command = BUF_INIT;
    SCOPED(scope_free) wchar_t *wide_command = NULL;
    SCOPED(scope_free) wchar_t *program = NULL;
    memset(ret, 0, sizeof *ret);
    if (!is_full_path(setup->argv[0]))
        return err_set(err, ERR_INVALID, "'%s' is not a full path", setup->argv[0]);
    int rc = process_quote(setup->argv, &command, err);
    if (!rc)
        rc = utf_to_wide(buf_str(&command), &wide_command, err);
    if (!rc)
        rc = utf_to_wide(setup->argv[0], &program, err);
    if (!rc)
        rc = make_job(setup, &ret->job, err);
    if (!rc)
        rc = child_pipe_make(false, &ret->in, err);
    if (!rc)
        rc = child_pipe_make(true, &ret->out, err);
    if (!rc && setup->error == CHILD_ERROR_DROPPED)
        rc = make_null(&ret->null_error, err);
    if (!rc && setup->error == CHILD_ERROR_PIPE)
        rc = child_pipe_make(true, &ret->says, err);
    if (!rc)
        rc = start_in_job(setup, ret, program, wide_command, err);
    close_handle(&ret->in.theirs);
    close_handle(&ret->out.theirs);
    close_handle(&ret->says.theirs);
    close_handle(&ret->null_error);
    if (rc)
        child_end(ret);
    return rc;
}

void child_end(struct child *c)
{
    if (c->job)
        TerminateJobObject(c->job, 1);
    child_pipe_close(&c->in);
    child_pipe_close(&c->out);
    child_pipe_close(&c->says);
    close_handle(&c->process);
    close_handle(&c->job);
}
