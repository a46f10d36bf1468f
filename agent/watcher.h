/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The thread of the continuous watch (common/watch). It has a store of its own and shares nothing
 * with the conductor: a location that is slow delays no hook. */
#ifndef CRLAGENT_AGENT_WATCHER_H
#define CRLAGENT_AGENT_WATCHER_H

#include "config/config.h"
#include "maint/maint.h"
#include "protocol/protocol.h"
#include "win32/pipe.h"

struct watcher;

struct watcher_setup {
    const struct maint_seams *seams;   /* svc, settings, key and prober are used */
    const struct maint_locate *locate; /* what is watched */
    struct event_sink events;          /* without notices: the watch queues its own */
    const struct config *config;
    const char *service;
    const char *store_path;  /* exists already */
    void (*told)(void *arg); /* after each look: notices may be waiting */
    void *told_arg;
};

/* What setup points to must outlive the watcher. */
MUST_CHECK int watcher_start(const struct watcher_setup *setup, struct watcher **ret,
                             struct err *err);

/* False: the thread waits for something outside (a location, the HSM) and was left to itself, for
 * the end of the program; nothing it uses may be freed. NULL is fine. */
bool watcher_stop(struct watcher *w);

/* "check" and "simulate" (a look now) and "report" (the last look); true when verb is one of them:
 * the call is answered then, now or later. Any thread. */
bool watcher_request(struct watcher *w, struct pipe_call *call, const struct pipe_peer *peer,
                     const struct protocol_request *req);

/* The newest look, for status. */
struct watcher_last {
    bool known;
    int64_t when;
    struct runway runway;
    char ca[128];
    uint64_t muted; /* expected alarms of the open maintenance, counted and not told */
};
void watcher_last(struct watcher *w, struct watcher_last *ret);

/* The same look, for the engine; false = there is none yet. */
bool watcher_seen(struct watcher *w, struct probe_seen *ret);

/* A look as soon as possible: the CRLs or the state of the CA have changed. Any thread; NULL is
 * fine. */
void watcher_refresh(struct watcher *w);

#endif
