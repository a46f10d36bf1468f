/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* One step, with its journal. Written before the action: "begun"; after the proof: "done". A crash
 * between the two leaves "begun", and then the appliance is asked before anything else is done. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "driver/resumeby.h"
#include "driver/hop.h"
#include "driver/run.h"
#include "driver/run_int.h"
#include "driver/steps.h"
#include "driver/stop.h"
#include "driver/typed.h"

#define BY_HAND_SECONDS (24 * 3600) /* a person knows best when to log in again */

/* Errors that waiting does not cure. */
static bool is_final(int rc)
{
    return rc == ERR_CRYPTO || rc == ERR_DENIED || rc == ERR_STATE || rc == ERR_INVALID ||
           rc == ERR_NOMEM || rc == ERR_UNSUPPORTED;
}

int run_await(struct site *s, const struct step *step, int64_t patience, int64_t settle,
              struct err *err)
{
    struct driver *drv = s->drv;
    int64_t start = clock_mono_ms(drv->clock);
    int64_t old_since = -1;
    if (s->t.by_hand)
        patience = BY_HAND_SECONDS;
    bool told = false;
    for (;;) {
        bool reached = false;
        struct err now_err = ERR_INIT;
        int rc = step->proof(s, &reached, &now_err);
        int64_t now = clock_mono_ms(drv->clock);
        if (!rc && reached)
            return ERR_OK;
        if (is_final(rc))
            return err_set(err, rc, "%s", now_err.text);
        if (rc && !told)
            say(drv, s->a->name, "waiting: %s", now_err.text);
        told = told || rc;
        /* The old state counts against the step only while it can be seen without a break. */
        old_since = rc ? -1 : old_since < 0 ? now : old_since;
        if (old_since >= 0 && now - old_since >= settle * 1000)
            return err_set(err, ERR_STATE,
                           "a fresh login still shows software %s and firmware %s after %lld s",
                           s->show.software, s->show.firmware, (long long)settle);
        if (now - start >= patience * 1000)
            return err_set(err, ERR_TIMEOUT, "not proven after %lld s: %s", (long long)patience,
                           rc ? now_err.text : "the old state shows");
        progress_wait(drv, s->a->name, step->title, NULL, now - start,
                      patience * 1000 - (now - start));
        if (clock_sleep_ms(drv->clock, drv->plan.timeouts.poll * 1000))
            return err_set(err, ERR_CANCELLED, "interrupted while waiting: %s",
                           rc ? now_err.text : "the old state shows");
    }
}

bool run_chosen(const struct opt_list *list, const struct site *s)
{
    char name[128];
    snprintf(name, sizeof name, "%s:%s", s->a->name, s->step_name);
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->item[i], name) == 0)
            return true;
    }
    return false;
}

static int record(struct site *s, enum step_state state, const char *detail)
{
    struct err err = ERR_INIT;
    if (journal_set(s->drv->journal, clock_now(s->drv->clock), s->a->name, s->step_name, state,
                    detail, &err)) {
        say(s->drv, s->a->name, "%s", err.text);
        return HU_FAILED;
    }
    return HU_DONE;
}

static int done(struct site *s, const char *detail)
{
    int code = record(s, STEP_DONE, detail);
    say(s->drv, s->a->name, "%s: done%s%s", s->step_name, detail[0] ? ": " : "", detail);
    return code;
}

static int exit_of(const struct site *s, int rc, bool not_proven)
{
    switch (rc) {
    case ERR_DENIED:
        return s->refused ? HU_UNREACHABLE : HU_SO_LOGIN;
    case ERR_CRYPTO:
        return HU_UNREACHABLE;
    case ERR_UNAVAILABLE:
    case ERR_TIMEOUT:
        return not_proven ? HU_NOT_PROVEN : HU_UNREACHABLE;
    default:
        return not_proven ? HU_NOT_PROVEN : HU_HELD;
    }
}

/* On the wish to stop. A one-way command that was typed goes on over there: its step stays "begun",
 * and a resume asks the appliance. Everything else is simply done again. */
static int left_early(struct site *s, const struct step *step, const struct err *why)
{
    bool running = step->one_way && typed_read(s) != TYPED_NO;
    int code = record(s, running ? STEP_BEGUN : STEP_HELD, why->text);
    say(s->drv, s->a->name, "%s: left: %s; %s", s->step_name, why->text,
        running ? "what was begun goes on by itself, 'resume' asks the appliance about it"
                : "'resume' does this step again");
    return code ? code : HU_INTERRUPTED;
}

/* HELD: nothing one-way was begun. A one-way command that was typed stays BEGUN while nobody knows,
 * and is FAILED when the appliance itself ended it; which error came of it does not matter. */
static enum step_state state_after(struct site *s, const struct step *step, bool not_proven)
{
    enum typed t = step->one_way ? typed_read(s) : TYPED_NO;
    if (t == TYPED_NO)
        return STEP_HELD;
    return t == TYPED_ENDED && !not_proven ? STEP_FAILED : STEP_BEGUN;
}

static int held(struct site *s, const struct step *step, const struct err *why, bool not_proven)
{
    if (why->code == ERR_CANCELLED)
        return left_early(s, step, why);
    enum step_state state = state_after(s, step, not_proven);
    (void)!record(s, state, why->text);
    say(s->drv, s->a->name, "%s: STOPPED: %s", s->step_name, why->text);
    if (state != STEP_HELD)
        say(s->drv, s->a->name,
            "this step is never repeated by itself. When you know that nothing is running any "
            "more: "
            "resume --repeat %s:%s, or, when you know that it worked: --assume-done %s:%s",
            s->a->name, s->step_name, s->a->name, s->step_name);
    return exit_of(s, why->code, not_proven);
}

static int forget_typed(struct site *s, const struct step *step)
{
    struct err err = ERR_INIT;
    if (!step->one_way || !typed_mark(s, TYPED_NO, &err))
        return HU_DONE;
    say(s->drv, s->a->name, "%s", err.text);
    return HU_FAILED;
}

/* One look, for what the appliance itself has ended, or for what may simply be done again. */
static int look_once(struct site *s, const struct step *step, const struct journal_step *before,
                     int *ret_code)
{
    struct err err = ERR_INIT;
    bool reached = false;
    int rc = step->proof(s, &reached, &err);
    if (!step->one_way && (rc || !reached))
        return 0;
    if (!rc && !reached)
        err_set(&err, ERR_IO, "it failed before: %s", before->detail);
    *ret_code = reached ? done(s, "found done") : held(s, step, &err, false);
    return 1;
}

/* A step that was begun and not finished: what does the appliance say? 1 = settled, *ret_code. A
 * one-way command that was typed is asked about whatever state the journal has. */
static int find_truth(struct site *s, const struct step *step, const struct journal_step *before,
                      int *ret_code)
{
    struct err err = ERR_INIT;
    const struct plan *p = &s->drv->plan;
    enum typed t = step->one_way ? typed_read(s) : TYPED_NO;
    if (!step->proof || (step->one_way ? t == TYPED_NO : before->state != STEP_BEGUN))
        return 0;
    if (run_chosen(&s->drv->opt.repeat, s)) {
        say(s->drv, s->a->name, "%s: repeated on a person's word", s->step_name);
        return 0;
    }
    say(s->drv, s->a->name, "%s was begun and not finished; asking the appliance", s->step_name);
    if (!step->one_way || before->state == STEP_FAILED)
        return look_once(s, step, before, ret_code);
    /* Where its end was seen, the old state need not last for the whole time-out. */
    int rc = run_await(s, step, step->patience(p),
                       t == TYPED_ENDED ? step->settle(p) : step->patience(p), &err);
    *ret_code = rc ? held(s, step, &err, true) : done(s, "found done");
    return 1;
}

/* After an action that says nothing about its result: the connection is lost, or the HSM card does
 * not answer its appliance. */
static int ask_for_truth(struct site *s, const struct step *step, int why, struct err *err)
{
    const struct plan *p = &s->drv->plan;
    say(s->drv, s->a->name, "%s: %s; asking the appliance for the truth", s->step_name, err->text);
    int rc = run_await(s, step, step->patience(p),
                       why == ERR_BUSY ? step->settle(p) : step->patience(p), err);
    return rc ? held(s, step, err, !is_final(rc) || rc == ERR_STATE)
              : done(s, why == ERR_BUSY ? "proven by a fresh login"
                                        : "proven by a fresh login after a lost connection");
}

static int perform(struct site *s, const struct step *step)
{
    struct err err = ERR_INIT;
    const struct plan *p = &s->drv->plan;
    int code = forget_typed(s, step);
    if (!code)
        code = record(s, STEP_BEGUN, "");
    if (code)
        return code;
    say(s->drv, s->a->name, "%s: begun (%s)", s->step_name, step->title);
    if (step->in_window)
        resumeby_tell(s->drv);
    int rc = step->action(s, &err);
    bool unknown = rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT || rc == ERR_BUSY;
    /* What was never typed need not be waited for. */
    if (unknown && step->proof && (!step->one_way || typed_read(s) != TYPED_NO))
        return ask_for_truth(s, step, rc, &err);
    if (rc)
        return held(s, step, &err, false);
    if (!step->proof_after)
        return done(s, "");
    rc = run_await(s, step, step->patience(p), step->settle(p), &err);
    return rc ? held(s, step, &err, true) : done(s, "proven by a fresh login");
}

bool run_window_over(const struct driver *drv)
{
    return driver_now(drv) >= drv->plan.window_end + drv->opt.extend_window;
}

/* Done, and nobody wants it again; what cannot be taken back is not done twice for a wish. */
static bool is_over(struct site *s, const struct step *step, const struct journal_step *before)
{
    bool over = before->state == STEP_DONE || before->state == STEP_SKIPPED;
    if (!over || before->state == STEP_SKIPPED || !run_chosen(&s->drv->opt.repeat, s))
        return over;
    if (step->one_way)
        say(s->drv, s->a->name, "%s is done: it cannot be taken back, and is not repeated",
            s->step_name);
    return step->one_way;
}

int run_one_step(struct site *s, const struct step *step)
{
    struct journal_step before;
    struct err err = ERR_INIT;
    int code = HU_DONE;
    hop_name(&s->drv->plan, s->hop, step->name, s->step_name);
    if (journal_step(s->drv->journal, s->a->name, s->step_name, &before, &err)) {
        say(s->drv, s->a->name, "%s", err.text);
        return HU_FAILED;
    }
    if (is_over(s, step, &before))
        return HU_DONE;
    if (stop_wanted()) {
        say(s->drv, s->a->name, "%s: not begun", s->step_name);
        return HU_INTERRUPTED;
    }
    if (run_chosen(&s->drv->opt.assume, s))
        return done(s, "taken as done on a person's word");
    if (!step->needed(s))
        return record(s, STEP_SKIPPED, "not needed");
    if (find_truth(s, step, &before, &code))
        return code;
    if (step->in_window && run_window_over(s->drv)) {
        say(s->drv, s->a->name,
            "%s: not begun, the window is over. 'resume --extend-window 2h' goes on, 'abort' ends "
            "it",
            s->step_name);
        return HU_WINDOW;
    }
    return perform(s, step);
}
