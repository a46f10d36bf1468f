/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "report/reread.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/jsonget.h"
#include "base/file.h"
#include "base/str.h"
#include "cdp/url.h"
#include "crl/judge.h"
#include "health/rules.h"
#include "report/report_int.h"

void report_copy_free(struct report_copy **c)
{
    if (!*c)
        return;
    free((*c)->targets);
    free((*c)->results);
    free((*c)->verdicts);
    free((*c)->history);
    findings_free(&(*c)->findings);
    free(*c);
    *c = NULL;
}

/* The file may come from anywhere. */
#define TEXT(o, name, field) json_copy_text(o, name, '?', field, sizeof(field))

static uint32_t small_number(const json_t *o, const char *name)
{
    int64_t n = json_get_number(o, name, 0);
    return n < 0 || n > UINT32_MAX ? 0 : (uint32_t)n;
}

/* Which of the names it is; absent when it is none of them. */
static int named(const json_t *o, const char *name, const char *(*name_of)(int i), int n,
                 int absent)
{
    const char *s = json_string_value(json_object_get(o, name));
    for (int i = 0; s && i < n; i++) {
        if (strcmp(name_of(i), s) == 0)
            return i;
    }
    return absent;
}

static const char *kind_name(int i)
{
    return location_kind_name((enum location_kind)i);
}
static const char *role_name(int i)
{
    return location_role_name((enum location_role)i);
}
static const char *status_name(int i)
{
    return probe_status_name((enum probe_status)i);
}
static const char *signature_name(int i)
{
    return crl_signature_name((enum crl_signature)i);
}

static void crl_number(const json_t *o, const char *name, struct crl_number *ret)
{
    const char *s = json_string_value(json_object_get(o, name));
    if (!s || !crl_number_parse(s, ret))
        *ret = (struct crl_number){.len = 0};
}

static uint32_t verdict_bits(const json_t *crl)
{
    const json_t *list = json_object_get(crl, "verdicts");
    uint32_t bits = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *s = json_string_value(json_array_get(list, i));
        for (uint32_t b = 0; s && b < CRL_V_COUNT; b++) {
            if (strcmp(crl_verdict_name((enum crl_verdict)(1u << b)), s) == 0)
                bits |= 1u << b;
        }
    }
    return bits;
}

static void take_crl(const json_t *o, struct probe_result *r)
{
    struct crl_facts *f = &r->facts;
    size_t n = 0;
    struct err ignored = ERR_INIT;
    f->this_update = json_get_when(o, "this_update");
    f->next_publish = json_get_when(o, "next_publish");
    f->next_update = json_get_when(o, "next_update");
    if (!o)
        return;
    TEXT(o, "issuer", f->issuer);
    crl_number(o, "number", &f->number);
    crl_number(o, "delta_base", &f->delta_base);
    f->entries = (uint64_t)json_get_number(o, "entries", 0);
    f->bytes = (uint64_t)json_get_number(o, "bytes", 0);
    if (str_unhex(json_get_text(o, "sha256"), f->sha256, sizeof f->sha256, &n, &ignored))
        memset(f->sha256, 0, sizeof f->sha256);
    TEXT(o, "signature_algorithm", f->signature_name);
    r->signature = (enum crl_signature)named(o, "signature", signature_name,
                                             CRL_SIG_UNSUPPORTED + 1, CRL_SIG_NOT_CHECKED);
}

static void take_target(const json_t *o, struct probe_target *t)
{
    const json_t *origins = json_object_get(o, "origins");
    int64_t carried = json_get_when(o, "carried_until");
    TEXT(o, "url", t->url);
    t->kind = (enum location_kind)named(o, "kind", kind_name, LOC_FILE + 1, LOC_HTTP);
    t->role = (enum location_role)named(o, "type", role_name, ROLE_OCSP + 1, ROLE_CRL_BASE);
    if (t->kind != LOC_FILE)
        TEXT(o, "address", t->address);
    t->key_index = small_number(o, "key");
    t->partition = small_number(o, "partition");
    t->parent = json_get_true(o, "parent");
    t->as_client = json_get_true(o, "caches_allowed");
    t->carried_until = carried == WHEN_NONE ? 0 : carried;
    for (size_t i = 0; i < json_array_size(origins); i++) {
        const char *s = json_string_value(json_array_get(origins, i));
        for (size_t k = 0; s && k < REPORT_ORIGINS; k++) {
            if (strcmp(report_origin_name(k), s) == 0)
                t->origin |= 1u << k;
        }
    }
}

static void take_result(const json_t *o, struct probe_result *r)
{
    TEXT(o, "address", r->address);
    r->status =
        (enum probe_status)named(o, "status", status_name, PROBE_NOT_MODIFIED + 1, PROBE_INTERNAL);
    TEXT(o, "detail", r->detail);
    r->http_status = (int32_t)small_number(o, "http_status");
    r->started = json_get_when(o, "started");
    r->connect_ms = json_get_number(o, "connect_ms", -1);
    r->total_ms = json_get_number(o, "total_ms", 0);
    r->bytes = (uint64_t)json_get_number(o, "bytes", 0);
    r->via_proxy = json_get_true(o, "via_proxy");
    TEXT(o, "content_type", r->content_type);
    TEXT(o, "cache_control", r->cache_control);
    TEXT(o, "etag", r->etag);
    r->age = json_get_number(o, "age_seconds", -1);
    r->server_date = WHEN_NONE;
    const json_t *crl = json_object_get(o, "crl");
    const json_t *ocsp = json_object_get(o, "ocsp");
    take_crl(json_is_object(crl) ? crl : NULL, r);
    r->ocsp.answered = json_is_object(ocsp);
    r->ocsp.this_update = json_get_when(ocsp, "this_update");
    r->ocsp.next_update = json_get_when(ocsp, "next_update");
}

/* The word of the document is what counts; that of an OCSP answer has no verdicts there. */
static uint32_t verdicts_of(const json_t *o, const struct probe_target *t,
                            const struct probe_result *r)
{
    static const uint32_t one_for_each[] = {CRL_V_EXPIRED, CRL_V_EXPIRING, CRL_V_BAD_SIGNATURE};
    const char *state = json_string_value(json_object_get(o, "state"));
    uint32_t bits = verdict_bits(json_object_get(o, "crl"));
    if (!state || strcmp(health_state(t, r, bits), state) == 0)
        return bits;
    for (size_t i = 0; i < ARRAY_LEN(one_for_each); i++) {
        if (strcmp(health_state(t, r, one_for_each[i]), state) == 0)
            return one_for_each[i];
    }
    return bits;
}

static int take_locations(struct report_copy *c, const json_t *list, struct err *err)
{
    size_t n = json_array_size(list);
    if (n > LIMIT_LOCATIONS)
        return err_set(err, ERR_LIMIT, "%zu locations, the limit is %u", n, LIMIT_LOCATIONS);
    c->targets = calloc(n + 1, sizeof *c->targets);
    c->results = calloc(n + 1, sizeof *c->results);
    c->verdicts = calloc(n + 1, sizeof *c->verdicts);
    if (!c->targets || !c->results || !c->verdicts)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const json_t *o = json_array_get(list, i);
        if (!json_is_string(json_object_get(o, "url")))
            return err_set(err, ERR_PARSE, "location %zu has no 'url'", i + 1);
        take_target(o, &c->targets[i]);
        take_result(o, &c->results[i]);
        c->verdicts[i] = verdicts_of(o, &c->targets[i], &c->results[i]);
    }
    c->report.n = n;
    return ERR_OK;
}

static int take_findings(struct report_copy *c, const json_t *list, struct err *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        struct finding *f = findings_add(&c->findings, small_number(o, "id"));
        const char *severity = json_string_value(json_object_get(o, "severity"));
        if (!f)
            return err_nomem(err);
        if (severity_parse(severity ? severity : "", &f->severity, err))
            return err_set(err, ERR_PARSE, "finding %zu has no 'severity'", i + 1);
        f->key_index = small_number(o, "key");
        TEXT(o, "url", f->url);
        TEXT(o, "address", f->address);
        TEXT(o, "expected", f->expected);
        TEXT(o, "found", f->found);
        TEXT(o, "remedy", f->remedy);
    }
    return ERR_OK;
}

static void take_maintenance(struct report_copy *c, const json_t *o)
{
    struct report_maintenance *m = &c->maintenance;
    if (!json_is_object(o))
        return;
    TEXT(o, "id", m->id);
    TEXT(o, "change", m->change_id);
    TEXT(o, "owner", m->owner);
    TEXT(o, "reason", m->reason);
    TEXT(o, "state", m->state);
    m->from = json_get_when(o, "from");
    m->until = json_get_when(o, "until");
    m->resume_by = json_get_when(o, "resume_by");
    m->muted = (uint64_t)json_get_number(o, "muted", 0);
    c->report.maintenance = m;
}

static int take_history(struct report_copy *c, const json_t *list, struct err *err)
{
    size_t n = json_array_size(list);
    c->history = calloc(n + 1, sizeof *c->history);
    if (!c->history)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const json_t *o = json_array_get(list, i);
        c->history[i] = (struct report_point){json_get_when(o, "when"),
                                              json_get_number(o, "weakest_seconds", INT64_MIN),
                                              json_get_number(o, "visible_seconds", -1)};
    }
    c->report.history = c->history;
    c->report.n_history = n;
    return ERR_OK;
}

static void take_hsm(struct report_copy *c, const json_t *o)
{
    struct report_hsm *h = &c->hsm;
    if (!json_is_object(o))
        return;
    h->known = json_is_boolean(json_object_get(o, "good"));
    h->good = json_get_true(o, "good");
    h->when = json_get_when(o, "when");
    h->latency_ms = json_get_number(o, "latency_ms", 0);
    h->baseline_ms = json_get_number(o, "baseline_ms", -1);
    h->samples = small_number(o, "samples");
    h->failures = small_number(o, "failures");
    c->report.hsm = h;
}

static int take_all(struct report_copy *c, const json_t *doc, struct err *err)
{
    struct report *r = &c->report;
    int rc = take_locations(c, json_object_get(doc, "locations"), err);
    if (!rc)
        rc = take_findings(c, json_object_get(doc, "findings"), err);
    if (!rc)
        rc = take_history(c, json_object_get(doc, "history"), err);
    if (rc)
        return rc;
    take_maintenance(c, json_object_get(doc, "maintenance"));
    take_hsm(c, json_object_get(doc, "hsm"));
    TEXT(doc, "ca", r->ca);
    TEXT(doc, "config", r->config);
    TEXT(doc, "host", r->host);
    TEXT(doc, "phase", r->phase);
    r->generated = json_get_when(doc, "generated");
    r->propagation = json_get_number(json_object_get(doc, "runway"), "propagation_seconds", 0);
    r->targets = c->targets;
    r->results = c->results;
    r->verdicts = c->verdicts;
    r->findings = &c->findings;
    r->runway = &c->runway;
    if (r->generated == WHEN_NONE)
        return err_set(err, ERR_PARSE, "'generated' is no time");
    runway_compute(r->targets, r->results, r->n, r->generated, r->propagation, &c->runway);
    return ERR_OK;
}

int report_reread(const char *json, size_t len, struct report_copy **ret, struct err *err)
{
    json_error_t why;
    if (len > REPORT_JSON_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the report has %zu bytes, the limit is %u", len,
                       REPORT_JSON_BYTES_MAX);
    json_t *doc = json_loadb(json, len, JSON_REJECT_DUPLICATES, &why);
    SCOPED(report_copy_free) struct report_copy *c = calloc(1, sizeof *c);
    char schema[40];
    int rc = ERR_OK;
    TEXT(doc, "schema", schema);
    if (!c)
        rc = err_nomem(err);
    else if (!doc)
        rc = err_set(err, ERR_PARSE, "expected a JSON report, found at line %d: %s", why.line,
                     why.text);
    else if (strcmp(schema, "crlagent-report") != 0 ||
             json_get_number(doc, "version", 0) != REPORT_SCHEMA_VERSION)
        rc = err_set(err, ERR_PARSE,
                     "expected schema 'crlagent-report' version %d (crlagent check --format json), "
                     "found '%s' version %lld",
                     REPORT_SCHEMA_VERSION, schema, (long long)json_get_number(doc, "version", 0));
    if (!rc)
        rc = take_all(c, doc, err);
    json_decref(doc);
    if (!rc)
        *ret = steal_ptr(c);
    return rc;
}

int report_reread_file(const char *path, struct report_copy **ret, struct err *err)
{
    SCOPED(buf_free) struct buf data = BUF_INIT;
    int rc = file_read(path, REPORT_JSON_BYTES_MAX, &data, err);
    if (!rc)
        rc = report_reread(buf_str(&data), data.len, ret, err);
    return rc ? err_context(err, "report '%s'", path) : ERR_OK;
}
