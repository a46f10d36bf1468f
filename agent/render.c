/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/render.h"

#include <jansson.h>
#include <string.h>

#include "base/jsonget.h"
#include "base/when.h"

#define LABEL 14 /* columns of "label:" */

static bool has_number(const json_t *o, const char *name)
{
    return json_is_integer(json_object_get(o, name));
}

static void line(struct buf *out, const char *label, const char *value)
{
    if (*value)
        buf_printf(out, "%-*s %s\n", LABEL, label, value);
}

static const char *span(const json_t *o, const char *name, char dst[WHEN_TEXT_MAX])
{
    return has_number(o, name) ? duration_format(json_get_number(o, name, 0), dst) : "-";
}

/* "2026-11-23T04:10:00Z (in 3h 10m)" */
static void moment(struct buf *out, const char *label, const json_t *o, const char *name,
                   int64_t now)
{
    struct err err = ERR_INIT;
    int64_t when;
    char left[WHEN_TEXT_MAX];
    const char *text = json_get_text(o, name);
    if (!*text || when_parse(text, &when, &err))
        return;
    bool past = when < now;
    buf_printf(out, "%-*s %s (%s%s%s)\n", LABEL, label, text, past ? "" : "in ",
               duration_format(past ? now - when : when - now, left), past ? " ago" : "");
}

static void maintenance_lines(const json_t *m, int64_t now, struct buf *out)
{
    char window[WHEN_TEXT_MAX], reserve[WHEN_TEXT_MAX];
    if (!m)
        return;
    buf_printf(out, "%-*s %lld  change %s  state %s\n", LABEL,
               "maintenance:", (long long)json_get_number(m, "id", 0), json_get_text(m, "change"),
               json_get_text(m, "state"));
    line(out, "reason:", json_get_text(m, "reason"));
    line(out, "owner:", json_get_text(m, "owner"));
    buf_printf(out, "%-*s %s  reserve %s\n", LABEL, "window:", span(m, "window", window),
               span(m, "reserve", reserve));
    moment(out, "paused:", m, "paused", now);
    moment(out, "resumed:", m, "resumed", now);
    moment(out, "deadline:", m, "deadline", now);
    moment(out, "resume by:", m, "resume-by", now);
    moment(out, "ended:", m, "ended", now);
    line(out, "note:", json_get_text(m, "note"));
}

static bool same_text(const json_t *a, const json_t *b, const char *name)
{
    return strcmp(json_get_text(a, name), json_get_text(b, name)) == 0;
}

/* One reason can hold at many locations: it is told once, with where it holds. */
static bool same_reason(const json_t *a, const json_t *b)
{
    return json_get_number(a, "id", 0) == json_get_number(b, "id", 0) && same_text(a, b, "found") &&
           same_text(a, b, "expected") && same_text(a, b, "remedy");
}

static void place(const json_t *o, struct buf *out)
{
    const char *address = json_get_text(o, "address");
    buf_puts(out, json_get_text(o, "url"));
    if (*address && strcmp(address, json_get_text(o, "url")) != 0)
        buf_printf(out, " at %s", address);
}

static void reason_places(const json_t *items, size_t first, struct buf *out)
{
    enum { SHOWN = 3 };
    const json_t *what = json_array_get(items, first);
    size_t found = 0;
    for (size_t i = first; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        if (!*json_get_text(item, "url") || !same_reason(what, item) || found++ >= SHOWN)
            continue;
        buf_puts(out, found == 1 ? "      at:       " : "                ");
        place(item, out);
        buf_putc(out, '\n');
    }
    if (found > SHOWN)
        buf_printf(out, "                and %zu more\n", found - SHOWN);
}

static bool told_before(const json_t *items, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (same_reason(json_array_get(items, k), json_array_get(items, i)))
            return true;
    }
    return false;
}

static void gate_lines(const json_t *g, struct buf *out)
{
    char need[WHEN_TEXT_MAX], found[WHEN_TEXT_MAX];
    size_t i;
    json_t *item;
    if (!g)
        return;
    buf_printf(out, "%-*s %s: runway %s, needed %s\n", LABEL, "gate:", json_get_text(g, "verdict"),
               span(g, "weakest", found), span(g, "need", need));
    if (json_get_true(g, "cover-needed"))
        buf_printf(out, "      needs a cover CRL, which pre-upgrade publishes (until %s)\n",
                   json_get_text(g, "cover-until"));
    if (*json_get_text(g, "decides"))
        buf_printf(out, "      weakest:  %s\n", json_get_text(g, "decides"));
    const json_t *items = json_object_get(g, "items");
    json_array_foreach(items, i, item)
    {
        if (told_before(items, i))
            continue;
        buf_printf(out, "  [%s] %lld %s\n", json_get_text(item, "severity"),
                   (long long)json_get_number(item, "id", 0), json_get_text(item, "title"));
        reason_places(items, i, out);
        if (*json_get_text(item, "found"))
            buf_printf(out, "      found:    %s\n", json_get_text(item, "found"));
        if (*json_get_text(item, "expected"))
            buf_printf(out, "      expected: %s\n", json_get_text(item, "expected"));
        if (*json_get_text(item, "remedy"))
            buf_printf(out, "      do:       %s\n", json_get_text(item, "remedy"));
    }
}

/* What is served as it should be is a count; only what is missing is worth a line each. JSON has
 * all of them. */
static void location_lines(const json_t *list, struct buf *out)
{
    size_t i, served = 0;
    int64_t slowest = 0;
    char seen[WHEN_TEXT_MAX];
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (json_get_true(item, "proven")) {
            int64_t visible = json_get_number(item, "visible", 0);
            served++;
            slowest = visible > slowest ? visible : slowest;
            continue;
        }
        buf_puts(out, "  MISSING at ");
        place(item, out);
        buf_putc(out, '\n');
        if (*json_get_text(item, "why"))
            buf_printf(out, "      %s\n", json_get_text(item, "why"));
    }
    if (served)
        buf_printf(out,
                   "  same bytes at %zu of %zu locations and addresses, the slowest after %s\n",
                   served, json_array_size(list), duration_format(slowest, seen));
}

static void proof_lines(const json_t *p, struct buf *out)
{
    size_t i;
    json_t *item;
    if (!p)
        return;
    buf_printf(out, "%-*s %s: %s\n", LABEL, "proof:", json_get_text(p, "verdict"),
               json_get_text(p, "text"));
    json_array_foreach(json_object_get(p, "crls"), i, item)
    {
        buf_printf(out, "  key %lld %-5s number %s -> %s, until %s, %s\n",
                   (long long)json_get_number(item, "key", 0),
                   json_get_true(item, "delta") ? "delta" : "base", json_get_text(item, "before"),
                   json_get_text(item, "after"), json_get_text(item, "next-update"),
                   json_get_text(item, "verdict"));
        if (*json_get_text(item, "why"))
            buf_printf(out, "      %s\n", json_get_text(item, "why"));
    }
    location_lines(json_object_get(p, "locations"), out);
}

static void comparison_lines(const json_t *c, struct buf *out)
{
    char a[WHEN_TEXT_MAX], b[WHEN_TEXT_MAX];
    size_t i;
    json_t *item;
    if (!c)
        return;
    buf_printf(out, "%-*s %s\n", LABEL, "comparison:", json_get_text(c, "text"));
    if (has_number(c, "down-seconds"))
        buf_printf(out, "  CA out of use for %s\n", span(c, "down-seconds", a));
    json_array_foreach(json_object_get(c, "crls"), i, item) buf_printf(
        out, "  key %lld %-5s number %s -> %s, runway %s -> %s, entries %lld -> %lld\n",
        (long long)json_get_number(item, "key", 0), json_get_true(item, "delta") ? "delta" : "base",
        json_get_text(item, "number-before"), json_get_text(item, "number-after"),
        span(item, "runway-before", a), span(item, "runway-after", b),
        (long long)json_get_number(item, "entries-before", 0),
        (long long)json_get_number(item, "entries-after", 0));
    json_array_foreach(json_object_get(c, "services"), i, item)
        buf_printf(out, "  service %-20s %s -> %s %s\n", json_get_text(item, "name"),
                   json_get_text(item, "before"), json_get_text(item, "after"),
                   json_get_true(item, "same") ? "(as before)" : "(DIFFERENT)");
}

static void service_lines(const json_t *list, struct buf *out)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
        buf_printf(out, "  service %-20s was %s%s\n", json_get_text(item, "name"),
                   json_get_text(item, "former"),
                   json_get_true(item, "restored")  ? ", restored"
                   : json_get_true(item, "stopped") ? ", stopped by us"
                                                    : "");
}

static void step_lines(const json_t *list, struct buf *out)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        buf_printf(out, "  %s  %-14s %-20s %s\n", json_get_text(item, "began"),
                   json_get_text(item, "name"), json_get_text(item, "subject"),
                   *json_get_text(item, "outcome") ? json_get_text(item, "outcome") : "running");
        if (*json_get_text(item, "detail"))
            buf_printf(out, "      %s\n", json_get_text(item, "detail"));
    }
}

static void reserve_lines(const json_t *list, struct buf *out)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const char *state = json_get_text(item, "state");
        bool out_there = strncmp(state, "releas", 6) == 0 || strcmp(state, "recalling") == 0;
        buf_printf(out, "%-*s %lld %s%s, key %lld, number %s, until %s\n", LABEL,
                   "reserve CRL:", (long long)json_get_number(item, "id", 0), state,
                   out_there ? " (IN USE)" : "", (long long)json_get_number(item, "key", 0),
                   *json_get_text(item, "number") ? json_get_text(item, "number") : "-",
                   *json_get_text(item, "next-update") ? json_get_text(item, "next-update") : "-");
        if (out_there)
            buf_printf(out, "  released %s by %s: %s; revocations after %s are not in it\n",
                       json_get_text(item, "released"), json_get_text(item, "released-by"),
                       json_get_text(item, "reason"), json_get_text(item, "this-update"));
        if (*json_get_text(item, "note"))
            buf_printf(out, "      %s\n", json_get_text(item, "note"));
    }
}

static void reserve(const json_t *d, struct buf *out)
{
    reserve_lines(json_object_get(d, "reserve"), out);
    if (out->len == 0)
        buf_puts(out, "no reserve CRL was ever made\n");
}

/* The smallest runway after the maintenance; false when the answer has no comparison. */
static bool runway_after(const json_t *d, int64_t *ret)
{
    size_t i;
    json_t *item;
    bool any = false;
    json_array_foreach(json_object_get(json_object_get(d, "comparison"), "crls"), i, item)
    {
        int64_t after = json_get_number(item, "runway-after", 0);
        if (has_number(item, "runway-after") && (!any || after < *ret)) {
            *ret = after;
            any = true;
        }
    }
    return any;
}

/* What was proven before the pause: the CA cannot have published anything shorter since. */
static bool runway_proven(const json_t *m, int64_t now, int64_t *ret)
{
    struct err err = ERR_INIT;
    int64_t until;
    if (when_parse(json_get_text(m, "runway-until"), &until, &err))
        return false;
    *ret = until - now;
    return true;
}

/* Runway is on the first line of every output, with what it means here. */
static void headline(const json_t *d, int64_t now, struct buf *out)
{
    const json_t *gate = json_object_get(d, "gate");
    const json_t *m = json_object_get(d, "maintenance");
    char text[WHEN_TEXT_MAX];
    int64_t left = 0;
    bool known = runway_after(d, &left);
    if (!known && gate && has_number(gate, "weakest")) {
        left = json_get_number(gate, "weakest", 0);
        known = true;
    }
    if (!known && m && runway_proven(m, now, &left))
        known = true;
    buf_printf(out, "%-*s %s", LABEL,
               "runway:", known ? duration_format(left, text) : "not looked at");
    if (m && strcmp(json_get_text(m, "state"), "paused") == 0)
        buf_printf(out, "; PAUSED, resume by %s", json_get_text(m, "resume-by"));
    else if (m && *json_get_text(m, "state"))
        buf_printf(out, "; %s", json_get_text(m, "state"));
    buf_putc(out, '\n');
}

static void answer(const json_t *d, int64_t now, struct buf *out)
{
    headline(d, now, out);
    buf_printf(out, "%-*s %s%s\n", LABEL, "outcome:", json_get_text(d, "outcome"),
               json_get_true(d, "repeated") ? " (answered before; nothing was done again)" : "");
    maintenance_lines(json_object_get(d, "maintenance"), now, out);
    line(out, "token:", json_get_text(d, "token"));
    gate_lines(json_object_get(d, "gate"), out);
    proof_lines(json_object_get(d, "proof"), out);
    comparison_lines(json_object_get(d, "comparison"), out);
    reserve_lines(json_object_get(d, "reserve"), out);
    const json_t *evidence = json_object_get(d, "evidence");
    if (evidence)
        buf_printf(out, "%-*s %s\n%-*s %s (note it on the ticket)\n", LABEL,
                   "evidence:", json_get_text(evidence, "path"), LABEL,
                   "  last hash:", json_get_text(evidence, "head"));
}

static void status(const json_t *d, int64_t now, struct buf *out)
{
    char weakest[WHEN_TEXT_MAX], effective[WHEN_TEXT_MAX];
    const json_t *runway = json_object_get(d, "runway");
    if (runway)
        buf_printf(out, "%-*s weakest %s, effective %s (looked at %s)\n", LABEL,
                   "runway:", span(runway, "weakest", weakest),
                   span(runway, "effective", effective), json_get_text(runway, "when"));
    line(out, "CA:", json_get_text(d, "ca"));
    line(out, "CA service:", json_get_text(d, "ca-service"));
    line(out, "running:", json_get_text(d, "running"));
    if (!json_object_get(d, "maintenance"))
        line(out, "maintenance:", "none");
    maintenance_lines(json_object_get(d, "maintenance"), now, out);
    if (has_number(d, "muted-alarms"))
        buf_printf(out, "%-*s %lld expected alarms counted and not told\n", LABEL,
                   "muted:", (long long)json_get_number(d, "muted-alarms", 0));
    service_lines(json_object_get(d, "services"), out);
    reserve_lines(json_object_get(d, "reserve"), out);
    step_lines(json_object_get(d, "steps"), out);
}

static void history(const json_t *d, struct buf *out)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(d, "maintenances"), i, item)
        buf_printf(out, "%5lld  %-20s %-9s %s  %s\n", (long long)json_get_number(item, "id", 0),
                   json_get_text(item, "created"), json_get_text(item, "state"),
                   json_get_text(item, "change"), json_get_text(item, "owner"));
    json_array_foreach(json_object_get(d, "audit"), i, item) buf_printf(
        out, "%s  %-14s %-16s %-20s %s\n", json_get_text(item, "when"), json_get_text(item, "verb"),
        strcmp(json_get_text(item, "outcome"), "unknown") == 0 ? "begun"
                                                               : json_get_text(item, "outcome"),
        json_get_text(item, "name"), json_get_text(item, "change"));
    if (out->len == 0)
        buf_puts(out, "no maintenance yet\n");
}

int render_document(const char *json, size_t len, const struct cli *cli, struct buf *out,
                    struct err *err)
{
    json_error_t why;
    json_t *d = json_loadb(json, len, 0, &why);
    if (!d)
        return err_set(err, ERR_PARSE, "the answer of the service is not JSON: %s", why.text);
    const char *kind = json_get_text(d, "kind");
    int64_t now = clock_now(cli->clock);
    int rc = ERR_OK;
    if (strcmp(kind, "answer") == 0)
        answer(d, now, out);
    else if (strcmp(kind, "status") == 0)
        status(d, now, out);
    else if (strcmp(kind, "history") == 0)
        history(d, out);
    else if (strcmp(kind, "reserve") == 0)
        reserve(d, out);
    else
        rc = err_set(err, ERR_PARSE, "an answer of the unknown kind '%.40s'", kind);
    json_decref(d);
    return rc ? rc : buf_check(out, "the answer", err);
}
