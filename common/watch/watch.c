/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What a look leaves is written in one commit: results, alarms and the notices about them. A crash
 * before it repeats the look; after it nothing is told twice. */
#include "watch/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "maint/state.h"
#include "store/history.h"
#include "store/maintenance.h"
#include "watch/alarm.h"
#include "watch/recall.h"
#include "watch/snapshot.h"
#include "watch/told.h"

#define TIMER_LOOK "watch.look"
#define TIMER_KEY "watch.key"
#define ALARMS "watch.alarms"
#define NOTICES_KEPT (30ll * 86400)

struct watch {
    struct watch_setup setup; /* its prober is ours */
    struct recall *recall;
    struct alarms alarms;
    struct notify_channel channel[NOTIFY_CHANNELS_MAX];
    size_t n_channels;
    struct health_known known[RUNWAY_LINES_MAX]; /* the newest CRLs of the last look */
    size_t n_known;
    struct err metrics; /* why the metrics could not be written; found by the next look */
};

static int64_t now_of(const struct watch *w)
{
    return clock_now(w->setup.seams.clock);
}

int watch_new(const struct watch_setup *setup, struct watch **ret, struct err *err)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err why = ERR_INIT;
    struct watch *w = calloc(1, sizeof *w);
    if (!w)
        return err_nomem(err);
    w->setup = *setup;
    if (recall_new(&setup->seams.prober, setup->seams.clock, &w->recall, err)) {
        free(w);
        return ERR_NOMEM;
    }
    w->setup.seams.prober = recall_prober(w->recall);
    w->n_channels = notify_channels(setup->config, w->channel);
    if (store_value_get(setup->store, ALARMS, &text, &why) ||
        alarms_read(buf_str(&text), &w->alarms, &why))
        err_clear(&why);
    *ret = w;
    return ERR_OK;
}

void watch_free(struct watch **w)
{
    if (!*w)
        return;
    alarms_free(&(*w)->alarms);
    recall_free(&(*w)->recall);
    free(*w);
    *w = NULL;
}

/* ---- the schedule ---- */

static int64_t timer(const struct watch *w, const char *name, int64_t interval)
{
    struct err ignored = ERR_INIT;
    int64_t at = WHEN_NONE, now = now_of(w);
    /* Further away than two intervals: the clock was put back. */
    if (store_timer_get(w->setup.store, name, &at, &ignored) || at == WHEN_NONE ||
        at > now + 2 * interval)
        return now;
    return at;
}

/* Ten percent to either side: many agents that were started by one reboot drift apart. */
static int64_t jittered(const struct watch *w, int64_t interval)
{
    uint32_t r = w->setup.seams.random ? w->setup.seams.random(w->setup.seams.random_self) : 500;
    return interval + interval * ((int64_t)(r % 1001) - 500) / 5000;
}

/* The state of the open maintenance; MAINT_NONE when there is none or it cannot be read. */
static enum maint_state open_state(const struct watch *w, int64_t *ret_id)
{
    struct store_maintenance m;
    struct err ignored = ERR_INIT;
    enum maint_state s = MAINT_NONE;
    *ret_id = 0;
    if (store_maintenance_active(w->setup.store, &m, &ignored) == ERR_OK &&
        maint_state_parse(m.state, &s, &ignored) == ERR_OK)
        *ret_id = m.id;
    return s;
}

static enum alarm_phase phase_of(enum maint_state s)
{
    switch (s) {
    case MAINT_PREPARING:
    case MAINT_VERIFYING:
        return ALARM_PUBLISHING;
    case MAINT_PAUSING:
    case MAINT_PAUSED:
    case MAINT_RESUMING:
    case MAINT_HELD:
        return ALARM_CA_DOWN;
    default:
        return ALARM_NORMAL;
    }
}

static int64_t interval_of(const struct watch *w)
{
    int64_t id;
    const struct config *c = w->setup.config;
    return open_state(w, &id) == MAINT_NONE ? c->probe.interval : c->probe.maintenance_interval;
}

int64_t watch_next(struct watch *w)
{
    int64_t interval = interval_of(w), at = timer(w, TIMER_LOOK, w->setup.config->probe.interval);
    /* A maintenance has begun since: its shorter interval counts from now. */
    int64_t latest = now_of(w) + 2 * interval;
    return at > latest ? latest : at;
}

void watch_whole(struct watch *w)
{
    recall_whole(w->recall);
}

/* ---- a look ---- */

/* The CA may be asked only while it runs and nobody is about to stop it. */
static bool may_ask(const struct watch *w, enum maint_state state)
{
    struct svc_info info;
    struct err ignored = ERR_INIT;
    const struct svc_control *svc = &w->setup.seams.svc;
    return (state == MAINT_NONE || state == MAINT_PREPARING || state == MAINT_READY) &&
           svc->ops->query(svc->self, w->setup.service, &info, &ignored) == ERR_OK &&
           info.state == SVC_RUNNING;
}

/* While a maintenance is open the HSM is in other hands. */
static int test_keys(struct watch *w, enum maint_state state, struct look *l, struct err *err)
{
    const struct config *c = w->setup.config;
    int64_t interval = c->probe.key_test_interval;
    const char *ca = l->view.settings.common_name ? l->view.settings.common_name : "";
    bool failed = false;
    if (!w->setup.seams.key.probe || interval <= 0 || c->ca.key_probe == CONFIG_KEY_OFF)
        return ERR_OK;
    if (state == MAINT_NONE && timer(w, TIMER_KEY, interval) <= now_of(w)) {
        int rc = keytest_run(&w->setup, &l->view, &failed, err);
        /* After a failure sooner, so that its end shows soon. */
        if (!rc)
            rc = store_timer_set(w->setup.store, TIMER_KEY,
                                 now_of(w) + jittered(w, failed ? interval / 24 + 1 : interval),
                                 err);
        if (rc)
            return rc;
    }
    uint32_t keys = 0;
    for (size_t i = 0; i < l->view.n_keys; i++)
        keys = l->view.key[i].key_index >= keys ? l->view.key[i].key_index + 1 : keys;
    return keytest_judge(w->setup.store, ca, now_of(w), keys, &l->hsm, &l->findings, err);
}

/* A server whose "not modified" means nothing misleads every cache in front of it. */
static int judge_validators(struct watch *w, struct look *l, struct err *err)
{
    for (size_t i = 0; i < l->round.n; i++) {
        const struct probe_target *t = &l->round.target[i];
        const struct probe_result *r = &l->round.result[i];
        if (t->as_client || !recall_misled(w->recall, t))
            continue;
        struct finding *f = findings_add(&l->findings, FIND_HTTP_VALIDATOR);
        if (!f)
            return err_nomem(err);
        f->key_index = t->key_index;
        (void)str_copy(f->ca, sizeof f->ca,
                       l->view.settings.common_name ? l->view.settings.common_name : "");
        (void)str_copy(f->url, sizeof f->url, t->url);
        (void)str_copy(f->address, sizeof f->address, r->address);
        (void)str_copy(f->expected, sizeof f->expected,
                       "another ETag, or without one another Last-Modified, for another CRL");
        snprintf(f->found, sizeof f->found, "%s %s for the CRL before and for this one",
                 r->etag[0] ? "ETag" : "Last-Modified", r->etag[0] ? r->etag : r->last_modified);
        finding_fill_remedy(f);
    }
    return ERR_OK;
}

static int keep_results(struct watch *w, const struct look *l, struct err *err)
{
    struct store *s = w->setup.store;
    int64_t now = l->round.when;
    size_t n = 0;
    for (size_t i = 0; i < l->round.n; i++) {
        if (l->round.target[i].as_client) /* history is of servers */
            continue;
        probe_keep(s, &l->round.target[i], &l->round.result[i], WHEN_NONE, now);
    }
    for (size_t i = 0; i < l->findings.n; i++)
        n += l->findings.item[i].severity >= SEV_WARNING;
    const struct runway *rw = &l->round.runway;
    const struct store_round r = {.when = now,
                                  .weakest = rw->n ? rw->weakest : WHEN_NONE,
                                  .effective = rw->n ? rw->effective : WHEN_NONE,
                                  .findings = (int64_t)n};
    int rc = store_round_add(s, &r, err);
    if (rc)
        return rc;
    return store_prune(s, now - w->setup.config->probe.history, now - NOTICES_KEPT, err);
}

/* ---- telling ---- */

static bool about_expiry(uint32_t id)
{
    return id == FIND_CRL_EXPIRED || id == FIND_CRL_EXPIRING_SOON || id == FIND_CRL_EXPIRING ||
           id == FIND_CRL_OVERDUE;
}

/* From the moment a newer CRL should have come to the moment clients fail. */
static int level_of(const struct look *l, const struct finding *f)
{
    if (!about_expiry(f->id))
        return 0;
    for (size_t i = 0; i < l->round.n; i++) {
        const struct probe_target *t = &l->round.target[i];
        const struct probe_result *r = &l->round.result[i];
        const char *at = t->address[0] ? t->address : r->address;
        if (r->status != PROBE_OK || strcmp(t->url, f->url) != 0 ||
            (f->address[0] && strcmp(at, f->address) != 0))
            continue;
        int64_t from =
            r->facts.next_publish != WHEN_NONE ? r->facts.next_publish : r->facts.this_update;
        int64_t until =
            r->facts.next_update == WHEN_NONE ? WHEN_NONE : r->facts.next_update - l->propagation;
        return alarm_level(from, until, l->round.when);
    }
    return 0;
}

static void emit(struct watch *w, const struct alarm_news *news, const struct findings *findings)
{
    SCOPED(buf_free) struct buf line = BUF_INIT;
    bool over = news->change == ALARM_OVER;
    told_line(news, findings, &line);
    const struct event ev = {
        .id = over ? FIND_FINDING_OVER : news->alarm.id,
        .severity = over ? SEV_INFO : news->alarm.severity,
        .when = now_of(w),
        .text = buf_str(&line),
        .n_params = 3,
        .params = {news->alarm.url, news->alarm.address, buf_str(&line)},
    };
    event_emit(&w->setup.seams.events, &ev);
}

/* One notice for everything a look has changed. */
static int queue(struct watch *w, const struct look *l, const struct findings *findings,
                 const struct alarm_news *news, size_t n, struct err *err)
{
    SCOPED(buf_free) struct buf text = BUF_INIT, html = BUF_INIT;
    char title[300] = "", key[64];
    enum severity minimum = w->setup.config->notify.minimum;
    struct err ignored = ERR_INIT;
    size_t worst = SIZE_MAX;
    int exit_code;
    const char *ca = l && l->view.settings.common_name ? l->view.settings.common_name : "";
    told_title(news, n, minimum, ca, title, sizeof title, &worst);
    if (worst == SIZE_MAX || !w->n_channels)
        return ERR_OK;
    told_lines(news, n, minimum, findings, &text);
    if (l && l->round.n <= REPORT_LOCATIONS_MAX &&
        look_render(l, w->setup.store, NULL, REPORT_HTML, SEV_WARNING, &html, &exit_code, &ignored))
        buf_clear(&html);
    bool over = news[worst].change == ALARM_OVER;
    const struct notice notice = {
        .id = news[worst].alarm.id,
        .severity = over ? SEV_INFO : news[worst].alarm.severity,
        .recovered = over,
        .when = now_of(w),
        .ca = ca,
        .url = news[worst].alarm.url,
        .change_id = "",
        .title = title,
        .text = buf_str(&text),
        .report = html.len ? buf_str(&html) : NULL,
    };
    /* Each look that changed something stays a notice of its own, also while no server takes it. */
    snprintf(key, sizeof key, "look %lld", (long long)notice.when);
    int rc = buf_check(&text, "a notice", err);
    return rc ? rc
              : notify_queue(w->setup.store, w->channel, w->n_channels, &notice, key, notice.when,
                             err);
}

static int save_alarms(struct watch *w, struct err *err)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    int rc = alarms_write(&w->alarms, &text, err);
    return rc ? rc : store_value_set(w->setup.store, ALARMS, buf_str(&text), err);
}

static int update(struct watch *w, const struct look *l, const struct findings *findings,
                  enum maint_state state, int64_t maintenance, struct alarm_news **ret,
                  size_t *ret_n, struct err *err)
{
    SCOPED(scope_free) int *levels = calloc(findings->n + 1, sizeof *levels);
    if (!levels)
        return err_nomem(err);
    for (size_t i = 0; i < findings->n && l; i++)
        levels[i] = level_of(l, &findings->item[i]);
    const struct alarm_look look = {
        .findings = findings,
        .levels = levels,
        .complete = l != NULL,
        .phase = phase_of(state),
        .maintenance = maintenance,
        .reminder = w->setup.config->notify.reminder,
        .now = now_of(w),
    };
    return alarms_update(&w->alarms, &look, ret, ret_n, err);
}

/* Results, alarms, notices and the next due time, all or none; then the events. */
static int conclude(struct watch *w, struct look *l, const struct findings *findings,
                    enum maint_state state, int64_t maintenance, struct err *err)
{
    SCOPED(scope_free) struct alarm_news *news = NULL;
    struct store *s = w->setup.store;
    size_t n = 0;
    int rc = update(w, l, findings, state, maintenance, &news, &n, err);
    if (l)
        l->muted = maintenance && maintenance == w->alarms.maintenance ? w->alarms.muted : 0;
    if (!rc)
        rc = store_begin(s, err);
    if (rc)
        return rc;
    if (l)
        rc = keep_results(w, l, err);
    if (!rc && l && maintenance && (state == MAINT_PAUSED || state == MAINT_HELD))
        rc = snapshot_keep(s, maintenance, "during", true, l, err);
    if (!rc)
        rc = queue(w, l, findings, news, n, err);
    if (!rc)
        rc = save_alarms(w, err);
    if (!rc)
        rc = store_timer_set(s, TIMER_LOOK, now_of(w) + jittered(w, interval_of(w)), err);
    if (rc)
        store_rollback(s);
    else
        rc = store_commit(s, err);
    /* Told in the event log also when the disk is full: this is when it matters. */
    for (size_t i = 0; i < n; i++)
        emit(w, &news[i], findings);
    return rc;
}

static void write_metrics(struct watch *w, const struct look *l)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    int exit_code;
    err_clear(&w->metrics);
    if (!w->setup.metrics || !*w->setup.metrics)
        return;
    int rc = look_render(l, w->setup.store, NULL, REPORT_METRICS, SEV_WARNING, &text, &exit_code,
                         &w->metrics);
    if (!rc)
        rc = file_write_atomic(w->setup.metrics, buf_str(&text), text.len, &w->metrics);
    if (rc)
        err_context(&w->metrics, "metrics file '%s'", w->setup.metrics);
}

static int failed_look(struct watch *w, enum maint_state state, int64_t maintenance,
                       const struct err *why, struct err *err)
{
    SCOPED(findings_free) struct findings list = {0};
    int rc = findings_tell(&list, FIND_WATCH_FAILED, NULL, why->text, err);
    if (!rc)
        rc = conclude(w, NULL, &list, state, maintenance, err);
    if (!rc)
        *err = *why;
    return rc ? rc : (int)why->code;
}

int watch_look(struct watch *w, struct look **ret, struct err *err)
{
    SCOPED(look_free) struct look *l = NULL;
    struct err why = ERR_INIT;
    int64_t maintenance;
    enum maint_state state = open_state(w, &maintenance);
    int rc = look_take(&w->setup, may_ask(w, state), w->known, w->n_known, &l, &why);
    if (!rc)
        rc = judge_validators(w, l, &why);
    if (!rc)
        rc = test_keys(w, state, l, &why);
    if (!rc && w->metrics.code)
        rc = findings_tell(&l->findings, FIND_REPORT_NOT_WRITTEN, NULL, w->metrics.text, &why);
    if (rc)
        return failed_look(w, state, maintenance, &why, err);
    w->n_known = look_known(l, w->known, RUNWAY_LINES_MAX);
    rc = conclude(w, l, &l->findings, state, maintenance, err);
    write_metrics(w, l);
    if (rc)
        return rc;
    *ret = steal_ptr(l);
    return ERR_OK;
}
