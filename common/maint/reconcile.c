/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* At every start: what does the store say was going on, what does the world look like, what
 * follows.
 *
 *   preparing  nothing was touched           -> refused; the driver asks again
 *   ready      nothing was touched           -> stays; a later pause looks again
 *   pausing    no answer PAUSED was given    -> undone: nothing that ran is left stopped
 *   paused     the driver works on the HSM   -> stays; the watch looks who started what
 *   resuming   the way back had begun        -> goes on (or ends held)
 *   verifying  services are up               -> publishes and proves again (or ends held)
 *   held       a person was asked            -> stays; the alarm is repeated
 */
#include <stdio.h>
#include <string.h>

#include "maint/engine.h"

static enum maint_outcome refuse_interrupted(struct work *w)
{
    w->row.outcome = MAINT_FAILED;
    w->keep_outcome = true;
    return work_enter(
               w, MAINT_REFUSED,
               w->row.cover
                   ? "interrupted by a restart; no service was touched, a cover CRL may have "
                     "been published; repeat the command"
                   : "interrupted by a restart; nothing was touched; repeat the command",
               FIND_MAINT_REFUSED, &w->a->err)
               ? MAINT_FAILED
               : MAINT_DONE;
}

static enum maint_outcome go_on(struct work *w)
{
    switch (w->state) {
    case MAINT_PREPARING:
        return refuse_interrupted(w);
    case MAINT_PAUSING:
        w->row.outcome = MAINT_PAUSE_FAILED;
        w->keep_outcome = true;
        return undo_run(w);
    case MAINT_RESUMING:
    case MAINT_VERIFYING:
        return w->row.undo ? undo_run(w) : finish_run(w);
    default:
        return tick_run(w);
    }
}

/* A reserve CRL that cannot be put in order must not keep the services from it. */
static int settle_reserve(struct work *w)
{
    struct err why = ERR_INIT;
    int rc = w->m->seams.files.ops ? reserve_reconcile(w, &why) : ERR_OK;
    if (rc && rc != ERR_CANCELLED)
        work_event(w, FIND_RESERVE_NOT_DESTROYED, SEV_CRITICAL, why.text);
    return rc == ERR_CANCELLED ? rc : ERR_OK;
}

static enum maint_outcome reconcile(struct work *w)
{
    struct err *err = &w->a->err;
    char text[200];
    snprintf(text, sizeof text, "maintenance %lld was %s when the service ended: %s",
             (long long)w->row.id, maint_state_name(w->state), maint_state_meaning(w->state));
    work_event(w, FIND_MAINT_RECONCILED, SEV_WARNING, text);
    if (store_step_interrupt(w->m->store, w->row.id, clock_now(w->m->seams.clock), err) ||
        work_audit(w, "reconcile", -1, "begun", err) || settle_reserve(w))
        return MAINT_FAILED;
    return go_on(w);
}

enum maint_outcome maint_reconcile(struct maint *m, struct maint_answer *ret)
{
    static const struct maint_request at_start = {
        .sid = "S-1-5-18", .name = "crlagent", .change = "", .reserve = -1, .deadline_action = -1};
    SCOPED(work_free) struct work *w = work_new(m, &at_start, ret);
    if (!w)
        return ret->outcome;
    int rc = work_load(w, &ret->err);
    if (rc == ERR_NOT_FOUND) {
        err_clear(&ret->err);
        memset(&w->row, 0, sizeof w->row);
        if (settle_reserve(w))
            return MAINT_FAILED;
        reserve_sweep(w);
        return MAINT_DONE;
    }
    return work_answer(w, "reconcile", rc ? MAINT_FAILED : reconcile(w));
}
