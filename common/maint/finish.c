/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The way back: accept the HSM, restore exactly the former state, publish and prove, compare,
 * close. Every part may be repeated: what is done already is found done. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "maint/engine.h"

#define PUBLISH_MORE 3 /* publications beyond the first, when a number in use is not passed yet */

enum maint_outcome work_hold(struct work *w, enum maint_outcome o, uint32_t event)
{
    struct err ignored = ERR_INIT;
    char note[STORE_NOTE_MAX];
    int64_t next = clock_now(w->m->seams.clock) + w->m->policy.alarm_repeat;
    str_copy(note, sizeof note, w->a->err.text);
    w->row.outcome = (int32_t)o;
    if (event)
        work_event(w, event, SEV_CRITICAL, note);
    if (work_enter(w, MAINT_HELD, note, FIND_MAINT_HELD, &ignored) ||
        store_timer_set(w->m->store, "maint.alarm", next, &ignored))
        work_event(w, FIND_STORE_FAILED, SEV_CRITICAL, ignored.text);
    return o;
}

/* Interrupted on request: the state stays, reconcile or the next verb goes on. */
static enum maint_outcome stopped_or(struct work *w, int rc, enum maint_outcome o, uint32_t event)
{
    return rc == ERR_CANCELLED ? MAINT_FAILED : work_hold(w, o, event);
}

static int accept_hsm(struct work *w, struct err *err)
{
    int rc = look_discover(w, err);
    if (!rc)
        rc = look_keys(w, err);
    if (!rc)
        work_event(w, FIND_HSM_ACCEPTED, SEV_INFO, "every CA key is there and signs");
    return rc;
}

static void say_not_accepted(struct work *w)
{
    char cause[700];
    str_copy(cause, sizeof cause, w->a->err.text);
    (void)err_set(&w->a->err, w->a->err.code,
                  "the HSM is not accepted, the CA stays down: %s; put it in order, then repeat: "
                  "crlagent hook post-upgrade --change %s",
                  cause, w->row.change);
}

/* accepted: what accept_hsm said. */
static enum maint_outcome services_up(struct work *w, int accepted)
{
    if (accepted) {
        if (accepted != ERR_CANCELLED)
            say_not_accepted(w);
        return stopped_or(w, accepted, MAINT_HSM_NOT_ACCEPTED, FIND_HSM_NOT_ACCEPTED);
    }
    int rc = svcplan_up(w, &w->a->err);
    return rc ? stopped_or(w, rc, MAINT_RESUME_HELD, 0) : MAINT_DONE;
}

static int enter_resuming(struct work *w, bool undo, struct err *err)
{
    w->row.undo = undo;
    return work_enter(w, MAINT_RESUMING, undo ? "taking the maintenance back" : "",
                      FIND_MAINT_RESUMING, err);
}

static enum maint_outcome resume_services(struct work *w)
{
    struct err *err = &w->a->err;
    int rc = svcplan_load(w, err);
    if (!rc)
        rc = enter_resuming(w, false, err);
    if (rc)
        return MAINT_FAILED;
    enum maint_outcome o = services_up(w, accept_hsm(w, err));
    if (o != MAINT_DONE)
        return o;
    if (w->row.resumed == WHEN_NONE)
        w->row.resumed = clock_now(w->m->seams.clock);
    return work_enter(w, MAINT_VERIFYING, "", 0, err) ? MAINT_FAILED : MAINT_DONE;
}

static int compare(struct work *w, void *arg, struct err *err)
{
    (void)arg;
    int rc = look_figures(w, PHASE_AFTER, err);
    return rc ? rc
              : maint_compare(w->m->store, &w->m->seams.svc, w->row.id, &w->a->comparison, err);
}

static enum maint_outcome close_it(struct work *w, const char *note)
{
    struct err *err = &w->a->err;
    struct store *s = w->m->store;
    static const char *const timers[] = {"maint.probe",  "maint.alarm", "maint.watch",
                                         "maint.owner",  "maint.moved", "maint.blind",
                                         "maint.reserve"};
    int rc = ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(timers) && !rc; i++)
        rc = store_timer_clear(s, timers[i], err);
    w->row.outcome = MAINT_DONE;
    if (!rc)
        rc = work_enter(w, MAINT_CLOSED, note, FIND_MAINT_CLOSED, err);
    return rc ? MAINT_FAILED : MAINT_DONE;
}

/* What replaces a released reserve must have a higher number, and each publication counts one. */
static enum maint_outcome publish_normal(struct work *w, struct err *err)
{
    for (int more = PUBLISH_MORE;; more--) {
        enum maint_outcome o = publish_and_prove(w, 0, w->row.resumed, err);
        if (o != MAINT_DONE)
            return o;
        if (!more || !reserve_outnumbers(w)) {
            reserve_settle(w);
            return o;
        }
        work_progress(w, STEP_PUBLISH, "", "publishing once more, past the number of the reserve");
    }
}

static enum maint_outcome verify(struct work *w)
{
    struct err *err = &w->a->err;
    /* Asked again: the CA runs now and speaks for itself. */
    int rc = look_discover(w, err);
    if (rc)
        return stopped_or(w, rc, MAINT_RESUME_HELD, 0);
    if (!w->view.asked)
        return close_it(w, "the CA was stopped before the maintenance and stays stopped; nothing "
                           "was published");
    enum maint_outcome o = publish_normal(w, err);
    if (o == MAINT_FAILED && err->code == ERR_CANCELLED)
        return o;
    if (o != MAINT_DONE)
        return work_hold(w, MAINT_NOT_PROVEN, 0);
    for (size_t i = 0; i < w->n_lines; i++)
        w->cpf[i] = ca_line_status(&w->m->seams.admin, &w->line[i]);
    rc = look_probe(w, err);
    if (!rc)
        rc = work_step(w, STEP_COMPARE, "", compare, NULL, err);
    if (rc)
        return stopped_or(w, rc, MAINT_RESUME_HELD, 0);
    return close_it(w, w->a->comparison.text);
}

enum maint_outcome finish_run(struct work *w)
{
    enum maint_outcome o = resume_services(w);
    return o == MAINT_DONE ? verify(w) : o;
}

enum maint_outcome undo_run(struct work *w)
{
    struct err *err = &w->a->err;
    int rc = w->n_former ? ERR_OK : svcplan_load(w, err);
    if (!rc)
        rc = enter_resuming(w, true, err);
    if (rc)
        return MAINT_FAILED;
    /* Only a finished pause gave the HSM away; before that it is where it was. */
    if (w->row.paused != WHEN_NONE)
        rc = accept_hsm(w, err);
    else if (!w->view.settings.provider && look_discover(w, err) == ERR_CANCELLED)
        rc = ERR_CANCELLED;
    enum maint_outcome o = services_up(w, rc);
    if (o != MAINT_DONE)
        return o;
    err_clear(err);
    if (work_enter(w, MAINT_ABORTED, "taken back; the former state is restored", FIND_MAINT_ABORTED,
                   err))
        return MAINT_FAILED;
    return MAINT_DONE;
}

static enum maint_outcome not_open(struct work *w)
{
    struct err *err = &w->a->err;
    const char *change = w->req->change ? w->req->change : "";
    int rc = store_maintenance_by_change(w->m->store, change, &w->row, err);
    if (rc) {
        memset(&w->row, 0, sizeof w->row);
        if (rc == ERR_NOT_FOUND)
            (void)err_set(err, ERR_NOT_FOUND,
                          "no maintenance is open%s%s; begin one with: crlagent hook pre-upgrade",
                          *change ? " and there was none of change " : "", change);
        return rc == ERR_NOT_FOUND ? MAINT_USAGE : MAINT_FAILED;
    }
    if (maint_state_parse(w->row.state, &w->state, err))
        return MAINT_FAILED;
    w->a->repeated = true;
    if (w->state == MAINT_CLOSED) {
        err_clear(err);
        if (maint_compare(w->m->store, &w->m->seams.svc, w->row.id, &w->a->comparison, err))
            return MAINT_FAILED;
        return MAINT_DONE;
    }
    (void)err_set(err, ERR_STATE, "maintenance %lld of change '%s' was %s: %.600s",
                  (long long)w->row.id, w->row.change, w->row.state, w->row.note);
    return MAINT_USAGE;
}

static enum maint_outcome finish(struct work *w)
{
    struct err *err = &w->a->err;
    int rc = work_load(w, err);
    if (rc == ERR_NOT_FOUND)
        return not_open(w);
    if (rc)
        return MAINT_FAILED;
    if (work_claim(w, err))
        return MAINT_BUSY;
    if (work_audit(w, "finish", -1, "begun", err))
        return MAINT_FAILED;
    switch (w->state) {
    case MAINT_PAUSED:
    case MAINT_HELD:
    case MAINT_RESUMING:
    case MAINT_VERIFYING:
        /* An undo that was held must end as one: nothing was proven before it. */
        return w->row.undo ? undo_run(w) : finish_run(w);
    default:
        (void)err_set(err, ERR_STATE,
                      "the maintenance is %s: there is nothing to bring back; give it up with: "
                      "crlagent abort --change %s",
                      maint_state_name(w->state), w->row.change);
        return MAINT_USAGE;
    }
}

enum maint_outcome maint_finish(struct maint *m, const struct maint_request *req,
                                struct maint_answer *ret)
{
    SCOPED(work_free) struct work *w = work_new(m, req, ret);
    if (!w)
        return ret->outcome;
    return work_answer(w, "finish", finish(w));
}
