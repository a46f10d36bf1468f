/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/teller.h"

#include <windows.h>

#include <process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/when.h"
#include "cdp/fetch.h"
#include "health/finding.h"
#include "notify/notify.h"
#include "store/history.h"
#include "watch/snapshot.h"
#include "watch/told.h"

#define STOP_MS 3000
#define RETRY_MS 5000    /* the store is busy or full */
#define LOOK_MS 60000    /* the clock may step while we wait */
#define WAITING_MAX 1000 /* events that no store takes; older ones are kept */

struct item {
    struct item *next;
    struct event ev; /* text and params are not used */
    char change[160];
    int64_t maintenance; /* 0 = about none */
    char text[ERR_TEXT_MAX];
};

/* Sends what one channel has waiting. */
struct sender {
    struct teller *t;
    const struct notify_channel *channel;
    HANDLE waiting; /* auto */
    HANDLE thread;
    struct store *store;
};

struct teller {
    struct teller_setup setup;
    struct notify_channel channel[NOTIFY_CHANNELS_MAX];
    struct sender sender[NOTIFY_CHANNELS_MAX];
    size_t n_channels;
    char ca[128];
    HANDLE stop, arrived; /* manual, auto */
    HANDLE filler;
    struct store *fill_store;
    uint64_t serial;
    SRWLOCK lock; /* guards what follows */
    struct item *first, **last;
    size_t n;
};

/* ---- taking events ---- */

static bool about_maintenance(const struct event *ev)
{
    return ev->id >= 5000 && ev->id < 6000 && ev->n_params > 0;
}

static void take(void *self, const struct event *ev)
{
    struct teller *t = self;
    event_emit(&t->setup.below, ev);
    if (!t->n_channels || !told_event(ev->id, ev->severity, t->setup.config->notify.minimum))
        return;
    struct item *i = calloc(1, sizeof *i);
    if (!i)
        return;
    i->ev = (struct event){.id = ev->id, .severity = ev->severity, .when = ev->when};
    (void)str_copy(i->text, sizeof i->text, ev->text ? ev->text : "");
    (void)str_copy(i->change, sizeof i->change, about_maintenance(ev) ? ev->params[0] : "");
    AcquireSRWLockExclusive(&t->lock);
    i->maintenance =
        about_maintenance(ev) && ev->n_params > 1 ? strtoll(ev->params[1], NULL, 10) : 0;
    bool full = t->n >= WAITING_MAX;
    if (!full) {
        *t->last = i;
        t->last = &i->next;
        t->n++;
    }
    ReleaseSRWLockExclusive(&t->lock);
    if (full)
        free(i);
    SetEvent(t->arrived);
}

struct event_sink teller_sink(struct teller *t)
{
    return (struct event_sink){take, t};
}

/* ---- filling the queue ---- */

/* The report of the stage that the event is about; a mail without it is still a mail. */
static void add_report(struct teller *t, const struct item *i, struct buf *ret)
{
    struct err ignored = ERR_INIT;
    const char *phase = i->maintenance ? told_report(i->ev.id) : NULL;
    if (phase && snapshot_page(t->fill_store, i->maintenance, phase, ret, &ignored))
        buf_clear(ret);
}

static int keep(struct teller *t, const struct item *i, struct err *err)
{
    SCOPED(buf_free) struct buf report = BUF_INIT;
    const struct finding_kind *k = finding_kind_by_id(i->ev.id);
    char title[400], key[96];
    add_report(t, i, &report);
    snprintf(title, sizeof title, "%s%s%s", t->ca, *t->ca ? ": " : "", k ? k->title : "event");
    const struct notice n = {
        .id = i->ev.id,
        .severity = i->ev.severity,
        .when = i->ev.when,
        .ca = t->ca,
        .url = "",
        .change_id = i->change,
        .title = title,
        .text = i->text,
        .report = report.len ? buf_str(&report) : NULL,
    };
    snprintf(key, sizeof key, "event %u %lld %llu", i->ev.id, (long long)i->ev.when,
             (unsigned long long)t->serial++);
    return notify_queue(t->fill_store, t->channel, t->n_channels, &n, key,
                        clock_now(clock_system()), err);
}

static struct item *front(struct teller *t)
{
    AcquireSRWLockShared(&t->lock);
    struct item *i = t->first;
    ReleaseSRWLockShared(&t->lock);
    return i;
}

static void drop_front(struct teller *t)
{
    AcquireSRWLockExclusive(&t->lock);
    struct item *i = t->first;
    t->first = i->next;
    if (!t->first)
        t->last = &t->first;
    t->n--;
    ReleaseSRWLockExclusive(&t->lock);
    free(i);
}

/* An event leaves memory when the store has it. */
static void fill_all(struct teller *t)
{
    for (struct item *i; (i = front(t));) {
        struct err err = ERR_INIT;
        if (keep(t, i, &err)) {
            SetEvent(t->arrived);
            WaitForSingleObject(t->stop, RETRY_MS);
            return;
        }
        drop_front(t);
        teller_poke(t);
    }
}

static unsigned __stdcall fill(void *arg)
{
    struct teller *t = arg;
    HANDLE both[] = {t->stop, t->arrived};
    while (WaitForMultipleObjects(2, both, FALSE, INFINITE) == WAIT_OBJECT_0 + 1)
        fill_all(t);
    fill_all(t);
    return 0;
}

/* ---- sending ---- */

static DWORD until_due(struct sender *x)
{
    int64_t due = WHEN_NONE;
    struct err ignored = ERR_INIT;
    if (store_notice_next(x->store, x->channel->name, &due, &ignored) || due == WHEN_NONE)
        return LOOK_MS;
    int64_t left = (due - clock_now(clock_system())) * 1000;
    return left <= 0 ? 0 : left > LOOK_MS ? LOOK_MS : (DWORD)left;
}

static unsigned __stdcall send_due(void *arg)
{
    struct sender *x = arg;
    struct teller *t = x->t;
    HANDLE both[] = {t->stop, x->waiting};
    bool failed = false;
    while (WaitForMultipleObjects(2, both, FALSE, failed ? RETRY_MS : until_due(x)) !=
           WAIT_OBJECT_0) {
        struct err err = ERR_INIT;
        failed = notify_flush(x->store, x->channel, t->setup.secrets, clock_now(clock_system()),
                              &t->setup.below, &err) != ERR_OK;
    }
    return 0;
}

/* ---- life ---- */

static void release(struct teller *t)
{
    HANDLE all[] = {t->stop, t->arrived, t->filler};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i])
            CloseHandle(all[i]);
    }
    for (size_t i = 0; i < t->n_channels; i++) {
        struct sender *x = &t->sender[i];
        if (x->waiting)
            CloseHandle(x->waiting);
        if (x->thread)
            CloseHandle(x->thread);
        store_close(&x->store);
    }
    while (t->first)
        drop_front(t);
    store_close(&t->fill_store);
    free(t);
}

int teller_new(const struct teller_setup *setup, struct teller **ret, struct err *err)
{
    struct teller *t = calloc(1, sizeof *t);
    if (!t)
        return err_nomem(err);
    t->setup = *setup;
    t->last = &t->first;
    InitializeSRWLock(&t->lock);
    t->n_channels = notify_channels(setup->config, t->channel);
    t->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    t->arrived = CreateEventW(NULL, FALSE, FALSE, NULL);
    bool made = t->stop && t->arrived;
    for (size_t i = 0; i < t->n_channels; i++) {
        t->sender[i] = (struct sender){.t = t, .channel = &t->channel[i]};
        t->sender[i].waiting = CreateEventW(NULL, FALSE, FALSE, NULL);
        made = made && t->sender[i].waiting;
    }
    if (!made) {
        release(t);
        return err_nomem(err);
    }
    *ret = t;
    return ERR_OK;
}

static void read_name(struct teller *t)
{
    SCOPED(ca_settings_free) struct ca_settings s = {0};
    struct err ignored = ERR_INIT;
    if (t->setup.settings.read(t->setup.settings.self, &s, &ignored) == ERR_OK && s.common_name)
        (void)str_copy(t->ca, sizeof t->ca, s.common_name);
}

static int start_sender(struct sender *x, int64_t now, struct err *err)
{
    int rc = store_open(x->t->setup.store_path, STORE_WRITE, now, &x->store, NULL, err);
    if (rc)
        return rc;
    x->thread = (HANDLE)_beginthreadex(NULL, 0, send_due, x, 0, NULL);
    return x->thread ? ERR_OK : err_set(err, ERR_NOMEM, "the thread that sends cannot be started");
}

int teller_start(struct teller *t, struct err *err)
{
    int64_t now = clock_now(clock_system());
    if (!t->n_channels)
        return ERR_OK;
    read_name(t);
    int rc = fetch_setup(err);
    if (!rc)
        rc = store_open(t->setup.store_path, STORE_WRITE, now, &t->fill_store, NULL, err);
    if (!rc)
        rc = notify_begin(t->fill_store, t->channel, t->n_channels, now, &t->setup.below, err);
    for (size_t i = 0; i < t->n_channels && !rc; i++)
        rc = start_sender(&t->sender[i], now, err);
    if (rc)
        return rc;
    t->filler = (HANDLE)_beginthreadex(NULL, 0, fill, t, 0, NULL);
    return t->filler ? ERR_OK
                     : err_set(err, ERR_NOMEM, "the threads that tell people cannot be started");
}

void teller_poke(void *arg)
{
    struct teller *t = arg;
    for (size_t i = 0; i < t->n_channels; i++)
        SetEvent(t->sender[i].waiting);
}

bool teller_stop(struct teller *t)
{
    HANDLE threads[1 + NOTIFY_CHANNELS_MAX];
    DWORD n = 0;
    if (!t)
        return true;
    SetEvent(t->stop);
    if (t->filler)
        threads[n++] = t->filler;
    for (size_t i = 0; i < t->n_channels; i++) {
        if (t->sender[i].thread)
            threads[n++] = t->sender[i].thread;
    }
    if (n && WaitForMultipleObjects(n, threads, TRUE, STOP_MS) == WAIT_TIMEOUT)
        return false;
    release(t);
    return true;
}
