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

/* ---- reserve.c: rows and files of reserve CRLs ---- */
struct reserve_set {
    struct store_reserve *item; /* newest first */
    size_t n;
};
void reserve_set_free(struct reserve_set *s); /* for SCOPED(); takes a zeroed one */
MUST_CHECK int reserve_load(struct work *w, bool living, struct reserve_set *ret, struct err *err);
/* The row's new state with its note, durably. */
MUST_CHECK int reserve_enter(struct work *w, struct store_reserve *r, const char *state,
                             const char *note, struct err *err);
/* The sealed file, checked against the row: hash, signature, number, end. ERR_CRYPTO and finding
 * 5205 when it is not what was sealed. facts may be NULL. */
MUST_CHECK int reserve_fetch(struct work *w, const struct store_reserve *r, struct buf *ret,
                             struct crl_facts *facts, struct err *err);
/* Intent, file gone, outcome, audit. */
MUST_CHECK int reserve_destroy(struct work *w, struct store_reserve *r, const char *why,
                               struct err *err);
/* "key 0", "key 1, partition 3" into dst; returns dst. */
const char *reserve_name(const struct store_reserve *r, char dst[64]);
/* Hands the living rows to the answer. */
void reserve_answer(struct work *w);
/* What a maintenance that has ended (none is open) leaves: its sealed reserve CRLs are destroyed.
 * What cannot be destroyed is told and tried again at the next end or start. */
void reserve_sweep(struct work *w);
/* Before anything else after a start: half-made and half-destroyed ones go, a release or recall
 * that was interrupted is carried on (or, once the CA runs again, ended). */
MUST_CHECK int reserve_reconcile(struct work *w, struct err *err);
/* Is the CA's service stopped? */
bool reserve_ca_down(struct work *w);
/* Is one at the locations? */
bool reserve_is_out(struct work *w);

/* ---- reserve_make.c ---- */
/* Every base CRL; what is sealed already and still fits is kept. */
MUST_CHECK int reserve_make(struct work *w, struct err *err);
/* Deltas hold revocations that their base does not: it must be published anew first. */
MUST_CHECK int reserve_base_behind(struct work *w, bool *ret, struct err *err);

/* ---- reserve_place.c: the files and shares the CA writes to ---- */
/* Writes it everywhere, keeps what was there. *ret_written counts those that hold it now, why (may
 * be filled although it succeeds) says what failed first. */
MUST_CHECK int reserve_place_write(struct work *w, struct store_reserve *r, size_t *ret_written,
                                   size_t *ret_n, struct err *why, struct err *err);
/* Puts the former files back where the reserve still is. *ret_left = where it stays. */
MUST_CHECK int reserve_place_restore(struct work *w, struct store_reserve *r, size_t *ret_left,
                                     struct err *why, struct err *err);
/* Where it still is; url (LIMIT_URL_CHARS + 1) gets the first. */
MUST_CHECK int reserve_place_left(struct work *w, const struct store_reserve *r, size_t *ret_left,
                                  char *url, struct err *err);
/* The kept former files are not needed any more. */
MUST_CHECK int reserve_place_forget(struct work *w, const struct store_reserve *r, struct err *err);

/* ---- reserve_release.c ---- */
/* w->view and the reason are given; nothing else is asked. */
enum maint_outcome reserve_release_run(struct work *w, const char *reason);
/* When the runway ends; WHEN_NONE = not by itself. */
int64_t reserve_release_at(const struct maint_policy *p, const struct store_maintenance *m);
/* The clock's release: only with the HSM away. ERR_CANCELLED; any other trouble is told. */
MUST_CHECK int reserve_release_by_clock(struct work *w, struct err *err);
/* Is a number in use that the CA has not passed yet (w->a->prove)? */
bool reserve_outnumbers(struct work *w);
/* The CA has published and it is proven: sealed ones go, released ones are over where the normal
 * CRL has replaced them; where not, that is a finding. */
void reserve_settle(struct work *w);
/* Interrupted releases and recalls. */
MUST_CHECK int reserve_release_again(struct work *w, struct err *err);
MUST_CHECK int reserve_recall_one(struct work *w, struct store_reserve *r, struct err *err);

/* ---- tick.c ---- */
/* What is due now, for a maintenance that is loaded. */
enum maint_outcome tick_run(struct work *w);

#endif
