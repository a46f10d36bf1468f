/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/document.h"

#include <jansson.h>
#include <string.h>

#include "base/str.h"

/* Setters that leave out what is not known. json_object_set_new takes NULL for a text that is not
 * valid UTF-8: the field is absent then. */
static void put_text(json_t *o, const char *name, const char *text)
{
    if (text && *text)
        json_object_set_new(o, name, json_string(text));
}

static void put_number(json_t *o, const char *name, int64_t n)
{
    json_object_set_new(o, name, json_integer(n));
}

static void put_span(json_t *o, const char *name, int64_t seconds)
{
    if (seconds != INT64_MIN)
        put_number(o, name, seconds);
}

static void put_known(json_t *o, const char *name, int64_t n)
{
    if (n >= 0)
        put_number(o, name, n);
}

static void put_bool(json_t *o, const char *name, bool b)
{
    json_object_set_new(o, name, json_boolean(b));
}

static void put_when(json_t *o, const char *name, int64_t when)
{
    char text[WHEN_TEXT_MAX];
    if (when != WHEN_NONE && when != 0)
        put_text(o, name, when_format(when, text));
}

static json_t *maintenance_object(const struct store_maintenance *m)
{
    json_t *o = json_object();
    put_number(o, "id", m->id);
    put_number(o, "epoch", m->epoch);
    put_text(o, "state", m->state);
    put_text(o, "change", m->change);
    put_text(o, "reason", m->reason);
    put_text(o, "owner", *m->owner_name ? m->owner_name : m->owner_sid);
    put_text(o, "owner-sid", m->owner_sid);
    put_number(o, "window", m->window);
    put_number(o, "reserve", m->reserve);
    put_text(o, "deadline-action", m->deadline_action);
    put_when(o, "created", m->created);
    put_when(o, "paused", m->paused);
    put_when(o, "stopped", m->stopped);
    put_when(o, "resumed", m->resumed);
    put_when(o, "ended", m->ended);
    put_when(o, "runway-until", m->runway_until);
    put_when(o, "resume-by", m->resume_by);
    put_when(o, "deadline", m->deadline);
    put_bool(o, "cover", m->cover);
    put_text(o, "note", m->note);
    return o;
}

static json_t *finding_object(const struct finding *f)
{
    const struct finding_kind *kind = finding_kind_by_id(f->id);
    json_t *o = json_object();
    put_number(o, "id", f->id);
    put_text(o, "severity", severity_name(f->severity));
    put_text(o, "title", kind ? kind->title : "");
    put_text(o, "ca", f->ca);
    put_number(o, "key", f->key_index);
    put_text(o, "url", f->url);
    put_text(o, "address", f->address);
    put_text(o, "expected", f->expected);
    put_text(o, "found", f->found);
    put_text(o, "remedy", f->remedy);
    return o;
}

static json_t *gate_object(const struct gate_report *g)
{
    static const char *const verdicts[] = {"passed", "short", "refused"};
    json_t *o = json_object(), *items = json_array();
    put_text(o, "verdict", (size_t)g->verdict < ARRAY_LEN(verdicts) ? verdicts[g->verdict] : "");
    put_when(o, "when", g->when);
    put_span(o, "need", g->need);
    put_span(o, "weakest", g->weakest);
    put_when(o, "weakest-until", g->weakest_until);
    put_when(o, "resume-by", g->resume_by);
    put_text(o, "decides", g->decides);
    for (size_t i = 0; i < g->n; i++)
        json_array_append_new(items, finding_object(&g->item[i]));
    json_object_set_new(o, "items", items);
    return o;
}

static json_t *proved_line(const struct prove_line *l)
{
    char before[48], after[48], hash[65], status[128];
    json_t *o = json_object();
    put_number(o, "key", l->line.key_index);
    put_number(o, "partition", l->line.partition);
    put_bool(o, "delta", l->line.delta);
    put_text(o, "before", crl_number_format(&l->before, before));
    put_text(o, "after", crl_number_format(&l->after, after));
    put_when(o, "this-update", l->this_update);
    put_when(o, "next-update", l->next_update);
    put_number(o, "entries", (int64_t)l->entries);
    str_hex(hash, l->sha256, sizeof l->sha256);
    put_text(o, "sha256", hash);
    if (l->cpf >= 0)
        put_text(o, "status", ca_cpf_format((uint32_t)l->cpf, status, sizeof status));
    put_text(o, "verdict", prove_verdict_name(l->verdict));
    put_text(o, "why", l->why);
    return o;
}

static json_t *proved_location(const struct prove_location *l)
{
    json_t *o = json_object();
    put_text(o, "url", l->url);
    put_text(o, "address", l->address);
    put_bool(o, "proven", l->proven);
    put_known(o, "visible", l->visible);
    put_text(o, "why", l->why);
    return o;
}

static json_t *proof_object(const struct prove_report *p)
{
    json_t *o = json_object(), *lines = json_array(), *locations = json_array();
    put_text(o, "verdict", prove_verdict_name(p->verdict));
    put_text(o, "text", p->text);
    put_when(o, "published", p->published);
    put_bool(o, "asked", p->asked);
    if (p->publish_err.code)
        put_text(o, "publish-error", p->publish_err.text);
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
    put_number(o, "key", any->key_index);
    put_number(o, "partition", any->partition);
    put_bool(o, "delta", any->delta);
    if (l->has_before) {
        put_text(o, "number-before", l->before.number);
        put_span(o, "runway-before", l->before.weakest);
        put_number(o, "entries-before", (int64_t)l->before.entries);
        put_when(o, "next-update-before", l->before.next_update);
    }
    if (l->has_after) {
        put_text(o, "number-after", l->after.number);
        put_span(o, "runway-after", l->after.weakest);
        put_number(o, "entries-after", (int64_t)l->after.entries);
        put_when(o, "next-update-after", l->after.next_update);
    }
    put_bool(o, "number-higher", l->number_higher);
    put_bool(o, "runway-longer", l->runway_longer);
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
    put_text(o, "name", s->former.name);
    put_text(o, "before", before);
    if (s->known)
        put_text(o, "after", after);
    put_bool(o, "same", s->same);
    return o;
}

static json_t *comparison_object(const struct maint_comparison *c)
{
    json_t *o = json_object(), *lines = json_array(), *services = json_array();
    put_bool(o, "good", c->good);
    put_text(o, "text", c->text);
    put_known(o, "down-seconds", c->down_seconds);
    put_known(o, "sign-ms-before", c->sign_ms_before);
    put_known(o, "sign-ms-after", c->sign_ms_after);
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
    put_number(o, "schema", DOCUMENT_SCHEMA);
    put_text(o, "kind", kind);
    return o;
}

static json_t *error_object(const struct err *e)
{
    json_t *o = json_object();
    put_text(o, "code", err_code_name(e->code));
    put_text(o, "text", e->text);
    if (e->os_code)
        put_number(o, "os-code", e->os_code);
    return o;
}

static json_t *evidence_object(const struct document_evidence *e)
{
    json_t *o = json_object();
    put_text(o, "path", e->path);
    put_text(o, "head", e->head);
    return o;
}

int document_answer(const char *verb, const struct maint_answer *a,
                    const struct document_evidence *evidence, struct buf *out, struct err *err)
{
    json_t *o = document("answer");
    char token[48];
    put_text(o, "verb", verb);
    put_text(o, "outcome", maint_outcome_name(a->outcome));
    put_number(o, "exit", (int64_t)a->outcome);
    put_bool(o, "repeated", a->repeated);
    put_text(o, "state", maint_state_name(a->state));
    if (a->token.id) {
        snprintf(token, sizeof token, "%lld.%lld", (long long)a->token.id,
                 (long long)a->token.epoch);
        put_text(o, "token", token);
    }
    if (a->row.id)
        json_object_set_new(o, "maintenance", maintenance_object(&a->row));
    if (a->gate.when)
        json_object_set_new(o, "gate", gate_object(&a->gate));
    if (a->prove.n_lines)
        json_object_set_new(o, "proof", proof_object(&a->prove));
    if (a->comparison.maintenance)
        json_object_set_new(o, "comparison", comparison_object(&a->comparison));
    if (evidence && *evidence->path)
        json_object_set_new(o, "evidence", evidence_object(evidence));
    if (a->outcome != MAINT_DONE)
        json_object_set_new(o, "error", error_object(&a->err));
    return dump(o, out, err);
}

static json_t *service_object(const struct store_service *s)
{
    json_t *o = json_object();
    put_text(o, "name", s->name);
    put_text(o, "former", svc_state_name(s->former));
    put_text(o, "former-start", svc_start_name(s->former_start, s->former_delayed));
    put_bool(o, "start-changed", s->start_changed);
    put_bool(o, "stopped", s->stopped);
    put_bool(o, "restored", s->restored);
    return o;
}

static json_t *step_object(const struct store_step *s)
{
    json_t *o = json_object();
    put_text(o, "name", s->name);
    put_text(o, "subject", s->subject);
    put_when(o, "began", s->began);
    put_when(o, "ended", s->ended);
    put_text(o, "outcome", s->outcome);
    put_text(o, "detail", s->detail);
    return o;
}

static void put_maintenance(json_t *o, const struct document_status *s)
{
    const struct maint_status *m = s->maint;
    json_t *services = json_array(), *steps = json_array();
    if (m->row.id && (m->active || s->steps))
        json_object_set_new(o, "maintenance", maintenance_object(&m->row));
    put_bool(o, "active", m->active);
    if (m->active)
        put_number(o, "muted-alarms", (int64_t)s->muted);
    put_span(o, "left", m->left);
    put_known(o, "runway-used-percent", m->used);
    for (size_t i = 0; i < m->n_services && m->active; i++)
        json_array_append_new(services, service_object(&m->service[i]));
    for (size_t i = 0; i < m->n_steps && s->steps; i++)
        json_array_append_new(steps, step_object(&m->step[i]));
    json_object_set_new(o, "services", services);
    json_object_set_new(o, "steps", steps);
}

int document_status(const struct document_status *s, struct buf *out, struct err *err)
{
    json_t *o = document("status");
    put_text(o, "version", CRLAGENT_VERSION);
    put_text(o, "ca", s->ca);
    put_text(o, "ca-service", s->ca_service);
    put_text(o, "running", s->running);
    if (s->runway) {
        json_t *r = json_object();
        put_span(r, "weakest", s->runway->weakest);
        put_span(r, "effective", s->runway->effective);
        put_when(r, "weakest-until", s->runway->weakest_until);
        put_when(r, "when", s->runway_when);
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
        json_array_append_new(rows, maintenance_object(&m[i]));
    for (size_t i = 0; i < n_audit; i++) {
        json_t *a = json_object();
        put_when(a, "when", audit[i].when);
        put_text(a, "verb", audit[i].verb);
        put_text(a, "outcome", maint_outcome_name((enum maint_outcome)audit[i].outcome));
        put_text(a, "name", audit[i].name);
        put_text(a, "sid", audit[i].sid);
        put_text(a, "change", audit[i].change);
        put_known(a, "maintenance", audit[i].maintenance);
        put_text(a, "detail", audit[i].detail);
        json_array_append_new(acts, a);
    }
    json_object_set_new(o, "maintenances", rows);
    json_object_set_new(o, "audit", acts);
    return dump(o, out, err);
}
