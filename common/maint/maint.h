/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The engine that takes a CA out of use and brings it back. One thread (the conductor) owns a
 * struct maint and its store; every verb runs there from start to end and may take minutes. Other
 * threads read with maint_status_read() through a store of their own. Nothing here knows Windows:
 * all effects go through the seams. What is written when and what a crash leaves behind:
 * docs/maintenance.md. */
#ifndef CRLAGENT_MAINT_MAINT_H
#define CRLAGENT_MAINT_MAINT_H

#include "base/event.h"
#include "ca/keyprobe.h"
#include "maint/compare.h"
#include "maint/gate.h"
#include "maint/policy.h"
#include "maint/prove.h"
#include "maint/state.h"

/* One line of progress while a verb runs. */
struct maint_progress {
    int64_t maintenance; /* 0 = none yet */
    enum maint_state state;
    enum maint_step step;
    const char *subject; /* service, key or location, "" when none */
    const char *text;    /* for people; valid during the call only */
    int64_t when;
};

struct maint_seams {
    const struct clock *clock; /* sleep_ms returns non-zero when the program should stop */
    struct svc_control svc;
    struct ca_admin admin;
    struct ca_settings_reader settings;
    struct key_probe key;
    struct maint_locate locate;
    struct prober prober;
    struct event_sink events;
    struct ca_resigner resign;  /* resign NULL = no reserve CRLs */
    struct reserve_files files; /* ops NULL = no reserve CRLs */
    void (*progress)(void *self, const struct maint_progress *p); /* may be NULL */
    void *progress_self;
    /* Asked between steps and in waits: should the verb stop here? May be NULL. What is in the
     * store is then carried on by maint_reconcile after the next start. */
    bool (*stopping)(void *self);
    void *stopping_self;
    /* What the locations served right before the pause ("before") and after the last publication
     * ("after"): the view and the round live during the call only. May be NULL. */
    void (*snapshot)(void *self, int64_t maintenance, const char *phase, const struct ca_view *view,
                     const struct probe_round *round);
    void *snapshot_self;
    /* The newest look of the continuous watch, for the time while the CA is paused; false = there
     * is none, and the engine asks the locations itself. May be NULL. */
    bool (*seen)(void *self, struct probe_seen *ret);
    void *seen_self;
};

struct maint;
/* The seams' targets and the store must outlive the engine; policy is copied. */
MUST_CHECK int maint_new(const struct maint_seams *seams, struct store *store,
                         const struct maint_policy *policy, struct maint **ret, struct err *err);
void maint_free(struct maint **m); /* for SCOPED(); takes NULL */
/* A re-read configuration; a running maintenance keeps the deadline it has. */
void maint_set_policy(struct maint *m, const struct maint_policy *policy);

/* Fencing token: which maintenance, and which taking of it. An old driver cannot act on a newer
 * maintenance. id 0 = not given. */
struct maint_token {
    int64_t id, epoch;
};

struct maint_request {
    const char *sid;     /* of the caller, from the pipe; for owner and audit */
    const char *name;    /* DOMAIN\user */
    const char *change;  /* change ticket; the key of idempotency. Required but with take_over */
    const char *reason;  /* may be NULL */
    int64_t window;      /* seconds; required by prepare and extend */
    int64_t reserve;     /* seconds; -1 = the policy's */
    int deadline_action; /* enum maint_deadline_action; -1 = the policy's */
    struct maint_token token; /* optional */
    bool dry_run;      /* gate only: nothing is published, stopped or kept, but the audit row */
    bool prepare_only; /* stop at 'ready'; the same call without it goes on */
    bool take_over;    /* an operator acts on whatever maintenance there is */
};

/* What a verb leaves. err is filled whenever outcome is not MAINT_DONE: what, on what, expected and
 * found, who holds it, what to type. */
struct maint_answer {
    enum maint_outcome outcome;
    enum maint_state state;
    struct maint_token token;
    struct store_maintenance row; /* row.id 0 = there is none */
    bool repeated;                /* the same call was answered before; nothing was done again */
    struct gate_report gate;
    struct prove_report prove;          /* cover CRL or final publication */
    struct maint_comparison comparison; /* after maint_finish */
    struct store_reserve *reserve;      /* the living ones, after a reserve verb */
    size_t n_reserve;
    struct err err;
};
void maint_answer_free(struct maint_answer *a); /* for SCOPED(); takes a zeroed one */

/* Each verb fills *ret and returns ret->outcome. The caller frees *ret in any case. */

/* pre-upgrade, pause: discover, probe, gate, cover CRL and proof when the runway is short, then
 * stop what uses the HSM. Done = PAUSED (or READY with prepare_only). The same change id while that
 * maintenance is paused gives the same answer again. Outcomes: DONE, GATE_REFUSED, BUSY,
 * NOT_PROVEN, PAUSE_FAILED, DEADLINE_PASSED, USAGE, FAILED. */
MUST_CHECK enum maint_outcome maint_prepare(struct maint *m, const struct maint_request *req,
                                            struct maint_answer *ret);
/* post-upgrade, resume: accept the HSM, restore exactly the former state, publish and prove,
 * compare, close. Outcomes: DONE, BUSY, HSM_NOT_ACCEPTED, RESUME_HELD, NOT_PROVEN, USAGE, FAILED.
 */
MUST_CHECK enum maint_outcome maint_finish(struct maint *m, const struct maint_request *req,
                                           struct maint_answer *ret);
/* Takes the maintenance back: former state restored (after HSM acceptance when services are down),
 * nothing published. */
MUST_CHECK enum maint_outcome maint_abort(struct maint *m, const struct maint_request *req,
                                          struct maint_answer *ret);
/* Moves the deadline to pause time + window, never beyond resume-by. */
MUST_CHECK enum maint_outcome maint_extend(struct maint *m, const struct maint_request *req,
                                           struct maint_answer *ret);
/* Publish and prove outside a maintenance; until 0 = the CA's own periods. BUSY while one runs. */
MUST_CHECK enum maint_outcome maint_publish(struct maint *m, const struct maint_request *req,
                                            int64_t until, struct maint_answer *ret);

/* Reserve CRLs by hand (maint/reserve.h). make: while the CA runs and signs; DONE, USAGE, FAILED.
 * verify: every sealed one is what was sealed; DONE, USAGE (there is none), FAILED. release: a
 * reason is needed, and a CA that cannot sign; DONE (served by every location), NOT_PROVEN
 * (written, not everywhere seen), USAGE, FAILED. recall: the former files are put back, sealed ones
 * are destroyed; DONE, USAGE, FAILED. */
MUST_CHECK enum maint_outcome maint_reserve_make(struct maint *m, const struct maint_request *req,
                                                 struct maint_answer *ret);
MUST_CHECK enum maint_outcome maint_reserve_verify(struct maint *m, const struct maint_request *req,
                                                   struct maint_answer *ret);
MUST_CHECK enum maint_outcome
maint_reserve_release(struct maint *m, const struct maint_request *req, struct maint_answer *ret);
MUST_CHECK enum maint_outcome maint_reserve_recall(struct maint *m, const struct maint_request *req,
                                                   struct maint_answer *ret);

/* At every start of the service, before any verb: compares the store with the SCM and the CA, then
 * carries on or holds. The answer tells what was found; DONE also when there was nothing to do. */
MUST_CHECK enum maint_outcome maint_reconcile(struct maint *m, struct maint_answer *ret);

/* Deadline, burn-down alarms, look at the locations while paused, watch. Call it when
 * maint_next_tick says, and at once after a service changed its state. */
MUST_CHECK enum maint_outcome maint_tick(struct maint *m, struct maint_answer *ret);
/* UTC of the next moment at which maint_tick has something to do; WHEN_NONE = nothing is due. */
int64_t maint_next_tick(struct maint *m);

/* For status, on any thread with its own store. */
struct maint_status {
    bool active;
    enum maint_state state;
    struct store_maintenance row;
    struct store_service service[LIMIT_SERVICES];
    size_t n_services;
    struct store_step step[64]; /* the newest */
    size_t n_steps;
    struct store_reserve reserve[LIMIT_RESERVES]; /* living ones, newest first */
    size_t n_reserve;
    int64_t left; /* seconds to the deadline; WHEN_NONE = no deadline */
    int64_t used; /* percent of the runway used up since the pause, -1 = not paused */
};
/* now: UTC. When none is active: active false and the newest row, if any. */
MUST_CHECK int maint_status_read(struct store *store, int64_t now, struct maint_status *ret,
                                 struct err *err);

#endif
