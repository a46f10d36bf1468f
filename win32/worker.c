/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The worker keeps the logon session (so that it can reach the network as the service does) and
 * loses the rest: every privilege, membership in Administrators, and all write access to objects of
 * normal integrity.
 *
 * It keeps its own user, also where that is SYSTEM: CreateProcessAsUser wants the token's user to
 * read the program, and so do the DLLs. SYSTEM is in no group (Users) that may read them in its
 * place, and it is the one that the window station of the service lets in, which USER32 opens for
 * whatever it can get (MAXIMUM_ALLOWED) when it is loaded. */
#include "win32/process.h"

#include <stdlib.h>

#include "base/when.h"
#include "win32/process_int.h"
#include "win32/token.h"
#include "win32/werr.h"

#define MEMORY_BYTES (512ull * 1024 * 1024)

struct worker {
    struct child c;
};

/* S-1-16-4096 = low integrity. */
static int lower_integrity(HANDLE token, struct err *err)
{
    SCOPED(local_free) PSID low = NULL;
    int rc = sid_of("S-1-16-4096", &low, err);
    if (rc)
        return rc;
    TOKEN_MANDATORY_LABEL label = {{low, SE_GROUP_INTEGRITY}};
    if (!SetTokenInformation(token, TokenIntegrityLevel, &label,
                             (DWORD)sizeof label + GetLengthSid(low)))
        return err_set_win32(err, GetLastError(), "lowering the integrity of the worker's token");
    return ERR_OK;
}

int worker_token(HANDLE *ret, struct err *err)
{
    SCOPED(handle_close) HANDLE own = NULL;
    SCOPED(handle_close) HANDLE token = NULL;
    SCOPED(local_free) PSID admins = NULL;
    int rc = sid_of("S-1-5-32-544", &admins, err);
    if (rc)
        return rc;
    SID_AND_ATTRIBUTES deny_only[] = {{admins, 0}};
    if (!OpenProcessToken(
            GetCurrentProcess(),
            TOKEN_DUPLICATE | TOKEN_QUERY | TOKEN_ASSIGN_PRIMARY | TOKEN_ADJUST_DEFAULT, &own) ||
        !CreateRestrictedToken(own, DISABLE_MAX_PRIVILEGE, ARRAY_LEN(deny_only), deny_only, 0, NULL,
                               0, NULL, &token))
        return err_set_win32(err, GetLastError(), "making the worker's restricted token");
    rc = lower_integrity(token, err);
    if (!rc)
        *ret = steal_ptr(token);
    return rc;
}

int worker_start(const struct worker_setup *in, struct worker **ret, struct err *err)
{
    SCOPED(handle_close) HANDLE token = NULL;
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
        .BasicLimitInformation = {.LimitFlags = JOB_OBJECT_LIMIT_ACTIVE_PROCESS |
                                                JOB_OBJECT_LIMIT_PROCESS_MEMORY |
                                                JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION,
                                  .ActiveProcessLimit = 1},
        .ProcessMemoryLimit = (SIZE_T)(in->memory_bytes ? in->memory_bytes : MEMORY_BYTES),
    };
    JOBOBJECT_BASIC_UI_RESTRICTIONS ui = {
        JOB_OBJECT_UILIMIT_DESKTOP | JOB_OBJECT_UILIMIT_EXITWINDOWS | JOB_OBJECT_UILIMIT_HANDLES |
        JOB_OBJECT_UILIMIT_READCLIPBOARD | JOB_OBJECT_UILIMIT_WRITECLIPBOARD |
        JOB_OBJECT_UILIMIT_GLOBALATOMS | JOB_OBJECT_UILIMIT_SYSTEMPARAMETERS |
        JOB_OBJECT_UILIMIT_DISPLAYSETTINGS};
    int rc = in->restricted ? worker_token(&token, err) : ERR_OK;
    if (rc)
        return rc;
    struct child_setup setup = {.argv = in->argv,
                                .token = token,
                                .limits = &limits,
                                .ui = &ui,
                                .error = CHILD_ERROR_DROPPED,
                                .no_console = true};
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        return err_nomem(err);
    rc = child_start(&setup, &w->c, err);
    if (rc) {
        free(w);
        return rc;
    }
    *ret = w;
    return ERR_OK;
}

/* Waits for the transfer that was begun with e; the bytes moved go to *n. */
static int complete(struct child_pipe *p, DWORD e, int64_t end, DWORD *n, const char *what,
                    struct err *err)
{
    int64_t left = end - clock_mono_ms(clock_system());
    if (!e && WaitForSingleObject(p->ov.hEvent, left < 0 ? 0 : (DWORD)left) != WAIT_OBJECT_0) {
        CancelIoEx(p->ours, &p->ov);
        if (child_result(p, n)) /* else it came at the last moment */
            return err_set(err, ERR_TIMEOUT, "%s the worker process took too long", what);
        return ERR_OK;
    }
    if (!e)
        e = child_result(p, n);
    if (e == ERROR_BROKEN_PIPE || e == ERROR_NO_DATA || e == ERROR_PIPE_NOT_CONNECTED)
        return err_set_os(err, ERR_UNAVAILABLE, (long)e, "%s the worker process: it has ended",
                          what);
    return e ? err_set_win32(err, e, "%s the worker process", what) : ERR_OK;
}

int worker_write(struct worker *w, const void *data, size_t len, int64_t timeout_ms,
                 struct err *err)
{
    int64_t end = clock_mono_ms(clock_system()) + timeout_ms;
    const char *at = data;
    int rc = ERR_OK;
    while (!rc && len) {
        DWORD n = 0;
        DWORD part = len > 65536 ? 65536 : (DWORD)len;
        rc = complete(&w->c.in, child_write(&w->c.in, at, part), end, &n, "writing to", err);
        at += n;
        len -= n;
    }
    return rc;
}

int worker_read(struct worker *w, void *data, size_t len, int64_t timeout_ms, struct err *err)
{
    int64_t end = clock_mono_ms(clock_system()) + timeout_ms;
    char *at = data;
    int rc = ERR_OK;
    while (!rc && len) {
        DWORD n = 0;
        DWORD part = len > 65536 ? 65536 : (DWORD)len;
        rc = complete(&w->c.out, child_read(&w->c.out, at, part), end, &n, "reading from", err);
        at += n;
        len -= n;
    }
    return rc;
}

void worker_stop(struct worker *w, int64_t timeout_ms)
{
    if (!w)
        return;
    child_pipe_close(&w->c.in);
    WaitForSingleObject(w->c.process, (DWORD)timeout_ms);
    child_end(&w->c);
    free(w);
}
