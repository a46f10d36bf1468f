/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cdp/url.h"
#include "health/cacert.h"
#include "maint/harvest.h"
#include "store/history.h"
#include "store/maintenance.h"
#include "watch/lost.h"
#include "watch/numbers.h"
#include "watch/own.h"
#include "watch/watch.h"

#define POINTS_MAX 2000

void look_free(struct look **l)
{
    if (!*l)
        return;
    free((*l)->verdicts);
    free((*l)->events);
    findings_free(&(*l)->findings);
    probe_round_free(&(*l)->round);
    ca_view_free(&(*l)->view);
    free(*l);
    *l = NULL;
}

const struct crl_thresholds *look_thresholds_of(void *arg, const struct probe_target *t)
{
    struct look_thresholds *a = arg;
    const struct config_location *found = NULL;
    for (size_t i = 0; i < a->config->n_locations; i++) {
        if (url_same(a->config->locations[i].url, t->url))
            found = &a->config->locations[i];
    }
    a->own = config_thresholds(a->config, found, t->role == ROLE_CRL_DELTA);
    return &a->own;
}

size_t look_known(const struct look *before, struct health_known *ret, size_t max)
{
    size_t n = 0;
    const struct health_input in = {
        .targets = before->round.target, .results = before->round.result, .n = before->round.n};
    for (size_t i = 0; i < before->round.runway.n && n < max; i++) {
        const struct runway_line *l = &before->round.runway.line[i];
        const struct crl_facts *f = health_newest(&in, l->key_index, l->partition, l->delta, false);
        if (f)
            ret[n++] = (struct health_known){.key_index = l->key_index,
                                             .partition = l->partition,
                                             .delta = l->delta,
                                             .facts = *f};
    }
    return n;
}

/* A certificate that cannot be read is the gate's finding; here it is left out. */
static void add_certs(const struct ca_view *view, struct health_ca_certs *ret)
{
    struct err ignored = ERR_INIT;
    for (size_t i = 0; i < view->n_keys; i++) {
        const struct ca_key *k = &view->key[i];
        if (k->cert.len &&
            health_ca_certs_add(ret, buf_str(&k->cert), k->cert.len, k->key_index, &ignored))
            err_clear(&ignored);
    }
}

/* Old CDPs live until the last certificate dies. That they cannot be read now is told, and what is
 * known of them stays watched. */
static int harvest(const struct watch_setup *s, struct look *l, int64_t now, struct err *err)
{
    const struct harvest_limits limits = {.count = (uint32_t)s->config->probe.issued_count,
                                          .age = s->config->probe.issued_age};
    struct err why = ERR_INIT;
    if (!harvest_refresh(s->store, &s->seams.admin, &limits, now, &l->view, &why))
        return ERR_OK;
    return findings_tell(&l->findings, FIND_ISSUED_UNREADABLE, "the newest issued certificates",
                         why.text, err);
}

int look_judge(const struct config *config, const struct health_known *known, size_t n_known,
               const struct own_list *own, struct look *l, struct err *err)
{
    SCOPED(health_ca_certs_free) struct health_ca_certs certs = {0};
    struct look_thresholds arg = {.config = config};
    const struct crl_thresholds base = config_thresholds(config, NULL, false);
    l->verdicts = calloc(l->round.n + 1, sizeof *l->verdicts);
    if (!l->verdicts)
        return err_nomem(err);
    add_certs(&l->view, &certs);
    const struct health_input in = {
        .ca = l->view.settings.common_name ? l->view.settings.common_name : "",
        .targets = l->round.target,
        .results = l->round.result,
        .n = l->round.n,
        .settings = &l->view.settings,
        .own = own->known,
        .n_own = own->n_known,
        .previous = known,
        .n_previous = n_known,
        .events = l->events,
        .n_events = l->n_events,
        .certs = certs.item,
        .n_certs = certs.n,
        .thresholds = &base,
        .thresholds_of = look_thresholds_of,
        .thresholds_arg = &arg,
        .now = l->round.when,
    };
    return health_evaluate(&in, l->verdicts, &l->findings, err);
}

/* Above a certificate that is missing nobody watches the CRLs that CertSvc needs at its start. */
static int judge_chain(const struct watch_seams *seams, struct look *l, struct err *err)
{
    const struct err *why = seams->locate.unknown_parent;
    if (!why || !why->code)
        return ERR_OK;
    return findings_tell(&l->findings, FIND_PARENT_UNKNOWN, "each CA certificate up to the root",
                         why->text, err);
}

/* A log that cannot be read takes nothing from the rest of the look; that it cannot be is told. */
static int read_ca_log(const struct ca_event_log *log, struct look *l, struct err *err)
{
    struct err why = ERR_INIT;
    if (!log->read)
        return ERR_OK;
    l->events = calloc(CA_EVENTS_MAX, sizeof *l->events);
    if (!l->events)
        return err_nomem(err);
    int rc = log->read(log->self, CA_EVENTS_SECONDS, l->events, CA_EVENTS_MAX, &l->n_events, &why);
    if (!rc || rc == ERR_UNSUPPORTED)
        return ERR_OK;
    l->n_events = 0;
    return findings_tell(&l->findings, FIND_CA_LOG_UNREADABLE, NULL, why.text, err);
}

int look_take(const struct watch_setup *s, bool ask_ca, const struct health_known *known,
              size_t n_known, struct look **ret, struct err *err)
{
    const struct watch_seams *seams = &s->seams;
    SCOPED(own_free) struct own_list own = {0};
    SCOPED(look_free) struct look *l = calloc(1, sizeof *l);
    if (!l)
        return err_nomem(err);
    l->propagation = s->config->maintenance.propagation;
    int rc = ca_view_read(&seams->settings, &seams->admin, s->store, ask_ca,
                          clock_now(seams->clock), &l->view, err);
    if (!rc && ask_ca && s->store)
        rc = harvest(s, l, clock_now(seams->clock), err);
    if (!rc)
        rc = probe_round_run(&seams->locate, &seams->prober, &l->view, l->propagation, seams->clock,
                             &l->round, err);
    if (!rc)
        rc = judge_chain(seams, l, err);
    if (!rc)
        rc = read_ca_log(&seams->ca_log, l, err);
    const struct own_input of = {&seams->admin, s->store, &l->view, &l->round, l->propagation};
    if (!rc)
        rc = own_read(&of, &own, err);
    if (!rc)
        rc = look_judge(s->config, known, n_known, &own, l, err);
    if (!rc)
        rc = numbers_judge(s->store, &l->view, &l->round, &own, &l->findings, err);
    if (!rc && ask_ca && s->store && seams->compare)
        rc = lost_find(s, l, err);
    if (!rc)
        rc = reserve_judge_look(s->store, l->view.settings.common_name, &l->round, &l->findings,
                                err);
    if (!rc)
        *ret = steal_ptr(l);
    return rc;
}

static bool open_maintenance(struct store *store, uint64_t muted, struct report_maintenance *ret)
{
    struct store_maintenance m;
    struct err ignored = ERR_INIT;
    if (store_maintenance_active(store, &m, &ignored))
        return false;
    *ret = (struct report_maintenance){
        .from = m.created, .until = m.deadline, .resume_by = m.resume_by, .muted = muted};
    snprintf(ret->id, sizeof ret->id, "%lld", (long long)m.id);
    (void)str_copy(ret->change_id, sizeof ret->change_id, m.change);
    (void)str_copy(ret->owner, sizeof ret->owner, m.owner_name);
    (void)str_copy(ret->reason, sizeof ret->reason, m.reason);
    (void)str_copy(ret->state, sizeof ret->state, m.state);
    return true;
}

/* Oldest first, as the chart wants them. */
static size_t points(struct store *store, struct report_point *ret, struct err *err)
{
    SCOPED(scope_free) struct store_round *rows = calloc(POINTS_MAX, sizeof *rows);
    size_t n = 0;
    if (!rows || store_round_list(store, WHEN_NONE, rows, POINTS_MAX, &n, err))
        return 0;
    for (size_t i = 0; i < n; i++) {
        const struct store_round *r = &rows[n - 1 - i];
        ret[i] = (struct report_point){r->when, r->weakest == WHEN_NONE ? INT64_MIN : r->weakest,
                                       r->visible == WHEN_NONE ? -1 : r->visible};
    }
    return n;
}

int look_render(const struct look *l, struct store *store, const char *host,
                enum report_format format, enum severity fail_on, struct buf *out, int *ret_exit,
                struct err *err)
{
    const struct ca_settings *s = &l->view.settings;
    struct report_maintenance m;
    SCOPED(scope_free) struct report_point *history = calloc(POINTS_MAX, sizeof *history);
    if (!history)
        return err_nomem(err);
    /* A report without its history is still a report. */
    struct err ignored = ERR_INIT;
    bool open = open_maintenance(store, l->muted, &m);
    struct report_reserve reserve;
    bool counted = reserve_count(store, &reserve, &ignored) == ERR_OK;
    struct report r = {
        .generated = l->round.when,
        .propagation = l->propagation,
        .targets = l->round.target,
        .results = l->round.result,
        .verdicts = l->verdicts,
        .n = l->round.n,
        .runway = &l->round.runway,
        .findings = &l->findings,
        .maintenance = open ? &m : NULL,
        .history = history,
        .n_history = l->phase[0] ? 0 : points(store, history, &ignored),
        .hsm = l->hsm.known ? &l->hsm : NULL,
        .reserve = counted ? &reserve : NULL,
    };
    (void)str_copy(r.ca, sizeof r.ca, s->common_name ? s->common_name : "");
    (void)str_copy(r.phase, sizeof r.phase, l->phase);
    (void)str_copy(r.config, sizeof r.config, s->config_string ? s->config_string : "");
    (void)str_copy(r.host, sizeof r.host,
                   host && *host    ? host
                   : s->server_name ? s->server_name
                                    : "");
    *ret_exit = report_exit_code(&r, fail_on);
    return report_render(&r, format, NULL, out, err);
}
