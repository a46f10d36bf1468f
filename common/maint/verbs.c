/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The operator's verbs: abort, extend, publish; and status. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "maint/engine.h"

/* ---- abort ---- */

static enum maint_outcome end_untouched(struct work *w, enum maint_state to)
{
    uint32_t event = to == MAINT_REFUSED ? FIND_MAINT_REFUSED : FIND_MAINT_ABORTED;
    return work_enter(w, to, "taken back on request; nothing was touched", event, &w->a->err)
               ? MAINT_FAILED
               : MAINT_DONE;
}

static enum maint_outcome abort_it(struct work *w)
{
    struct err *err = &w->a->err;
    int rc = work_load(w, err);
    if (rc == ERR_NOT_FOUND) {
        (void)err_set(err, rc, "no maintenance is open: there is nothing to abort");
        return MAINT_USAGE;
    }
    if (rc)
        return MAINT_FAILED;
    if (work_claim(w, err))
        return MAINT_BUSY;
    if (reserve_is_out(w)) {
        (void)err_set(err, ERR_STATE,
                      "a reserve CRL is in use, and an abort publishes nothing that replaces it: "
                      "bring the CA back with: crlagent hook post-upgrade --change %s",
                      w->row.change);
        return MAINT_USAGE;
    }
    if (work_audit(w, "abort", -1, "begun", err))
        return MAINT_FAILED;
    /* From here on the driver that prepared it cannot act any more. */
    w->row.epoch++;
    if (work_save(w, err)) {
        w->row.epoch--;
        return MAINT_FAILED;
    }
    if (w->state == MAINT_PREPARING)
        return end_untouched(w, MAINT_REFUSED);
    return w->state == MAINT_READY ? end_untouched(w, MAINT_ABORTED) : undo_run(w);
}

enum maint_outcome maint_abort(struct maint *m, const struct maint_request *req,
                               struct maint_answer *ret)
{
    SCOPED(work_free) struct work *w = work_new(m, req, ret);
    return w ? work_answer(w, "abort", abort_it(w)) : ret->outcome;
}

/* ---- extend ---- */

static enum maint_outcome move_deadline(struct work *w)
{
    struct err *err = &w->a->err;
    char at[WHEN_TEXT_MAX], by[WHEN_TEXT_MAX], note[STORE_NOTE_MAX];
    int64_t deadline = w->row.paused + w->req->window;
    if (deadline > w->row.resume_by) {
        (void)err_set(err, ERR_LIMIT,
                      "the deadline would be %s, the runway ends the pause at %s at the latest; "
                      "bring the CA back, or ask for a shorter --window (counted from the pause)",
                      when_format(deadline, at), when_format(w->row.resume_by, by));
        return MAINT_GATE_REFUSED;
    }
    if (deadline <= clock_now(w->m->seams.clock)) {
        (void)err_set(err, ERR_INVALID,
                      "the deadline would be %s, which has passed: --window counts from the pause "
                      "at %s",
                      when_format(deadline, at), when_format(w->row.paused, by));
        return MAINT_USAGE;
    }
    w->row.deadline = deadline;
    w->row.window = w->req->window;
    w->row.outcome = MAINT_DONE;
    snprintf(note, sizeof note, "the CA does not use the HSM; deadline moved to %s, resume by %s",
             when_format(deadline, at), when_format(w->row.resume_by, by));
    return work_enter(w, MAINT_PAUSED, note, FIND_MAINT_EXTENDED, err) ? MAINT_FAILED : MAINT_DONE;
}

static enum maint_outcome extend(struct work *w)
{
    struct err *err = &w->a->err;
    w->keep_outcome = true;
    if (w->req->window <= 0 || w->req->window > LIMIT_WINDOW_SECONDS) {
        (void)err_set(err, ERR_INVALID,
                      "a window between one second and 30 days is needed, counted from the pause");
        return MAINT_USAGE;
    }
    int rc = work_load(w, err);
    if (rc)
        return rc == ERR_NOT_FOUND ? MAINT_USAGE : MAINT_FAILED;
    if (work_claim(w, err))
        return MAINT_BUSY;
    bool late = w->state == MAINT_HELD && w->row.outcome == MAINT_DEADLINE_PASSED;
    if (w->state != MAINT_PAUSED && !late) {
        (void)err_set(err, ERR_STATE, "the maintenance is %s: only a pause can be extended",
                      maint_state_name(w->state));
        return MAINT_USAGE;
    }
    return work_audit(w, "extend", -1, "begun", err) ? MAINT_FAILED : move_deadline(w);
}

enum maint_outcome maint_extend(struct maint *m, const struct maint_request *req,
                                struct maint_answer *ret)
{
    SCOPED(work_free) struct work *w = work_new(m, req, ret);
    return w ? work_answer(w, "extend", extend(w)) : ret->outcome;
}

/* ---- publish ---- */

static enum maint_outcome publish(struct work *w, int64_t until)
{
    struct err *err = &w->a->err;
    char holder[900], at[WHEN_TEXT_MAX];
    int64_t now = clock_now(w->m->seams.clock);
    int rc = work_load(w, err);
    if (rc && rc != ERR_NOT_FOUND)
        return MAINT_FAILED;
    if (!rc) {
        (void)err_set(err, ERR_BUSY, "%s; it publishes by itself when it ends",
                      work_holder(w, holder, sizeof holder));
        memset(&w->row, 0, sizeof w->row);
        return MAINT_BUSY;
    }
    memset(&w->row, 0, sizeof w->row);
    err_clear(err);
    if (until && until <= now) {
        (void)err_set(err, ERR_INVALID, "%s has passed", when_format(until, at));
        return MAINT_USAGE;
    }
    if (work_audit(w, "publish", -1, "begun", err) || look_discover(w, err))
        return MAINT_FAILED;
    if (!w->view.asked) {
        (void)err_set(err, ERR_UNAVAILABLE, "the CA is stopped: net start \"%.100s\"",
                      w->m->policy.service);
        return MAINT_FAILED;
    }
    enum maint_outcome o = publish_and_prove(w, until, now, err);
    if (o == MAINT_DONE && reserve_outnumbers(w))
        o = publish_and_prove(w, until, now, err);
    if (o == MAINT_DONE)
        reserve_settle(w);
    return o;
}

enum maint_outcome maint_publish(struct maint *m, const struct maint_request *req, int64_t until,
                                 struct maint_answer *ret)
{
    SCOPED(work_free) struct work *w = work_new(m, req, ret);
    return w ? work_answer(w, "publish", publish(w, until)) : ret->outcome;
}

/* ---- status ---- */

int maint_status_read(struct store *store, int64_t now, struct maint_status *ret, struct err *err)
{
    struct store_maintenance last;
    size_t n = 0;
    memset(ret, 0, sizeof *ret);
    ret->left = WHEN_NONE;
    ret->used = -1;
    int rc = store_maintenance_active(store, &ret->row, err);
    ret->active = rc == ERR_OK;
    if (rc == ERR_NOT_FOUND) {
        err_clear(err);
        rc = store_maintenance_list(store, &last, 1, &n, err);
        if (!rc && n)
            ret->row = last;
    }
    if (!rc)
        rc = store_reserve_list(store, true, ret->reserve, LIMIT_RESERVES, &ret->n_reserve, err);
    if (rc || !ret->row.id)
        return rc;
    rc = maint_state_parse(ret->row.state, &ret->state, err);
    if (!rc)
        rc = store_service_list(store, ret->row.id, ret->service, LIMIT_SERVICES, &ret->n_services,
                                err);
    if (!rc)
        rc = store_step_list(store, ret->row.id, ret->step, ARRAY_LEN(ret->step), &ret->n_steps,
                             err);
    if (ret->active && ret->row.deadline != WHEN_NONE && ret->row.resumed == WHEN_NONE)
        ret->left = ret->row.deadline - now;
    if (ret->active && ret->row.paused != WHEN_NONE && ret->row.resume_by > ret->row.paused &&
        ret->row.resumed == WHEN_NONE)
        ret->used = (now - ret->row.paused) * 100 / (ret->row.resume_by - ret->row.paused);
    return rc;
}
