/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* One self-contained HTML file: no script, no request to anywhere, light and dark, for paper too.
 * Everything that came from outside goes through html_text. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cdp/url.h"
#include "report/report_int.h"

extern const char report_css[]; /* report.css, put in at build time */

#define RUNWAY_LINES 24

const char *html_class(enum severity s)
{
    return s == SEV_CRITICAL ? "bad" : s == SEV_WARNING ? "warn" : "good";
}

const char *html_class_of_state(const char *state)
{
    if (strcmp(state, "OK") == 0)
        return "good";
    return strcmp(state, "Expiring") == 0 ? "warn" : "bad";
}

static void head(struct buf *out, const struct report *r)
{
    buf_puts(out,
             "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
             "'unsafe-inline'\">\n<title>CRL health: ");
    html_text(out, report_title(r));
    buf_puts(out, "</title>\n<style>\n");
    buf_puts(out, report_css);
    buf_puts(out, "</style>\n</head>\n<body>\n<main>\n");
}

static void moment(struct buf *out, const char *name, int64_t when)
{
    char text[WHEN_TEXT_MAX];
    buf_printf(out, "<td data-name=\"%s\">", name);
    if (when != WHEN_NONE)
        buf_printf(out, "<time>%s</time>", when_format(when, text));
    buf_puts(out, "</td>");
}

/* "URL at server", short enough for a line or two */
static void place(struct buf *out, const struct report *r, size_t i, size_t room)
{
    char name[LIMIT_URL_CHARS + 32];
    const char *server = report_server(r, i);
    text_shorten(r->targets[i].url, r->targets[i].kind, room, name, sizeof name);
    html_text(out, name);
    buf_puts(out, server[0] ? " at " : "");
    html_text(out, server);
}

static void runway_row(struct buf *out, const struct report *r, const struct runway_line *l)
{
    char left[WHEN_TEXT_MAX], key[40];
    snprintf(key, sizeof key, l->partition ? "key %u, partition %u" : "key %u", l->key_index,
             l->partition);
    buf_printf(out,
               "<tr><td data-name=\"CRL\" class=\"kind\">%s %s</td><td data-name=\"Weakest\" "
               "class=\"n\"><b class=\"%s\">%s</b></td>",
               key, l->delta ? "delta" : "base", l->weakest <= 0 ? "bad" : "good",
               report_left_text(l->weakest, left));
    moment(out, "until", l->weakest_until);
    buf_printf(out, "<td data-name=\"Clients\" class=\"n\"><b class=\"%s\">%s</b></td>",
               l->effective <= 0 ? "bad" : "good", report_left_text(l->effective, left));
    moment(out, "until", l->effective_until);
    buf_puts(out, "<td data-name=\"Weakest location\" class=\"wide\">");
    if (l->weakest_probe < r->n)
        place(out, r, l->weakest_probe, 64);
    buf_puts(out, "</td></tr>\n");
}

/* Base and delta of each key apart: a CA that stands still fails on its deltas first. */
static void runway_lines(struct buf *out, const struct report *r)
{
    const struct runway *rw = r->runway;
    if (!rw || rw->n == 0)
        return;
    buf_puts(out, "<section><h2>Runway by CRL</h2><table><thead><tr><th scope=\"col\">CRL</th>"
                  "<th scope=\"col\" class=\"n\">Weakest</th><th scope=\"col\">until</th>"
                  "<th scope=\"col\" class=\"n\">Clients</th><th scope=\"col\">until</th>"
                  "<th scope=\"col\">Weakest location</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < rw->n && i < RUNWAY_LINES; i++)
        runway_row(out, r, &rw->line[i]);
    buf_puts(out, "</tbody></table>");
    if (rw->n > RUNWAY_LINES)
        buf_printf(out, "<p class=\"dim\">%zu more partitions are in the JSON report.</p>",
                   rw->n - RUNWAY_LINES);
    buf_puts(out, "</section>\n");
}

static void runway(struct buf *out, const struct report *r, const struct headline *h)
{
    buf_printf(out,
               "<div class=\"runway\"><div><div class=\"dim\">Runway</div><div class=\"big "
               "%s\">%s</div></div><div><p>",
               html_class(h->runway_severity), h->runway);
    html_prose(out, h->weakest);
    buf_puts(out, "</p>");
    if (h->clients[0]) {
        buf_puts(out, "<p>");
        html_prose(out, h->clients);
        buf_puts(out, "</p>");
    }
    size_t i = report_weakest(r);
    if (i != SIZE_MAX) {
        buf_printf(out, "<p class=\"dim\">Weakest: key %u %s, ", r->targets[i].key_index,
                   location_role_name(r->targets[i].role));
        place(out, r, i, 120);
        buf_puts(out, "</p>");
    }
    buf_puts(out, "</div></div>\n");
}

static void title(struct buf *out, const struct report *r, const struct headline *h)
{
    char when[WHEN_TEXT_MAX];
    size_t bad = report_count(r, SEV_CRITICAL), warn = report_count(r, SEV_WARNING);
    buf_puts(out, "<header><h1>CRL health: ");
    html_text(out, report_title(r));
    buf_printf(out,
               "</h1><p><b class=\"%s\">%s</b> &middot; <a href=\"#findings\">%zu critical, %zu "
               "warning%s</a> &middot; %zu location%s &middot; <time>%s</time>",
               html_class(h->severity), h->word, bad, warn, warn == 1 ? "" : "s", r->n,
               r->n == 1 ? "" : "s", when_format(r->generated, when));
    if (r->phase[0]) {
        buf_puts(out, " &middot; ");
        html_text(out, r->phase);
        buf_puts(out, " maintenance");
    }
    buf_puts(out, "</p></header>\n");
}

static void field(struct buf *out, const char *name, const char *value)
{
    if (!value[0])
        return;
    buf_printf(out, "<dt>%s</dt><dd>", name);
    html_prose(out, value);
    buf_puts(out, "</dd>");
}

static void maintenance(struct buf *out, const struct report_maintenance *m)
{
    char from[WHEN_TEXT_MAX], until[WHEN_TEXT_MAX], by[WHEN_TEXT_MAX], window[80], muted[24];
    if (!m)
        return;
    snprintf(window, sizeof window, "%s to %s", when_format(m->from, from),
             when_format(m->until, until));
    snprintf(muted, sizeof muted, "%" PRIu64, m->muted);
    buf_puts(out, "<section><h2>Maintenance</h2><dl>");
    field(out, "State", m->state);
    field(out, "Change", m->change_id);
    field(out, "Owner", m->owner);
    field(out, "Reason", m->reason);
    field(out, "Window", window);
    field(out, "Resume by", when_format(m->resume_by, by));
    field(out, "Alarms muted", muted);
    buf_puts(out, "</dl></section>\n");
}

static void hsm(struct buf *out, const struct report_hsm *h)
{
    char when[WHEN_TEXT_MAX], line[200];
    if (!h || !h->known)
        return;
    buf_puts(out, "<section><h2>HSM</h2><dl>");
    snprintf(line, sizeof line, "%s at %s, %" PRId64 " ms", h->good ? "good" : "failed",
             when_format(h->when, when), h->latency_ms);
    field(out, "Last key test", line);
    if (h->baseline_ms >= 0)
        snprintf(line, sizeof line, "%" PRId64 " ms (median)", h->baseline_ms);
    field(out, "Usual", h->baseline_ms >= 0 ? line : "");
    snprintf(line, sizeof line, "%u of %u tests failed", h->failures, h->samples);
    field(out, "History", line);
    buf_puts(out, "</dl></section>\n");
}

int report_html(const struct report *r, struct buf *out, struct err *err)
{
    struct headline h;
    report_headline(r, &h);
    head(out, r);
    title(out, r, &h);
    runway(out, r, &h);
    maintenance(out, r->maintenance);
    hsm(out, r->hsm);
    runway_lines(out, r);
    html_chart(out, r);
    if (html_findings(out, r, err))
        return err->code;
    html_comparison(out, r);
    if (html_table(out, r, err))
        return err->code;
    html_history(out, r);
    buf_puts(out, "</main>\n<footer><p class=\"dim\">crlagent " CRLAGENT_VERSION);
    if (r->host[0]) {
        buf_puts(out, " on ");
        html_text(out, r->host);
    }
    buf_puts(out, "</p></footer>\n</body>\n</html>\n");
    return ERR_OK;
}
