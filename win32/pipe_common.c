/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/pipe_int.h"

#include <sddl.h>

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "win32/token.h"
#include "win32/utf.h"
#include "win32/werr.h"

int pipe_io_init(struct pipe_io *io, struct err *err)
{
    memset(io, 0, sizeof *io);
    io->ov.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!io->ov.hEvent)
        return err_set_win32(err, GetLastError(), "preparing a pipe");
    return ERR_OK;
}

void pipe_io_end(struct pipe_io *io, HANDLE pipe)
{
    DWORD len;
    if (io->pending) {
        CancelIoEx(pipe, &io->ov);
        GetOverlappedResult(pipe, &io->ov, &len, TRUE);
        io->pending = false;
    }
    if (io->ov.hEvent)
        CloseHandle(io->ov.hEvent);
    io->ov.hEvent = NULL;
}

static DWORD begun(struct pipe_io *io, BOOL ok)
{
    DWORD e = ok ? ERROR_SUCCESS : GetLastError();
    io->pending = e == ERROR_SUCCESS || e == ERROR_IO_PENDING;
    return io->pending ? ERROR_SUCCESS : e;
}

DWORD pipe_io_read(struct pipe_io *io, HANDLE pipe, void *data, DWORD len)
{
    ResetEvent(io->ov.hEvent);
    return begun(io, ReadFile(pipe, data, len, NULL, &io->ov));
}

DWORD pipe_io_write(struct pipe_io *io, HANDLE pipe, const void *data, DWORD len)
{
    ResetEvent(io->ov.hEvent);
    return begun(io, WriteFile(pipe, data, len, NULL, &io->ov));
}

DWORD pipe_io_result(struct pipe_io *io, HANDLE pipe, DWORD *ret_len)
{
    io->pending = false;
    return GetOverlappedResult(pipe, &io->ov, ret_len, TRUE) ? ERROR_SUCCESS : GetLastError();
}

int pipe_frame(enum pipe_kind kind, const char *data, size_t len, struct buf *frame,
               struct err *err)
{
    if (len > LIMIT_PIPE_MESSAGE)
        return err_set(err, ERR_LIMIT,
                       "a message of %zu bytes is too long for the control pipe; "
                       "expected at most %u",
                       len, LIMIT_PIPE_MESSAGE);
    char head[PIPE_HEADER] = {(char)(len & 0xFF), (char)(len >> 8 & 0xFF), (char)(len >> 16 & 0xFF),
                              (char)(len >> 24 & 0xFF), (char)kind};
    buf_add(frame, head, sizeof head);
    buf_add(frame, data, len);
    return buf_check(frame, "a message for the control pipe", err);
}

int pipe_frame_head(const char *bytes, enum pipe_kind *ret_kind, size_t *ret_len, struct err *err)
{
    const unsigned char *b = (const unsigned char *)bytes;
    size_t len = (size_t)b[0] | (size_t)b[1] << 8 | (size_t)b[2] << 16 | (size_t)b[3] << 24;
    if (b[4] != PIPE_REQUEST && b[4] != PIPE_PROGRESS && b[4] != PIPE_FINAL)
        return err_set(err, ERR_PARSE,
                       "a message on the control pipe has the kind 0x%02X; "
                       "expected 'Q', 'P' or 'F'",
                       b[4]);
    if (len > LIMIT_PIPE_MESSAGE)
        return err_set(err, ERR_LIMIT,
                       "a message on the control pipe announces %zu bytes; expected "
                       "at most %u",
                       len, LIMIT_PIPE_MESSAGE);
    *ret_kind = (enum pipe_kind)b[4];
    *ret_len = len;
    return ERR_OK;
}

int pipe_name(const char *name, wchar_t **ret, struct err *err)
{
    if (!str_starts_nocase(name, "\\\\.\\pipe\\") || strlen(name) > 200)
        return err_set(err, ERR_INVALID,
                       "'%.200s' is not a local pipe name; expected "
                       "\\\\.\\pipe\\NAME",
                       name);
    return utf_to_wide(name, ret, err);
}

/* Access for one group: read and write data, but no new instances of the pipe (0x4 is
 * FILE_CREATE_PIPE_INSTANCE): FILE_READ_DATA 0x1, FILE_WRITE_DATA 0x2, READ_EA 0x8, WRITE_EA 0x10,
 * READ_ATTRIBUTES 0x80, WRITE_ATTRIBUTES 0x100, READ_CONTROL 0x20000, SYNCHRONIZE 0x100000. */
#define CLIENT_ACCESS "0x12019b"

static int add_group(struct buf *sddl, PSID sid, struct err *err)
{
    char text[190];
    if (!sid)
        return ERR_OK;
    int rc = sid_format(sid, text, sizeof text, err);
    if (!rc)
        buf_printf(sddl, "(A;;" CLIENT_ACCESS ";;;%s)", text);
    return rc;
}

/* In words: who came anonymously (AN) is denied everything; SYSTEM (SY) and Administrators (BA) may
 * do all; the owner may make further instances (OW, owner rights); the two configured groups may
 * talk. Nobody else. Clients on other hosts are refused by PIPE_REJECT_REMOTE_CLIENTS, never by a
 * deny entry for NETWORK (S-1-5-2): that SID is in every token that was signed in over the network,
 * so it would shut out an administrator in a remote shell (WinRM, sshd) on this very host. */
int pipe_security__text(PSID operators, PSID readers, struct buf *sddl, struct err *err)
{
    int rc = pipe_owner_give(sddl, err);
    if (!rc)
        buf_puts(sddl, "D:P(D;;GA;;;AN)(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)");
    if (!rc)
        rc = add_group(sddl, operators, err);
    if (!rc)
        rc = add_group(sddl, readers, err);
    return rc ? rc : buf_check(sddl, "the access list of the control pipe", err);
}

int pipe_security(PSID operators, PSID readers, PSECURITY_DESCRIPTOR *ret, struct err *err)
{
    SCOPED(buf_free) struct buf sddl = BUF_INIT;
    SCOPED(scope_free) wchar_t *wide = NULL;
    int rc = pipe_security__text(operators, readers, &sddl, err);
    if (!rc)
        rc = utf_to_wide(buf_str(&sddl), &wide, err);
    if (!rc &&
        !ConvertStringSecurityDescriptorToSecurityDescriptorW(wide, SDDL_REVISION_1, ret, NULL))
        rc = err_set_win32(err, GetLastError(), "building the access list of the control pipe");
    return rc;
}

static enum pipe_right right_of(HANDLE token, PSID operators, PSID readers)
{
    SCOPED(local_free) PSID admins = NULL;
    SCOPED(local_free) PSID system = NULL;
    if (!sid_of("S-1-5-32-544", &admins, NULL) && token_has(token, admins))
        return PIPE_RIGHT_ADMIN;
    if (!sid_of("S-1-5-18", &system, NULL) && token_has(token, system))
        return PIPE_RIGHT_ADMIN;
    if (operators && token_has(token, operators))
        return PIPE_RIGHT_OPERATE;
    if (readers && token_has(token, readers))
        return PIPE_RIGHT_READ;
    return PIPE_RIGHT_NONE;
}

/* The client decides how far it can be impersonated; identification is enough to read its token. */
int pipe_peer_identify(HANDLE pipe, PSID operators, PSID readers, struct pipe_peer *ret,
                       struct err *err)
{
    SCOPED(handle_close) HANDLE token = NULL;
    SCOPED(scope_free) TOKEN_USER *user = NULL;
    struct pipe_peer peer = {.right = PIPE_RIGHT_NONE};
    if (!ImpersonateNamedPipeClient(pipe))
        return err_set_win32(err, GetLastError(), "asking who is at the other end of the pipe");
    BOOL ok = OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token);
    DWORD e = GetLastError();
    if (!RevertToSelf())
        abort(); /* never go on with somebody else's identity */
    if (!ok)
        return err_set_win32(err, e, "asking who is at the other end of the pipe");
    int rc = token_user(token, &user, err);
    if (!rc)
        rc = sid_format(user->User.Sid, peer.sid, sizeof peer.sid, err);
    if (rc)
        return rc;
    sid_name(user->User.Sid, peer.account, sizeof peer.account);
    ULONG pid = 0;
    if (GetNamedPipeClientProcessId(pipe, &pid))
        peer.pid = pid;
    peer.right = right_of(token, operators, readers);
    *ret = peer;
    return ERR_OK;
}
