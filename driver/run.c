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
#include "driver/typed.h"

int run_failed(struct driver *drv, const struct err *err)
{
    say(drv, "", "%s", err->text);
    return HU_FAILED;
}

/* ---- the state of the run itself: step "run" of owner "" ---- */

enum step_state run_state(struct driver *drv)
{
    struct journal_step s;
    struct err err = ERR_INIT;
    return journal_step(drv->journal, "", "run", &s, &err) ? STEP_NEW : s.state;
}

int run_set(struct driver *drv, enum step_state state, const char *detail)
{
    struct err err = ERR_INIT;
    return journal_set(drv->journal, clock_now(drv->clock), "", "run", state, detail, &err)
               ? run_failed(drv, &err)
               : HU_DONE;
}

/* A run remembers which plan it began with. */
static int check_digest(struct driver *drv)
{
    SCOPED(buf_free) struct buf before = BUF_INIT;
    struct err err = ERR_INIT;
    if (journal_fact(drv->journal, "", "plan", &before, &err))
        return run_failed(drv, &err);
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
    return HU_DONE;
}

struct absent {
    struct driver *drv;
    size_t n;
};

static bool has_appliance(const struct plan *p, const char *name)
{
    for (size_t i = 0; i < p->n_appliances; i++) {
        if (strcmp(p->appliance[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Nothing may be reported as done for what the plan has lost. */
static int take_absent(void *arg, const struct journal_step *s)
{
    struct absent *a = arg;
    struct driver *drv = a->drv;
    bool agent = str_starts(s->owner, "agent:");
    if (s->state == STEP_NEW || !s->owner[0])
        return 0;
    if (agent && strcmp(s->name, "pre-upgrade") == 0 && agents_forgotten(drv, s->owner)) {
        say(drv, s->owner,
            "its CA was put out of use for this change and is not resumed, but the plan does not "
            "name it any more: put it back into the plan");
        a->n++;
    }
    /* The first step of every appliance, whatever the number of hops. */
    if (!agent && str_starts(s->name, "before") && !has_appliance(&drv->plan, s->owner)) {
        say(drv, s->owner,
            "this change has begun with it, but the plan does not name it any more: put it back "
            "into the plan (what is known to be done there: --assume-done %s:STEP)",
            s->owner);
        a->n++;
    }
    return 0;
}

int run_check_plan(struct driver *drv)
{
    struct err err = ERR_INIT;
    struct absent a = {drv, 0};
    int code = check_digest(drv);
    if (!code && journal_each(drv->journal, take_absent, &a, &err))
        return run_failed(drv, &err);
    if (code || a.n)
        return code ? code : HU_PLAN_CHANGED;
    return journal_set_fact(drv->journal, "", "plan", drv->plan.digest, &err)
               ? run_failed(drv, &err)
               : HU_DONE;
}

/* ---- parts ---- */

/* untouched: what a refusal may say. */
static int gates_pass(struct driver *drv, bool ask_agents, const char *untouched)
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
    if (ask_agents && gates_worst(g) < SEV_CRITICAL && !early && !stop_wanted())
        gates_agents(drv, g);
    if (stop_wanted()) {
        say(drv, "", "interrupted: %s", untouched);
        return HU_INTERRUPTED;
    }
    gates_text(g, &text);
    progress_end(drv);
    fputs(buf_str(&text), drv->err);
    if (gates_only_agents(g)) {
        say(drv, "", "an agent refused in its dry run: %s", untouched);
        return HU_AGENT_REFUSED;
    }
    if (gates_worst(g) == SEV_CRITICAL || early) {
        say(drv, "", "refused: %s", untouched);
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

/* What a step that is not done is called where the run tells how things stand. */
static const char *standing(struct site *s, const struct step *step, enum step_state state)
{
    if (step->one_way && state != STEP_DONE && state != STEP_FAILED && typed_read(s) != TYPED_NO)
        return " (typed, not proven)";
    return state == STEP_FAILED  ? " (failed)"
           : state == STEP_HELD  ? " (stopped)"
           : state == STEP_BEGUN ? " (begun)"
                                 : "";
}

static void tell_site(struct site *s)
{
    struct driver *drv = s->drv;
    char last[HOP_NAME_MAX] = "untouched";
    const char *how = "";
    for (size_t k = 0; k < luna_step_count * drv->plan.n_hops; k++) {
        struct journal_step j;
        struct err err = ERR_INIT;
        const struct step *step = &luna_steps[k % luna_step_count];
        hop_name(&drv->plan, k / luna_step_count, step->name, s->step_name);
        if (journal_step(drv->journal, s->a->name, s->step_name, &j, &err) || j.state == STEP_NEW ||
            j.state == STEP_SKIPPED)
            continue;
        str_copy(last, sizeof last, s->step_name);
        how = standing(s, step, j.state);
    }
    say(drv, s->a->name, "stands at: %s%s", last, how);
}

void run_tell_where(struct driver *drv)
{
    for (size_t i = 0; i < drv->n_sites; i++)
        tell_site(&drv->site[i]);
}

static void tell_state(struct driver *drv)
{
    run_tell_where(drv);
    if (agents_any_paused(drv))
        say(drv, "",
            "the CAs stay paused. 'hsmupgrade resume' goes on; 'hsmupgrade abort' resumes them if "
            "the HSM passes");
    else
        say(drv, "", "'hsmupgrade resume' goes on; 'hsmupgrade abort' ends the run");
    drv->told_fit = 0; /* the last word says it in any case */
    resumeby_tell(drv);
}

/* The run stands; what is in the journal is what a resume begins with. */
int run_stands(struct driver *drv, int code)
{
    (void)run_set(drv, STEP_HELD,
                  code == HU_INTERRUPTED     ? "interrupted"
                  : code == HU_AGENT_REFUSED ? "an agent refused"
                  : code == HU_WINDOW        ? "the window is over"
                                             : "");
    tell_state(drv);
    return code;
}

static int finish(struct driver *drv)
{
    int code = run_sites(drv);
    if (code)
        return run_stands(drv, code);
    code = agents_resume(drv);
    if (code) {
        (void)run_set(drv, STEP_HELD, "an agent did not resume");
        return code;
    }
    code = run_set(drv, STEP_DONE, "");
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

/* A run that was ended has left nothing open: the next one looks and does everything anew. */
static int forget(struct driver *drv)
{
    struct err err = ERR_INIT;
    return journal_forget_run(drv->journal, &err) ? run_failed(drv, &err) : HU_DONE;
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
    int code = gates_pass(drv, true, "nothing was touched");
    if (!code && state == STEP_FAILED)
        code = forget(drv);
    if (!code)
        record_decisions(drv);
    if (!code)
        code = run_check_plan(drv);
    if (!code)
        code = run_set(drv, STEP_BEGUN, "");
    if (!code)
        code = agents_pause(drv, true);
    if (code == HU_AGENT_REFUSED)
        (void)run_set(drv, STEP_FAILED, "an agent refused");
    if (code == HU_INTERRUPTED && run_state(drv) == STEP_BEGUN)
        return run_stands(drv, code);
    return code ? code : finish(drv);
}

static int take_begun(void *arg, const struct journal_step *s)
{
    bool *begun = arg;
    bool agent = str_starts(s->owner, "agent:");
    *begun = *begun ||
             (s->owner[0] && !agent && s->state != STEP_NEW && strcmp(s->name, "so-login") != 0);
    return 0;
}

/* Before a resume takes a CA out of use, also one that it has given back: is there anything left to
 * do for which that is needed, and may it still be begun? */
static int pause_again(struct driver *drv)
{
    bool begun = false;
    struct err err = ERR_INIT;
    if (!resumeby_steps_left(drv))
        return HU_DONE;
    if (journal_each(drv->journal, take_begun, &begun, &err))
        return run_failed(drv, &err);
    if (run_window_over(drv) && (!begun || agents_to_pause(drv))) {
        say(drv, "",
            "the window is over: no CA is put out of use any more. 'resume --extend-window 2h' "
            "goes on, 'abort' ends it");
        return HU_WINDOW;
    }
    int code =
        begun ? HU_DONE : gates_pass(drv, !agents_any_paused(drv), "no appliance was touched");
    return code ? code : agents_pause(drv, !begun);
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
    int code = run_check_plan(drv);
    if (!code)
        code = run_set(drv, STEP_BEGUN, "resumed");
    if (code)
        return code;
    code = pause_again(drv);
    return code ? run_stands(drv, code) : finish(drv);
}
