/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* For people at a console: runway first, then the locations, then what to do. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cdp/url.h"
#include "report/report_int.h"

#define COLUMNS_MAX 100
#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define GREEN "\033[1;32m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

struct page {
    struct buf *out;
    bool colour;
    size_t columns;
};

static const char *paint(const struct page *p, const char *colour)
{
    return p->colour ? colour : "";
}

static const char *colour_of(enum severity s)
{
    return s == SEV_CRITICAL ? RED : s == SEV_WARNING ? YELLOW : s == SEV_INFO ? BOLD : GREEN;
}

/* Breaks at blanks; a word longer than the line (a URL) is cut into pieces. */
static void wrapped(const struct page *p, const char *label, const char *text)
{
    size_t indent = 13;
    size_t room = p->columns > indent + 20 ? p->columns - indent : 20;
    buf_printf(p->out, "    %-9s", label);
    while (*text) {
        size_t take = 0, blank = 0;
        for (; text[take] && text_width(text, take + 1) <= room; take++)
            blank = text[take] == ' ' ? take : blank;
        while (text[take] && ((unsigned char)text[take] & 0xC0) == 0x80)
            take++;
        /* What fits on no line (a URL) begins here instead of leaving the rest of this one empty.
         */
        bool endless = text_width(text + blank + 1, strcspn(text + blank + 1, " ")) > room;
        size_t cut = text[take] && blank && !endless ? blank : take;
        buf_add(p->out, text, cut);
        text += cut;
        while (*text == ' ')
            text++;
        buf_puts(p->out, "\n");
        if (*text)
            buf_printf(p->out, "%*s", (int)indent, "");
    }
}

#define RUNWAY_LINES 6

/* Base and delta of each key apart, when there is more than one. */
static void by_crl(const struct page *p, const struct runway *rw)
{
    char key[32], weakest[WHEN_TEXT_MAX], effective[WHEN_TEXT_MAX];
    for (size_t i = 0; rw->n > 1 && i < rw->n && i < RUNWAY_LINES; i++) {
        const struct runway_line *l = &rw->line[i];
        snprintf(key, sizeof key, l->partition ? "%u/%u" : "%u", l->key_index, l->partition);
        buf_printf(p->out, "    %-8s key %s %-5s  weakest %7s, clients %7s\n", i ? "" : "by CRL",
                   key, l->delta ? "delta" : "base", report_left_text(l->weakest, weakest),
                   report_left_text(l->effective, effective));
    }
    if (rw->n > RUNWAY_LINES)
        buf_printf(p->out, "    %-8s %zu more: --format html or json\n", "", rw->n - RUNWAY_LINES);
}

static void runway_lines(const struct page *p, const struct report *r, const struct headline *h)
{
    bool one = 12 + strlen(h->runway) + strlen(h->weakest) + strlen(h->clients) <= p->columns;
    buf_printf(p->out, "%sRunway: %s%s %s", paint(p, colour_of(h->runway_severity)), h->runway,
               paint(p, PLAIN), h->weakest);
    buf_printf(p->out, one && h->clients[0] ? "; %s\n" : "%s\n", one ? h->clients : "");
    if (!one)
        wrapped(p, "clients", h->clients);
    size_t i = report_weakest(r);
    if (i == SIZE_MAX)
        return;
    char line[LIMIT_URL_CHARS + 120];
    const char *server = report_server(r, i);
    snprintf(line, sizeof line, "key %u %s at %s%s%s", r->targets[i].key_index,
             location_role_name(r->targets[i].role), r->targets[i].url, server[0] ? " on " : "",
             server);
    wrapped(p, "because", line);
    by_crl(p, r->runway);
}

static void head_line(const struct page *p, const struct report *r, const struct headline *h)
{
    char when[WHEN_TEXT_MAX];
    size_t warn = report_count(r, SEV_WARNING);
    buf_printf(p->out, "%s%s%s  %.60s: %zu critical, %zu warning%s, %zu location%s, %s\n",
               paint(p, colour_of(h->severity)), h->word, paint(p, PLAIN), report_title(r),
               report_count(r, SEV_CRITICAL), warn, warn == 1 ? "" : "s", r->n,
               r->n == 1 ? "" : "s", when_format(r->generated, when));
}

static void maintenance_lines(const struct page *p, const struct report *r)
{
    const struct report_maintenance *m = r->maintenance;
    char line[512], from[WHEN_TEXT_MAX], until[WHEN_TEXT_MAX], by[WHEN_TEXT_MAX];
    if (!m)
        return;
    snprintf(line, sizeof line,
             "%s, change %s, by %s, window %s to %s, resume by %s, %llu alarms muted", m->state,
             m->change_id, m->owner, when_format(m->from, from), when_format(m->until, until),
             when_format(m->resume_by, by), (unsigned long long)m->muted);
    buf_puts(p->out, "\nMaintenance\n");
    wrapped(p, "state", line);
}

static enum severity state_severity(const char *state)
{
    if (strcmp(state, "OK") == 0)
        return SEV_OK;
    return strcmp(state, "Expiring") == 0 ? SEV_WARNING : SEV_CRITICAL;
}

static const char *state_colour(const void *arg, const char *state)
{
    return paint(arg, colour_of(state_severity(state)));
}

static void finding_lines(const struct page *p, const struct finding *f)
{
    const struct finding_kind *kind = finding_kind_by_id(f->id);
    char where[LIMIT_URL_CHARS + 100];
    buf_printf(p->out, "\n  %s%u %s%s  %s\n", paint(p, colour_of(f->severity)), f->id,
               severity_name(f->severity), paint(p, PLAIN), kind ? kind->title : "");
    snprintf(where, sizeof where, "%s%s%s", f->url, f->address[0] ? " @" : "", f->address);
    if (f->url[0])
        wrapped(p, "at", where);
    if (f->expected[0])
        wrapped(p, "expected", f->expected);
    if (f->found[0])
        wrapped(p, "found", f->found);
    if (f->remedy[0])
        wrapped(p, "do", f->remedy);
}

/* A thousand locations with one fault are one fault: some in full, of the others the number. */
static int findings_part(const struct page *p, const struct report *r, struct err *err)
{
    SCOPED(scope_free) struct report_ranked *list = NULL;
    size_t n = 0;
    if (report_rank_findings(r, &list, &n, err))
        return err->code;
    if (n)
        buf_puts(p->out, "\nFindings ('crlagent explain ID' tells more)\n");
    for (size_t i = 0; i < n; i++) {
        if (list[i].nth < REPORT_ALIKE)
            finding_lines(p, list[i].f);
        else if (list[i].nth == REPORT_ALIKE)
            buf_printf(p->out, "\n  %u at %zu more locations: --format json or html names them\n",
                       list[i].f->id, list[i].of - REPORT_ALIKE);
    }
    return ERR_OK;
}

static void hsm_line(const struct page *p, const struct report_hsm *h)
{
    char line[200], when[WHEN_TEXT_MAX], usual[40] = "";
    if (!h || !h->known)
        return;
    if (h->baseline_ms >= 0)
        snprintf(usual, sizeof usual, " (usual %" PRId64 " ms)", h->baseline_ms);
    snprintf(line, sizeof line, "key test %s at %s, %" PRId64 " ms%s; %u of %u tests failed",
             h->good ? "good" : "FAILED", when_format(h->when, when), h->latency_ms, usual,
             h->failures, h->samples);
    buf_puts(p->out, "\nHSM\n");
    wrapped(p, "state", line);
}

#define CHANGES_SHOWN 20 /* that are not worse: after a publication every location has changed */

struct change_page {
    const struct page *p;
    const struct report *r;
    size_t changed; /* not worse */
};

static void change_line(void *arg, const struct report_change *c)
{
    struct change_page *cp = arg;
    if (!c->worse && cp->changed++ >= CHANGES_SHOWN)
        return;
    const struct report *of = c->now == SIZE_MAX ? cp->r->before : cp->r;
    size_t i = c->now == SIZE_MAX ? c->before : c->now;
    const char *server = report_server(of, i);
    char where[LIMIT_URL_CHARS + 100];
    snprintf(where, sizeof where, "%s%s%s", of->targets[i].url, server[0] ? " @" : "", server);
    wrapped(cp->p, c->worse ? "WORSE" : "changed", where);
    wrapped(cp->p, "", c->text);
}

static void compare_lines(const struct page *p, const struct report *r)
{
    struct change_page cp = {p, r, 0};
    if (!r->before)
        return;
    buf_puts(p->out, "\nCompared with the report before\n");
    size_t worse = report_compare(r, change_line, &cp);
    if (cp.changed > CHANGES_SHOWN)
        buf_printf(p->out, "    %zu more changed, and not for the worse\n",
                   cp.changed - CHANGES_SHOWN);
    buf_printf(p->out, "    %zu location%s worse than before\n", worse, worse == 1 ? "" : "s");
}

int report_text(const struct report *r, const struct report_style *style, struct buf *out,
                struct err *err)
{
    struct page p = {out, style && style->colour, COLUMNS_MAX};
    if (style && style->columns > 0 && style->columns < COLUMNS_MAX)
        p.columns = style->columns < 72 ? 72 : (size_t)style->columns;
    struct headline h;
    report_headline(r, &h);
    runway_lines(&p, r, &h);
    head_line(&p, r, &h);
    maintenance_lines(&p, r);
    hsm_line(&p, r->hsm);
    const struct text_paint how = {state_colour, &p, paint(&p, PLAIN)};
    int rc = text_table(r, p.columns, &how, out, err);
    if (rc)
        return rc;
    compare_lines(&p, r);
    return findings_part(&p, r, err);
}
