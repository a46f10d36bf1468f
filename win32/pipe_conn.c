/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/pipe_conn.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/when.h"
#include "win32/token.h"

/* Answers that wait for a client that reads slowly. */
#define QUEUE_MAX (4u * LIMIT_PIPE_MESSAGE)
#define BURST 10 /* requests that may come at once before the rate counts */

struct conn {
    volatile LONG refs;         /* the client's thread and each call that is out */
    struct pipe_server *server; /* valid for the thread only */
    HANDLE pipe;                /* the thread's alone */
    HANDLE wake;                /* auto reset: something changed under the lock */
    CRITICAL_SECTION lock;      /* guards what follows */
    struct buf queue;           /* frames to send */
    bool calling;               /* a request waits for its final answer */
    bool gone;                  /* no client any more */
    bool broken;                /* an answer was lost: cut the client off */
};

/* What only the client's thread knows. */
struct side {
    struct conn *c;
    struct pipe_io in, out;
    char chunk[4096];
    struct buf received, sending;
    struct pipe_peer peer;
    bool known;            /* peer is filled */
    int64_t quiet_since;   /* mono ms: end of the last request, or the connection */
    int64_t sending_since; /* mono ms */
    int64_t next_request;  /* mono ms, for the rate */
};

struct pipe_call {
    struct conn *c;
};

static void conn_release(struct conn *c)
{
    if (InterlockedDecrement(&c->refs))
        return;
    handle_close(&c->wake);
    buf_clear(&c->queue);
    DeleteCriticalSection(&c->lock);
    free(c);
}

static int64_t now_ms(void)
{
    return clock_mono_ms(clock_system());
}

/* Answers ------------------------------------------------------------------------------------- */

static int enqueue(struct pipe_call *call, enum pipe_kind kind, const char *data, size_t len,
                   struct err *err)
{
    SCOPED(buf_free) struct buf frame = BUF_INIT;
    struct conn *c = call->c;
    int rc = pipe_frame(kind, data, len, &frame, err);
    EnterCriticalSection(&c->lock);
    if (rc) {
        c->broken |= kind == PIPE_FINAL;
    } else if (!c->gone && (kind == PIPE_FINAL || c->queue.len + frame.len <= QUEUE_MAX)) {
        if (buf_add(&c->queue, frame.data, frame.len))
            c->broken |= kind == PIPE_FINAL;
        c->queue.failed = 0;
    }
    if (kind == PIPE_FINAL)
        c->calling = false;
    SetEvent(c->wake);
    LeaveCriticalSection(&c->lock);
    return rc;
}

int pipe_call_progress(struct pipe_call *call, const char *data, size_t len, struct err *err)
{
    return enqueue(call, PIPE_PROGRESS, data, len, err);
}

int pipe_call_finish(struct pipe_call *call, const char *data, size_t len, struct err *err)
{
    int rc = enqueue(call, PIPE_FINAL, data, len, err);
    conn_release(call->c);
    free(call);
    return rc;
}

bool pipe_call_gone(const struct pipe_call *call)
{
    EnterCriticalSection(&call->c->lock);
    bool gone = call->c->gone;
    LeaveCriticalSection(&call->c->lock);
    return gone;
}

/* Requests ------------------------------------------------------------------------------------ */

static bool calling(struct conn *c)
{
    EnterCriticalSection(&c->lock);
    bool yes = c->calling;
    LeaveCriticalSection(&c->lock);
    return yes;
}

/* Waits when requests come faster than the rate; false = the server ends. */
static bool keep_rate(struct side *side)
{
    const struct pipe_server *s = side->c->server;
    int64_t interval = 1000 / (int64_t)s->rate;
    int64_t now = now_ms();
    int64_t earliest = now - BURST * interval;
    if (side->next_request < earliest)
        side->next_request = earliest;
    side->next_request += interval;
    int64_t wait = side->next_request - now;
    return wait <= 0 || WaitForSingleObject(s->stop, (DWORD)wait) == WAIT_TIMEOUT;
}

static void drop_front(struct buf *b, size_t n)
{
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
    b->data[b->len] = '\0';
}

static bool serve(struct side *side, size_t len)
{
    struct conn *c = side->c;
    struct pipe_server *s = c->server;
    if (!side->known && pipe_peer_identify(c->pipe, s->operators, s->readers, &side->peer, NULL))
        return false;
    side->known = true;
    if (!keep_rate(side))
        return false;
    struct pipe_call *call = calloc(1, sizeof *call);
    if (!call)
        return false;
    call->c = c;
    InterlockedIncrement(&c->refs);
    EnterCriticalSection(&c->lock);
    c->calling = true;
    LeaveCriticalSection(&c->lock);
    s->request(s->arg, call, &side->peer, side->received.data + PIPE_HEADER, len);
    drop_front(&side->received, PIPE_HEADER + len);
    side->quiet_since = now_ms();
    return true;
}

/* Serves the requests that are complete, one after the other; false = not the protocol. */
static bool take_requests(struct side *side)
{
    while (side->received.len >= PIPE_HEADER && !calling(side->c)) {
        enum pipe_kind kind;
        size_t len;
        if (pipe_frame_head(side->received.data, &kind, &len, NULL) || kind != PIPE_REQUEST)
            return false;
        if (side->received.len < PIPE_HEADER + len)
            return true;
        if (!serve(side, len))
            return false;
    }
    return true;
}

/* The loop ------------------------------------------------------------------------------------ */

static bool begin_read(struct side *side)
{
    return side->in.pending ||
           pipe_io_read(&side->in, side->c->pipe, side->chunk, sizeof side->chunk) == ERROR_SUCCESS;
}

static bool end_read(struct side *side)
{
    DWORD n = 0;
    if (pipe_io_result(&side->in, side->c->pipe, &n))
        return false;
    /* One request and the beginning of the next is all that a client may have on its way. */
    if (side->received.len + n > 2 * (LIMIT_PIPE_MESSAGE + PIPE_HEADER))
        return false;
    return buf_add(&side->received, side->chunk, n) == 0;
}

/* Moves the queue into the write buffer; false = cut off. */
static bool begin_write(struct side *side)
{
    struct conn *c = side->c;
    if (side->out.pending)
        return true;
    buf_clear(&side->sending);
    EnterCriticalSection(&c->lock);
    bool broken = c->broken;
    side->sending = c->queue;
    c->queue = (struct buf)BUF_INIT;
    LeaveCriticalSection(&c->lock);
    if (broken)
        return false;
    if (!side->sending.len)
        return true;
    side->sending_since = now_ms();
    return pipe_io_write(&side->out, c->pipe, side->sending.data, (DWORD)side->sending.len) ==
           ERROR_SUCCESS;
}

/* Milliseconds until the client has been silent, or has not read, for too long; INFINITE = never.
 */
static DWORD patience(const struct side *side)
{
    int64_t idle = side->c->server->idle_ms;
    int64_t now = now_ms();
    int64_t left = INT64_MAX;
    if (side->out.pending)
        left = side->sending_since + idle - now;
    else if (!calling(side->c))
        left = side->quiet_since + idle - now;
    return left == INT64_MAX ? INFINITE : left < 0 ? 0 : (DWORD)left;
}

/* One turn; false ends the connection. */
static bool turn(struct side *side)
{
    if (!begin_read(side) || !begin_write(side))
        return false;
    HANDLE wait[4] = {side->c->server->stop, side->c->wake, side->in.ov.hEvent,
                      side->out.ov.hEvent};
    DWORD n_wait = side->out.pending ? 4 : 3;
    bool was_calling = calling(side->c);
    switch (WaitForMultipleObjects(n_wait, wait, FALSE, patience(side))) {
    case WAIT_OBJECT_0 + 1:
        if (was_calling)
            side->quiet_since = now_ms();
        return take_requests(side);
    case WAIT_OBJECT_0 + 2:
        return end_read(side) && take_requests(side);
    case WAIT_OBJECT_0 + 3: {
        DWORD n;
        side->quiet_since = now_ms();
        return pipe_io_result(&side->out, side->c->pipe, &n) == ERROR_SUCCESS;
    }
    default: /* the server ends, or patience does */
        return false;
    }
}

static DWORD WINAPI conn_thread(void *arg)
{
    struct side *side = arg;
    struct conn *c = side->c;
    side->quiet_since = now_ms();
    while (turn(side))
        ;
    pipe_io_end(&side->in, c->pipe);
    pipe_io_end(&side->out, c->pipe);
    EnterCriticalSection(&c->lock);
    c->gone = true;
    LeaveCriticalSection(&c->lock);
    pipe_conn_closed(c->server, c->pipe);
    buf_clear(&side->received);
    buf_clear(&side->sending);
    free(side);
    conn_release(c);
    return 0;
}

int pipe_conn_start(struct pipe_server *s, HANDLE pipe)
{
    struct conn *c = calloc(1, sizeof *c);
    struct side *side = calloc(1, sizeof *side);
    HANDLE thread = NULL;
    if (!c || !side) {
        free(c);
        free(side);
        return ERR_NOMEM;
    }
    InitializeCriticalSection(&c->lock);
    c->refs = 1;
    c->server = s;
    c->pipe = pipe;
    c->wake = CreateEventW(NULL, FALSE, FALSE, NULL);
    side->c = c;
    if (c->wake && !pipe_io_init(&side->in, NULL) && !pipe_io_init(&side->out, NULL))
        thread = CreateThread(NULL, 0, conn_thread, side, 0, NULL);
    if (!thread) {
        pipe_io_end(&side->in, pipe);
        pipe_io_end(&side->out, pipe);
        free(side);
        conn_release(c);
        return ERR_NOMEM;
    }
    CloseHandle(thread);
    return ERR_OK;
}
