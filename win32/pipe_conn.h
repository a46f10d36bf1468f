/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The server side of one client; shared by pipe_server.c and pipe_conn.c. */
#ifndef CRLAGENT_WIN32_PIPE_CONN_H
#define CRLAGENT_WIN32_PIPE_CONN_H

#include "win32/pipe_int.h"

struct pipe_server {
    volatile LONG refs; /* the owner, and each client's thread */
    wchar_t *name;
    PSID operators, readers; /* NULL = none */
    PSECURITY_DESCRIPTOR security;
    unsigned max_clients;
    uint32_t idle_ms, rate;
    pipe_request_fn request;
    void *arg;
    HANDLE stop;   /* manual reset: everybody ends */
    HANDLE slot;   /* auto reset: a client has gone */
    HANDLE thread; /* the listener */
    HANDLE first;  /* first instance, until the listener takes it */
    struct pipe_io listen;
    CRITICAL_SECTION lock; /* guards what follows */
    unsigned clients;
    bool starved; /* the listener waits for an instance */
    HANDLE spare; /* an instance handed back by a client that has gone */
};

/* Starts the thread of a connected client, which calls pipe_conn_closed at its end. On failure the
 * caller keeps the handle. */
MUST_CHECK int pipe_conn_start(struct pipe_server *s, HANDLE pipe);

/* The client's thread is done with pipe (takes it) and with the server. */
void pipe_conn_closed(struct pipe_server *s, HANDLE pipe);

#endif
