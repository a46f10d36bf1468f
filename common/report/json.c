/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The JSON document of docs/report-formats.md and installer/schema/report.schema.json. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/str.h"
#include "cdp/url.h"
#include "crl/judge.h"
#include "report/report_int.h"

/* Text from the wire that is no UTF-8 becomes null: jansson would refuse the whole document. */
static json_t *text_or_null(const char *s)
{
    json_t *v = s[0] ? json_string(s) : NULL;
    return v ? v : json_null();
}

static json_t *time_or_null(int64_t when)
{
    char text[WHEN_TEXT_MAX];
    return when == WHEN_NONE ? json_null() : json_string(when_format(when, text));
}

static json_t *seconds_or_null(int64_t s)
{
    return s == INT64_MIN || s == INT64_MAX ? json_null() : json_integer(s);
}

static json_t *number_text(const struct crl_number *n)
{
    char text[48];
    return n->len ? json_string(crl_number_format(n, text)) : json_null();
}

static json_t *runway(const struct report *r)
{
    json_t *lines = json_array();
    const struct runway *rw = r->runway;
    for (size_t i = 0; rw && i < rw->n; i++) {
        const struct runway_line *l = &rw->line[i];
        json_t *o = json_pack("{s:i, s:i, s:s}", "key", (int)l->key_index, "partition",
                              (int)l->partition, "type", l->delta ? "delta" : "base");
        json_object_set_new(o, "weakest_seconds", seconds_or_null(l->weakest));
        json_object_set_new(o, "weakest_until", time_or_null(l->weakest_until));
        json_object_set_new(o, "effective_seconds", seconds_or_null(l->effective));
        json_object_set_new(o, "effective_until", time_or_null(l->effective_until));
        json_object_set_new(o, "decided_by",
                            l->weakest_probe < r->n ? text_or_null(r->targets[l->weakest_probe].url)
                                                    : json_null());
        json_array_append_new(lines, o);
    }
    json_t *all = json_object();
    json_object_set_new(all, "weakest_seconds", rw ? seconds_or_null(rw->weakest) : json_null());
    json_object_set_new(all, "weakest_until", rw ? time_or_null(rw->weakest_until) : json_null());
    json_object_set_new(all, "effective_seconds",
                        rw ? seconds_or_null(rw->effective) : json_null());
    json_object_set_new(all, "effective_until",
                        rw ? time_or_null(rw->effective_until) : json_null());
    json_object_set_new(all, "propagation_seconds", json_integer(r->propagation));
    json_object_set_new(all, "lines", lines);
    return all;
}

static json_t *crl(const struct report *r, size_t i)
{
    const struct crl_facts *f = &r->results[i].facts;
    char hex[65];
    json_t *verdicts = json_array();
    str_hex(hex, f->sha256, 32);
    for (uint32_t bit = 1; r->verdicts && bit && bit <= r->verdicts[i]; bit <<= 1) {
        if (r->verdicts[i] & bit)
            json_array_append_new(verdicts, json_string(crl_verdict_name((enum crl_verdict)bit)));
    }
    json_t *o = json_object();
    json_object_set_new(o, "issuer", text_or_null(f->issuer));
    json_object_set_new(o, "number", number_text(&f->number));
    json_object_set_new(o, "delta_base", number_text(&f->delta_base));
    json_object_set_new(o, "this_update", time_or_null(f->this_update));
    json_object_set_new(o, "next_publish", time_or_null(f->next_publish));
    json_object_set_new(o, "next_update", time_or_null(f->next_update));
    json_object_set_new(o, "entries", json_integer((json_int_t)f->entries));
    json_object_set_new(o, "bytes", json_integer((json_int_t)f->bytes));
    json_object_set_new(o, "sha256", json_string(hex));
    json_object_set_new(o, "signature", json_string(crl_signature_name(r->results[i].signature)));
    json_object_set_new(o, "signature_algorithm", text_or_null(f->signature_name));
    json_object_set_new(o, "verdicts", verdicts);
    return o;
}

static json_t *ocsp(const struct ocsp_facts *f)
{
    json_t *o = json_object();
    json_object_set_new(o, "response", json_string(ocsp_response_name(f->response)));
    json_object_set_new(o, "certificate", json_string(ocsp_status_name(f->status)));
    json_object_set_new(o, "produced", time_or_null(f->produced));
    json_object_set_new(o, "this_update", time_or_null(f->this_update));
    json_object_set_new(o, "next_update", time_or_null(f->next_update));
    json_object_set_new(o, "signature", json_string(ocsp_signature_name(f->signature)));
    json_object_set_new(o, "signer", json_string(ocsp_signer_name(f->signer)));
    json_object_set_new(o, "signer_subject", text_or_null(f->signer_name));
    json_object_set_new(o, "signer_until", time_or_null(f->signer_until));
    json_object_set_new(o, "nocheck", json_boolean(f->no_check));
    json_object_set_new(o, "nonce", json_string(report_nonce_name((size_t)f->nonce)));
    return o;
}

static json_t *origins(uint32_t bits)
{
    json_t *list = json_array();
    for (size_t i = 0; i < REPORT_ORIGINS; i++) {
        if (bits & (1u << i))
            json_array_append_new(list, json_string(report_origin_name(i)));
    }
    return list;
}

static json_t *location(const struct report *r, size_t i)
{
    const struct probe_target *t = &r->targets[i];
    const struct probe_result *a = &r->results[i];
    json_t *o = json_object();
    json_object_set_new(o, "url", text_or_null(t->url));
    json_object_set_new(o, "address", text_or_null(a->address));
    json_object_set_new(o, "kind", json_string(location_kind_name(t->kind)));
    json_object_set_new(o, "type", json_string(location_role_name(t->role)));
    json_object_set_new(o, "key", json_integer(t->key_index));
    json_object_set_new(o, "partition", json_integer(t->partition));
    json_object_set_new(o, "parent", json_boolean(t->parent));
    json_object_set_new(o, "caches_allowed", json_boolean(t->as_client));
    json_object_set_new(o, "origins", origins(t->origin));
    json_object_set_new(o, "carried_until",
                        t->carried_until ? time_or_null(t->carried_until) : json_null());
    json_object_set_new(o, "state", json_string(report_state(r, i)));
    json_object_set_new(o, "status", json_string(probe_status_name(a->status)));
    json_object_set_new(o, "detail", text_or_null(a->detail));
    json_object_set_new(o, "os_code", json_integer(a->os_code));
    json_object_set_new(o, "http_status",
                        a->http_status ? json_integer(a->http_status) : json_null());
    json_object_set_new(o, "started", time_or_null(a->started));
    json_object_set_new(o, "connect_ms",
                        a->connect_ms < 0 ? json_null() : json_integer(a->connect_ms));
    json_object_set_new(o, "total_ms", json_integer(a->total_ms));
    json_object_set_new(o, "bytes", json_integer((json_int_t)a->bytes));
    json_object_set_new(o, "via_proxy", json_boolean(a->via_proxy));
    json_object_set_new(o, "content_type", text_or_null(a->content_type));
    json_object_set_new(o, "age_seconds", a->age < 0 ? json_null() : json_integer(a->age));
    json_object_set_new(o, "cache_control", text_or_null(a->cache_control));
    json_object_set_new(o, "etag", text_or_null(a->etag));
    json_object_set_new(o, "runway_seconds", seconds_or_null(report_left(r, i)));
    json_object_set_new(o, "crl", report_has_crl(r, i) ? crl(r, i) : json_null());
    json_object_set_new(o, "ocsp", a->ocsp.answered ? ocsp(&a->ocsp) : json_null());
    return o;
}

static json_t *finding(const struct finding *f)
{
    const struct finding_kind *kind = finding_kind_by_id(f->id);
    json_t *o = json_object();
    json_object_set_new(o, "id", json_integer(f->id));
    json_object_set_new(o, "symbol", text_or_null(kind ? kind->symbol : ""));
    json_object_set_new(o, "severity", json_string(severity_name(f->severity)));
    json_object_set_new(o, "title", text_or_null(kind ? kind->title : ""));
    json_object_set_new(o, "key", json_integer(f->key_index));
    json_object_set_new(o, "url", text_or_null(f->url));
    json_object_set_new(o, "address", text_or_null(f->address));
    json_object_set_new(o, "expected", text_or_null(f->expected));
    json_object_set_new(o, "found", text_or_null(f->found));
    json_object_set_new(o, "remedy", text_or_null(f->remedy));
    json_object_set_new(o, "reference", text_or_null(kind ? kind->reference : ""));
    return o;
}

static json_t *maintenance(const struct report_maintenance *m)
{
    json_t *o = json_object();
    json_object_set_new(o, "id", text_or_null(m->id));
    json_object_set_new(o, "change", text_or_null(m->change_id));
    json_object_set_new(o, "owner", text_or_null(m->owner));
    json_object_set_new(o, "reason", text_or_null(m->reason));
    json_object_set_new(o, "state", text_or_null(m->state));
    json_object_set_new(o, "from", time_or_null(m->from));
    json_object_set_new(o, "until", time_or_null(m->until));
    json_object_set_new(o, "resume_by", time_or_null(m->resume_by));
    json_object_set_new(o, "muted", json_integer((json_int_t)m->muted));
    return o;
}

struct change_list {
    const struct report *r;
    json_t *list;
};

static void add_change(void *arg, const struct report_change *c)
{
    struct change_list *l = arg;
    const struct probe_target *t =
        c->now == SIZE_MAX ? &l->r->before->targets[c->before] : &l->r->targets[c->now];
    json_t *o = json_object();
    json_object_set_new(o, "url", text_or_null(t->url));
    json_object_set_new(o, "address", text_or_null(t->address));
    json_object_set_new(o, "worse", json_boolean(c->worse));
    json_object_set_new(o, "text", text_or_null(c->text));
    json_array_append_new(l->list, o);
}

static json_t *comparison(const struct report *r)
{
    struct change_list l = {r, json_array()};
    size_t worse = report_compare(r, add_change, &l);
    json_t *o = json_object();
    json_object_set_new(o, "before", time_or_null(r->before->generated));
    json_object_set_new(o, "worse", json_integer((json_int_t)worse));
    json_object_set_new(o, "changes", l.list);
    return o;
}

static json_t *history(const struct report *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->n_history; i++) {
        json_t *o = json_object();
        json_object_set_new(o, "when", time_or_null(r->history[i].when));
        json_object_set_new(o, "weakest_seconds", seconds_or_null(r->history[i].weakest));
        json_object_set_new(o, "visible_seconds",
                            r->history[i].visible_seconds < 0
                                ? json_null()
                                : json_integer(r->history[i].visible_seconds));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *hsm(const struct report_hsm *h)
{
    json_t *o = json_object();
    json_object_set_new(o, "good", h->known ? json_boolean(h->good) : json_null());
    json_object_set_new(o, "when", time_or_null(h->known ? h->when : WHEN_NONE));
    json_object_set_new(o, "latency_ms", h->known ? json_integer(h->latency_ms) : json_null());
    json_object_set_new(o, "baseline_ms",
                        h->baseline_ms < 0 ? json_null() : json_integer(h->baseline_ms));
    json_object_set_new(o, "samples", json_integer(h->samples));
    json_object_set_new(o, "failures", json_integer(h->failures));
    return o;
}

static json_t *document(const struct report *r)
{
    json_t *o = json_object();
    json_t *locations = json_array();
    json_t *findings = json_array();
    for (size_t i = 0; i < r->n; i++)
        json_array_append_new(locations, location(r, i));
    for (size_t i = 0; r->findings && i < r->findings->n; i++)
        json_array_append_new(findings, finding(&r->findings->item[i]));
    json_object_set_new(o, "schema", json_string("crlagent-report"));
    json_object_set_new(o, "version", json_integer(REPORT_SCHEMA_VERSION));
    json_object_set_new(o, "program", json_string(CRLAGENT_VERSION));
    json_object_set_new(o, "generated", time_or_null(r->generated));
    json_object_set_new(o, "ca", text_or_null(r->ca));
    json_object_set_new(o, "config", text_or_null(r->config));
    json_object_set_new(o, "host", text_or_null(r->host));
    json_object_set_new(o, "phase", text_or_null(r->phase));
    json_object_set_new(o, "severity", json_string(severity_name(report_worst(r))));
    json_object_set_new(o, "runway", runway(r));
    json_object_set_new(o, "maintenance",
                        r->maintenance ? maintenance(r->maintenance) : json_null());
    json_object_set_new(o, "hsm", r->hsm ? hsm(r->hsm) : json_null());
    json_object_set_new(o, "locations", locations);
    json_object_set_new(o, "findings", findings);
    json_object_set_new(o, "comparison", r->before ? comparison(r) : json_null());
    json_object_set_new(o, "history", history(r));
    return o;
}

static int write_chunk(const char *data, size_t len, void *arg)
{
    return buf_add(arg, data, len) ? -1 : 0;
}

int report_json(const struct report *r, struct buf *out, struct err *err)
{
    json_t *doc = document(r);
    int rc = json_dump_callback(doc, write_chunk, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(doc);
    buf_putc(out, '\n');
    return rc ? err_set(err, ERR_NOMEM, "the JSON report could not be built") : ERR_OK;
}
