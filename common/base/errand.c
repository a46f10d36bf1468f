/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "base/errand.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/monitor.h"
#include "base/scope.h"
#include "base/when.h"

/* One under way. Under the lock exactly one side ends up with it: the sender when it came back in
 * time, its thread when it was left behind. */
struct trip {
    struct errands *home;
    struct errand *errand;
    size_t tag;
    int64_t deadline; /* monotonic milliseconds */
    bool back, left;
    struct trip *next;
};

/* Kept alive by the sender and by each thread. */
struct errands {
    struct monitor *monitor;
    struct trip *first; /* of the sender */
    atomic_size_t users;
};

static int64_t now_ms(void)
{
    return clock_mono_ms(clock_system());
}

/* Outside of the lock: whoever counts down to zero knows that nobody is inside any more. */
static void release(struct errands *s)
{
    if (atomic_fetch_sub(&s->users, 1) != 1)
        return;
    monitor_free(&s->monitor);
    free(s);
}

int errands_new(struct errands **ret, struct err *err)
{
    struct errands *s = calloc(1, sizeof *s);
    int rc = s ? monitor_new(&s->monitor, err) : err_nomem(err);
    if (rc) {
        free(s);
        return rc;
    }
    atomic_init(&s->users, 1);
    *ret = s;
    return ERR_OK;
}

static void end_trip(struct trip *t)
{
    t->errand->drop(t->errand);
    free(t);
}

void errands_free(struct errands **sp)
{
    struct errands *s = *sp;
    if (!s)
        return;
    monitor_enter(s->monitor);
    for (struct trip *t = steal_ptr(s->first), *next; t; t = next) {
        next = t->next;
        t->left = true;
        if (t->back)
            end_trip(t);
    }
    monitor_leave(s->monitor);
    release(s);
    *sp = NULL;
}

static void travel(void *arg)
{
    struct trip *t = arg;
    struct errands *s = t->home;
    t->errand->run(t->errand);
    monitor_enter(s->monitor);
    t->back = true;
    bool left = t->left;
    monitor_ring(s->monitor);
    monitor_leave(s->monitor);
    if (left)
        end_trip(t);
    release(s);
}

int errands_send(struct errands *s, struct errand *e, size_t tag, int64_t timeout_ms,
                 struct err *err)
{
    struct trip *t = calloc(1, sizeof *t);
    if (!t) {
        e->drop(e);
        return err_nomem(err);
    }
    *t = (struct trip){
        .home = s, .errand = e, .tag = tag, .deadline = now_ms() + timeout_ms, .next = s->first};
    atomic_fetch_add(&s->users, 1);
    int rc = monitor_spawn(travel, t, err);
    if (rc) {
        atomic_fetch_sub(&s->users, 1); /* the sender still counts */
        end_trip(t);
        return rc;
    }
    s->first = t; /* the list is the sender's alone: no lock */
    return ERR_OK;
}

/* Inside: one that came back, else one that is late, taken out of the list; NULL with the time
 * until the next is late. */
static struct trip *take(struct errands *s, int64_t *ret_wait)
{
    struct trip **late = NULL, **at = &s->first;
    int64_t now = now_ms(), first = INT64_MAX;
    for (; *at && !(*at)->back; at = &(*at)->next) {
        if ((*at)->deadline <= now)
            late = at;
        if ((*at)->deadline < first)
            first = (*at)->deadline;
    }
    if (!*at)
        at = late;
    *ret_wait = first - now;
    if (!at)
        return NULL;
    struct trip *t = *at;
    *at = t->next;
    return t;
}

bool errands_next(struct errands *s, struct errand_end *ret)
{
    int64_t wait = 0;
    struct trip *t = NULL;
    if (!s->first)
        return false;
    monitor_enter(s->monitor);
    while (!(t = take(s, &wait)))
        monitor_wait(s->monitor, wait);
    bool back = t->back;
    *ret = (struct errand_end){t->tag, back ? t->errand : NULL};
    t->left = !back;
    monitor_leave(s->monitor);
    if (back)
        free(t);
    return true;
}

int errand_run(struct errand *e, int64_t timeout_ms, struct err *err)
{
    SCOPED(errands_free) struct errands *s = NULL;
    struct errand_end end = {0};
    int rc = errands_new(&s, err);
    if (rc) {
        e->drop(e);
        return rc;
    }
    rc = errands_send(s, e, 0, timeout_ms, err);
    if (!rc && errands_next(s, &end) && !end.errand)
        rc = err_set(err, ERR_TIMEOUT, "no answer within %lld ms", (long long)timeout_ms);
    return rc;
}
