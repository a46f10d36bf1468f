/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/pipe_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/when.h"
#include "win32/token.h"
#include "win32/werr.h"

struct pipe_client {
    HANDLE pipe;
    struct pipe_io in, out;
    char chunk[4096];
    struct buf received;
};

/* What the groups of the pipe's access list are given: GENERIC_WRITE would ask for the right to
 * make instances too and be refused. GENERIC_READ has the right to see the owner. */
#define CLIENT_RIGHTS (GENERIC_READ | FILE_WRITE_DATA | FILE_WRITE_ATTRIBUTES)

static int64_t now_ms(void)
{
    return clock_mono_ms(clock_system());
}

static DWORD left_ms(int64_t end)
{
    int64_t left = end - now_ms();
    return left < 0 ? 0 : (DWORD)left;
}

/* The server may learn who we are, but not act as us. */
static int connect_pipe(const wchar_t *wide, const char *name, int64_t timeout_ms, HANDLE *ret,
                        struct err *err)
{
    int64_t end = now_ms() + timeout_ms;
    for (;;) {
        HANDLE h = CreateFileW(
            wide, CLIENT_RIGHTS, 0, NULL, OPEN_EXISTING,
            FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
        if (h != INVALID_HANDLE_VALUE) {
            *ret = h;
            return ERR_OK;
        }
        DWORD e = GetLastError();
        if (e == ERROR_FILE_NOT_FOUND)
            return err_set_os(err, ERR_UNAVAILABLE, (long)e,
                              "the crlagent service does not listen on '%s'; is it running? "
                              "('crlagent status', 'crlagent start')",
                              name);
        if (e == ERROR_ACCESS_DENIED)
            return err_set_os(err, ERR_DENIED, (long)e,
                              "this account may not talk to the crlagent service; expected an "
                              "elevated administrator or a member of the operators or readers "
                              "group of its configuration");
        if (e != ERROR_PIPE_BUSY)
            return err_set_win32(err, e, "connecting to '%s'", name);
        DWORD left = left_ms(end);
        if (!left)
            return err_set_os(err, ERR_BUSY, (long)e,
                              "all places of the crlagent service stayed taken for %lld ms",
                              (long long)timeout_ms);
        WaitNamedPipeW(wide, left < 200 ? left : 200);
    }
}

static int check_server(HANDLE pipe, uint32_t server_pid, struct err *err)
{
    ULONG pid = 0;
    if (!server_pid)
        return pipe_owner_check(pipe, err);
    if (!GetNamedPipeServerProcessId(pipe, &pid))
        return err_set_win32(err, GetLastError(), "asking who serves the control pipe");
    if (pid != server_pid)
        return err_set(err, ERR_UNAVAILABLE,
                       "the control pipe is served by process %lu; expected the crlagent service "
                       "(process %lu). Nothing was sent",
                       (unsigned long)pid, (unsigned long)server_pid);
    return ERR_OK;
}

int pipe_client_open(const char *name, uint32_t server_pid, int64_t timeout_ms,
                     struct pipe_client **ret, struct err *err)
{
    SCOPED(scope_free) wchar_t *wide = NULL;
    int rc = pipe_name(name, &wide, err);
    if (rc)
        return rc;
    struct pipe_client *c = calloc(1, sizeof *c);
    if (!c)
        return err_nomem(err);
    rc = connect_pipe(wide, name, timeout_ms, &c->pipe, err);
    if (!rc)
        rc = check_server(c->pipe, server_pid, err);
    if (!rc)
        rc = pipe_io_init(&c->in, err);
    if (!rc)
        rc = pipe_io_init(&c->out, err);
    if (rc) {
        pipe_client_close(c);
        return rc;
    }
    *ret = c;
    return ERR_OK;
}

void pipe_client_close(struct pipe_client *c)
{
    if (!c)
        return;
    pipe_io_end(&c->in, c->pipe);
    pipe_io_end(&c->out, c->pipe);
    handle_close(&c->pipe);
    buf_clear(&c->received);
    free(c);
}

static int ended(DWORD e, struct err *err)
{
    if (e == ERROR_BROKEN_PIPE || e == ERROR_PIPE_NOT_CONNECTED || e == ERROR_NO_DATA)
        return err_set_os(err, ERR_UNAVAILABLE, (long)e,
                          "the crlagent service has closed the connection");
    return err_set_win32(err, e, "talking to the crlagent service");
}

int pipe_client_send(struct pipe_client *c, const char *data, size_t len, int64_t timeout_ms,
                     struct err *err)
{
    SCOPED(buf_free) struct buf frame = BUF_INIT;
    int64_t end = now_ms() + timeout_ms;
    int rc = pipe_frame(PIPE_REQUEST, data, len, &frame, err);
    size_t sent = 0;
    while (!rc && sent < frame.len) {
        DWORD n = 0;
        DWORD e = pipe_io_write(&c->out, c->pipe, frame.data + sent, (DWORD)(frame.len - sent));
        if (!e && WaitForSingleObject(c->out.ov.hEvent, left_ms(end)) != WAIT_OBJECT_0) {
            CancelIoEx(c->pipe, &c->out.ov);
            pipe_io_result(&c->out, c->pipe, &n);
            return err_set(err, ERR_TIMEOUT,
                           "the crlagent service did not take a message within %lld ms",
                           (long long)timeout_ms);
        }
        if (!e)
            e = pipe_io_result(&c->out, c->pipe, &n);
        if (e)
            rc = ended(e, err);
        sent += n;
    }
    return rc;
}

/* Moves a complete message out of what was received; *ret_there = false when more bytes are
 * needed. */
static int take_message(struct pipe_client *c, enum pipe_kind *ret_kind, struct buf *ret,
                        bool *ret_there, struct err *err)
{
    enum pipe_kind kind;
    size_t len;
    *ret_there = false;
    if (c->received.len < PIPE_HEADER)
        return ERR_OK;
    int rc = pipe_frame_head(c->received.data, &kind, &len, err);
    if (!rc && kind == PIPE_REQUEST)
        rc = err_set(err, ERR_PARSE, "the crlagent service sent a request; expected an answer");
    if (rc || c->received.len < PIPE_HEADER + len)
        return rc;
    buf_add(ret, c->received.data + PIPE_HEADER, len);
    size_t used = PIPE_HEADER + len;
    memmove(c->received.data, c->received.data + used, c->received.len - used);
    c->received.len -= used;
    *ret_kind = kind;
    *ret_there = true;
    return buf_check(ret, "an answer of the crlagent service", err);
}

int pipe_client_receive(struct pipe_client *c, int64_t timeout_ms, enum pipe_kind *ret_kind,
                        struct buf *ret, struct err *err)
{
    int64_t end = now_ms() + timeout_ms;
    for (;;) {
        bool there;
        DWORD n = 0;
        int rc = take_message(c, ret_kind, ret, &there, err);
        if (rc || there)
            return rc;
        DWORD e = ERROR_SUCCESS;
        if (!c->in.pending)
            e = pipe_io_read(&c->in, c->pipe, c->chunk, sizeof c->chunk);
        /* The read stays under way: the next call picks it up. */
        if (!e && WaitForSingleObject(c->in.ov.hEvent, left_ms(end)) != WAIT_OBJECT_0)
            return err_set(err, ERR_TIMEOUT, "the crlagent service did not answer within %lld ms",
                           (long long)timeout_ms);
        if (!e)
            e = pipe_io_result(&c->in, c->pipe, &n);
        if (e)
            return ended(e, err);
        if (buf_add(&c->received, c->chunk, n))
            return buf_check(&c->received, "an answer of the crlagent service", err);
    }
}
