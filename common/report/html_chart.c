/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The runway chart: one row per location, its bar drawn as inline SVG in percent of the time shown,
 * so that labels stay readable on a narrow screen. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cdp/url.h"
#include "report/report_int.h"

#define CHART_ROWS 200

void html_text(struct buf *out, const char *text)
{
    bool utf8 = str_is_utf8(text, strlen(text));
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '&')
            buf_puts(out, "&amp;");
        else if (c == '<')
            buf_puts(out, "&lt;");
        else if (c == '>')
            buf_puts(out, "&gt;");
        else if (c == '"')
            buf_puts(out, "&quot;");
        else if (c == '\'')
            buf_puts(out, "&#39;");
        else if (c < 0x20 || c == 0x7F)
            buf_putc(out, ' ');
        else
            buf_putc(out, c >= 0x80 && !utf8 ? '?' : (char)c);
    }
}

struct axis {
    int64_t from, to;
};

static double percent(const struct axis *a, int64_t when)
{
    double x = 100.0 * (double)(when - a->from) / (double)(a->to - a->from);
    return x < 0 ? 0 : x > 100 ? 100 : x;
}

static struct axis find_axis(const struct report *r)
{
    struct axis a = {r->generated - 3600, r->generated + 86400};
    for (size_t i = 0; i < r->n; i++) {
        const struct crl_facts *f = &r->results[i].facts;
        if (!report_has_crl(r, i) || r->targets[i].parent || f->next_update == WHEN_NONE)
            continue;
        a.from = f->this_update < a.from ? f->this_update : a.from;
        a.to = f->next_update > a.to ? f->next_update : a.to;
    }
    if (r->maintenance && r->maintenance->until != WHEN_NONE && r->maintenance->until > a.to)
        a.to = r->maintenance->until;
    /* A forgotten CRL of last year must not squeeze all the others. */
    int64_t ahead = a.to - r->generated;
    if (r->generated - a.from > 2 * ahead)
        a.from = r->generated - 2 * ahead;
    a.to += (a.to - a.from) / 40;
    return a;
}

static void rect(struct buf *out, const char *cls, double x, double w, int y, int h)
{
    buf_printf(out, "<rect class=\"%s\" x=\"%.3f\" y=\"%d\" width=\"%.3f\" height=\"%d\"/>", cls, x,
               y, w < 0.15 ? 0.15 : w, h);
}

static void vertical(struct buf *out, const char *cls, double x)
{
    buf_printf(out, "<line class=\"%s\" x1=\"%.3f\" x2=\"%.3f\" y1=\"0\" y2=\"20\"/>", cls, x, x);
}

static void bar(struct buf *out, const struct report *r, const struct axis *a, size_t i)
{
    const struct crl_facts *f = &r->results[i].facts;
    double from = percent(a, f->this_update), until = percent(a, f->next_update);
    double planned = f->next_publish == WHEN_NONE ? until : percent(a, f->next_publish);
    bool dead = report_left(r, i) <= 0;
    planned = planned > until ? until : planned;
    rect(out, dead ? "dead" : "life", from, planned - from, 5, 10);
    if (until > planned)
        rect(out, dead ? "dead" : "over", planned, until - planned, 5, 10);
}

static void svg(struct buf *out, const struct report *r, const struct axis *a, size_t i)
{
    const struct report_maintenance *m = r->maintenance;
    const struct crl_facts *f = &r->results[i].facts;
    bool has = report_has_crl(r, i) && f->next_update != WHEN_NONE;
    char t1[WHEN_TEXT_MAX], t2[WHEN_TEXT_MAX], t3[WHEN_TEXT_MAX];
    buf_puts(out, "<svg viewBox=\"0 0 100 20\" preserveAspectRatio=\"none\" role=\"img\" "
                  "aria-label=\"");
    if (has)
        buf_printf(out, "thisUpdate %s, Next CRL Publish %s, nextUpdate %s",
                   when_format(f->this_update, t1), when_format(f->next_publish, t2),
                   when_format(f->next_update, t3));
    else
        buf_puts(out, "no CRL");
    buf_puts(out, "\">");
    rect(out, "track", 0, 100, 9, 2);
    if (m && m->from != WHEN_NONE && m->until != WHEN_NONE)
        rect(out, "window", percent(a, m->from), percent(a, m->until) - percent(a, m->from), 0, 20);
    if (has)
        bar(out, r, a, i);
    if (m && m->resume_by != WHEN_NONE)
        vertical(out, "resume", percent(a, m->resume_by));
    vertical(out, "now", percent(a, r->generated));
    buf_puts(out, "</svg>");
}

static const struct report *sort_report; /* qsort has no argument; set and used in one call */

static int by_left(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    int64_t lx = report_left(sort_report, x), ly = report_left(sort_report, y);
    if (lx != ly)
        return lx < ly ? -1 : 1;
    return x < y ? -1 : 1;
}

static void ticks(struct buf *out, const struct axis *a)
{
    char from[WHEN_TEXT_MAX], to[WHEN_TEXT_MAX];
    buf_printf(out,
               "<div class=\"row axis\"><span></span><span class=\"ends\"><time>%s</time>"
               "<time>%s</time></span></div>\n",
               when_format(a->from, from), when_format(a->to, to));
}

static void row(struct buf *out, const struct report *r, const struct axis *a, size_t i)
{
    char left[WHEN_TEXT_MAX];
    const struct probe_target *t = &r->targets[i];
    buf_puts(out, "<div class=\"row\"><span class=\"label\">");
    html_text(out, t->url);
    bool server = r->results[i].address[0] && strcmp(r->results[i].address, t->url) != 0;
    buf_printf(out, " <span class=\"dim\">key %u %s%s%s", t->key_index, location_role_name(t->role),
               t->parent ? ", parent" : "", server ? ", " : "");
    html_text(out, server ? r->results[i].address : "");
    buf_puts(out, "</span></span><span class=\"bar\">");
    svg(out, r, a, i);
    buf_printf(out, "<b>%s</b></span></div>\n", report_left_text(report_left(r, i), left));
}

void html_chart(struct buf *out, const struct report *r)
{
    SCOPED(scope_free) size_t *order = calloc(r->n + 1, sizeof *order);
    struct axis a = find_axis(r);
    size_t n = 0;
    for (size_t i = 0; order && i < r->n; i++) {
        if (report_is_crl(r, i) && !r->targets[i].as_client)
            order[n++] = i;
    }
    if (!n)
        return;
    sort_report = r;
    qsort(order, n, sizeof *order, by_left);
    buf_puts(out, "<section><h2>Life of each CRL</h2>\n<div class=\"chart\">\n");
    ticks(out, &a);
    for (size_t k = 0; k < n && k < CHART_ROWS; k++)
        row(out, r, &a, order[k]);
    buf_puts(out,
             "</div>\n<p class=\"legend\"><i class=\"life\"></i> thisUpdate to Next CRL Publish "
             "<i class=\"over\"></i> to nextUpdate <i class=\"dead\"></i> expired "
             "<i class=\"now\"></i> now");
    if (r->maintenance)
        buf_puts(out,
                 " <i class=\"window\"></i> maintenance window <i class=\"resume\"></i> resume by");
    buf_puts(out, "</p>");
    if (n > CHART_ROWS)
        buf_printf(
            out, "<p>The %d locations that expire first are drawn; %zu more are in the table.</p>",
            CHART_ROWS, n - CHART_ROWS);
    buf_puts(out, "</section>\n");
}

/* Runway over time as a line; publications as dots with their seconds in the table below. */
void html_history(struct buf *out, const struct report *r)
{
    int64_t top = 1;
    char text[WHEN_TEXT_MAX], first[WHEN_TEXT_MAX], last[WHEN_TEXT_MAX];
    if (r->n_history < 2)
        return;
    struct axis a = {r->history[0].when, r->history[r->n_history - 1].when};
    a.to = a.to > a.from ? a.to : a.from + 1;
    for (size_t i = 0; i < r->n_history; i++)
        top = r->history[i].weakest > top ? r->history[i].weakest : top;
    buf_printf(
        out,
        "<section><h2>Runway over time</h2><svg class=\"history\" viewBox=\"0 0 100 40\" "
        "preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Weakest runway from %s to %s, "
        "at most %s\"><polyline points=\"",
        when_format(a.from, first), when_format(a.to, last), duration_format(top, text));
    for (size_t i = 0; i < r->n_history; i++) {
        double v = r->history[i].weakest < 0 ? 0 : (double)r->history[i].weakest;
        buf_printf(out, "%.3f,%.3f ", percent(&a, r->history[i].when), 39 - 38 * v / (double)top);
    }
    buf_printf(out,
               "\"/></svg><p class=\"ends\"><time>%s</time><span>highest %s</span><time>%s</time>"
               "</p>\n",
               first, duration_format(top, text), last);
    for (size_t i = 0; i < r->n_history; i++) {
        if (r->history[i].visible_seconds >= 0)
            buf_printf(out, "<p>Published %s, visible everywhere after %" PRId64 " s.</p>\n",
                       when_format(r->history[i].when, first), r->history[i].visible_seconds);
    }
    buf_puts(out, "</section>\n");
}
