/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "watch/bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonput.h"
#include "base/str.h"
#include "base/when.h"
#include "cdp/probe.h"
#include "health/runway.h"
#include "maint/state.h"
#include "report/evidence.h"
#include "store/history.h"
#include "store/maintenance.h"
#include "store/snapshot.h"
#include "watch/reportdiff.h"

#define ROWS_MAX 5000

const char *bundle_name(const char *change, int64_t maintenance, char *dst, size_t dst_size)
{
    char safe[100];
    size_t n = 0;
    for (const char *p = change; *p && n + 1 < sizeof safe; p++) {
        bool fine = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                    (*p >= '0' && *p <= '9') || (n && strchr("-_.", *p));
        safe[n++] = fine ? *p : '_';
    }
    safe[n] = '\0';
    snprintf(dst, dst_size, "%s-%lld.json", n ? safe : "maintenance", (long long)maintenance);
    return dst;
}

json_t *bundle_maintenance(const struct store_maintenance *m)
{
    json_t *o = json_object();
    json_put_number(o, "id", m->id);
    json_put_number(o, "epoch", m->epoch);
    json_put_text(o, "state", m->state);
    json_put_text(o, "change", m->change);
    json_put_text(o, "reason", m->reason);
    json_put_text(o, "owner", *m->owner_name ? m->owner_name : m->owner_sid);
    json_put_text(o, "owner-sid", m->owner_sid);
    json_put_number(o, "window", m->window);
    json_put_number(o, "reserve", m->reserve);
    json_put_text(o, "deadline-action", m->deadline_action);
    json_put_when(o, "created", m->created);
    json_put_when(o, "paused", m->paused);
    json_put_when(o, "stopped", m->stopped);
    json_put_when(o, "resumed", m->resumed);
    json_put_when(o, "ended", m->ended);
    json_put_when(o, "runway-until", m->runway_until);
    json_put_when(o, "resume-by", m->resume_by);
    json_put_when(o, "deadline", m->deadline);
    json_put_bool(o, "cover", m->cover);
    json_put_text(o, "note", m->note);
    return o;
}

struct making {
    struct store *store;
    struct evidence *out;
    struct store_maintenance row;
    int64_t now;
};

/* Takes the value over. */
static int add(struct making *m, const char *kind, json_t *value, struct err *err)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    int rc = text ? evidence_add_json(m->out, m->now, kind, text, err) : err_nomem(err);
    free(text);
    json_decref(value);
    return rc;
}

static int add_maintenance(struct making *m, struct err *err)
{
    json_t *o = bundle_maintenance(&m->row);
    json_put_text(o, "outcome", maint_outcome_name((enum maint_outcome)m->row.outcome));
    return add(m, "maintenance", o, err);
}

static json_t *location(const struct store_probe *p)
{
    json_t *o = json_object();
    json_put_text(o, "url", p->url);
    json_put_text(o, "address", p->address);
    json_put_number(o, "key", p->key_index);
    json_put_number(o, "partition", p->partition);
    json_put_bool(o, "delta", p->delta);
    json_put_text(o, "status", probe_status_name((enum probe_status)p->status));
    json_put_text(o, "number", p->number);
    json_put_when(o, "this-update", p->this_update);
    json_put_when(o, "next-update", p->next_update);
    json_put_text(o, "sha256", p->sha256);
    json_put_number(o, "bytes", (int64_t)p->bytes);
    json_put_span(o, "visible-seconds", p->visible_seconds);
    json_put_when(o, "when", p->when);
    return o;
}

/* What each location served last between two moments. */
static int add_locations(struct making *m, const char *kind, int64_t from, int64_t until,
                         struct err *err)
{
    SCOPED(scope_free) struct store_probe *p = calloc(ROWS_MAX, sizeof *p);
    size_t n = 0;
    int rc = p ? store_probe_newest(m->store, from, until, p, ROWS_MAX, &n, err) : err_nomem(err);
    if (rc)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, location(&p[i]));
    return add(m, kind, list, err);
}

/* The health report at that point; without one, what each location served last. */
static int add_point(struct making *m, const char *phase, int64_t from, int64_t until,
                     json_t **ret_report, struct err *err)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    struct store_snapshot p;
    struct err why = ERR_INIT;
    int rc = store_snapshot_get(m->store, m->row.id, phase, &p, &body, &why);
    json_t *report = rc ? NULL : json_loadb(buf_str(&body), body.len, 0, NULL);
    if (!report && rc && rc != ERR_NOT_FOUND) {
        *err = why;
        return rc;
    }
    if (!report)
        return from == WHEN_NONE ? ERR_OK : add_locations(m, phase, from, until, err);
    *ret_report = json_incref(report);
    return add(m, phase, report, err);
}

static int add_points(struct making *m, struct err *err)
{
    const struct store_maintenance *r = &m->row;
    json_t *before = NULL, *during = NULL, *after = NULL;
    int64_t end = r->ended == WHEN_NONE ? m->now : r->ended;
    int64_t down = r->paused == WHEN_NONE ? end : r->paused;
    int64_t up = r->resumed == WHEN_NONE ? end : r->resumed;
    int64_t paused = r->paused == WHEN_NONE ? WHEN_NONE : down;
    int64_t resumed = r->resumed == WHEN_NONE ? WHEN_NONE : up;
    int rc = add_point(m, "before", r->created - 86400, down, &before, err);
    if (!rc)
        rc = add_point(m, "during", paused, up, &during, err);
    if (!rc)
        rc = add_point(m, "after", resumed, end, &after, err);
    if (!rc && before && after)
        rc = add(m, "diff", report_diff(before, after), err);
    json_decref(before);
    json_decref(during);
    json_decref(after);
    return rc;
}

static int add_figures(struct making *m, struct err *err)
{
    static const char *const phases[] = {"before", "cover", "after"};
    SCOPED(scope_free) struct store_figure *f = calloc(3 * RUNWAY_LINES_MAX, sizeof *f);
    size_t n = 0;
    int rc = f ? store_figure_list(m->store, m->row.id, f, 3 * RUNWAY_LINES_MAX, &n, err)
               : err_nomem(err);
    if (rc)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_object();
        json_put_text(o, "phase", phases[f[i].phase]);
        json_put_number(o, "key", f[i].key_index);
        json_put_number(o, "partition", f[i].partition);
        json_put_bool(o, "delta", f[i].delta);
        json_put_text(o, "number", f[i].number);
        json_put_when(o, "this-update", f[i].this_update);
        json_put_when(o, "next-update", f[i].next_update);
        json_put_text(o, "sha256", f[i].sha256);
        json_put_number(o, "entries", (int64_t)f[i].entries);
        json_put_span(o, "runway-weakest", f[i].weakest);
        json_put_span(o, "runway-effective", f[i].effective);
        json_put_text(o, "weakest-url", f[i].weakest_url);
        json_put_text(o, "weakest-address", f[i].weakest_address);
        json_put_number(o, "publish-status", f[i].publish_status);
        json_put_number(o, "sign-ms", f[i].sign_ms);
        json_put_when(o, "when", f[i].when);
        json_array_append_new(list, o);
    }
    return add(m, "figures", list, err);
}

static int add_services(struct making *m, struct err *err)
{
    SCOPED(scope_free) struct store_service *s = calloc(LIMIT_SERVICES, sizeof *s);
    size_t n = 0;
    int rc =
        s ? store_service_list(m->store, m->row.id, s, LIMIT_SERVICES, &n, err) : err_nomem(err);
    if (rc)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_object();
        json_put_text(o, "name", s[i].name);
        json_put_text(o, "former", svc_state_name(s[i].former));
        json_put_text(o, "former-start", svc_start_name(s[i].former_start, s[i].former_delayed));
        json_put_bool(o, "stopped", s[i].stopped);
        json_put_bool(o, "restored", s[i].restored);
        json_array_append_new(list, o);
    }
    return add(m, "services", list, err);
}

static int add_steps(struct making *m, struct err *err)
{
    SCOPED(scope_free) struct store_step *s = calloc(ROWS_MAX, sizeof *s);
    size_t n = 0;
    int rc = s ? store_step_list(m->store, m->row.id, s, ROWS_MAX, &n, err) : err_nomem(err);
    for (size_t i = 0; i < n && !rc; i++) {
        json_t *o = json_object();
        json_put_text(o, "name", s[i].name);
        json_put_text(o, "subject", s[i].subject);
        json_put_when(o, "began", s[i].began);
        json_put_when(o, "ended", s[i].ended);
        json_put_text(o, "outcome", s[i].outcome);
        json_put_text(o, "detail", s[i].detail);
        rc = add(m, "step", o, err);
    }
    return rc;
}

/* Oldest first, one entry each: this is the part that somebody might want to change. */
static int add_audit(struct making *m, struct err *err)
{
    SCOPED(scope_free) struct store_audit *a = calloc(ROWS_MAX, sizeof *a);
    size_t n = 0;
    int rc = a ? store_audit_list(m->store, m->row.id, a, ROWS_MAX, &n, err) : err_nomem(err);
    for (size_t i = n; i-- > 0 && !rc;) {
        json_t *o = json_object();
        json_put_number(o, "id", a[i].id);
        json_put_when(o, "when", a[i].when);
        json_put_text(o, "name", a[i].name);
        json_put_text(o, "sid", a[i].sid);
        json_put_text(o, "verb", a[i].verb);
        /* -1: begun */
        json_put_text(o, "outcome",
                      a[i].outcome < 0 ? "begun"
                                       : maint_outcome_name((enum maint_outcome)a[i].outcome));
        json_put_text(o, "detail", a[i].detail);
        rc = add(m, "audit", o, err);
    }
    return rc;
}

static int add_all(struct making *m, const char *verdict, struct err *err)
{
    int rc = add_maintenance(m, err);
    if (!rc)
        rc = add_points(m, err);
    if (!rc)
        rc = add_figures(m, err);
    if (!rc)
        rc = add_services(m, err);
    if (!rc)
        rc = add_steps(m, err);
    if (!rc)
        rc = add_audit(m, err);
    if (!rc && verdict)
        rc = evidence_add_json(m->out, m->now, "verdict", verdict, err);
    return rc;
}

int bundle_make(struct store *store, int64_t maintenance, const char *ca, const char *verdict,
                int64_t now, struct buf *ret, char head[65], struct err *err)
{
    SCOPED(scope_free) struct making *m = calloc(1, sizeof *m);
    if (!m)
        return err_nomem(err);
    m->store = store;
    m->now = now;
    int rc = store_maintenance_get(store, maintenance, &m->row, err);
    if (!rc)
        rc = evidence_new(ca, m->row.change, &m->out, err);
    if (!rc)
        rc = add_all(m, verdict, err);
    if (!rc)
        rc = evidence_write(m->out, ret, err);
    if (!rc)
        evidence_head(m->out, head);
    evidence_free(&m->out);
    return rc;
}
