/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What the service remembers: runway over time, and how long publications took to be visible. */
#include <inttypes.h>
#include <stdio.h>

#include "report/report_int.h"

#define LAST_PUBLICATIONS 5

static void open_svg(struct buf *out)
{
    buf_puts(out, "<svg class=\"history\" viewBox=\"0 0 100 40\" preserveAspectRatio=\"none\" "
                  "role=\"img\" aria-label=\"");
}

static void ends(struct buf *out, const struct chart_axis *a, const char *between)
{
    char first[WHEN_TEXT_MAX], last[WHEN_TEXT_MAX];
    buf_printf(out, "<p class=\"ends\"><time>%s</time><span>%s</span><time>%s</time></p></div>\n",
               when_format(a->from, first), between, when_format(a->to, last));
}

/* Where some location served nothing usable, the ground is red from that look to the next. */
static void gone(struct buf *out, const struct report *r, const struct chart_axis *a)
{
    for (size_t i = 0; i + 1 < r->n_history; i++) {
        if (r->history[i].weakest > 0)
            continue;
        double x = chart_percent(a, r->history[i].when);
        buf_printf(out, "<rect class=\"gone\" x=\"%.2f\" y=\"0\" width=\"%.2f\" height=\"40\"/>", x,
                   chart_percent(a, r->history[i + 1].when) - x);
    }
}

static void runway_line(struct buf *out, const struct report *r, const struct chart_axis *a)
{
    int64_t top = 1, least = INT64_MAX;
    char high[WHEN_TEXT_MAX], low[WHEN_TEXT_MAX], text[120];
    for (size_t i = 0; i < r->n_history; i++) {
        int64_t v = r->history[i].weakest;
        top = v > top ? v : top;
        least = v < least ? v : least;
    }
    snprintf(text, sizeof text, "highest %s, lowest %s", duration_format(top, high),
             report_left_text(least, low));
    buf_puts(out, "<section><h2>Runway over time</h2><div class=\"figure\">");
    open_svg(out);
    buf_printf(out, "Weakest runway: %s\">", text);
    gone(out, r, a);
    buf_puts(out, "<polyline points=\"");
    for (size_t i = 0; i < r->n_history; i++) {
        double v = r->history[i].weakest < 0 ? 0 : (double)r->history[i].weakest;
        buf_printf(out, "%.2f,%.2f ", chart_percent(a, r->history[i].when),
                   39 - 38 * v / (double)top);
    }
    buf_puts(out, "\"/></svg>");
    ends(out, a, text);
}

static void last_publications(struct buf *out, const struct report *r)
{
    size_t shown = 0;
    char when[WHEN_TEXT_MAX];
    for (size_t i = r->n_history; i-- > 0 && shown < LAST_PUBLICATIONS;) {
        if (r->history[i].visible_seconds < 0)
            continue;
        shown++;
        buf_printf(out,
                   "<p>Published <time>%s</time>, visible everywhere after %" PRId64 " s.</p>\n",
                   when_format(r->history[i].when, when), r->history[i].visible_seconds);
    }
}

static void publications(struct buf *out, const struct report *r, const struct chart_axis *a)
{
    int64_t top = 0;
    size_t n = 0;
    char text[80];
    for (size_t i = 0; i < r->n_history; i++) {
        int64_t v = r->history[i].visible_seconds;
        n += v >= 0;
        top = v > top ? v : top;
    }
    if (!n)
        return;
    snprintf(text, sizeof text, "%zu publication%s, the slowest %" PRId64 " s", n,
             n == 1 ? "" : "s", top);
    buf_puts(out, "<h2>From publishing to visible everywhere</h2><div class=\"figure\">");
    open_svg(out);
    buf_printf(out, "Seconds from publishing to visible: %s\">", text);
    for (size_t i = 0; i < r->n_history; i++) {
        int64_t v = r->history[i].visible_seconds;
        double h = v <= 0 ? 1 : 1 + 38 * (double)v / (double)top;
        if (v >= 0)
            buf_printf(out,
                       "<rect class=\"life\" x=\"%.2f\" y=\"%.2f\" width=\"0.6\" height=\"%.2f\"/>",
                       chart_percent(a, r->history[i].when) * 0.994, 40 - h, h);
    }
    buf_puts(out, "</svg>");
    ends(out, a, text);
    last_publications(out, r);
}

void html_history(struct buf *out, const struct report *r)
{
    if (r->n_history < 2)
        return;
    struct chart_axis a = {r->history[0].when, r->history[r->n_history - 1].when};
    a.to = a.to > a.from ? a.to : a.from + 1;
    runway_line(out, r, &a);
    publications(out, r, &a);
    buf_puts(out, "</section>\n");
}
