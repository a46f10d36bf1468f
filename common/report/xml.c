/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The XML document of installer/schema/report.xsd. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libxml/xmlwriter.h>

#include "base/str.h"
#include "cdp/url.h"
#include "crl/judge.h"
#include "report/report_int.h"

struct xml {
    xmlTextWriterPtr w;
    bool failed;
};

static void begin(struct xml *x, const char *name)
{
    x->failed |= xmlTextWriterStartElement(x->w, BAD_CAST name) < 0;
}

static void end(struct xml *x)
{
    x->failed |= xmlTextWriterEndElement(x->w) < 0;
}

/* Characters that XML 1.0 cannot hold become '?'; so does what is no UTF-8. */
static void attribute(struct xml *x, const char *name, const char *value)
{
    char text[LIMIT_URL_CHARS + 1];
    str_copy(text, sizeof text, value);
    bool utf8 = str_is_utf8(text, strlen(text));
    for (char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x80 && !utf8))
            *p = '?';
    }
    if (text[0])
        x->failed |= xmlTextWriterWriteAttribute(x->w, BAD_CAST name, BAD_CAST text) < 0;
}

static void number(struct xml *x, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    if (value != INT64_MIN && value != INT64_MAX)
        attribute(x, name, text);
}

static void point(struct xml *x, const char *name, int64_t when)
{
    char text[WHEN_TEXT_MAX];
    if (when != WHEN_NONE)
        attribute(x, name, when_format(when, text));
}

static void flag(struct xml *x, const char *name, bool value)
{
    attribute(x, name, value ? "true" : "false");
}

static void runway(struct xml *x, const struct report *r)
{
    const struct runway *rw = r->runway;
    if (!rw)
        return;
    begin(x, "runway");
    number(x, "weakestSeconds", rw->weakest);
    point(x, "weakestUntil", rw->weakest_until);
    number(x, "effectiveSeconds", rw->effective);
    point(x, "effectiveUntil", rw->effective_until);
    number(x, "propagationSeconds", r->propagation);
    for (size_t i = 0; i < rw->n; i++) {
        const struct runway_line *l = &rw->line[i];
        begin(x, "line");
        number(x, "key", l->key_index);
        number(x, "partition", l->partition);
        attribute(x, "type", l->delta ? "delta" : "base");
        number(x, "weakestSeconds", l->weakest);
        point(x, "weakestUntil", l->weakest_until);
        number(x, "effectiveSeconds", l->effective);
        point(x, "effectiveUntil", l->effective_until);
        attribute(x, "decidedBy", l->weakest_probe < r->n ? r->targets[l->weakest_probe].url : "");
        end(x);
    }
    end(x);
}

static void maintenance(struct xml *x, const struct report_maintenance *m)
{
    if (!m)
        return;
    begin(x, "maintenance");
    attribute(x, "id", m->id);
    attribute(x, "change", m->change_id);
    attribute(x, "owner", m->owner);
    attribute(x, "reason", m->reason);
    attribute(x, "state", m->state);
    point(x, "from", m->from);
    point(x, "until", m->until);
    point(x, "resumeBy", m->resume_by);
    number(x, "muted", (int64_t)m->muted);
    end(x);
}

static void hsm(struct xml *x, const struct report_hsm *h)
{
    if (!h)
        return;
    begin(x, "hsm");
    if (h->known) {
        flag(x, "good", h->good);
        point(x, "when", h->when);
        number(x, "latencyMs", h->latency_ms);
    }
    if (h->baseline_ms >= 0)
        number(x, "baselineMs", h->baseline_ms);
    number(x, "samples", h->samples);
    number(x, "failures", h->failures);
    end(x);
}

static void history(struct xml *x, const struct report *r)
{
    for (size_t i = 0; i < r->n_history; i++) {
        const struct report_point *p = &r->history[i];
        begin(x, "look");
        point(x, "when", p->when);
        number(x, "weakestSeconds", p->weakest);
        if (p->visible_seconds >= 0)
            number(x, "visibleSeconds", p->visible_seconds);
        end(x);
    }
}

static void crl(struct xml *x, const struct report *r, size_t i)
{
    const struct crl_facts *f = &r->results[i].facts;
    char hex[65], n[48];
    str_hex(hex, f->sha256, 32);
    begin(x, "crl");
    attribute(x, "issuer", f->issuer);
    attribute(x, "number", f->number.len ? crl_number_format(&f->number, n) : "");
    attribute(x, "deltaBase", f->delta_base.len ? crl_number_format(&f->delta_base, n) : "");
    point(x, "thisUpdate", f->this_update);
    point(x, "nextPublish", f->next_publish);
    point(x, "nextUpdate", f->next_update);
    number(x, "entries", (int64_t)f->entries);
    number(x, "bytes", (int64_t)f->bytes);
    attribute(x, "sha256", hex);
    attribute(x, "signature", crl_signature_name(r->results[i].signature));
    attribute(x, "signatureAlgorithm", f->signature_name);
    for (uint32_t bit = 1; r->verdicts && bit && bit <= r->verdicts[i]; bit <<= 1) {
        if (r->verdicts[i] & bit) {
            begin(x, "verdict");
            attribute(x, "name", crl_verdict_name((enum crl_verdict)bit));
            end(x);
        }
    }
    end(x);
}

static void ocsp(struct xml *x, const struct ocsp_facts *f)
{
    begin(x, "ocsp");
    attribute(x, "response", ocsp_response_name(f->response));
    attribute(x, "certificate", ocsp_status_name(f->status));
    point(x, "produced", f->produced);
    point(x, "thisUpdate", f->this_update);
    point(x, "nextUpdate", f->next_update);
    attribute(x, "signature", ocsp_signature_name(f->signature));
    attribute(x, "signer", ocsp_signer_name(f->signer));
    attribute(x, "signerSubject", f->signer_name);
    point(x, "signerUntil", f->signer_until);
    flag(x, "nocheck", f->no_check);
    attribute(x, "nonce", report_nonce_name((size_t)f->nonce));
    end(x);
}

static void location(struct xml *x, const struct report *r, size_t i)
{
    const struct probe_target *t = &r->targets[i];
    const struct probe_result *a = &r->results[i];
    begin(x, "location");
    attribute(x, "url", t->url);
    attribute(x, "address", a->address);
    attribute(x, "kind", location_kind_name(t->kind));
    attribute(x, "type", location_role_name(t->role));
    number(x, "key", t->key_index);
    number(x, "partition", t->partition);
    flag(x, "parent", t->parent);
    flag(x, "cachesAllowed", t->as_client);
    point(x, "carriedUntil", t->carried_until ? t->carried_until : WHEN_NONE);
    attribute(x, "state", report_state(r, i));
    attribute(x, "status", probe_status_name(a->status));
    attribute(x, "detail", a->detail);
    number(x, "osCode", a->os_code);
    if (a->http_status)
        number(x, "httpStatus", a->http_status);
    point(x, "started", a->started);
    if (a->connect_ms >= 0)
        number(x, "connectMs", a->connect_ms);
    number(x, "totalMs", a->total_ms);
    number(x, "bytes", (int64_t)a->bytes);
    flag(x, "viaProxy", a->via_proxy);
    attribute(x, "contentType", a->content_type);
    if (a->age >= 0)
        number(x, "ageSeconds", a->age);
    attribute(x, "cacheControl", a->cache_control);
    attribute(x, "etag", a->etag);
    number(x, "runwaySeconds", report_left(r, i));
    for (size_t k = 0; k < REPORT_ORIGINS; k++) {
        if (t->origin & (1u << k)) {
            begin(x, "origin");
            attribute(x, "name", report_origin_name(k));
            end(x);
        }
    }
    if (report_has_crl(r, i))
        crl(x, r, i);
    if (a->ocsp.answered)
        ocsp(x, &a->ocsp);
    end(x);
}

static void finding(struct xml *x, const struct finding *f)
{
    const struct finding_kind *kind = finding_kind_by_id(f->id);
    begin(x, "finding");
    number(x, "id", f->id);
    attribute(x, "symbol", kind ? kind->symbol : "");
    attribute(x, "severity", severity_name(f->severity));
    attribute(x, "title", kind ? kind->title : "");
    number(x, "key", f->key_index);
    attribute(x, "url", f->url);
    attribute(x, "address", f->address);
    attribute(x, "expected", f->expected);
    attribute(x, "found", f->found);
    attribute(x, "remedy", f->remedy);
    attribute(x, "reference", kind ? kind->reference : "");
    end(x);
}

struct change_writer {
    struct xml *x;
    const struct report *r;
};

static void change(void *arg, const struct report_change *c)
{
    const struct change_writer *w = arg;
    const struct probe_target *t =
        c->now == SIZE_MAX ? &w->r->before->targets[c->before] : &w->r->targets[c->now];
    begin(w->x, "change");
    attribute(w->x, "url", t->url);
    attribute(w->x, "address", t->address);
    flag(w->x, "worse", c->worse);
    attribute(w->x, "text", c->text);
    end(w->x);
}

/* The count stands in front of what is counted: one pass for it, one for the changes. */
static void nothing(void *arg, const struct report_change *c)
{
    (void)arg;
    (void)c;
}

static void comparison(struct xml *x, const struct report *r)
{
    struct change_writer w = {x, r};
    if (!r->before)
        return;
    begin(x, "comparison");
    point(x, "before", r->before->generated);
    number(x, "worse", (int64_t)report_compare(r, nothing, NULL));
    report_compare(r, change, &w);
    end(x);
}

static void document(struct xml *x, const struct report *r)
{
    begin(x, "report");
    attribute(x, "xmlns", "urn:crlagent:report:1");
    attribute(x, "program", CRLAGENT_VERSION);
    point(x, "generated", r->generated);
    attribute(x, "ca", r->ca);
    attribute(x, "config", r->config);
    attribute(x, "host", r->host);
    attribute(x, "phase", r->phase);
    attribute(x, "severity", severity_name(report_worst(r)));
    runway(x, r);
    maintenance(x, r->maintenance);
    hsm(x, r->hsm);
    for (size_t i = 0; i < r->n; i++)
        location(x, r, i);
    for (size_t i = 0; r->findings && i < r->findings->n; i++)
        finding(x, &r->findings->item[i]);
    comparison(x, r);
    history(x, r);
    end(x);
}

int report_xml(const struct report *r, struct buf *out, struct err *err)
{
    xmlBufferPtr memory = xmlBufferCreate();
    struct xml x = {memory ? xmlNewTextWriterMemory(memory, 0) : NULL, false};
    int rc = ERR_OK;
    if (!x.w) {
        if (memory)
            xmlBufferFree(memory);
        return err_nomem(err);
    }
    xmlTextWriterSetIndent(x.w, 1);
    x.failed |= xmlTextWriterStartDocument(x.w, NULL, "UTF-8", NULL) < 0;
    document(&x, r);
    x.failed |= xmlTextWriterEndDocument(x.w) < 0;
    xmlFreeTextWriter(x.w);
    if (x.failed)
        rc = err_set(err, ERR_INTERNAL, "the XML report could not be built");
    else
        buf_add(out, xmlBufferContent(memory), (size_t)xmlBufferLength(memory));
    xmlBufferFree(memory);
    return rc;
}
