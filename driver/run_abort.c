/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The end of a run that is not finished. A CA goes back to its HSM only when the HSM is as the CA
 * left it and nothing one-way may still be at work in it. */
#include "driver/run.h"

#include <string.h>

#include "base/str.h"
#include "driver/agents.h"
#include "driver/hop.h"
#include "driver/inventory.h"
#include "driver/run_int.h"
#include "driver/steps.h"
#include "driver/stop.h"
#include "driver/typed.h"

static int record_done(struct site *s)
{
    struct err err = ERR_INIT;
    int rc = journal_set(s->drv->journal, clock_now(s->drv->clock), s->a->name, s->step_name,
                         STEP_DONE, "found done", &err);
    return rc ? run_failed(s->drv, &err) : HU_DONE;
}

/* A person says that nothing is at work there any more. */
static bool is_accepted(struct site *s)
{
    if (!run_chosen(&s->drv->opt.unproven, s))
        return false;
    say(s->drv, s->a->name, "%s: not proven; accepted on a person's word", s->step_name);
    return true;
}

/* A one-way command that was typed and is not proven yet. */
static int check_typed(struct site *s, const struct step *step, const struct journal_step *j,
                       struct err *err)
{
    bool reached = false;
    if (typed_read(s) == TYPED_NO || is_accepted(s))
        return ERR_OK;
    int rc = step->proof(s, &reached, err);
    if (rc)
        return rc;
    if (reached)
        return record_done(s) ? err_set(err, ERR_IO, "the journal cannot be written") : ERR_OK;
    return err_set(err, ERR_STATE,
                   "'%s' was typed and is not proven%s%s: it may still be at work. 'hsmupgrade "
                   "resume' waits for it. When you know that nothing is: abort "
                   "--accept-unproven %s:%s",
                   s->step_name, j->state == STEP_FAILED ? "; it failed: " : "",
                   j->state == STEP_FAILED ? j->detail : "", s->a->name, s->step_name);
}

/* Software that waits for its reboot: half of it is the new one. */
static int check_rebooted(struct site *s, const struct step *step, struct err *err)
{
    struct journal_step update;
    bool reached = false;
    char name[HOP_NAME_MAX];
    hop_name(&s->drv->plan, s->hop, "update", name);
    int rc = journal_step(s->drv->journal, s->a->name, name, &update, err);
    if (rc || update.state != STEP_DONE || is_accepted(s))
        return rc;
    rc = step->proof(s, &reached, err);
    if (rc || reached)
        return rc;
    return err_set(err, ERR_STATE,
                   "updated, not rebooted as far as can be told (software %s is shown). "
                   "'hsmupgrade resume' reboots it. When you know that it was: abort "
                   "--accept-unproven %s:%s",
                   s->show.software, s->a->name, s->step_name);
}

static int check_steps(struct site *s, struct err *err)
{
    const struct plan *p = &s->drv->plan;
    int rc = ERR_OK;
    for (size_t k = 0; k < luna_step_count * p->n_hops && !rc; k++) {
        const struct step *step = &luna_steps[k % luna_step_count];
        struct journal_step j;
        s->hop = k / luna_step_count;
        hop_name(p, s->hop, step->name, s->step_name);
        rc = journal_step(s->drv->journal, s->a->name, s->step_name, &j, err);
        if (rc || j.state == STEP_DONE || j.state == STEP_SKIPPED)
            continue;
        if (step->one_way)
            rc = check_typed(s, step, &j, err);
        else if (strcmp(step->name, "reboot") == 0)
            rc = check_rebooted(s, step, err);
    }
    s->hop = 0;
    return rc;
}

/* Would a CA find its HSM as it left it? */
static bool accepted(struct site *s)
{
    SCOPED(inventory_free) struct inventory now = {0};
    SCOPED(buf_free) struct buf diff = BUF_INIT;
    struct err err = ERR_INIT;
    bool begun = false;
    int rc = check_steps(s, &err);
    if (!rc)
        rc = inventory_read(s, &now, &err);
    if (!rc && s->show.zeroized)
        rc = err_set(&err, ERR_STATE, "the HSM is zeroized");
    if (!rc)
        rc = inventory_begun(s, &begun, &err);
    if (!rc && begun) /* also when there was nothing in the lists */
        rc = inventory_compare(s, "before", &now, &diff, &err);
    if (!rc && diff.len)
        rc = err_set(&err, ERR_STATE, "not as before: %s", buf_str(&diff));
    say(s->drv, s->a->name, rc ? "NOT accepted: %s" : "software %s, firmware %s: accepted",
        rc ? err.text : s->show.software, s->show.firmware);
    site_leave(s);
    return rc == 0;
}

static bool all_accepted(struct driver *drv)
{
    SCOPED(buf_free) struct buf said = BUF_INIT;
    bool good = true;
    for (size_t i = 0; i < drv->n_sites && !stop_wanted(); i++)
        good = accepted(&drv->site[i]) && good;
    if (good && !stop_wanted() && drv->plan.activation_check.n &&
        !command_passes(drv, &drv->plan.activation_check, &said)) {
        say(drv, "", "the activation check fails: %s", buf_str(&said));
        good = false;
    }
    return good;
}

static int give_back(struct driver *drv)
{
    int code = agents_resume(drv);
    if (!code)
        code = run_set(drv, STEP_FAILED, "aborted");
    say(drv, "", code ? "aborted, but a CA stays paused" : "aborted: the CAs are resumed");
    return code;
}

int run_abort(struct driver *drv)
{
    enum step_state state = run_state(drv);
    if (state == STEP_NEW) {
        say(drv, "", "change %s has no run", drv->plan.change);
        return HU_USAGE;
    }
    if (state == STEP_DONE) {
        say(drv, "", "change %s is done: there is nothing to end", drv->plan.change);
        return HU_DONE;
    }
    int code = run_check_plan(drv);
    if (code)
        return code;
    run_tell_where(drv);
    bool good = all_accepted(drv);
    if (stop_wanted())
        return run_stands(drv, HU_INTERRUPTED);
    if (good)
        return give_back(drv);
    say(drv, "",
        "the CAs stay paused: the HSM is not accepted. Their agents keep watching the CRLs");
    (void)run_set(drv, STEP_HELD, "abort: HSM not accepted");
    return HU_NOT_ACCEPTED;
}
