/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* From READY to PAUSED. Fails only in two ways: undone, or, when even that fails, HELD. */
#include <stdio.h>

#include "base/str.h"
#include "maint/engine.h"

/* The deadline: the end of the window, but never later than what the runway allows. */
static int enter_paused(struct work *w, struct err *err)
{
    char note[STORE_NOTE_MAX], deadline[WHEN_TEXT_MAX], by[WHEN_TEXT_MAX];
    struct store_maintenance before = w->row;
    struct store *s = w->m->store;
    int64_t now = clock_now(w->m->seams.clock);
    int64_t end = now + w->row.window;
    w->row.paused = now;
    w->row.deadline = end < w->row.resume_by ? end : w->row.resume_by;
    w->row.burn = 0;
    w->row.outcome = MAINT_DONE;
    snprintf(note, sizeof note, "the CA does not use the HSM; deadline %s, resume by %s",
             when_format(w->row.deadline, deadline), when_format(w->row.resume_by, by));
    static const char *const stale[] = {"maint.alarm", "maint.watch", "maint.owner", "maint.moved",
                                        "maint.blind"};
    int rc = store_begin(s, err);
    if (!rc)
        rc = store_timer_set(s, "maint.probe",
                             w->m->seams.seen ? now + w->m->policy.paused_probe : now, err);
    for (size_t i = 0; i < ARRAY_LEN(stale) && !rc; i++)
        rc = store_timer_clear(s, stale[i], err);
    if (!rc)
        rc = store_timer_clear(s, "maint.reserve", err);
    if (!rc)
        rc = work_enter(w, MAINT_PAUSED, note, 0, err);
    if (rc)
        store_rollback(s);
    else
        rc = store_commit(s, err);
    if (rc) {
        w->row = before;
        w->state = MAINT_PAUSING;
        return rc;
    }
    work_event(w, FIND_MAINT_PAUSED, SEV_WARNING, note);
    return ERR_OK;
}

static enum maint_outcome take_back(struct work *w)
{
    struct err why = w->a->err;
    w->careless = true;
    enum maint_outcome o = undo_run(w);
    if (w->state != MAINT_ABORTED) {
        err_context(&w->a->err, "the pause failed (%.300s) and could not be undone", why.text);
        return o;
    }
    w->a->err = why;
    err_context(&w->a->err, "the pause failed and was undone");
    work_event(w, FIND_MAINT_PAUSE_UNDONE, SEV_CRITICAL, w->a->err.text);
    return MAINT_PAUSE_FAILED;
}

static enum maint_outcome give_up(struct work *w, enum maint_outcome o)
{
    struct err ignored = ERR_INIT;
    char note[STORE_NOTE_MAX];
    str_copy(note, sizeof note, w->a->err.text);
    if (work_enter(w, MAINT_ABORTED, note, FIND_MAINT_ABORTED, &ignored))
        work_event(w, FIND_STORE_FAILED, SEV_CRITICAL, ignored.text);
    return o;
}

/* While the HSM still works. ERR_OK also without one, unless it is required. */
static int make_reserve(struct work *w, struct err *err)
{
    struct err why = ERR_INIT;
    if (w->m->policy.reserve_mode == RESERVE_OFF)
        return ERR_OK;
    int rc = reserve_make(w, &why);
    if (rc && rc != ERR_CANCELLED)
        work_event(w, FIND_RESERVE_NOT_MADE, SEV_WARNING, why.text);
    if (!rc || (rc != ERR_CANCELLED && w->m->policy.reserve_mode == RESERVE_WANTED))
        return ERR_OK;
    err_context(&why, "without a reserve CRL there is no pause, as configured");
    if (err)
        *err = why;
    return rc;
}

enum maint_outcome pause_run(struct work *w)
{
    struct err *err = &w->a->err;
    struct prove_input in = work_prove_input(w);
    int rc = make_reserve(w, err);
    if (rc)
        return give_up(w, rc == ERR_CANCELLED ? MAINT_FAILED : MAINT_GATE_REFUSED);
    rc = w->a->prove.verdict == PROVE_PROVEN ? prove_unchanged(&in, &w->a->prove, err) : ERR_OK;
    if (rc)
        return give_up(w, rc == ERR_STATE ? MAINT_NOT_PROVEN : MAINT_FAILED);
    if (work_enter(w, MAINT_PAUSING, "the services are going down", 0, err))
        return give_up(w, MAINT_FAILED);
    rc = svcplan_down(w, err);
    if (!rc)
        rc = enter_paused(w, err);
    if (!rc)
        return MAINT_DONE;
    /* On request: the way back is the next verb's, or the next start's. */
    return rc == ERR_CANCELLED ? MAINT_FAILED : take_back(w);
}
