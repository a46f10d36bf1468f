/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The conductor: the one thread that owns the maintenance engine and its store. Requests that act
 * are queued for it; requests that only look are answered at once on the thread they came in. A
 * client that goes away changes nothing: its job stays in the queue, and the same call later gets
 * the same answer from the engine. */
#ifndef CRLAGENT_AGENT_CONDUCTOR_H
#define CRLAGENT_AGENT_CONDUCTOR_H

#include "base/err.h"
#include "base/event.h"
#include "config/config.h"
#include "maint/maint.h"
#include "win32/pipe.h"

struct conductor;

struct conductor_setup {
    const struct maint_seams *seams; /* clock, progress and stopping are the conductor's own */
    const struct config *config;
    const struct maint_policy *policy;
    const char *store_path;
};

/* Opens the store and starts the thread, which reconciles first. What setup points to must outlive
 * the conductor. */
MUST_CHECK int conductor_start(const struct conductor_setup *setup, struct conductor **ret,
                               struct err *err);

/* Ends what runs at its next safe point and waits for the thread. Waiting calls are answered. NULL
 * is fine. */
void conductor_stop(struct conductor *c);

/* A complete request from the pipe: parses it, checks the caller's right, answers or queues it.
 * Any thread. */
void conductor_request(struct conductor *c, struct pipe_call *call, const struct pipe_peer *peer,
                       const char *data, size_t len);

/* Who answers "check" and "report", and knows the runway for status. Before the first request. */
struct watcher;
void conductor_set_watcher(struct conductor *c, struct watcher *w);

/* A watched service changed: look now, not at the next tick. Any thread. */
void conductor_poke(struct conductor *c);

#endif
