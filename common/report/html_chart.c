/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The runway chart: one bar per location as inline SVG in percent of the time shown, so that labels
 * stay readable on a narrow screen. Base, delta and parent CRLs live for days, hours and months:
 * each kind has a scale of its own. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cdp/url.h"
#include "report/report_int.h"

#define CHART_ROWS 25 /* bars of one kind; the table has them all */
#define EMPTY_ROWS 5  /* locations without a CRL: there is nothing to draw of them */
#define LABEL_WIDTH 72
#define TICKS_MAX 8
#define HOUR 3600
#define DAY (24 * HOUR)

double chart_percent(const struct chart_axis *a, int64_t when)
{
    double x = 100.0 * (double)(when - a->from) / (double)(a->to - a->from);
    return x < 0 ? 0 : x > 100 ? 100 : x;
}

enum chart_kind { CHART_BASE, CHART_DELTA, CHART_PARENT, CHART_KINDS };

static enum chart_kind kind_of(const struct probe_target *t)
{
    return t->parent ? CHART_PARENT : t->role == ROLE_CRL_DELTA ? CHART_DELTA : CHART_BASE;
}

static bool has_life(const struct report *r, size_t i)
{
    return report_has_crl(r, i) && r->results[i].facts.next_update != WHEN_NONE;
}

/* What is drawn of one kind: the probes, those that end first in front, and their scale. */
struct chart {
    const struct report *r;
    size_t *order;
    size_t n;
    struct chart_axis axis;
};

static void find_axis(struct chart *c)
{
    const struct report *r = c->r;
    struct chart_axis a = {r->generated - HOUR, r->generated + 6 * HOUR};
    for (size_t k = 0; k < c->n; k++) {
        const struct crl_facts *f = &r->results[c->order[k]].facts;
        if (!has_life(r, c->order[k]))
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
    c->axis = a;
}

static int64_t tick_step(const struct chart_axis *a)
{
    static const int64_t steps[] = {HOUR,    2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY,
                                    2 * DAY, 7 * DAY,  14 * DAY, 28 * DAY, 91 * DAY,  182 * DAY};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if ((a->to - a->from) / steps[i] < TICKS_MAX)
            return steps[i];
    }
    return ((a->to - a->from) / TICKS_MAX / (365 * DAY) + 1) * 365 * DAY;
}

static int64_t first_tick(const struct chart_axis *a, int64_t step)
{
    return (a->from / step + 1) * step;
}

/* "11-24" at midnight, "06:00" between; the year where months are counted. */
static void tick_name(int64_t when, int64_t step, char dst[24])
{
    struct when_civil c = when_to_civil(when);
    if (step >= 28 * DAY)
        snprintf(dst, 24, "%" PRId64 "-%02d", c.year, c.month);
    else if (c.hour == 0)
        snprintf(dst, 24, "%02d-%02d", c.month, c.day);
    else
        snprintf(dst, 24, "%02d:%02d", c.hour, c.minute);
}

static void scale(struct buf *out, const struct chart *c)
{
    int64_t step = tick_step(&c->axis);
    char name[24];
    buf_puts(out, "<div class=\"row axis\" aria-hidden=\"true\"><span></span><div "
                  "class=\"scale\">");
    for (int64_t t = first_tick(&c->axis, step); t < c->axis.to; t += step) {
        tick_name(t, step, name);
        buf_printf(out, "<span style=\"left:%.2f%%\">%s</span>", chart_percent(&c->axis, t), name);
    }
    buf_printf(out, "<span class=\"mark\" style=\"left:%.2f%%\">now</span></div></div>\n",
               chart_percent(&c->axis, c->r->generated));
}

static void rect(struct buf *out, const char *cls, double x, double w, int y, int h)
{
    buf_printf(out, "<rect class=\"%s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"/>", cls, x,
               y, w < 0.3 ? 0.3 : w, h);
}

static void vertical(struct buf *out, const char *cls, double x)
{
    buf_printf(out, "<line class=\"%s\" x1=\"%.2f\" x2=\"%.2f\" y1=\"0\" y2=\"20\"/>", cls, x, x);
}

static void bar(struct buf *out, const struct chart *c, size_t i)
{
    const struct crl_facts *f = &c->r->results[i].facts;
    double from = chart_percent(&c->axis, f->this_update);
    double until = chart_percent(&c->axis, f->next_update);
    double planned =
        f->next_publish == WHEN_NONE ? until : chart_percent(&c->axis, f->next_publish);
    bool dead = report_left(c->r, i) <= 0;
    planned = planned > until ? until : planned < from ? from : planned;
    if (planned > from)
        rect(out, dead ? "dead" : "life", from, planned - from, 5, 10);
    if (until > planned || planned <= from)
        rect(out, dead ? "dead" : "over", planned, until - planned, 5, 10);
}

static void svg(struct buf *out, const struct chart *c, size_t i)
{
    const struct report_maintenance *m = c->r->maintenance;
    const struct crl_facts *f = &c->r->results[i].facts;
    int64_t step = tick_step(&c->axis);
    char t1[WHEN_TEXT_MAX], t2[WHEN_TEXT_MAX], t3[WHEN_TEXT_MAX];
    buf_printf(out,
               "<svg viewBox=\"0 0 100 20\" preserveAspectRatio=\"none\" role=\"img\" "
               "aria-label=\"thisUpdate %s, Next CRL Publish %s, nextUpdate %s\">",
               when_format(f->this_update, t1), when_format(f->next_publish, t2),
               when_format(f->next_update, t3));
    for (int64_t t = first_tick(&c->axis, step); t < c->axis.to; t += step)
        vertical(out, "tick", chart_percent(&c->axis, t));
    if (m && m->from != WHEN_NONE && m->until != WHEN_NONE)
        rect(out, "window", chart_percent(&c->axis, m->from),
             chart_percent(&c->axis, m->until) - chart_percent(&c->axis, m->from), 0, 20);
    bar(out, c, i);
    if (m && m->resume_by != WHEN_NONE && m->resume_by <= c->axis.to)
        vertical(out, "resume", chart_percent(&c->axis, m->resume_by));
    vertical(out, "now", chart_percent(&c->axis, c->r->generated));
    buf_puts(out, "</svg>");
}

static void row(struct buf *out, const struct chart *c, size_t i)
{
    char left[WHEN_TEXT_MAX], name[LIMIT_URL_CHARS + 32], number[24] = "";
    const struct probe_target *t = &c->r->targets[i];
    const char *server = report_server(c->r, i);
    const char *state = report_state(c->r, i);
    text_shorten(t->url, t->kind, LABEL_WIDTH, name, sizeof name);
    if (t->partition)
        snprintf(number, sizeof number, " partition %u", t->partition);
    buf_puts(out, "<div class=\"row\"><span class=\"label\">");
    html_text(out, name);
    buf_printf(out, " <span class=\"dim\">key %u%s%s", t->key_index, number, server[0] ? ", " : "");
    html_text(out, server);
    buf_puts(out, "</span></span><span class=\"bar\">");
    if (has_life(c->r, i))
        svg(out, c, i);
    else
        buf_printf(out, "<span class=\"%s\">%s</span>", html_class_of_state(state),
                   report_has_crl(c->r, i) ? "without nextUpdate" : state);
    int64_t seconds = report_left(c->r, i);
    buf_printf(out, "<b class=\"%s\">%s</b></span></div>\n",
               seconds <= 0 ? "bad" : html_class_of_state(state), report_left_text(seconds, left));
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

static void left_out(struct buf *out, size_t n, size_t drawn, const char *why)
{
    if (n > drawn)
        buf_printf(out, "<p class=\"dim\">%zu more %s: see the table of locations.</p>\n",
                   n - drawn, why);
}

static void one_kind(struct buf *out, struct chart *c, const char *title)
{
    size_t bars = 0, empty = 0;
    sort_report = c->r;
    qsort(c->order, c->n, sizeof *c->order, by_left);
    find_axis(c);
    buf_printf(out, "<div class=\"chart\"><h3>%s</h3>\n", title);
    for (size_t k = 0; k < c->n && !bars; k++)
        bars += has_life(c->r, c->order[k]);
    if (bars)
        scale(out, c);
    bars = 0;
    for (size_t k = 0; k < c->n; k++) {
        bool life = has_life(c->r, c->order[k]);
        size_t *drawn = life ? &bars : &empty;
        if ((*drawn)++ < (life ? CHART_ROWS : EMPTY_ROWS))
            row(out, c, c->order[k]);
    }
    left_out(out, empty, EMPTY_ROWS, "serve no CRL");
    left_out(out, bars, CHART_ROWS, "end later");
    buf_puts(out, "</div>\n");
}

static void legend(struct buf *out, const struct report *r)
{
    buf_puts(out, "<p class=\"legend\"><span><i class=\"life\"></i>thisUpdate to Next CRL "
                  "Publish</span><span><i class=\"over\"></i>overlap, to nextUpdate</span><span><i "
                  "class=\"dead\"></i>no runway left</span><span><i class=\"now\"></i>now</span>");
    if (r->maintenance)
        buf_puts(out, "<span><i class=\"window\"></i>maintenance window</span><span><i "
                      "class=\"resume\"></i>resume by</span>");
    buf_puts(out, "</p></section>\n");
}

void html_chart(struct buf *out, const struct report *r)
{
    static const char *const titles[] = {"Base CRLs", "Delta CRLs", "CRLs of the parent CAs"};
    SCOPED(scope_free) size_t *order = calloc(r->n + 1, sizeof *order);
    bool any = false;
    for (int kind = 0; order && kind < CHART_KINDS; kind++) {
        struct chart c = {r, order, 0, {0, 0}};
        for (size_t i = 0; i < r->n; i++) {
            if (report_is_crl(r, i) && !r->targets[i].as_client &&
                kind_of(&r->targets[i]) == (enum chart_kind)kind)
                order[c.n++] = i;
        }
        if (c.n && !any)
            buf_puts(out, "<section><h2>Life of each CRL</h2>\n");
        any = any || c.n;
        if (c.n)
            one_kind(out, &c, titles[kind]);
    }
    if (any)
        legend(out, r);
}
