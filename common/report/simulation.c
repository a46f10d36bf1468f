/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "report/simulation.h"

#include <stdio.h>

#include "base/str.h"
#include "cdp/url.h"
#include "report/report_int.h"

#define COLUMNS_MAX 100
#define BEFORE_PLACE 63 /* columns in front of the location */
#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define GREEN "\033[1;32m"
#define PLAIN "\033[0m"

bool simulation_fits(const struct simulate_line *line, size_t n)
{
    return n && !line[0].unknown && line[0].spare > 0;
}

/* "11-24 05:12": the minute; the year stands in the first line. "already" when that was so before
 * the outage begins. */
static const char *minute(int64_t when, int64_t from, char dst[24])
{
    if (when == WHEN_NONE || when <= from) {
        str_copy(dst, 24, when == WHEN_NONE ? "-" : "already");
        return dst;
    }
    struct when_civil c = when_to_civil(when);
    snprintf(dst, 24, "%02d-%02d %02d:%02d", c.month, c.day, c.hour, c.minute);
    return dst;
}

static const char *spare_of(const struct simulate_line *l, char dst[WHEN_TEXT_MAX])
{
    if (l->unknown)
        str_copy(dst, WHEN_TEXT_MAX, "no CRL");
    else if (l->spare == INT64_MAX)
        str_copy(dst, WHEN_TEXT_MAX, "no end");
    else
        duration_format(l->spare, dst);
    return dst;
}

static const char *colour(const struct simulate_line *l, const struct report_style *style)
{
    if (!style || !style->colour)
        return "";
    if (l->unknown || l->fatal != WHEN_NONE)
        return RED;
    return l->red != WHEN_NONE || l->yellow != WHEN_NONE ? YELLOW : GREEN;
}

static void one_line(const struct report *r, const struct simulate_line *l, int64_t from,
                     const struct report_style *style, size_t columns, struct buf *out)
{
    const struct probe_target *t = &r->targets[l->probe];
    char a[24], b[24], c[24], spare[WHEN_TEXT_MAX], key[24], place[LIMIT_URL_CHARS + 200];
    snprintf(key, sizeof key, t->partition ? "%u/%u" : "%u", t->key_index, t->partition);
    text_place(r, l->probe, columns - BEFORE_PLACE, place, sizeof place);
    buf_printf(out, "  %-5s %3s  %-11s  %-11s  %-11s  %s%9s%s  %s\n", location_role_name(t->role),
               key, minute(l->yellow, from, a), minute(l->red, from, b), minute(l->fatal, from, c),
               colour(l, style), spare_of(l, spare), style && style->colour ? PLAIN : "", place);
}

static void verdict(const struct simulate_line *line, size_t n, int64_t outage, struct buf *out)
{
    size_t silent = 0, late = 0;
    char text[WHEN_TEXT_MAX];
    for (size_t i = 0; i < n; i++) {
        silent += line[i].unknown;
        late += !line[i].unknown && line[i].spare <= 0;
    }
    if (!n)
        buf_puts(out, "\nNo CRL location was looked at: nothing can be said.\n");
    else if (silent)
        buf_printf(out,
                   "\n%zu of %zu locations serve no CRL now: clients that use them fail already.\n",
                   silent, n);
    if (silent == n)
        return;
    const struct simulate_line *first = &line[silent]; /* sorted: these come next */
    if (late)
        buf_printf(out,
                   "\nThe outage does not fit: %zu of %zu locations run out before a new CRL is "
                   "there.\n",
                   late, n);
    else
        buf_printf(out, "\nNo location expires. The tightest has %s to spare.\n",
                   spare_of(first, text));
    if (first->spare != INT64_MAX && first->spare + outage > 0)
        buf_printf(out, "The longest outage that all of them outlive: %s.\n",
                   duration_format(first->spare + outage, text));
    else if (first->spare != INT64_MAX)
        buf_puts(out, "No outage fits: the first has no runway at its beginning.\n");
}

static void runway_line(const struct report *r, const struct report_style *style, struct buf *out)
{
    struct headline h;
    report_headline(r, &h);
    bool colour = style && style->colour;
    const char *paint = h.runway_severity == SEV_CRITICAL  ? RED
                        : h.runway_severity == SEV_WARNING ? YELLOW
                                                           : GREEN;
    buf_printf(out, "%sRunway: %s%s %s\n", colour ? paint : "", h.runway, colour ? PLAIN : "",
               h.weakest);
}

void report_simulation(const struct report *r, const struct simulate_line *line, size_t n,
                       const struct simulate_outage *o, const struct report_style *style,
                       struct buf *out)
{
    char a[WHEN_TEXT_MAX], b[WHEN_TEXT_MAX], c[WHEN_TEXT_MAX];
    int64_t from = o->from, outage = o->seconds;
    size_t columns = COLUMNS_MAX;
    if (style && style->columns > 0 && style->columns < COLUMNS_MAX)
        columns = style->columns < 90 ? 90 : (size_t)style->columns;
    runway_line(r, style, out);
    buf_printf(out, "Outage of %s from %s: nothing is signed until %s%s\n",
               duration_format(outage, b), when_format(from, a), when_format(from + outage, c),
               o->propagation ? "," : ".");
    if (o->propagation)
        buf_printf(out, "a new CRL is everywhere %s later. ", duration_format(o->propagation, b));
    buf_puts(out, "Times are UTC, to the minute.\n\n");
    buf_printf(out, "  %-5s %3s  %-11s  %-11s  %-11s  %9s  %s\n", "Type", "Key", "Yellow", "Red",
               "Fatal", "Spare", "Location");
    for (size_t i = 0; i < n; i++)
        one_line(r, &line[i], from, style, columns, out);
    verdict(line, n, outage, out);
}
