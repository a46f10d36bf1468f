/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/document.h"

#include <jansson.h>
#include <string.h>

#include "base/jsonput.h"
#include "base/str.h"
#include "watch/bundle.h"

static json_t *finding_object(const struct finding *f)
{
    const struct finding_kind *kind = finding_kind_by_id(f->id);
    json_t *o = json_object();
    json_put_number(o, "id", f->id);
    json_put_text(o, "severity", severity_name(f->severity));
    json_put_text(o, "title", kind ? kind->title : "");
    json_put_text(o, "ca", f->ca);
    json_put_number(o, "key", f->key_index);
    json_put_text(o, "url", f->url);
    json_put_text(o, "address", f->address);
    json_put_text(o, "expected", f->expected);
    json_put_text(o, "found", f->found);
    json_put_text(o, "remedy", f->remedy);
    return o;
}

static json_t *gate_object(const struct gate_report *g)
{
    static const char *const verdicts[] = {"passed", "short", "refused"};
    json_t *o = json_object(), *items = json_array();
    json_put_text(o, "verdict",
                  (size_t)g->verdict < ARRAY_LEN(verdicts) ? verdicts[g->verdict] : "");
    json_put_when(o, "when", g->when);
    json_put_span(o, "need", g->need);
    json_put_span(o, "weakest", g->weakest);
    json_put_when(o, "weakest-until", g->weakest_until);
    json_put_when(o, "resume-by", g->resume_by);
    json_put_text(o, "decides", g->decides);
    json_put_bool(o, "cover-needed", g->cover);
    if (g->cover)
        json_put_when(o, "cover-until", g->cover_until);
    for (size_t i = 0; i < g->n; i++)
        json_array_append_new(items, finding_object(&g->item[i]));
    json_object_set_new(o, "items", items);
    return o;
}

static json_t *proved_line(const struct prove_line *l)
{
    char before[48], after[48], hash[65], status[128];
    json_t *o = json_object();
    json_put_number(o, "key", l->line.key_index);
    json_put_number(o, "partition", l->line.partition);
    json_put_bool(o, "delta", l->line.delta);
    json_put_text(o, "before", crl_number_format(&l->before, before));
    json_put_text(o, "after", crl_number_format(&l->after, after));
    json_put_when(o, "this-update", l->this_update);
    json_put_when(o, "next-update", l->next_update);
    json_put_number(o, "entries", (int64_t)l->entries);
    str_hex(hash, l->sha256, sizeof l->sha256);
    json_put_text(o, "sha256", hash);
    if (l->cpf >= 0)
        json_put_text(o, "status", ca_cpf_format((uint32_t)l->cpf, status, sizeof status));
    json_put_text(o, "verdict", prove_verdict_name(l->verdict));
    json_put_text(o, "why", l->why);
    return o;
}

static json_t *proved_location(const struct prove_location *l)
{
    json_t *o = json_object();
    json_put_text(o, "url", l->url);
    json_put_text(o, "address", l->address);
    json_put_bool(o, "proven", l->proven);
    json_put_known(o, "visible", l->visible);
    json_put_text(o, "why", l->why);
    return o;
}

static json_t *proof_object(const struct prove_report *p)
{
    json_t *o = json_object(), *lines = json_array(), *locations = json_array();
    json_put_text(o, "verdict", prove_verdict_name(p->verdict));
    json_put_text(o, "text", p->text);
    json_put_when(o, "published", p->published);
    json_put_bool(o, "asked", p->asked);
    if (p->publish_err.code)
        json_put_text(o, "publish-error", p->publish_err.text);
    for (size_t i = 0; i < p->n_lines; i++)
        json_array_append_new(lines, proved_line(&p->line[i]));
    for (size_t i = 0; i < p->n_locations; i++)
        json_array_append_new(locations, proved_location(&p->location[i]));
    json_object_set_new(o, "crls", lines);
    json_object_set_new(o, "locations", locations);
    return o;
}

static json_t *compared_line(const struct compare_line *l)
{
    const struct store_figure *any = l->has_after ? &l->after : &l->before;
    json_t *o = json_object();
    json_put_number(o, "key", any->key_index);
    json_put_number(o, "partition", any->partition);
    json_put_bool(o, "delta", any->delta);
    if (l->has_before) {
        json_put_text(o, "number-before", l->before.number);
        json_put_span(o, "runway-before", l->before.weakest);
        json_put_number(o, "entries-before", (int64_t)l->before.entries);
        json_put_when(o, "next-update-before", l->before.next_update);
    }
    if (l->has_after) {
        json_put_text(o, "number-after", l->after.number);
        json_put_span(o, "runway-after", l->after.weakest);
        json_put_number(o, "entries-after", (int64_t)l->after.entries);
        json_put_when(o, "next-update-after", l->after.next_update);
    }
    json_put_bool(o, "number-higher", l->number_higher);
    json_put_bool(o, "runway-longer", l->runway_longer);
    return o;
}

static json_t *compared_service(const struct compare_service *s)
{
    char before[96], after[96];
    json_t *o = json_object();
    snprintf(before, sizeof before, "%s, %s", svc_state_name(s->former.former),
             svc_start_name(s->former.former_start, s->former.former_delayed));
    snprintf(after, sizeof after, "%s, %s", svc_state_name(s->now.state),
             svc_start_name(s->now.start, s->now.delayed_auto));
    json_put_text(o, "name", s->former.name);
    json_put_text(o, "before", before);
    if (s->known)
        json_put_text(o, "after", after);
    json_put_bool(o, "same", s->same);
    return o;
}

static json_t *comparison_object(const struct maint_comparison *c)
{
    json_t *o = json_object(), *lines = json_array(), *services = json_array();
    json_put_bool(o, "good", c->good);
    json_put_text(o, "text", c->text);
    json_put_known(o, "down-seconds", c->down_seconds);
    json_put_known(o, "sign-ms-before", c->sign_ms_before);
    json_put_known(o, "sign-ms-after", c->sign_ms_after);
    for (size_t i = 0; i < c->n_lines; i++)
        json_array_append_new(lines, compared_line(&c->line[i]));
    for (size_t i = 0; i < c->n_services; i++)
        json_array_append_new(services, compared_service(&c->service[i]));
    json_object_set_new(o, "crls", lines);
    json_object_set_new(o, "services", services);
    return o;
}

static int dump(json_t *o, struct buf *out, struct err *err)
{
    char *text = json_dumps(o, JSON_INDENT(1));
    json_decref(o);
    if (!text)
        return err_nomem(err);
    buf_puts(out, text);
    free(text);
    return buf_check(out, "the answer", err);
}

static json_t *document(const char *kind)
{
    json_t *o = json_object();
    json_put_number(o, "schema", DOCUMENT_SCHEMA);
    json_put_text(o, "kind", kind);
    return o;
}

static json_t *error_object(const struct err *e)
{
    json_t *o = json_object();
    json_put_text(o, "code", err_code_name(e->code));
    json_put_text(o, "text", e->text);
    if (e->os_code)
        json_put_number(o, "os-code", e->os_code);
    return o;
}

static json_t *evidence_object(const struct document_evidence *e)
{
    json_t *o = json_object();
    json_put_text(o, "path", e->path);
    json_put_text(o, "head", e->head);
    return o;
}

static json_t *reserve_array(const struct store_reserve *r, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_object();
        json_put_number(o, "id", r[i].id);
        json_put_text(o, "state", r[i].state);
        json_put_number(o, "key", r[i].key_index);
        json_put_number(o, "partition", r[i].partition);
        json_put_known(o, "maintenance", r[i].maintenance ? r[i].maintenance : -1);
        json_put_text(o, "number", r[i].number);
        json_put_text(o, "of-number", r[i].of_number);
        json_put_text(o, "sha256", r[i].sha256);
        json_put_when(o, "made", r[i].made);
        json_put_when(o, "this-update", r[i].this_update);
        json_put_when(o, "next-update", r[i].next_update);
        json_put_number(o, "entries", (int64_t)r[i].entries);
        json_put_when(o, "released", r[i].released);
        json_put_text(o, "released-by", r[i].who);
        json_put_text(o, "reason", r[i].reason);
        json_put_text(o, "note", r[i].note);
        json_array_append_new(list, o);
    }
    return list;
}

int document_reserve(const struct store_reserve *r, size_t n, struct buf *out, struct err *err)
{
    json_t *o = document("reserve");
    json_object_set_new(o, "reserve", reserve_array(r, n));
    return dump(o, out, err);
}

int document_answer(const char *verb, const struct maint_answer *a,
                    const struct document_evidence *evidence, struct buf *out, struct err *err)
{
    json_t *o = document("answer");
    char token[48];
    json_put_text(o, "verb", verb);
    json_put_text(o, "outcome", maint_outcome_name(a->outcome));
    json_put_number(o, "exit", (int64_t)a->outcome);
    json_put_bool(o, "repeated", a->repeated);
    json_put_text(o, "state", maint_state_name(a->state));
    if (a->token.id) {
        snprintf(token, sizeof token, "%lld.%lld", (long long)a->token.id,
                 (long long)a->token.epoch);
        json_put_text(o, "token", token);
    }
    if (a->row.id)
        json_object_set_new(o, "maintenance", bundle_maintenance(&a->row));
    if (a->gate.when)
        json_object_set_new(o, "gate", gate_object(&a->gate));
    if (a->prove.n_lines)
        json_object_set_new(o, "proof", proof_object(&a->prove));
    if (a->comparison.maintenance)
        json_object_set_new(o, "comparison", comparison_object(&a->comparison));
    if (a->n_reserve)
        json_object_set_new(o, "reserve", reserve_array(a->reserve, a->n_reserve));
    if (evidence && *evidence->path)
        json_object_set_new(o, "evidence", evidence_object(evidence));
    if (a->outcome != MAINT_DONE)
        json_object_set_new(o, "error", error_object(&a->err));
    return dump(o, out, err);
}

static json_t *service_object(const struct store_service *s)
{
    json_t *o = json_object();
    json_put_text(o, "name", s->name);
    json_put_text(o, "former", svc_state_name(s->former));
    json_put_text(o, "former-start", svc_start_name(s->former_start, s->former_delayed));
    json_put_bool(o, "start-changed", s->start_changed);
    json_put_bool(o, "stopped", s->stopped);
    json_put_bool(o, "restored", s->restored);
    return o;
}

static json_t *step_object(const struct store_step *s)
{
    json_t *o = json_object();
    json_put_text(o, "name", s->name);
    json_put_text(o, "subject", s->subject);
    json_put_when(o, "began", s->began);
    json_put_when(o, "ended", s->ended);
    json_put_text(o, "outcome", s->outcome);
    json_put_text(o, "detail", s->detail);
    return o;
}

static void put_maintenance(json_t *o, const struct document_status *s)
{
    const struct maint_status *m = s->maint;
    json_t *services = json_array(), *steps = json_array();
    if (m->row.id && (m->active || s->steps))
        json_object_set_new(o, "maintenance", bundle_maintenance(&m->row));
    json_put_bool(o, "active", m->active);
    if (m->active)
        json_put_number(o, "muted-alarms", (int64_t)s->muted);
    json_put_span(o, "left", m->left);
    json_put_known(o, "runway-used-percent", m->used);
    for (size_t i = 0; i < m->n_services && m->active; i++)
        json_array_append_new(services, service_object(&m->service[i]));
    for (size_t i = 0; i < m->n_steps && s->steps; i++)
        json_array_append_new(steps, step_object(&m->step[i]));
    json_object_set_new(o, "services", services);
    json_object_set_new(o, "steps", steps);
    if (m->n_reserve)
        json_object_set_new(o, "reserve", reserve_array(m->reserve, m->n_reserve));
}

int document_status(const struct document_status *s, struct buf *out, struct err *err)
{
    json_t *o = document("status");
    json_put_text(o, "version", CRLAGENT_VERSION);
    json_put_text(o, "ca", s->ca);
    json_put_text(o, "ca-service", s->ca_service);
    json_put_text(o, "running", s->running);
    if (s->runway) {
        json_t *r = json_object();
        json_put_span(r, "weakest", s->runway->weakest);
        json_put_span(r, "effective", s->runway->effective);
        json_put_when(r, "weakest-until", s->runway->weakest_until);
        json_put_when(r, "when", s->runway_when);
        json_object_set_new(o, "runway", r);
    }
    put_maintenance(o, s);
    return dump(o, out, err);
}

int document_history(const struct store_maintenance *m, size_t n, const struct store_audit *audit,
                     size_t n_audit, struct buf *out, struct err *err)
{
    json_t *o = document("history"), *rows = json_array(), *acts = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, bundle_maintenance(&m[i]));
    for (size_t i = 0; i < n_audit; i++) {
        json_t *a = json_object();
        json_put_when(a, "when", audit[i].when);
        json_put_text(a, "verb", audit[i].verb);
        json_put_text(a, "outcome", maint_outcome_name((enum maint_outcome)audit[i].outcome));
        json_put_text(a, "name", audit[i].name);
        json_put_text(a, "sid", audit[i].sid);
        json_put_text(a, "change", audit[i].change);
        json_put_known(a, "maintenance", audit[i].maintenance);
        json_put_text(a, "detail", audit[i].detail);
        json_array_append_new(acts, a);
    }
    json_object_set_new(o, "maintenances", rows);
    json_object_set_new(o, "audit", acts);
    return dump(o, out, err);
}
