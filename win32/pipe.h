/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The control pipe: bounded messages between the command line and the service on one machine.
 *
 * On the wire a message is a frame: 4 bytes length (little-endian, of what follows the header), 1
 * byte kind, then the bytes. A client sends a REQUEST; the server answers with any number of
 * PROGRESS and one FINAL; then the next request may come. What is not of that form, is longer than
 * LIMIT_PIPE_MESSAGE, or is not complete within the idle time ends that one connection and nothing
 * else. No Windows type shows here. */
#ifndef CRLAGENT_WIN32_PIPE_H
#define CRLAGENT_WIN32_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define PIPE_CONTROL_NAME "\\\\.\\pipe\\crlagent\\control"

enum pipe_kind { PIPE_REQUEST = 'Q', PIPE_PROGRESS = 'P', PIPE_FINAL = 'F' };

/* What the caller may do, from the groups in its token; each level includes those before. */
enum pipe_right { PIPE_RIGHT_NONE, PIPE_RIGHT_READ, PIPE_RIGHT_OPERATE, PIPE_RIGHT_ADMIN };

struct pipe_peer {
    char sid[190];     /* "S-1-5-..." of the caller */
    char account[256]; /* "DOMAIN\\name", the SID when the name is not known */
    uint32_t pid;      /* for the audit only: a process id proves nothing */
    enum pipe_right right;
};

/* Server ------------------------------------------------------------------------------------- */

struct pipe_server;
struct pipe_call; /* one request that waits for its final answer */

/* A complete request. Runs on the connection's own thread; data lives during the call only. Take
 * the call along and answer from any thread, or answer at once. Every call needs exactly one
 * pipe_call_finish. */
typedef void (*pipe_request_fn)(void *arg, struct pipe_call *call, const struct pipe_peer *peer,
                                const char *data, size_t len);

struct pipe_server_setup {
    const char *name;      /* PIPE_CONTROL_NAME, or another for tests */
    const char *operators; /* group that may run maintenance: account name or SID; NULL = none */
    const char *readers;   /* group that may ask for the status; NULL = none */
    unsigned max_clients;  /* 0 = LIMIT_PIPE_CLIENTS */
    uint32_t idle_ms;      /* 0 = LIMIT_PIPE_IDLE_MS */
    uint32_t rate;         /* requests per second and connection, 0 = 50; faster ones wait */
    pipe_request_fn request;
    void *arg;
};

/* ERR_EXISTS when another process owns the name already (somebody squats on it). */
MUST_CHECK int pipe_server_open(const struct pipe_server_setup *setup, struct pipe_server **ret,
                                struct err *err);

/* Refuses new clients, cuts those that are there and waits for their threads. Calls that are still
 * out stay valid (their answers go nowhere) until they are finished. NULL is fine. */
void pipe_server_close(struct pipe_server *s);

/* Never block and never fail the caller: a client that does not read loses progress messages
 * first, then its connection. ERR_LIMIT when len > LIMIT_PIPE_MESSAGE. */
int pipe_call_progress(struct pipe_call *call, const char *data, size_t len, struct err *err);

/* The last answer; call must not be used afterwards. */
int pipe_call_finish(struct pipe_call *call, const char *data, size_t len, struct err *err);

/* The client is no longer there. It changes nothing about what was asked for. */
bool pipe_call_gone(const struct pipe_call *call);

/* Client ------------------------------------------------------------------------------------- */

struct pipe_client;

/* Waits up to timeout_ms for a free place. server_pid: the service's from the SCM, a server with
 * another one is refused; 0 = not known, the pipe must then belong to SYSTEM, Administrators or the
 * service's SID. ERR_UNAVAILABLE when nobody listens, or somebody else (nothing is sent to him),
 * ERR_DENIED, ERR_BUSY when all places stay taken. */
MUST_CHECK int pipe_client_open(const char *name, uint32_t server_pid, int64_t timeout_ms,
                                struct pipe_client **ret, struct err *err);

/* ERR_LIMIT, ERR_TIMEOUT, ERR_UNAVAILABLE when the server has gone. */
MUST_CHECK int pipe_client_send(struct pipe_client *c, const char *data, size_t len,
                                int64_t timeout_ms, struct err *err);

/* One PROGRESS or FINAL message is appended to *ret. ERR_TIMEOUT leaves the connection usable. */
MUST_CHECK int pipe_client_receive(struct pipe_client *c, int64_t timeout_ms,
                                   enum pipe_kind *ret_kind, struct buf *ret, struct err *err);

void pipe_client_close(struct pipe_client *c);

#endif
