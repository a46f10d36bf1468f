/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What is written when: the state and everything that belongs to it in one commit before the first
 * action of that state; the intent of a step in a commit before it, the outcome in one after it. A
 * crash between the two leaves an intent without an outcome: reconcile.c closes it as interrupted
 * and looks at the world itself instead of guessing. */
#include "maint/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

int maint_new(const struct maint_seams *seams, struct store *store,
              const struct maint_policy *policy, struct maint **ret, struct err *err)
{
    if (!seams || !store || !policy || !seams->clock || !seams->svc.ops || !seams->admin.ops ||
        !seams->settings.read || !seams->key.probe || !seams->locate.locate || !seams->prober.run)
        return err_set(err, ERR_INTERNAL, "a seam of the maintenance engine is not wired");
    struct maint *m = calloc(1, sizeof *m);
    if (!m)
        return err_nomem(err);
    m->seams = *seams;
    m->store = store;
    m->policy = *policy;
    *ret = m;
    return ERR_OK;
}

void maint_free(struct maint **m)
{
    free(*m);
    *m = NULL;
}

void maint_set_policy(struct maint *m, const struct maint_policy *policy)
{
    m->policy = *policy;
}

void maint_answer_free(struct maint_answer *a)
{
    gate_report_free(&a->gate);
    prove_report_free(&a->prove);
    maint_comparison_free(&a->comparison);
    free(a->reserve);
    memset(a, 0, sizeof *a);
}

struct work *work_new(struct maint *m, const struct maint_request *req, struct maint_answer *a)
{
    struct work *w = calloc(1, sizeof *w);
    memset(a, 0, sizeof *a);
    if (!w) {
        a->outcome = MAINT_FAILED;
        (void)err_nomem(&a->err);
        return NULL;
    }
    w->m = m;
    w->req = req;
    w->a = a;
    w->key_failed = w->sign_ms = -1;
    return w;
}

void work_free(struct work **w)
{
    if (!*w)
        return;
    ca_view_free(&(*w)->view);
    probe_round_free(&(*w)->round);
    free(*w);
    *w = NULL;
}

int work_load(struct work *w, struct err *err)
{
    int rc = store_maintenance_active(w->m->store, &w->row, err);
    w->state = MAINT_NONE;
    return rc ? rc : maint_state_parse(w->row.state, &w->state, err);
}

int work_save(struct work *w, struct err *err)
{
    return store_maintenance_save(w->m->store, &w->row, err);
}

int work_enter(struct work *w, enum maint_state to, const char *note, uint32_t event,
               struct err *err)
{
    if (!maint_state_may(w->state, to))
        return err_set(err, ERR_STATE, "a maintenance that is %s cannot become %s",
                       maint_state_name(w->state), maint_state_name(to));
    struct store_maintenance before = w->row;
    str_copy(w->row.state, sizeof w->row.state, maint_state_name(to));
    str_copy(w->row.note, sizeof w->row.note, note ? note : "");
    if (maint_state_final(to))
        w->row.ended = clock_now(w->m->seams.clock);
    int rc = work_save(w, err);
    if (rc && !w->careless) {
        w->row = before;
        return rc;
    }
    w->state = to;
    if (event) {
        char text[STORE_NOTE_MAX + 512];
        snprintf(text, sizeof text, "maintenance %lld of change %s is %s%s%s", (long long)w->row.id,
                 w->row.change, maint_state_name(to), w->row.note[0] ? ": " : "", w->row.note);
        enum severity s = to == MAINT_HELD ? SEV_CRITICAL
                          : to == MAINT_PAUSED || to == MAINT_REFUSED || to == MAINT_ABORTED
                              ? SEV_WARNING
                              : SEV_INFO;
        work_event(w, event, s, text);
    }
    return ERR_OK;
}

void work_event(struct work *w, uint32_t id, enum severity severity, const char *text)
{
    char number[32];
    snprintf(number, sizeof number, "%lld", (long long)w->row.id);
    struct event ev = {.id = id,
                       .severity = severity,
                       .when = clock_now(w->m->seams.clock),
                       .text = text,
                       .n_params = 3,
                       .params = {w->row.change, number, text}};
    event_emit(&w->m->seams.events, &ev);
}

void work_progress(struct work *w, enum maint_step step, const char *subject, const char *text)
{
    struct maint_progress p = {.maintenance = w->row.id,
                               .state = w->state,
                               .step = step,
                               .subject = subject ? subject : "",
                               .text = text,
                               .when = clock_now(w->m->seams.clock)};
    if (w->m->seams.progress)
        w->m->seams.progress(w->m->seams.progress_self, &p);
}

int work_stopping(struct work *w, struct err *err)
{
    const struct maint_seams *s = &w->m->seams;
    return s->stopping && s->stopping(s->stopping_self)
               ? err_set(err, ERR_CANCELLED,
                         "interrupted on request; what was begun is carried on or taken back by "
                         "the next verb or "
                         "start")
               : ERR_OK;
}

int work_sleep(struct work *w, int64_t ms, struct err *err)
{
    if (clock_sleep_ms(w->m->seams.clock, ms))
        return err_set(err, ERR_CANCELLED,
                       "interrupted on request; what was begun is carried on or taken back by the "
                       "next verb or "
                       "start");
    return work_stopping(w, err);
}

static int begin_step(struct work *w, enum maint_step step, const char *subject,
                      struct store_step *ret, struct err *err)
{
    *ret = (struct store_step){
        .epoch = w->row.epoch, .began = clock_now(w->m->seams.clock), .ended = WHEN_NONE};
    str_copy(ret->name, sizeof ret->name, maint_step_name(step));
    str_copy(ret->subject, sizeof ret->subject, subject);
    int rc = w->row.id ? store_step_begin(w->m->store, w->row.id, ret, err) : ERR_OK;
    if (rc && !w->careless)
        return rc;
    return ERR_OK;
}

static int end_step(struct work *w, struct store_step *st, int rc, const struct err *why,
                    struct err *err)
{
    if (!w->row.id || !st->id)
        return ERR_OK;
    st->ended = clock_now(w->m->seams.clock);
    str_copy(st->outcome, sizeof st->outcome,
             rc == ERR_OK          ? "done"
             : rc == ERR_CANCELLED ? "interrupted"
                                   : "failed");
    str_copy(st->detail, sizeof st->detail, rc ? why->text : "");
    int saved = store_step_end(w->m->store, st, err);
    return w->careless ? ERR_OK : saved;
}

int work_step(struct work *w, enum maint_step step, const char *subject,
              int (*fn)(struct work *w, void *arg, struct err *err), void *arg, struct err *err)
{
    struct store_step st;
    struct err why = ERR_INIT, stored = ERR_INIT;
    char text[SVC_NAME_MAX + 128];
    subject = subject ? subject : "";
    int rc = work_stopping(w, err);
    if (!rc)
        rc = begin_step(w, step, subject, &st, err);
    if (rc)
        return rc;
    snprintf(text, sizeof text, "%s%s%s", maint_step_title(step), subject[0] ? " " : "", subject);
    work_progress(w, step, subject, text);
    rc = fn(w, arg, &why);
    int saved = end_step(w, &st, rc, &why, &stored);
    if (!rc && !saved)
        return ERR_OK;
    if (err)
        *err = rc ? why : stored;
    return rc ? rc : saved;
}

const char *work_holder(const struct work *w, char *dst, size_t dst_size)
{
    char until[WHEN_TEXT_MAX];
    const struct store_maintenance *r = &w->row;
    snprintf(dst, dst_size,
             "maintenance %lld of change '%s' holds the CA: it is %s%s%s, owner %.100s%s%.200s",
             (long long)r->id, r->change, r->state,
             r->deadline == WHEN_NONE ? "" : " with its deadline at ",
             r->deadline == WHEN_NONE ? "" : when_format(r->deadline, until),
             r->owner_name[0] ? r->owner_name : r->owner_sid, r->reason[0] ? ", reason: " : "",
             r->reason);
    return dst;
}

int work_claim(struct work *w, struct err *err)
{
    char holder[900];
    const struct maint_request *q = w->req;
    bool named = q->change && strcmp(q->change, w->row.change) == 0;
    if (q->token.id && (q->token.id != w->row.id || q->token.epoch != w->row.epoch))
        return err_set(
            err, ERR_BUSY,
            "the token %lld.%lld is of an older taking, the present one is %lld.%lld: %s",
            (long long)q->token.id, (long long)q->token.epoch, (long long)w->row.id,
            (long long)w->row.epoch, work_holder(w, holder, sizeof holder));
    if (named || q->take_over)
        return ERR_OK;
    return err_set(err, ERR_BUSY,
                   "%s; name its change, or act as operator with --take-over; see: crlagent "
                   "maintenance",
                   work_holder(w, holder, sizeof holder));
}

int work_audit(struct work *w, const char *verb, int outcome, const char *detail, struct err *err)
{
    struct store_audit a = {
        .when = clock_now(w->m->seams.clock), .maintenance = w->row.id, .outcome = outcome};
    str_copy(a.sid, sizeof a.sid, w->req->sid ? w->req->sid : "");
    str_copy(a.name, sizeof a.name, w->req->name ? w->req->name : "");
    str_copy(a.verb, sizeof a.verb, verb);
    str_copy(a.change, sizeof a.change, w->req->change ? w->req->change : "");
    str_copy(a.detail, sizeof a.detail, detail);
    return store_audit_add(w->m->store, &a, err);
}

enum maint_outcome work_answer(struct work *w, const char *verb, enum maint_outcome outcome)
{
    struct maint_answer *a = w->a;
    struct err ignored = ERR_INIT;
    a->outcome = outcome;
    if (w->row.id) {
        if (!a->repeated && !w->keep_outcome && outcome != MAINT_BUSY && outcome != MAINT_USAGE &&
            !(outcome == MAINT_FAILED && w->state == MAINT_HELD)) {
            w->row.outcome = (int32_t)outcome;
            if (work_save(w, &ignored))
                work_event(w, FIND_STORE_FAILED, SEV_CRITICAL, ignored.text);
        }
        a->row = w->row;
        a->state = w->state;
        a->token = (struct maint_token){w->row.id, w->row.epoch};
        if (maint_state_final(w->state))
            reserve_sweep(w);
    }
    if (outcome == MAINT_DONE)
        err_clear(&a->err);
    err_clear(&ignored);
    /* The outcome has happened; an audit row that cannot be written is told, not hidden. */
    if (work_audit(w, verb, (int)outcome, outcome ? a->err.text : w->row.note, &ignored))
        work_event(w, FIND_STORE_FAILED, SEV_CRITICAL, ignored.text);
    return outcome;
}

static bool prove_stopping(void *arg)
{
    return work_stopping(arg, NULL) != ERR_OK;
}

static void prove_progress(void *arg, const char *text)
{
    work_progress(arg, STEP_PROVE, "", text);
}

struct prove_input work_prove_input(struct work *w)
{
    const struct maint_seams *s = &w->m->seams;
    return (struct prove_input){.view = &w->view,
                                .admin = &s->admin,
                                .locate = &s->locate,
                                .prober = &s->prober,
                                .clock = s->clock,
                                .policy = &w->m->policy,
                                .store = w->m->store,
                                .stopping = prove_stopping,
                                .progress = prove_progress,
                                .arg = w,
                                .since = WHEN_NONE,
                                .need_until = WHEN_NONE};
}
