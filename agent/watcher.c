/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/watcher.h"

#include <windows.h>

#include <process.h>
#include <stdlib.h>
#include <string.h>

#include "agent/conductor_int.h"
#include "agent/lazyadmin.h"
#include "base/str.h"
#include "watch/forecast.h"
#include "watch/watch.h"
#include "win32/caevents.h"
#include "win32/service.h"

#define STOP_MS 15000   /* then the thread is left to the end of the program, with its store */
#define BEGIN_SECONDS 2 /* the first look comes after what a start has to do itself */

struct rendering {
    enum report_format format;
    enum severity fail_on;
    int64_t outage, from; /* simulate: seconds, and UTC or WHEN_NONE; outage 0 = a report */
};

struct asked {
    struct asked *next;
    struct pipe_call *call;
    struct rendering how;
};

struct watcher {
    struct watcher_setup setup;
    HANDLE thread;
    SRWLOCK lock; /* guards what follows */
    CONDITION_VARIABLE wake;
    struct asked *queue;
    bool stopping, refresh;
    struct look *last;
    /* owned by the thread */
    struct store *store;
    struct lazy_admin *admin;
    struct watch *watch;
};

static uint32_t random_tick(void *self)
{
    LARGE_INTEGER t;
    (void)self;
    QueryPerformanceCounter(&t);
    return (uint32_t)((uint64_t)t.QuadPart * 2654435761u >> 16);
}

static int open_all(struct watcher *w, struct err *err)
{
    const struct watcher_setup *s = &w->setup;
    int64_t now = clock_now(clock_system());
    int rc = store_open(s->store_path, STORE_WRITE, now, &w->store, NULL, err);
    if (!rc)
        rc = lazy_admin_new(s->config, &w->admin, err);
    if (rc)
        return rc;
    const struct watch_setup setup = {
        .seams =
            {
                .clock = clock_system(),
                /* Only asks whether the CA runs here: on a passive node of a cluster it does not,
                 * and its answers are another computer's. */
                .svc = *svc_control_scm(),
                .admin = lazy_admin_seam(w->admin),
                .settings = s->seams->settings,
                .key = s->seams->key,
                .locate = *s->locate,
                .prober = s->seams->prober,
                .ca_log = *ca_event_log_system(),
                .events = s->events,
                .compare = crl_compare_buffers,
                .random = random_tick,
            },
        .config = s->config,
        .service = s->service,
        .metrics = s->config->output.metrics_file,
        .store = w->store,
    };
    return watch_new(&setup, &w->watch, err);
}

struct work_to_do {
    struct asked *list; /* everybody who has asked by now */
    bool look, stop;
};

static struct work_to_do wait_for_work(struct watcher *w, int64_t due)
{
    AcquireSRWLockExclusive(&w->lock);
    for (;;) {
        int64_t left = due - clock_now(clock_system());
        if (w->queue || w->refresh || w->stopping || left <= 0)
            break;
        /* Not longer than ten seconds: the clock may step, and a maintenance may begin. */
        DWORD ms = left > 10 ? 10000 : (DWORD)left * 1000;
        if (!SleepConditionVariableSRW(&w->wake, &w->lock, ms, 0))
            break;
    }
    struct work_to_do todo = {w->stopping ? NULL : w->queue, false, w->stopping};
    todo.look = todo.list || w->refresh || due <= clock_now(clock_system());
    if (todo.list)
        w->queue = NULL;
    w->refresh = false;
    ReleaseSRWLockExclusive(&w->lock);
    return todo;
}

static void answer_one(struct watcher *w, struct pipe_call *call, const struct rendering *how,
                       const struct look *l, struct store *store)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    int exit_code = EXIT_CHECK_UNKNOWN;
    bool fits = false;
    int rc = how->outage
                 ? look_forecast(l, w->setup.config, how->from, how->outage, &text, &fits, &err)
                 : look_render(l, store, NULL, how->format, how->fail_on, &text, &exit_code, &err);
    if (how->outage && !rc)
        exit_code = fits ? EXIT_DONE : EXIT_CHECK_CRITICAL;
    if (rc)
        call_answer(call, EXIT_CHECK_UNKNOWN, err.text, "", 0);
    else
        call_answer(call, exit_code, "", buf_str(&text), text.len);
}

static void answer_all(struct watcher *w, struct asked *list, const struct look *l,
                       const struct err *why)
{
    while (list) {
        struct asked *a = list;
        list = a->next;
        if (l)
            answer_one(w, a->call, &a->how, l, w->store);
        else
            call_answer(a->call, EXIT_CHECK_UNKNOWN, why->text, "", 0);
        free(a);
    }
}

/* Answered before it becomes what reports show: only this thread frees it. */
static void look_once(struct watcher *w, struct asked *list)
{
    struct err err = ERR_INIT;
    struct look *l = NULL;
    if (list) /* who asks wants to know, not to save bytes */
        watch_whole(w->watch);
    int rc = watch_look(w->watch, &l, &err);
    answer_all(w, list, rc ? NULL : l, &err);
    if (w->setup.told)
        w->setup.told(w->setup.told_arg);
    if (rc)
        return;
    AcquireSRWLockExclusive(&w->lock);
    struct look *old = w->last;
    w->last = l;
    ReleaseSRWLockExclusive(&w->lock);
    look_free(&old);
}

static unsigned __stdcall run(void *arg)
{
    struct watcher *w = arg;
    int64_t begin = clock_now(clock_system()) + BEGIN_SECONDS;
    for (struct work_to_do todo = {0}; !todo.stop;) {
        int64_t due = watch_next(w->watch);
        todo = wait_for_work(w, due < begin ? begin : due);
        if (todo.look && !todo.stop)
            look_once(w, todo.list);
    }
    return 0;
}

static void release(struct watcher *w)
{
    while (w->queue) {
        struct asked *a = w->queue;
        w->queue = a->next;
        call_answer(a->call, EXIT_NO_SERVICE, "the service is stopping", "", 0);
        free(a);
    }
    look_free(&w->last);
    watch_free(&w->watch);
    lazy_admin_free(&w->admin);
    store_close(&w->store);
    free(w);
}

int watcher_start(const struct watcher_setup *setup, struct watcher **ret, struct err *err)
{
    struct watcher *w = calloc(1, sizeof *w);
    if (!w)
        return err_nomem(err);
    w->setup = *setup;
    InitializeSRWLock(&w->lock);
    InitializeConditionVariable(&w->wake);
    int rc = open_all(w, err);
    if (!rc) {
        w->thread = (HANDLE)_beginthreadex(NULL, 0, run, w, 0, NULL);
        if (!w->thread)
            rc = err_set(err, ERR_NOMEM, "the watching thread cannot be started");
    }
    if (rc) {
        release(w);
        return rc;
    }
    *ret = w;
    return ERR_OK;
}

bool watcher_stop(struct watcher *w)
{
    if (!w)
        return true;
    AcquireSRWLockExclusive(&w->lock);
    w->stopping = true;
    ReleaseSRWLockExclusive(&w->lock);
    WakeAllConditionVariable(&w->wake);
    if (WaitForSingleObject(w->thread, STOP_MS) != WAIT_OBJECT_0)
        return false;
    CloseHandle(w->thread);
    release(w);
    return true;
}

static void enqueue(struct watcher *w, struct pipe_call *call, const struct rendering *how)
{
    struct asked *a = calloc(1, sizeof *a);
    if (!a) {
        call_answer(call, EXIT_CHECK_UNKNOWN, "no memory", "", 0);
        return;
    }
    a->call = call;
    a->how = *how;
    AcquireSRWLockExclusive(&w->lock);
    a->next = w->queue;
    w->queue = a;
    ReleaseSRWLockExclusive(&w->lock);
    WakeAllConditionVariable(&w->wake);
}

static void report(struct watcher *w, struct pipe_call *call, const struct rendering *how)
{
    SCOPED(store_close) struct store *store = NULL;
    struct err err = ERR_INIT;
    int rc =
        store_open(w->setup.store_path, STORE_READ, clock_now(clock_system()), &store, NULL, &err);
    AcquireSRWLockShared(&w->lock);
    if (rc)
        call_answer(call, EXIT_CHECK_UNKNOWN, err.text, "", 0);
    else if (!w->last)
        call_answer(call, EXIT_CHECK_UNKNOWN,
                    "the service has not looked at the locations since its start; look now: "
                    "crlagent check",
                    "", 0);
    else
        answer_one(w, call, how, w->last, store);
    ReleaseSRWLockShared(&w->lock);
}

bool watcher_request(struct watcher *w, struct pipe_call *call, const struct pipe_peer *peer,
                     const struct protocol_request *req)
{
    struct rendering how = {REPORT_TEXT, SEV_WARNING, 0, WHEN_NONE};
    struct err err = ERR_INIT;
    bool simulate = strcmp(req->verb, "simulate") == 0;
    bool check = simulate || strcmp(req->verb, "check") == 0;
    if (simulate) {
        how.outage = req->window;
        how.from = req->until < 0 ? WHEN_NONE : req->until;
    }
    if (!w || (!check && strcmp(req->verb, "report") != 0))
        return false;
    if (peer->right < PIPE_RIGHT_READ)
        call_answer(call, EXIT_NOT_PERMITTED,
                    "this account may not read the status; ask for membership in the readers group "
                    "of the configuration",
                    "", 0);
    else if (simulate && how.outage <= 0)
        call_answer(call, EXIT_CHECK_UNKNOWN, "field 'window': the length of the outage is needed",
                    "", 0);
    else if ((*req->format && report_format_parse(req->format, &how.format, &err)) ||
             (*req->fail_on && severity_parse(req->fail_on, &how.fail_on, &err)))
        call_answer(call, EXIT_CHECK_UNKNOWN, err.text, "", 0);
    else if (check)
        enqueue(w, call, &how);
    else
        report(w, call, &how);
    return true;
}

void watcher_last(struct watcher *w, struct watcher_last *ret)
{
    memset(ret, 0, sizeof *ret);
    if (!w)
        return;
    AcquireSRWLockShared(&w->lock);
    if (w->last) {
        const char *ca = w->last->view.settings.common_name;
        ret->known = true;
        ret->when = w->last->round.when;
        ret->runway = w->last->round.runway;
        (void)str_copy(ret->ca, sizeof ret->ca, ca ? ca : "");
        ret->muted = w->last->muted;
    }
    ReleaseSRWLockShared(&w->lock);
}

bool watcher_seen(struct watcher *w, struct probe_seen *ret)
{
    bool known = false;
    if (!w)
        return false;
    AcquireSRWLockShared(&w->lock);
    if (w->last) {
        probe_round_seen(&w->last->round, ret);
        known = true;
    }
    ReleaseSRWLockShared(&w->lock);
    return known;
}

void watcher_refresh(struct watcher *w)
{
    if (!w)
        return;
    AcquireSRWLockExclusive(&w->lock);
    w->refresh = true;
    ReleaseSRWLockExclusive(&w->lock);
    WakeAllConditionVariable(&w->wake);
}
