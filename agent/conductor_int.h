/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Shared by conductor.c (thread and queue), acts.c (verbs that act) and looks.c (verbs that look).
 */
#ifndef CRLAGENT_AGENT_CONDUCTOR_INT_H
#define CRLAGENT_AGENT_CONDUCTOR_INT_H

#include <windows.h>

#include "agent/conductor.h"
#include "agent/cli.h"
#include "agent/document.h"
#include "agent/refusals.h"
#include "agent/watcher.h"
#include "protocol/protocol.h"

struct act; /* a verb of acts.c */

struct job {
    struct job *next;
    const struct act *act;
    struct pipe_call *call;
    struct pipe_peer peer;
    struct protocol_request req;
};

struct conductor {
    struct conductor_setup setup;
    struct maint_seams seams; /* with our clock, progress and stopping */
    struct clock clock;
    HANDLE thread, stop; /* stop: manual-reset event */
    SRWLOCK lock;        /* guards what follows */
    CONDITION_VARIABLE wake;
    struct job *queue, **queue_end;
    struct job *running; /* also in progress messages; NULL = idle */
    bool stopping, poked;
    bool cancel;                  /* the running verb should leave: an abort waits */
    char step[PROTOCOL_TEXT_MAX]; /* last progress text */
    struct watcher *watcher;      /* NULL until it has started */
    SRWLOCK audit_lock;           /* guards the next two: requests come in on many threads */
    struct store *audit;          /* for refusals; the other store is the thread's */
    struct refusals refusals;
    /* owned by the thread */
    struct store *store;
    struct maint *maint;
    bool marked;          /* the marker file for setup is there */
    int64_t export_after; /* UTC: no bundle is tried before, also when the store takes no timer */
    int64_t rest_until;   /* UTC: nothing is tried again before; 0 = no rest */
};

/* acts.c */
struct act {
    const char *verb;
    enum pipe_right right;
    bool takes;   /* wants the CA for a change of its own: refused at once while another's runs */
    bool cancels; /* makes a running 'takes' verb leave */
    enum maint_outcome (*run)(struct maint *m, const struct maint_request *req,
                              const struct protocol_request *from, struct maint_answer *ret);
};
const struct act *act_find(const char *verb);
/* On the conductor's thread; answers the call. */
void act_run(struct conductor *c, struct job *job);
/* After every call of the engine: writes the evidence bundle when the maintenance has ended. *ret
 * says where it is. On the conductor's thread. */
void act_settle(struct conductor *c, const char *verb, const struct maint_answer *a,
                struct document_evidence *ret);

/* Writes a bundle that could not be written before, when its next try is due or at once. On the
 * conductor's thread. */
void act_export(struct conductor *c, bool at_once);

/* looks.c: true when verb is one that looks; it has been answered then. */
bool look_answer(struct conductor *c, struct pipe_call *call, const struct pipe_peer *peer,
                 const struct protocol_request *req);

/* Answers a call and gives it up. */
void call_answer(struct pipe_call *call, int exit_code, const char *message, const char *document,
                 size_t len);

struct watcher *conductor_watcher(struct conductor *c); /* NULL = not started */

/* One event to the configured sinks. */
void conductor_event(struct conductor *c, uint32_t id, enum severity severity, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

#endif
