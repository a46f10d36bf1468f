/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* One thread listens; each client has a thread of its own (at most max_clients), so that nothing
 * one client does or leaves undone is felt by another. A client's thread is the only one that
 * touches its pipe; answers from other threads go through a queue. A connection and the server live
 * until the last one who knows them lets go (calls that are out, threads). */
#include "win32/pipe_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/when.h"
#include "win32/pipe_conn.h"
#include "win32/token.h"
#include "win32/werr.h"

static void server_release(struct pipe_server *s)
{
    if (InterlockedDecrement(&s->refs))
        return;
    handle_close(&s->stop);
    handle_close(&s->slot);
    handle_close(&s->spare);
    local_free(&s->operators);
    local_free(&s->readers);
    local_free(&s->security);
    free(s->name);
    DeleteCriticalSection(&s->lock);
    free(s);
}

/* The first instance must be the first of that name on the machine: otherwise somebody else owns
 * the name and would get our clients. */
static HANDLE make_instance(struct pipe_server *s, bool first)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, s->security, FALSE};
    HANDLE h = CreateNamedPipeW(
        s->name,
        PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | (first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0),
        PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
        s->max_clients + 1, LIMIT_PIPE_MESSAGE, 8192, 0, &attributes);
    return h == INVALID_HANDLE_VALUE ? NULL : h;
}

void pipe_conn_closed(struct pipe_server *s, HANDLE pipe)
{
    EnterCriticalSection(&s->lock);
    s->clients--;
    /* The listener waits for a place and holds no instance: hand it ours, so that the name never
     * disappears from the machine. */
    if (s->starved && !s->spare) {
        DisconnectNamedPipe(pipe);
        s->spare = pipe;
    } else {
        CloseHandle(pipe);
    }
    SetEvent(s->slot);
    LeaveCriticalSection(&s->lock);
    server_release(s);
}

/* Takes the handle. */
static void start_client(struct pipe_server *s, HANDLE pipe)
{
    EnterCriticalSection(&s->lock);
    s->clients++;
    LeaveCriticalSection(&s->lock);
    InterlockedIncrement(&s->refs);
    if (pipe_conn_start(s, pipe))
        pipe_conn_closed(s, pipe); /* no memory or thread: this one client loses */
}

/* The instance to listen on next, NULL at the end of the server. */
static HANDLE next_instance(struct pipe_server *s)
{
    HANDLE wait[2] = {s->stop, s->slot};
    for (;;) {
        EnterCriticalSection(&s->lock);
        HANDLE h = s->spare;
        bool room = s->clients < s->max_clients;
        s->spare = NULL;
        s->starved = !room && !h;
        LeaveCriticalSection(&s->lock);
        if (!h && room)
            h = make_instance(s, false);
        if (h)
            return h;
        /* No place, or no memory for an instance: a place that gets free is the moment to look
         * again; the time-out covers the second case. */
        if (WaitForMultipleObjects(2, wait, FALSE, 1000) == WAIT_OBJECT_0)
            return NULL;
    }
}

/* true when a client is there. */
static bool wait_client(struct pipe_server *s, HANDLE pipe, struct pipe_io *io)
{
    DWORD len;
    ResetEvent(io->ov.hEvent);
    if (ConnectNamedPipe(pipe, &io->ov))
        return true;
    switch (GetLastError()) {
    case ERROR_PIPE_CONNECTED:
        return true;
    case ERROR_IO_PENDING:
        break;
    default: /* came and went before we listened */
        return false;
    }
    io->pending = true;
    HANDLE wait[2] = {s->stop, io->ov.hEvent};
    if (WaitForMultipleObjects(2, wait, FALSE, INFINITE) == WAIT_OBJECT_0) {
        CancelIoEx(pipe, &io->ov);
        pipe_io_result(io, pipe, &len);
        return false;
    }
    return pipe_io_result(io, pipe, &len) == ERROR_SUCCESS;
}

static DWORD WINAPI listen_thread(void *arg)
{
    struct pipe_server *s = arg;
    HANDLE pipe = s->first;
    s->first = NULL;
    while (pipe) {
        bool there = wait_client(s, pipe, &s->listen);
        if (WaitForSingleObject(s->stop, 0) == WAIT_OBJECT_0) {
            CloseHandle(pipe);
            break;
        }
        if (!there) {
            DisconnectNamedPipe(pipe);
            continue;
        }
        /* The next instance exists before this one can go away. */
        EnterCriticalSection(&s->lock);
        bool last = s->clients + 1 >= s->max_clients;
        s->starved = last;
        LeaveCriticalSection(&s->lock);
        HANDLE next = last ? NULL : next_instance(s);
        start_client(s, pipe);
        pipe = next ? next : next_instance(s);
    }
    pipe_io_end(&s->listen, NULL);
    return 0;
}

static int first_instance(struct pipe_server *s, const char *name, struct err *err)
{
    DWORD instances = 0;
    HANDLE h = make_instance(s, true);
    DWORD e = h ? ERROR_SUCCESS : GetLastError();
    /* Wine does not know the first-instance flag; counting catches it there too. */
    if (h && GetNamedPipeHandleStateW(h, NULL, &instances, NULL, NULL, NULL, 0) && instances > 1)
        e = ERROR_ACCESS_DENIED;
    if (!e) {
        s->first = h;
        return ERR_OK;
    }
    handle_close(&h);
    if (e == ERROR_ACCESS_DENIED || e == ERROR_PIPE_BUSY)
        return err_set_os(err, ERR_EXISTS, (long)e,
                          "another process owns the pipe '%s' already: is the service running "
                          "twice? ('crlagent status')",
                          name);
    return err_set_win32(err, e, "creating the pipe '%s'", name);
}

static int prepare(struct pipe_server *s, const struct pipe_server_setup *setup, struct err *err)
{
    int rc = pipe_name(setup->name, &s->name, err);
    if (!rc && setup->operators)
        rc = sid_of(setup->operators, &s->operators, err);
    if (!rc && setup->readers)
        rc = sid_of(setup->readers, &s->readers, err);
    if (!rc)
        rc = pipe_security(s->operators, s->readers, &s->security, err);
    if (!rc)
        rc = pipe_io_init(&s->listen, err);
    if (rc)
        return rc;
    s->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    s->slot = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (!s->stop || !s->slot)
        return err_set_win32(err, GetLastError(), "preparing the control pipe");
    return first_instance(s, setup->name, err);
}

int pipe_server_open(const struct pipe_server_setup *setup, struct pipe_server **ret,
                     struct err *err)
{
    struct pipe_server *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(err);
    InitializeCriticalSection(&s->lock);
    s->refs = 1;
    s->max_clients = setup->max_clients ? setup->max_clients : LIMIT_PIPE_CLIENTS;
    s->idle_ms = setup->idle_ms ? setup->idle_ms : LIMIT_PIPE_IDLE_MS;
    s->rate = setup->rate ? setup->rate : 50;
    s->request = setup->request;
    s->arg = setup->arg;
    int rc = prepare(s, setup, err);
    if (!rc) {
        s->thread = CreateThread(NULL, 0, listen_thread, s, 0, NULL);
        if (!s->thread)
            rc = err_set_win32(err, GetLastError(), "starting to listen on '%s'", setup->name);
    }
    if (rc) {
        handle_close(&s->first);
        pipe_io_end(&s->listen, NULL);
        server_release(s);
        return rc;
    }
    *ret = s;
    return ERR_OK;
}

void pipe_server_close(struct pipe_server *s)
{
    if (!s)
        return;
    SetEvent(s->stop);
    WaitForSingleObject(s->thread, INFINITE);
    handle_close(&s->thread);
    for (;;) {
        EnterCriticalSection(&s->lock);
        bool busy = s->clients > 0;
        LeaveCriticalSection(&s->lock);
        if (!busy)
            break;
        WaitForSingleObject(s->slot, 1000);
    }
    server_release(s);
}
