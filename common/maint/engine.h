/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Inside of the engine: shared by its files, not by its callers. */
#ifndef CRLAGENT_MAINT_ENGINE_H
#define CRLAGENT_MAINT_ENGINE_H

#include "maint/maint.h"

struct maint {
    struct maint_seams seams;
    struct store *store;
    struct maint_policy policy;
};

/* Everything one verb knows while it runs. Big: always on the heap (work_new). */
struct work {
    struct maint *m;
    const struct maint_request *req; /* never NULL */
    struct maint_answer *a;
    enum maint_state state;
    struct store_maintenance row;
    struct ca_view view;
    struct probe_round round;
    struct svc_info svc[LIMIT_SERVICES]; /* in the order of stopping */
    size_t n_svc;
    struct store_service former[LIMIT_SERVICES]; /* as stored, in the order of stopping */
    size_t n_former;
    struct crl_line line[RUNWAY_LINES_MAX];
    size_t n_lines;
    int32_t cpf[RUNWAY_LINES_MAX];
    uint32_t roles;
    bool roles_known;
    struct err key_err;
    int32_t key_failed; /* certificate index, -1 = none */
    int32_t sign_ms;    /* slowest test signature, -1 = not made */
    bool keep_outcome;  /* the row's outcome says why it is HELD: this verb leaves it alone */
    bool covered;       /* a cover CRL was published for this call: there is no second one */
    bool careless;      /* undoing: a store that cannot be written does not stop the way back */
};

/* ---- work.c: rows, states, steps, events ---- */
struct work *work_new(struct maint *m, const struct maint_request *req, struct maint_answer *a);
void work_free(struct work **w); /* for SCOPED() */
/* The open maintenance into w->row and w->state; ERR_NOT_FOUND. */
MUST_CHECK int work_load(struct work *w, struct err *err);
/* The new state with its note, durably, then the event (id 0 = none). ERR_STATE when the table does
 * not allow it. */
MUST_CHECK int work_enter(struct work *w, enum maint_state to, const char *note, uint32_t event,
                          struct err *err);
MUST_CHECK int work_save(struct work *w, struct err *err);
/* Runs fn between the intent and the outcome of a step. Without a durable intent fn is not run. */
MUST_CHECK int work_step(struct work *w, enum maint_step step, const char *subject,
                         int (*fn)(struct work *w, void *arg, struct err *err), void *arg,
                         struct err *err);
/* One event with the change id and the text as parameters. */
void work_event(struct work *w, uint32_t id, enum severity severity, const char *text);
void work_progress(struct work *w, enum maint_step step, const char *subject, const char *text);
/* ERR_CANCELLED when the program should stop. */
MUST_CHECK int work_stopping(struct work *w, struct err *err);
MUST_CHECK int work_sleep(struct work *w, int64_t ms, struct err *err);
/* Who holds the CA, for refusals. Returns dst. */
const char *work_holder(const struct work *w, char *dst, size_t dst_size);
/* May this request act on w->row: same change or take-over, and no token of an older taking?
 * ERR_BUSY tells who holds it. */
MUST_CHECK int work_claim(struct work *w, struct err *err);
MUST_CHECK int work_audit(struct work *w, const char *verb, int outcome, const char *detail,
                          struct err *err);
/* Puts row and outcome into the answer, keeps the outcome in the row where there is one, writes the
 * audit. Returns the outcome. */
enum maint_outcome work_answer(struct work *w, const char *verb, enum maint_outcome outcome);
struct prove_input work_prove_input(struct work *w);

/* ---- svcplan.c ---- */
/* Fills w->svc: dependants first, the CA's service last. */
MUST_CHECK int svcplan_collect(struct work *w, struct err *err);
MUST_CHECK int svcplan_load(struct work *w, struct err *err);
/* Former states, start types, stop. ERR_OK: nothing of the plan runs any more. */
MUST_CHECK int svcplan_down(struct work *w, struct err *err);
/* Exactly the former state again: CA first, then its dependants. */
MUST_CHECK int svcplan_up(struct work *w, struct err *err);
/* Stops again what we had stopped and somebody started. *ret_found = it ran. */
MUST_CHECK int svcplan_stop_again(struct work *w, bool *ret_found, struct err *err);
/* Did the CA run before the maintenance? */
bool svcplan_ca_ran(const struct work *w);

/* ---- look.c: discover, probe, gate, figures, HSM ---- */
MUST_CHECK int look_discover(struct work *w, struct err *err);
MUST_CHECK int look_probe(struct work *w, struct err *err);
MUST_CHECK int look_gate(struct work *w, struct err *err);
MUST_CHECK int look_keys(struct work *w, struct err *err);
MUST_CHECK int look_figures(struct work *w, enum store_phase phase, struct err *err);

/* ---- cover.c ---- */
/* Publishes a CRL that lasts for window and reserve, and proves it. *ret = DONE, NOT_PROVEN or
 * FAILED. */
enum maint_outcome cover_publish(struct work *w, struct err *err);
/* A normal publication, proven; thisUpdate not before since (WHEN_NONE = no such rule). */
enum maint_outcome publish_and_prove(struct work *w, int64_t until, int64_t since, struct err *err);

/* ---- pause.c ---- */
/* From READY to PAUSED, or undone. */
enum maint_outcome pause_run(struct work *w);

/* ---- finish.c: what reconcile and the deadline use too; w->row is loaded ---- */
/* A person must look: HELD with the answer's error as its note, durably. Returns o. */
enum maint_outcome work_hold(struct work *w, enum maint_outcome o, uint32_t event);
enum maint_outcome finish_run(struct work *w);
/* The way back without publishing. */
enum maint_outcome undo_run(struct work *w);

/* ---- tick.c ---- */
/* What is due now, for a maintenance that is loaded. */
enum maint_outcome tick_run(struct work *w);

#endif
