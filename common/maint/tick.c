/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Time passes while the CA is down. Every moment that matters is in the store (deadline, resume-by,
 * last burn alarm, timers), so a restart forgets nothing; each part below compares the store with
 * the clock and acts at most once per moment. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "maint/engine.h"

#define CLUSTER_LOOK 60 /* seconds between two looks at the owner of a cluster resource */

/* Held because of the deadline: nothing else has happened since the pause. */
static bool late(const struct work *w)
{
    return w->state == MAINT_HELD && w->row.outcome == MAINT_DEADLINE_PASSED;
}

static bool down(const struct work *w)
{
    return w->state == MAINT_PAUSED || late(w);
}

/* Is a repeating timer due? A due time further away than one interval was set before the clock was
 * put back. */
static bool due(struct work *w, const char *name, int64_t interval)
{
    struct err ignored = ERR_INIT;
    int64_t at = WHEN_NONE, now = clock_now(w->m->seams.clock);
    if (store_timer_get(w->m->store, name, &at, &ignored))
        return false;
    return at == WHEN_NONE || at <= now || at > now + interval;
}

static int again_in(struct work *w, const char *name, int64_t interval, struct err *err)
{
    return store_timer_set(w->m->store, name, clock_now(w->m->seams.clock) + interval, err);
}

static int check_clock(struct work *w, struct err *err)
{
    char now_text[WHEN_TEXT_MAX], paused[WHEN_TEXT_MAX], text[256];
    int64_t now = clock_now(w->m->seams.clock);
    if (now >= w->row.paused - w->m->policy.skew ||
        !due(w, "maint.clock", w->m->policy.alarm_repeat))
        return ERR_OK;
    snprintf(text, sizeof text,
             "the clock says %s, the CA was paused at %s: the clock was set back, deadlines are "
             "late by as much",
             when_format(now, now_text), when_format(w->row.paused, paused));
    work_event(w, FIND_MAINT_CLOCK_BACK, SEV_WARNING, text);
    return again_in(w, "maint.clock", w->m->policy.alarm_repeat, err);
}

/* ---- somebody starts the CA ---- */

static int alarm_started(struct work *w, const struct svc_info *info, const char *more,
                         struct err *err)
{
    char text[1400];
    if (!due(w, "maint.watch", w->m->policy.alarm_repeat))
        return ERR_OK;
    snprintf(
        text, sizeof text,
        "'%s' was started while change %s has it paused%s%.400s; stop it (%s \"%.60s\") or "
        "end the maintenance: crlagent hook post-upgrade --change %s",
        w->m->policy.service, w->row.change, *more ? ": " : "", more,
        info->resource[0] && info->trouble != SVC_OUTSIDE ? "Stop-ClusterResource" : "net stop",
        info->resource[0] && info->trouble != SVC_OUTSIDE ? info->resource : w->m->policy.service,
        w->row.change);
    work_event(w, FIND_MAINT_CA_STARTED, SEV_CRITICAL, text);
    return again_in(w, "maint.watch", w->m->policy.alarm_repeat, err);
}

static int stop_again(struct work *w, const struct svc_info *info, struct err *err)
{
    bool found = false;
    struct err why = ERR_INIT;
    char text[300];
    int rc = svcplan_stop_again(w, &found, &why);
    if (rc == ERR_CANCELLED) {
        *err = why;
        return rc;
    }
    if (rc)
        return alarm_started(w, info, why.text, err);
    snprintf(text, sizeof text, "'%.100s' was started while paused and has been stopped again",
             w->m->policy.service);
    if (found)
        work_event(w, FIND_MAINT_CA_STOPPED_AGAIN, SEV_WARNING, text);
    return ERR_OK;
}

/* The service control manager tells when a service starts here; a fail-over must be looked for. */
static int look_at_owner(struct work *w, const struct svc_info *info, struct err *err)
{
    char text[SVC_TEXT_MAX + 500], is[SVC_TEXT_MAX];
    if (!info->resource[0])
        return ERR_OK;
    int rc = again_in(w, "maint.owner", CLUSTER_LOOK, err);
    if (rc || info->trouble != SVC_ELSEWHERE)
        return rc ? rc : store_timer_clear(w->m->store, "maint.moved", err);
    if (!due(w, "maint.moved", w->m->policy.alarm_repeat))
        return ERR_OK;
    snprintf(text, sizeof text,
             "the role of '%.60s' has moved to another node while change %s has it paused: it is "
             "%.500s; move it back to this node before: crlagent hook post-upgrade --change %s",
             w->m->policy.service, w->row.change, svc_info_text(info, is), w->row.change);
    work_event(w, FIND_MAINT_FAILED_OVER, SEV_CRITICAL, text);
    return again_in(w, "maint.moved", w->m->policy.alarm_repeat, err);
}

static int watch(struct work *w, struct err *err)
{
    const struct svc_control *svc = &w->m->seams.svc;
    struct svc_info info;
    int rc = svcplan_load(w, err);
    if (!rc)
        rc = svc->ops->query(svc->self, w->m->policy.service, &info, err);
    if (!rc)
        rc = look_at_owner(w, &info, err);
    if (!rc && w->m->policy.watch == WATCH_STOP_AGAIN && svcplan_ca_ran(w))
        return stop_again(w, &info, err);
    if (rc)
        return rc;
    if (info.state != SVC_STOPPED && info.state != SVC_STOP_PENDING)
        return alarm_started(w, &info, "", err);
    return store_timer_clear(w->m->store, "maint.watch", err);
}

/* Services that cannot be asked must not silence the deadline. */
static int watch_or_tell(struct work *w, struct err *err)
{
    struct err why = ERR_INIT;
    char text[ERR_TEXT_MAX + 100];
    int rc = watch(w, &why);
    if (!rc || rc == ERR_CANCELLED) {
        if (rc)
            *err = why;
        return rc;
    }
    if (!due(w, "maint.blind", w->m->policy.alarm_repeat))
        return ERR_OK;
    snprintf(text, sizeof text, "whether somebody started '%.60s' is not known: %s",
             w->m->policy.service, why.text);
    work_event(w, FIND_MAINT_WATCH_BLIND, SEV_CRITICAL, text);
    return again_in(w, "maint.blind", w->m->policy.alarm_repeat, err);
}

/* ---- runway ---- */

static void name_down(struct work *w, const struct probe_seen *seen)
{
    char text[sizeof seen->where + sizeof seen->why + 100];
    snprintf(text, sizeof text, "a location serves no usable CRL while the CA is paused: %s: %s",
             seen->where, seen->why);
    work_event(w, FIND_MAINT_LOCATION_DOWN, SEV_CRITICAL, text);
}

static int shrink(struct work *w, int64_t until, int64_t resume_by, struct err *err)
{
    char was[WHEN_TEXT_MAX], is[WHEN_TEXT_MAX], text[200];
    snprintf(text, sizeof text, "the runway became shorter: resume by %s, was %s",
             when_format(resume_by, is), when_format(w->row.resume_by, was));
    w->row.resume_by = resume_by;
    w->row.runway_until = until;
    if (w->row.deadline > resume_by)
        w->row.deadline = resume_by;
    work_event(w, FIND_MAINT_RUNWAY_SHRANK, SEV_CRITICAL, text);
    return work_save(w, err);
}

/* The continuous watch looks all the time; asking once more would only double its rows. What began
 * before the pause may show the CRLs before the cover. */
static bool watch_saw(const struct work *w, int64_t interval, struct probe_seen *ret)
{
    const struct maint_seams *s = &w->m->seams;
    int64_t now = clock_now(s->clock);
    return s->seen && s->seen(s->seen_self, ret) && ret->began >= w->row.paused &&
           ret->when <= now && ret->when > now - 2 * interval;
}

/* Over the wire only: no call goes to the CA. */
static int ask_locations(struct work *w, struct probe_seen *ret, struct err *err)
{
    const struct maint_seams *s = &w->m->seams;
    ca_view_free(&w->view);
    probe_round_free(&w->round);
    int rc = ca_view_read(&s->settings, &s->admin, w->m->store, false, clock_now(s->clock),
                          &w->view, err);
    if (!rc)
        rc = probe_round_run(&s->locate, &s->prober, &w->view, w->m->policy.propagation, s->clock,
                             &w->round, err);
    if (rc)
        return rc;
    if (reserve_is_out(w))
        probe_round_drop_deltas(&w->round, w->m->policy.propagation);
    for (size_t i = 0; i < w->round.n; i++)
        probe_keep(w->m->store, &w->round.target[i], &w->round.result[i], WHEN_NONE, w->round.when);
    probe_round_seen(&w->round, ret);
    return ERR_OK;
}

static int look_at_locations(struct work *w, struct err *err)
{
    struct probe_seen seen;
    int64_t interval = w->m->policy.paused_probe;
    if (interval <= 0 || !due(w, "maint.probe", interval))
        return ERR_OK;
    int rc = again_in(w, "maint.probe", interval, err);
    /* The watch counts deltas, to which a reserve CRL does not point. */
    if (!rc && (reserve_is_out(w) || !watch_saw(w, interval, &seen)))
        rc = ask_locations(w, &seen, err);
    if (rc)
        return rc;
    if (seen.weakest_until == WHEN_NONE) {
        name_down(w, &seen);
        return ERR_OK;
    }
    int64_t by = seen.weakest_until - w->m->policy.propagation - w->row.reserve;
    return by < w->row.resume_by ? shrink(w, seen.weakest_until, by, err) : ERR_OK;
}

static int burn(struct work *w, struct err *err)
{
    static const struct {
        uint32_t id;
        enum severity severity;
    } events[] = {{FIND_MAINT_BURN_FIRST, SEV_WARNING},
                  {FIND_MAINT_BURN_SECOND, SEV_WARNING},
                  {FIND_MAINT_BURN_THIRD, SEV_CRITICAL},
                  {FIND_MAINT_BURN_THIRD, SEV_CRITICAL}};
    const int64_t at[] = {w->m->policy.burn[0], w->m->policy.burn[1], w->m->policy.burn[2], 100};
    char by[WHEN_TEXT_MAX], left[WHEN_TEXT_MAX], text[300];
    int64_t now = clock_now(w->m->seams.clock), whole = w->row.resume_by - w->row.paused;
    int64_t used = whole > 0 ? (now - w->row.paused) * 100 / whole : 100;
    for (size_t i = ARRAY_LEN(at); i-- > 0;) {
        if (at[i] <= 0 || used < at[i])
            continue;
        if (w->row.burn >= at[i])
            return ERR_OK;
        snprintf(text, sizeof text,
                 "%lld %% of the runway is used up, the CA is still paused; it must be back by %s "
                 "(%s left)",
                 (long long)(used > 100 ? 100 : used), when_format(w->row.resume_by, by),
                 duration_format(w->row.resume_by - now, left));
        w->row.burn = (int32_t)at[i];
        work_event(w, events[i].id, events[i].severity, text);
        return work_save(w, err);
    }
    return ERR_OK;
}

/* ---- reserve CRL ---- */

/* While there is one that could be released. */
static bool have_sealed(struct work *w)
{
    SCOPED(reserve_set_free) struct reserve_set s = {0};
    struct err ignored = ERR_INIT;
    if (reserve_load(w, true, &s, &ignored))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (reserve_is(&s.item[i], "sealed"))
            return true;
    }
    return false;
}

static int release_reserve(struct work *w, struct err *err)
{
    int64_t at = reserve_release_at(&w->m->policy, &w->row);
    if (at == WHEN_NONE || clock_now(w->m->seams.clock) < at ||
        !due(w, "maint.reserve", w->m->policy.alarm_repeat))
        return ERR_OK;
    int rc = again_in(w, "maint.reserve", w->m->policy.alarm_repeat, err);
    if (rc || !w->m->seams.files.ops || !have_sealed(w))
        return rc;
    return reserve_release_by_clock(w, err);
}

/* ---- deadline ---- */

static enum maint_outcome pass_deadline(struct work *w)
{
    char at[WHEN_TEXT_MAX], by[WHEN_TEXT_MAX];
    bool resume = strcmp(w->row.deadline_action, "resume") == 0;
    (void)err_set(&w->a->err, ERR_TIMEOUT,
                  "the deadline %s has passed and the CA is still paused (it must be back by %s); "
                  "%s: crlagent hook post-upgrade --change %s",
                  when_format(w->row.deadline, at), when_format(w->row.resume_by, by),
                  resume ? "it is being brought back now, as configured; by hand"
                         : "it stays paused, as configured; bring it back",
                  w->row.change);
    if (!resume)
        return work_hold(w, MAINT_DEADLINE_PASSED, FIND_MAINT_DEADLINE);
    work_event(w, FIND_MAINT_DEADLINE, SEV_CRITICAL, w->a->err.text);
    err_clear(&w->a->err);
    return finish_run(w);
}

static int remind(struct work *w, struct err *err)
{
    char text[STORE_NOTE_MAX + 64];
    if (w->state != MAINT_HELD || !due(w, "maint.alarm", w->m->policy.alarm_repeat))
        return ERR_OK;
    snprintf(text, sizeof text, "a person must decide: %s", w->row.note);
    work_event(w, FIND_MAINT_HELD, SEV_CRITICAL, text);
    return again_in(w, "maint.alarm", w->m->policy.alarm_repeat, err);
}

/* What was prepared is not safe for ever. */
static int expire_ready(struct work *w, struct err *err)
{
    if (clock_now(w->m->seams.clock) + w->row.window <= w->row.resume_by)
        return ERR_OK;
    return work_enter(w, MAINT_ABORTED,
                      "prepared and not used: the runway does not hold the window any more",
                      FIND_MAINT_ABORTED, err);
}

enum maint_outcome tick_run(struct work *w)
{
    struct err *err = &w->a->err;
    int rc = ERR_OK;
    w->keep_outcome = true;
    if (w->state == MAINT_READY)
        rc = expire_ready(w, err);
    if (!rc && down(w))
        rc = check_clock(w, err);
    if (!rc && down(w))
        rc = watch_or_tell(w, err);
    if (!rc && w->row.paused != WHEN_NONE && w->row.resumed == WHEN_NONE &&
        (w->state == MAINT_PAUSED || w->state == MAINT_HELD)) {
        /* Locations that cannot be asked must not silence the deadline. */
        struct err why = ERR_INIT;
        if (look_at_locations(w, &why))
            work_event(w, FIND_MAINT_LOCATION_DOWN, SEV_CRITICAL, why.text);
        rc = burn(w, err);
        if (!rc)
            rc = release_reserve(w, err);
    }
    if (!rc)
        rc = remind(w, err);
    if (rc)
        return MAINT_FAILED;
    if (w->state == MAINT_PAUSED && clock_now(w->m->seams.clock) >= w->row.deadline)
        return pass_deadline(w);
    return MAINT_DONE;
}

static const struct maint_request by_clock = {
    .sid = "S-1-5-18", .name = "crlagent", .change = "", .reserve = -1, .deadline_action = -1};

enum maint_outcome maint_tick(struct maint *m, struct maint_answer *ret)
{
    SCOPED(work_free) struct work *w = work_new(m, &by_clock, ret);
    if (!w)
        return ret->outcome;
    int rc = work_load(w, &ret->err);
    if (rc == ERR_NOT_FOUND) {
        err_clear(&ret->err);
        return MAINT_DONE;
    }
    enum maint_state before = w->state;
    enum maint_outcome o = rc ? MAINT_FAILED : tick_run(w);
    if (w->state != before)
        return work_answer(w, "tick", o);
    ret->outcome = o;
    ret->row = w->row;
    ret->state = w->state;
    ret->token = (struct maint_token){w->row.id, w->row.epoch};
    return o;
}

/* ---- when next ---- */

static void sooner(int64_t *next, int64_t at)
{
    if (at != WHEN_NONE && (*next == WHEN_NONE || at < *next))
        *next = at;
}

static void sooner_timer(struct maint *m, const char *name, int64_t *next)
{
    int64_t at = WHEN_NONE;
    struct err ignored = ERR_INIT;
    if (store_timer_get(m->store, name, &at, &ignored) == ERR_OK)
        sooner(next, at);
}

/* The moment of the release, then the repeated look. */
static void sooner_reserve(struct maint *m, const struct store_maintenance *r, int64_t *next)
{
    int64_t at = WHEN_NONE, release = reserve_release_at(&m->policy, r);
    struct err ignored = ERR_INIT;
    if (release == WHEN_NONE || store_timer_get(m->store, "maint.reserve", &at, &ignored))
        return;
    sooner(next, at == WHEN_NONE || at < release ? release : at);
}

int64_t maint_next_tick(struct maint *m)
{
    struct store_maintenance r;
    struct err ignored = ERR_INIT;
    enum maint_state state;
    int64_t next = WHEN_NONE;
    if (store_maintenance_active(m->store, &r, &ignored) ||
        maint_state_parse(r.state, &state, &ignored))
        return WHEN_NONE;
    if (state == MAINT_READY)
        sooner(&next, r.resume_by - r.window + 1);
    if (state == MAINT_HELD)
        sooner_timer(m, "maint.alarm", &next);
    if (state == MAINT_PAUSED)
        sooner(&next, r.deadline);
    if ((state != MAINT_PAUSED && state != MAINT_HELD) || r.paused == WHEN_NONE ||
        r.resumed != WHEN_NONE)
        return next;
    if (m->policy.paused_probe > 0)
        sooner_timer(m, "maint.probe", &next);
    sooner_timer(m, "maint.watch", &next);
    sooner_timer(m, "maint.owner", &next);
    sooner_reserve(m, &r, &next);
    for (size_t i = 0; i < ARRAY_LEN(m->policy.burn); i++) {
        if (m->policy.burn[i] > r.burn)
            sooner(&next, r.paused + ((r.resume_by - r.paused) * m->policy.burn[i] + 99) / 100);
    }
    return next;
}
