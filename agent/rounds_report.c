/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The "check" request: what the CA's own locations serve now, judged and rendered. */
#include <stdlib.h>
#include <string.h>

#include "agent/rounds.h"
#include "base/str.h"
#include "cdp/url.h"
#include "health/rules.h"
#include "report/report.h"

struct judged {
    struct look look;
    uint32_t *verdicts;
    struct findings findings;
    struct crl_thresholds base, own;
};

static void judged_free(struct judged *j)
{
    free(j->verdicts);
    findings_free(&j->findings);
    look_free(&j->look);
}

struct chooser {
    const struct config *config;
    struct judged *judged;
};

/* Thresholds of a location that the configuration names, or of its kind. */
static const struct crl_thresholds *thresholds_of(void *arg, const struct probe_target *t)
{
    struct chooser *a = arg;
    const struct config_location *found = NULL;
    for (size_t i = 0; i < a->config->n_locations; i++) {
        if (url_same(a->config->locations[i].url, t->url))
            found = &a->config->locations[i];
    }
    a->judged->own = config_thresholds(a->config, found, t->role == ROLE_CRL_DELTA);
    return &a->judged->own;
}

static int judge(struct conductor *c, struct judged *j, struct err *err)
{
    struct chooser arg = {c->setup.config, j};
    const struct probe_round *round = &j->look.round;
    j->verdicts = calloc(round->n + 1, sizeof *j->verdicts);
    if (!j->verdicts)
        return err_nomem(err);
    j->base = config_thresholds(c->setup.config, NULL, false);
    const struct health_input in = {
        .ca = j->look.view.settings.common_name ? j->look.view.settings.common_name : "",
        .targets = round->target,
        .results = round->result,
        .n = round->n,
        .settings = &j->look.view.settings,
        .thresholds = &j->base,
        .thresholds_of = thresholds_of,
        .thresholds_arg = &arg,
        .now = clock_now(clock_system()),
    };
    return health_evaluate(&in, j->verdicts, &j->findings, err);
}

static void open_maintenance(struct conductor *c, struct report_maintenance *ret, bool *ret_known)
{
    struct store_maintenance m;
    struct err err = ERR_INIT;
    *ret_known = store_maintenance_active(c->store, &m, &err) == ERR_OK;
    if (!*ret_known)
        return;
    *ret = (struct report_maintenance){
        .from = m.created, .until = m.deadline, .resume_by = m.resume_by};
    snprintf(ret->id, sizeof ret->id, "%lld", (long long)m.id);
    (void)str_copy(ret->change_id, sizeof ret->change_id, m.change);
    (void)str_copy(ret->owner, sizeof ret->owner, m.owner_name);
    (void)str_copy(ret->reason, sizeof ret->reason, m.reason);
    (void)str_copy(ret->state, sizeof ret->state, m.state);
}

static int render(struct conductor *c, const struct judged *j, enum report_format format,
                  struct buf *out, int *ret_exit, struct err *err)
{
    const struct ca_settings *s = &j->look.view.settings;
    struct report_maintenance m;
    bool known;
    open_maintenance(c, &m, &known);
    struct report r = {
        .generated = j->look.round.when,
        .propagation = c->setup.policy->propagation,
        .targets = j->look.round.target,
        .results = j->look.round.result,
        .verdicts = j->verdicts,
        .n = j->look.round.n,
        .runway = &j->look.round.runway,
        .findings = &j->findings,
        .maintenance = known ? &m : NULL,
    };
    (void)str_copy(r.ca, sizeof r.ca, s->common_name ? s->common_name : "");
    (void)str_copy(r.config, sizeof r.config, s->config_string ? s->config_string : "");
    (void)str_copy(r.host, sizeof r.host, s->server_name ? s->server_name : "");
    *ret_exit = report_exit_code(&r, SEV_WARNING);
    return report_render(&r, format, NULL, out, err);
}

int round_answer(struct conductor *c, struct job *job)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    enum report_format format = REPORT_TEXT;
    int exit_code = EXIT_CHECK_UNKNOWN;
    struct judged *j = calloc(1, sizeof *j);
    int rc = j ? ERR_OK : err_nomem(&err);
    if (!rc && *job->req.format)
        rc = report_format_parse(job->req.format, &format, &err);
    if (!rc)
        rc = look_take(c, &j->look, &err);
    if (!rc)
        rc = judge(c, j, &err);
    if (!rc)
        rc = render(c, j, format, &text, &exit_code, &err);
    if (rc)
        call_answer(job->call, EXIT_CHECK_UNKNOWN, err.text, "", 0);
    else
        call_answer(job->call, exit_code, "", buf_str(&text), text.len);
    if (j)
        judged_free(j);
    free(j);
    return rc;
}
