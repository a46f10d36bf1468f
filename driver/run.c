/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "driver/agents.h"
#include "driver/gates.h"
#include "driver/hop.h"
#include "driver/inventory.h"
#include "driver/resumeby.h"
#include "driver/run_int.h"
#include "driver/steps.h"
#include "driver/stop.h"

static int failed(struct driver *drv, const struct err *err)
{
    say(drv, "", "%s", err->text);
    return HU_FAILED;
}

/* ---- the state of the run itself: step "run" of owner "" ---- */

static enum step_state run_state(struct driver *drv)
{
    struct journal_step s;
    struct err err = ERR_INIT;
    return journal_step(drv->journal, "", "run", &s, &err) ? STEP_NEW : s.state;
}

static int set_run(struct driver *drv, enum step_state state, const char *detail)
{
    struct err err = ERR_INIT;
    return journal_set(drv->journal, clock_now(drv->clock), "", "run", state, detail, &err)
               ? failed(drv, &err)
               : HU_DONE;
}

/* A run remembers which plan it began with. */
static int check_digest(struct driver *drv)
{
    SCOPED(buf_free) struct buf before = BUF_INIT;
    struct err err = ERR_INIT;
    if (journal_fact(drv->journal, "", "plan", &before, &err))
        return failed(drv, &err);
    if (before.len && strcmp(before.data, drv->plan.digest) != 0) {
        if (!drv->opt.changed_plan) {
            say(drv, "",
                "the plan is not the one this run began with (SHA-256 then %.16s..., now "
                "%.16s...): put it back, or --accept-changed-plan REASON",
                before.data, drv->plan.digest);
            return HU_PLAN_CHANGED;
        }
        say(drv, "", "the plan was changed; accepted because: %s", drv->opt.changed_plan);
    }
    return journal_set_fact(drv->journal, "", "plan", drv->plan.digest, &err) ? failed(drv, &err)
                                                                              : HU_DONE;
}

/* ---- parts ---- */

static int gates_pass(struct driver *drv)
{
    SCOPED(scope_free) struct gates *g = calloc(1, sizeof *g);
    SCOPED(buf_free) struct buf text = BUF_INIT;
    if (!g)
        return HU_FAILED;
    gates_plan(drv, g);
    bool early = driver_now(drv) < drv->plan.window_start;
    for (size_t i = 0; i < drv->n_sites && !stop_wanted(); i++)
        gates_site(&drv->site[i], true, g);
    gates_duration(drv, g);
    if (!stop_wanted())
        gates_ha(drv, true, g);
    /* All of them are asked before the first is paused: a late refusal would cost a cover CRL. */
    if (gates_worst(g) < SEV_CRITICAL && !early && !stop_wanted())
        gates_agents(drv, g);
    if (stop_wanted()) {
        say(drv, "", "interrupted: nothing was touched");
        return HU_INTERRUPTED;
    }
    gates_text(g, &text);
    progress_end(drv);
    fputs(buf_str(&text), drv->err);
    if (gates_only_agents(g)) {
        say(drv, "", "an agent refused in its dry run: nothing was touched");
        return HU_AGENT_REFUSED;
    }
    if (gates_worst(g) == SEV_CRITICAL || early) {
        say(drv, "", "refused: nothing was touched");
        return early ? HU_WINDOW : HU_REFUSED;
    }
    return HU_DONE;
}

/* A hop that is done is all "done" in the journal: a resume passes over it to the one it is in. */
static int run_hops(struct site *s)
{
    int code = HU_DONE;
    const struct plan *p = &s->drv->plan;
    for (s->hop = 0; s->hop < p->n_hops && !code; s->hop++) {
        const struct plan_hop *h = hop_of(s);
        if (p->n_hops > 1)
            say(s->drv, s->a->name, "hop %zu of %zu: software %s, firmware %s", s->hop + 1,
                p->n_hops, h->software[0] ? h->software : "kept",
                h->firmware[0] ? h->firmware : "kept");
        for (size_t k = 0; k < luna_step_count && !code; k++)
            code = run_one_step(s, &luna_steps[k]);
    }
    s->hop = 0;
    return code;
}

static int run_sites(struct driver *drv)
{
    for (size_t i = 0; i < drv->n_sites; i++) {
        int code = run_hops(&drv->site[i]);
        site_leave(&drv->site[i]);
        if (code)
            return code;
    }
    return HU_DONE;
}

static void tell_state(struct driver *drv)
{
    for (size_t i = 0; i < drv->n_sites; i++) {
        struct site *s = &drv->site[i];
        char last[HOP_NAME_MAX] = "untouched";
        for (size_t k = 0; k < luna_step_count * drv->plan.n_hops; k++) {
            struct journal_step j;
            struct err err = ERR_INIT;
            char name[HOP_NAME_MAX];
            hop_name(&drv->plan, k / luna_step_count, luna_steps[k % luna_step_count].name, name);
            if (!journal_step(drv->journal, s->a->name, name, &j, &err) &&
                (j.state == STEP_DONE || j.state == STEP_BEGUN || j.state == STEP_HELD))
                str_copy(last, sizeof last, name);
        }
        say(drv, s->a->name, "stands at: %s", last);
    }
    if (drv->plan.n_agents)
        say(drv, "",
            "the CAs stay paused. 'hsmupgrade resume' goes on; 'hsmupgrade abort' resumes them if "
            "the HSM passes");
    else
        say(drv, "", "'hsmupgrade resume' goes on; 'hsmupgrade abort' ends the run");
    drv->told_fit = 0; /* the last word says it in any case */
    resumeby_tell(drv);
}

/* The run stands; what is in the journal is what a resume begins with. */
static int stands(struct driver *drv, int code)
{
    (void)set_run(drv, STEP_HELD, code == HU_INTERRUPTED ? "interrupted" : "");
    tell_state(drv);
    return code;
}

static int finish(struct driver *drv)
{
    int code = run_sites(drv);
    if (code)
        return stands(drv, code);
    code = agents_resume(drv);
    if (code) {
        (void)set_run(drv, STEP_HELD, "an agent did not resume");
        return code;
    }
    code = set_run(drv, STEP_DONE, "");
    say(drv, "", "change %s is done: every appliance is at its target, every CA is resumed",
        drv->plan.change);
    return code;
}

/* Who signed for what, and what was accepted: into journal and transcript. */
static void record_decisions(struct driver *drv)
{
    for (size_t i = 0; i < drv->plan.n_attest; i++) {
        const struct plan_attest *a = &drv->plan.attest[i];
        say(drv, "", "attested: %s by %s on %s", a->what, a->by, a->date);
    }
    if (drv->opt.unlisted_reason)
        say(drv, "", "a path that is not in the table is accepted because: %s",
            drv->opt.unlisted_reason);
}

int run_begin(struct driver *drv)
{
    enum step_state state = run_state(drv);
    if (state == STEP_DONE) {
        say(drv, "", "change %s is done already", drv->plan.change);
        return HU_DONE;
    }
    if (state == STEP_BEGUN || state == STEP_HELD) {
        say(drv, "", "change %s was begun before: use 'hsmupgrade resume' or 'abort'",
            drv->plan.change);
        return HU_HELD;
    }
    int code = gates_pass(drv);
    if (!code)
        record_decisions(drv);
    if (!code)
        code = check_digest(drv);
    if (!code)
        code = set_run(drv, STEP_BEGUN, "");
    if (!code)
        code = agents_pause(drv);
    if (code == HU_AGENT_REFUSED)
        (void)set_run(drv, STEP_FAILED, "an agent refused");
    if (code == HU_INTERRUPTED && run_state(drv) == STEP_BEGUN)
        return stands(drv, code);
    return code ? code : finish(drv);
}

int run_resume(struct driver *drv)
{
    enum step_state state = run_state(drv);
    if (state == STEP_NEW || state == STEP_FAILED || state == STEP_DONE) {
        say(drv, "",
            state == STEP_DONE ? "change %s is done" : "change %s has no run to resume: use 'run'",
            drv->plan.change);
        return state == STEP_DONE ? HU_DONE : HU_USAGE;
    }
    int code = check_digest(drv);
    if (!code)
        code = set_run(drv, STEP_BEGUN, "resumed");
    if (!code)
        code = agents_pause(drv);
    if (code == HU_AGENT_REFUSED)
        (void)set_run(drv, STEP_HELD, "an agent refused");
    if (code == HU_INTERRUPTED)
        return stands(drv, code);
    return code ? code : finish(drv);
}

/* ---- abort ---- */

/* Would a CA find its HSM as it left it? */
static bool accepted(struct site *s)
{
    SCOPED(inventory_free) struct inventory now = {0};
    SCOPED(buf_free) struct buf before = BUF_INIT;
    SCOPED(buf_free) struct buf diff = BUF_INIT;
    struct err err = ERR_INIT;
    int rc = inventory_read(s, &now, &err);
    if (!rc && s->show.zeroized)
        rc = err_set(&err, ERR_STATE, "the HSM is zeroized");
    if (!rc)
        rc = journal_fact(s->drv->journal, s->a->name, "before.partitions", &before, &err);
    if (!rc && before.len)
        rc = inventory_compare(s, "before", &now, &diff, &err);
    if (!rc && diff.len)
        rc = err_set(&err, ERR_STATE, "not as before: %s", buf_str(&diff));
    say(s->drv, s->a->name, rc ? "NOT accepted: %s" : "software %s, firmware %s: accepted",
        rc ? err.text : s->show.software, s->show.firmware);
    site_leave(s);
    return rc == 0;
}

int run_abort(struct driver *drv)
{
    SCOPED(buf_free) struct buf said = BUF_INIT;
    bool good = true;
    if (run_state(drv) == STEP_NEW) {
        say(drv, "", "change %s has no run", drv->plan.change);
        return HU_USAGE;
    }
    for (size_t i = 0; i < drv->n_sites && !stop_wanted(); i++)
        good = accepted(&drv->site[i]) && good;
    if (stop_wanted())
        return stands(drv, HU_INTERRUPTED);
    if (good && drv->plan.activation_check.n &&
        !command_passes(drv, &drv->plan.activation_check, &said)) {
        say(drv, "", "the activation check fails: %s", buf_str(&said));
        good = false;
    }
    if (!good) {
        say(drv, "",
            "the CAs stay paused: the HSM is not accepted. Their agents keep watching the CRLs");
        (void)set_run(drv, STEP_HELD, "abort: HSM not accepted");
        return HU_NOT_ACCEPTED;
    }
    int code = agents_resume(drv);
    if (!code)
        code = set_run(drv, STEP_FAILED, "aborted");
    say(drv, "", code ? "aborted, but a CA stays paused" : "aborted: the CAs are resumed");
    return code;
}
