/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Looking: nothing in this file changes anything outside the store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "maint/engine.h"

static const struct svc_info *ca_service(const struct work *w)
{
    return &w->svc[w->n_svc - 1];
}

/* Nobody may call the CA while its service is not running. */
static bool ca_runs(const struct work *w)
{
    return w->n_svc && ca_service(w)->state == SVC_RUNNING;
}

static int ask_roles(struct work *w, struct err *err)
{
    const struct ca_admin *a = &w->m->seams.admin;
    struct err why = ERR_INIT;
    uint32_t roles = 0;
    int rc = a->ops->roles(a->self, &roles, &why);
    w->roles_known = rc == ERR_OK || rc == ERR_DENIED;
    w->roles = rc ? 0 : roles;
    if (rc == ERR_OK || rc == ERR_DENIED || rc == ERR_UNSUPPORTED)
        return ERR_OK;
    if (err)
        *err = why;
    return rc;
}

static int discover(struct work *w, void *arg, struct err *err)
{
    (void)arg;
    const struct maint_seams *s = &w->m->seams;
    ca_view_free(&w->view);
    int rc = svcplan_collect(w, err);
    if (!rc)
        rc = ca_view_read(&s->settings, &s->admin, w->m->store, ca_runs(w), clock_now(s->clock),
                          &w->view, err);
    if (!rc && w->view.asked)
        rc = ask_roles(w, err);
    if (rc)
        return rc;
    w->n_lines = ca_view_lines(&w->view, w->line, RUNWAY_LINES_MAX);
    if (w->n_lines > RUNWAY_LINES_MAX)
        return err_set(err, ERR_LIMIT, "the CA issues %zu CRLs, at most %d are handled", w->n_lines,
                       RUNWAY_LINES_MAX);
    for (size_t i = 0; i < w->n_lines; i++)
        w->cpf[i] = w->view.asked ? ca_line_status(&s->admin, &w->line[i]) : -1;
    return ERR_OK;
}

int look_discover(struct work *w, struct err *err)
{
    return work_step(w, STEP_DISCOVER, "", discover, NULL, err);
}

static int probe(struct work *w, void *arg, struct err *err)
{
    (void)arg;
    const struct maint_seams *s = &w->m->seams;
    probe_round_free(&w->round);
    int rc = probe_round_run(&s->locate, &s->prober, &w->view, w->m->policy.propagation, s->clock,
                             &w->round, err);
    if (!rc && w->row.id && s->snapshot)
        s->snapshot(s->snapshot_self, w->row.id, w->row.resumed == WHEN_NONE ? "before" : "after",
                    &w->view, &w->round);
    return rc;
}

int look_probe(struct work *w, struct err *err)
{
    return work_step(w, STEP_PROBE, "", probe, NULL, err);
}

/* Every key that CRLs are signed with; one that fails is enough. ERR_* of the key probe, with the
 * key named. */
static int test_keys(struct work *w, struct err *err)
{
    const struct maint_seams *s = &w->m->seams;
    const struct maint_policy *p = &w->m->policy;
    int rc = ERR_OK;
    w->sign_ms = -1;
    for (size_t i = 0; i < w->view.n_keys && !rc; i++) {
        const struct ca_key *k = &w->view.key[i];
        struct key_probe_result r = {0};
        if (!k->living)
            continue;
        rc = s->key.probe(s->key.self, (const uint8_t *)k->cert.data, k->cert.len,
                          p->key_timeout_ms, &r, err);
        if (!rc && (int32_t)r.sign_ms > w->sign_ms)
            w->sign_ms = (int32_t)r.sign_ms;
        if (!rc && p->sign_max_ms && r.sign_ms > (uint64_t)p->sign_max_ms)
            rc = err_set(err, ERR_TIMEOUT,
                         "one signature took %u ms, the configuration accepts %lld ms", r.sign_ms,
                         (long long)p->sign_max_ms);
        if (rc) {
            w->key_failed = k->cert_index;
            err_context(err, "key %u (CA certificate %d)", k->key_index, k->cert_index);
        }
    }
    return rc;
}

static int accept_hsm(struct work *w, void *arg, struct err *err)
{
    (void)arg;
    return test_keys(w, err);
}

int look_keys(struct work *w, struct err *err)
{
    return work_step(w, STEP_ACCEPT_HSM, "", accept_hsm, NULL, err);
}

static int judge_gate(struct work *w, void *arg, struct err *err)
{
    (void)arg;
    bool tested = w->m->policy.test_key;
    gate_report_free(&w->a->gate);
    err_clear(&w->key_err);
    int rc = tested ? test_keys(w, &w->key_err) : ERR_OK;
    if (rc && !w->key_err.code)
        w->key_err.code = (enum err_code)rc;
    struct gate_input in = {.view = &w->view,
                            .round = &w->round,
                            .service = w->svc,
                            .n_services = w->n_svc,
                            .window = w->row.window,
                            .reserve = w->row.reserve,
                            .covered = w->covered,
                            .now = clock_now(w->m->seams.clock),
                            .roles = w->roles,
                            .roles_known = w->roles_known,
                            .key_tested = tested,
                            .key_failed = w->key_failed,
                            .key_err = &w->key_err,
                            .cpf = w->cpf,
                            .line = w->line,
                            .n_lines = w->n_lines};
    return gate_judge(&in, &w->m->policy, &w->a->gate, err);
}

int look_gate(struct work *w, struct err *err)
{
    return work_step(w, STEP_GATE, "", judge_gate, NULL, err);
}

static void fill_from_facts(struct store_figure *f, const struct crl_facts *c)
{
    crl_number_format(&c->number, f->number);
    f->this_update = c->this_update;
    f->next_update = c->next_update;
    f->entries = c->entries;
    str_hex(f->sha256, c->sha256, sizeof c->sha256);
}

/* What the CA holds; of a stopped CA, what its weakest location serves. */
static void fill_crl(struct work *w, size_t i, struct crl_facts *facts, struct store_figure *f)
{
    struct err ignored = ERR_INIT;
    const struct crl_line *l = &w->line[i];
    if (w->view.asked && ca_line_read(&w->m->seams.admin, &w->view, l, w->m->store, f->when, facts,
                                      &ignored) == ERR_OK) {
        fill_from_facts(f, facts);
        return;
    }
    for (size_t p = 0; p < w->round.n; p++) {
        if (crl_line_at(l, &w->round.target[p]) && w->round.result[p].status == PROBE_OK) {
            fill_from_facts(f, &w->round.result[p].facts);
            return;
        }
    }
}

static void fill_runway(const struct work *w, const struct crl_line *l, struct store_figure *f)
{
    const struct runway *rw = &w->round.runway;
    for (size_t i = 0; i < rw->n; i++) {
        const struct runway_line *r = &rw->line[i];
        if (r->key_index != l->key_index || r->partition != l->partition || r->delta != l->delta)
            continue;
        f->weakest = r->weakest;
        f->effective = r->effective;
        str_copy(f->weakest_url, sizeof f->weakest_url, w->round.target[r->weakest_probe].url);
        str_copy(f->weakest_address, sizeof f->weakest_address,
                 w->round.result[r->weakest_probe].address);
        return;
    }
}

int look_figures(struct work *w, enum store_phase phase, struct err *err)
{
    struct crl_facts *facts = malloc(sizeof *facts);
    struct store_figure *f = malloc(sizeof *f);
    int rc = facts && f ? store_begin(w->m->store, err) : err_nomem(err);
    bool begun = !rc;
    for (size_t i = 0; i < w->n_lines && !rc; i++) {
        *f = (struct store_figure){.phase = phase,
                                   .key_index = w->line[i].key_index,
                                   .partition = w->line[i].partition,
                                   .delta = w->line[i].delta,
                                   .number = "-",
                                   .this_update = WHEN_NONE,
                                   .next_update = WHEN_NONE,
                                   .weakest = INT64_MIN,
                                   .effective = INT64_MIN,
                                   .publish_status = w->cpf[i],
                                   .sign_ms = w->sign_ms,
                                   .when = clock_now(w->m->seams.clock)};
        fill_crl(w, i, facts, f);
        fill_runway(w, &w->line[i], f);
        rc = store_figure_put(w->m->store, w->row.id, f, err);
    }
    free(facts);
    free(f);
    if (rc && begun)
        store_rollback(w->m->store);
    return rc ? rc : store_commit(w->m->store, err);
}
