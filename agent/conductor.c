/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/conductor_int.h"

#include <process.h>
#include <stdlib.h>
#include <string.h>

#include "agent/bundlefile.h"
#include "agent/marker.h"
#include "base/str.h"
#include "maint/state.h"
#include "store/maintenance.h"
#include "watch/snapshot.h"

static bool is_stopping(void *self)
{
    struct conductor *c = self;
    AcquireSRWLockShared(&c->lock);
    bool stop = c->stopping || c->cancel;
    ReleaseSRWLockShared(&c->lock);
    return stop;
}

/* The engine's clock: its waits end when the service stops or an abort comes in. */
static int clock_sleep_until_stop(void *self, int64_t ms)
{
    struct conductor *c = self;
    WaitForSingleObject(c->stop, ms < 0 ? 0 : ms > 3600000 ? 3600000u : (DWORD)ms);
    return is_stopping(c);
}

static const struct clock_ops conductor_clock = {clock_system_now, clock_system_mono_ms,
                                                 clock_sleep_until_stop};

struct watcher *conductor_watcher(struct conductor *c)
{
    AcquireSRWLockShared(&c->lock);
    struct watcher *w = c->watcher;
    ReleaseSRWLockShared(&c->lock);
    return w;
}

static bool on_seen(void *self, struct probe_seen *ret)
{
    return watcher_seen(conductor_watcher(self), ret);
}

static void on_snapshot(void *self, int64_t maintenance, const char *phase,
                        const struct ca_view *view, const struct probe_round *round)
{
    struct conductor *c = self;
    struct err err = ERR_INIT;
    if (snapshot_of_round(c->store, &c->seams.admin, c->setup.config, maintenance, phase, view,
                          round, &err))
        conductor_event(c, FIND_REPORT_NOT_WRITTEN, SEV_WARNING,
                        "the report '%s' of maintenance %lld: %s", phase, (long long)maintenance,
                        err.text);
}

/* Same maintenance? Then a second call follows the first one's progress. */
static bool same_work(const struct job *a, const struct job *b)
{
    return a->act == b->act && strcmp(a->req.change, b->req.change) == 0;
}

static void send_progress(struct pipe_call *call, const struct buf *text)
{
    struct err ignored = ERR_INIT;
    if (call)
        pipe_call_progress(call, buf_str(text), text->len, &ignored);
}

/* Setup waits while a maintenance is open. Without the file it would not; that is said, once. */
static void mark(struct conductor *c, bool open)
{
    struct err err = ERR_INIT;
    if (c->marked == open)
        return;
    c->marked = open;
    if (marker_set_here(MARKER_MAINTENANCE, open, &err))
        conductor_event(c, 0, SEV_WARNING, "the file that keeps setup away while a CA is held: %s",
                        err.text);
}

/* anew: whatever an earlier run left, the file is made or removed. */
static void mark_as_stored(struct conductor *c, bool anew)
{
    struct store_maintenance active;
    struct err err = ERR_INIT;
    int rc = store_maintenance_active(c->store, &active, &err);
    if (rc && rc != ERR_NOT_FOUND)
        return;
    if (anew)
        c->marked = rc != ERR_OK;
    mark(c, rc == ERR_OK);
}

static void on_progress(void *self, const struct maint_progress *p)
{
    struct conductor *c = self;
    if (p->maintenance)
        mark(c, !maint_state_final(p->state));
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    struct protocol_progress out = {.maintenance = p->maintenance, .when = p->when};
    (void)str_copy(out.state, sizeof out.state, maint_state_name(p->state));
    (void)str_copy(out.step, sizeof out.step, maint_step_name(p->step));
    (void)str_copy(out.subject, sizeof out.subject, p->subject ? p->subject : "");
    (void)str_copy(out.text, sizeof out.text, p->text ? p->text : "");
    if (protocol_progress_write(&out, &text, &err))
        return;
    AcquireSRWLockExclusive(&c->lock);
    (void)str_copy(c->step, sizeof c->step, out.text);
    if (c->running) {
        send_progress(c->running->call, &text);
        for (struct job *j = c->queue; j; j = j->next) {
            if (same_work(j, c->running))
                send_progress(j->call, &text);
        }
    }
    ReleaseSRWLockExclusive(&c->lock);
}

void conductor_event(struct conductor *c, uint32_t id, enum severity severity, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const struct event ev = {
        .id = id, .severity = severity, .when = clock_now(clock_system()), .text = text};
    event_emit(&c->seams.events, &ev);
}

struct emit_to {
    struct pipe_call *call;
    bool finished;
};

static int emit_message(void *arg, bool is_final, const char *data, size_t len)
{
    struct emit_to *to = arg;
    struct err err = ERR_INIT;
    if (!is_final)
        return pipe_call_progress(to->call, data, len, &err);
    to->finished = true;
    return pipe_call_finish(to->call, data, len, &err);
}

void call_answer(struct pipe_call *call, int exit_code, const char *message, const char *document,
                 size_t len)
{
    struct emit_to to = {call, false};
    struct err err = ERR_INIT;
    int rc = protocol_answer_write(exit_code, message, document, len, emit_message, &to, &err);
    /* Every call ends exactly once, also when its answer could not be written as meant. */
    if (rc && !to.finished)
        rc = protocol_answer_write(EXIT_FAILED, err.text, "", 0, emit_message, &to, &err);
    if (!to.finished)
        rc = pipe_call_finish(call, "{}", 2, &err);
    (void)rc;
}

static int open_store(struct conductor *c, struct err *err)
{
    struct store_opened opened;
    int64_t now = clock_now(clock_system());
    int rc = store_open(c->setup.store_path, STORE_WRITE, now, &c->store, &opened, err);
    if (!rc)
        rc = store_open(c->setup.store_path, STORE_WRITE, now, &c->audit, NULL, err);
    if (!rc && *opened.set_aside)
        conductor_event(c, FIND_STORE_SET_ASIDE, SEV_CRITICAL,
                        "the state file was damaged (%s); it is kept as '%s' and a new one is in "
                        "use",
                        opened.why, opened.set_aside);
    return rc;
}

static void tick(struct conductor *c)
{
    struct maint_answer *a = calloc(1, sizeof *a);
    if (!a)
        return;
    if (maint_tick(c->maint, a) != MAINT_DONE && a->err.code)
        conductor_event(c, 0, SEV_WARNING, "%s", a->err.text);
    struct document_evidence ignored;
    act_settle(c, "tick", a, &ignored);
    maint_answer_free(a);
    free(a);
}

static void reconcile(struct conductor *c)
{
    struct maint_answer *a = calloc(1, sizeof *a);
    if (!a)
        return;
    if (maint_reconcile(c->maint, a) != MAINT_DONE && a->err.code)
        conductor_event(c, 0, SEV_WARNING, "looking at what was left: %s", a->err.text);
    struct document_evidence ignored;
    act_settle(c, "reconcile", a, &ignored);
    maint_answer_free(a);
    free(a);
}

/* The next job, or NULL when something is due or the service stops. */
static struct job *next_job(struct conductor *c, int64_t due)
{
    AcquireSRWLockExclusive(&c->lock);
    while (!c->queue && !c->stopping && !c->poked) {
        int64_t left = due == WHEN_NONE ? 60 : due - clock_now(clock_system());
        if (left <= 0)
            break;
        /* At most a minute: the wall clock may step while we wait. */
        DWORD ms = left > 60 ? 60000 : (DWORD)left * 1000;
        if (!SleepConditionVariableSRW(&c->wake, &c->lock, ms, 0) && due != WHEN_NONE)
            break;
    }
    struct job *job = c->stopping ? NULL : c->queue;
    if (job) {
        c->queue = job->next;
        if (!c->queue)
            c->queue_end = &c->queue;
        job->next = NULL;
        c->running = job;
        c->cancel = false;
        (void)str_copy(c->step, sizeof c->step, "");
    }
    ReleaseSRWLockExclusive(&c->lock);
    return job;
}

static void end_job(struct conductor *c, struct job *job)
{
    AcquireSRWLockExclusive(&c->lock);
    c->running = NULL;
    c->cancel = false;
    ReleaseSRWLockExclusive(&c->lock);
    free(job);
}

static bool take_poke(struct conductor *c)
{
    AcquireSRWLockExclusive(&c->lock);
    bool poked = c->poked;
    c->poked = false;
    ReleaseSRWLockExclusive(&c->lock);
    return poked;
}

#define REST_SECONDS 10

/* When something is due. What was tried and is due still (the disk is full, say) is tried again
 * after a rest. A clock that was set back ends the rest. */
static int64_t engine_due(struct conductor *c)
{
    int64_t due = maint_next_tick(c->maint), now = clock_now(clock_system());
    bool rests = now < c->rest_until && c->rest_until <= now + REST_SECONDS;
    return due != WHEN_NONE && rests && due < c->rest_until ? c->rest_until : due;
}

static void tick_and_rest(struct conductor *c)
{
    int64_t was_due = maint_next_tick(c->maint);
    tick(c);
    int64_t due = maint_next_tick(c->maint), now = clock_now(clock_system());
    bool moved = due == WHEN_NONE || due != was_due || due > now;
    c->rest_until = moved ? 0 : now + REST_SECONDS;
}

/* Of the engine, or of an evidence bundle that could not be written. */
static int64_t next_due(struct conductor *c)
{
    int64_t tick_at = engine_due(c), export_at = bundlefile_next(c->store);
    if (export_at != WHEN_NONE && export_at < c->export_after)
        export_at = c->export_after;
    return export_at != WHEN_NONE && (tick_at == WHEN_NONE || export_at < tick_at) ? export_at
                                                                                   : tick_at;
}

static unsigned __stdcall conduct(void *arg)
{
    struct conductor *c = arg;
    reconcile(c);
    mark_as_stored(c, true);
    act_export(c, true);
    while (!is_stopping(c)) {
        struct job *job = next_job(c, next_due(c));
        if (job) {
            act_run(c, job);
            mark_as_stored(c, false);
            end_job(c, job);
            continue;
        }
        int64_t now = clock_now(clock_system());
        int64_t due = engine_due(c);
        if (is_stopping(c))
            break;
        act_export(c, false);
        if (take_poke(c) || (due != WHEN_NONE && due <= now)) {
            tick_and_rest(c);
            mark_as_stored(c, false);
        }
    }
    return 0;
}

static void release(struct conductor *c)
{
    maint_free(&c->maint);
    store_close(&c->store);
    store_close(&c->audit);
    if (c->stop)
        CloseHandle(c->stop);
    free(c);
}

int conductor_start(const struct conductor_setup *setup, struct conductor **ret, struct err *err)
{
    struct conductor *c = calloc(1, sizeof *c);
    if (!c)
        return err_nomem(err);
    c->setup = *setup;
    c->seams = *setup->seams;
    c->clock = (struct clock){&conductor_clock, c};
    c->seams.clock = &c->clock;
    c->seams.progress = on_progress;
    c->seams.progress_self = c;
    c->seams.stopping = is_stopping;
    c->seams.stopping_self = c;
    c->seams.snapshot = on_snapshot;
    c->seams.snapshot_self = c;
    c->seams.seen = on_seen;
    c->seams.seen_self = c;
    InitializeSRWLock(&c->lock);
    InitializeSRWLock(&c->audit_lock);
    InitializeConditionVariable(&c->wake);
    c->queue_end = &c->queue;
    c->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    int rc = c->stop ? open_store(c, err) : err_nomem(err);
    if (!rc)
        rc = maint_new(&c->seams, c->store, setup->policy, &c->maint, err);
    if (!rc) {
        c->thread = (HANDLE)_beginthreadex(NULL, 0, conduct, c, 0, NULL);
        if (!c->thread)
            rc = err_set(err, ERR_NOMEM, "the conductor's thread cannot be started");
    }
    if (rc) {
        release(c);
        return rc;
    }
    *ret = c;
    return ERR_OK;
}

void conductor_stop(struct conductor *c)
{
    if (!c)
        return;
    AcquireSRWLockExclusive(&c->lock);
    c->stopping = true;
    ReleaseSRWLockExclusive(&c->lock);
    SetEvent(c->stop);
    WakeAllConditionVariable(&c->wake);
    WaitForSingleObject(c->thread, INFINITE);
    CloseHandle(c->thread);
    while (c->queue) {
        struct job *job = c->queue;
        c->queue = job->next;
        call_answer(job->call, EXIT_NO_SERVICE,
                    "the service is stopping; the same call again after its start gives the result",
                    "", 0);
        free(job);
    }
    release(c);
}

/* Another change has the CA while this one wants it: said at once, not after minutes of waiting. */
static bool held_by_other(struct conductor *c, const struct job *job, char *dst, size_t size)
{
    const struct job *r = c->running;
    if (!r || !job->act->takes || !r->act->takes || strcmp(r->req.change, job->req.change) == 0)
        return false;
    snprintf(dst, size,
             "the service is busy with '%s' of change '%s' for %s (%s); nothing was done",
             r->act->verb, r->req.change, r->peer.account, c->step);
    return true;
}

static void enqueue(struct conductor *c, struct job *job)
{
    char why[ERR_TEXT_MAX] = "";
    int exit_code = EXIT_MAINTENANCE_BUSY;
    AcquireSRWLockExclusive(&c->lock);
    bool refuse = held_by_other(c, job, why, sizeof why);
    if (c->stopping) {
        refuse = true;
        exit_code = EXIT_NO_SERVICE;
        (void)str_copy(why, sizeof why, "the service is stopping");
    }
    if (!refuse) {
        *c->queue_end = job;
        c->queue_end = &job->next;
        if (job->act->cancels && c->running && c->running->act->takes)
            c->cancel = true;
    }
    ReleaseSRWLockExclusive(&c->lock);
    if (refuse) {
        call_answer(job->call, exit_code, why, "", 0);
        free(job);
        return;
    }
    WakeAllConditionVariable(&c->wake);
}

/* Written down before it is answered. */
static void refuse(struct conductor *c, struct pipe_call *call, const struct pipe_peer *peer,
                   const struct protocol_request *req, const char *why)
{
    const struct refused what = {.sid = peer->sid,
                                 .name = peer->account,
                                 /* A name from outside cannot make kinds of rows. */
                                 .verb = act_find(req->verb) ? req->verb : "look",
                                 .change = req->change,
                                 .why = why,
                                 .outcome = EXIT_NOT_PERMITTED};
    struct err err = ERR_INIT;
    bool told = false;
    AcquireSRWLockExclusive(&c->audit_lock);
    int rc = refusals_note(&c->refusals, c->audit, clock_now(clock_system()), &what, &told, &err);
    ReleaseSRWLockExclusive(&c->audit_lock);
    if (rc)
        conductor_event(c, FIND_STORE_FAILED, SEV_CRITICAL, "%s", err.text);
    if (told)
        conductor_event(c, FIND_NOT_PERMITTED, SEV_WARNING,
                        "%s (%s) asked for '%s' and may not; nothing was done", peer->account,
                        peer->sid, what.verb);
    call_answer(call, EXIT_NOT_PERMITTED, why, "", 0);
}

static void queue_act(struct conductor *c, struct pipe_call *call, const struct pipe_peer *peer,
                      const struct protocol_request *req, const struct act *act)
{
    if (peer->right < act->right) {
        refuse(c, call, peer, req,
               "this account may not do that; ask for membership in the operators group of the "
               "configuration");
        return;
    }
    struct job *job = calloc(1, sizeof *job);
    if (!job) {
        call_answer(call, EXIT_FAILED, "no memory", "", 0);
        return;
    }
    job->act = act;
    job->call = call;
    job->peer = *peer;
    job->req = *req;
    enqueue(c, job);
}

void conductor_request(struct conductor *c, struct pipe_call *call, const struct pipe_peer *peer,
                       const char *data, size_t len)
{
    struct protocol_request req;
    struct err err = ERR_INIT;
    if (protocol_request_read(data, len, &req, &err)) {
        call_answer(call, EXIT_USAGE, err.text, "", 0);
        return;
    }
    if (peer->right < PIPE_RIGHT_READ) {
        refuse(c, call, peer, &req,
               "this account may not read the status; ask for membership in the readers group of "
               "the configuration");
        return;
    }
    if (look_answer(c, call, peer, &req) || watcher_request(c->watcher, call, peer, &req))
        return;
    const struct act *act = act_find(req.verb);
    if (act) {
        queue_act(c, call, peer, &req, act);
        return;
    }
    err_set(&err, ERR_INVALID, "the service knows no verb '%s'", req.verb);
    call_answer(call, EXIT_USAGE, err.text, "", 0);
}

void conductor_poke(struct conductor *c)
{
    AcquireSRWLockExclusive(&c->lock);
    c->poked = true;
    ReleaseSRWLockExclusive(&c->lock);
    WakeAllConditionVariable(&c->wake);
}

void conductor_set_watcher(struct conductor *c, struct watcher *w)
{
    AcquireSRWLockExclusive(&c->lock);
    c->watcher = w;
    ReleaseSRWLockExclusive(&c->lock);
}
