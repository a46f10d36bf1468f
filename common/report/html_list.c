/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The long parts of the page: findings, what changed, the table of all locations. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cdp/url.h"
#include "report/report_int.h"

#define PAPER_ROWS 200 /* longer tables are printed without the rows that are OK */

static void field(struct buf *out, const char *name, const char *value)
{
    if (!value[0])
        return;
    buf_printf(out, "<dt>%s</dt><dd%s>", name, strcmp(name, "Do") == 0 ? " class=\"do\"" : "");
    html_prose(out, value);
    buf_puts(out, "</dd>");
}

static void place_of(const struct finding *f, char dst[LIMIT_URL_CHARS + 100])
{
    bool server = f->address[0] && strcmp(f->address, f->url) != 0;
    snprintf(dst, LIMIT_URL_CHARS + 100, "%s%s%s", f->url, server ? " at " : "",
             server ? f->address : "");
}

static void finding(struct buf *out, const struct finding *f)
{
    const struct finding_kind *k = finding_kind_by_id(f->id);
    char where[LIMIT_URL_CHARS + 100];
    buf_printf(out, "<article class=\"%s\"><h3><b class=\"%s\">%s</b> %u ", html_class(f->severity),
               html_class(f->severity), severity_name(f->severity), f->id);
    html_text(out, k ? k->title : "");
    buf_puts(out, "</h3><dl>");
    place_of(f, where);
    field(out, "Location", f->url[0] ? where : "");
    field(out, "Expected", f->expected);
    field(out, "Found", f->found);
    field(out, "Why", k ? k->cause : "");
    field(out, "Do", f->remedy);
    field(out, "Reference", k ? k->reference : "");
    buf_puts(out, "</dl></article>\n");
}

/* One more place of a kind that was told in full before. */
static void alike(struct buf *out, const struct report_ranked *k)
{
    char where[LIMIT_URL_CHARS + 100];
    if (k->nth == REPORT_ALIKE)
        buf_printf(out, "<details><summary>%u at %zu more locations</summary><ul>\n", k->f->id,
                   k->of - k->nth);
    place_of(k->f, where);
    buf_puts(out, "<li>");
    html_text(out, where);
    buf_puts(out, k->f->found[0] && where[0] ? ": " : "");
    html_prose(out, k->f->found);
    buf_puts(out, k->nth + 1 == k->of ? "</li></ul></details>\n" : "</li>\n");
}

int html_findings(struct buf *out, const struct report *r, struct err *err)
{
    SCOPED(scope_free) struct report_ranked *list = NULL;
    size_t n = 0;
    if (report_rank_findings(r, &list, &n, err))
        return err->code;
    buf_puts(out, "<section id=\"findings\"><h2>Findings</h2>\n");
    if (!n)
        buf_puts(out, "<p>None.</p>");
    for (size_t i = 0; i < n; i++) {
        if (list[i].nth < REPORT_ALIKE)
            finding(out, list[i].f);
        else
            alike(out, &list[i]);
    }
    buf_puts(out, "</section>\n");
    return ERR_OK;
}

static void cell(struct buf *out, const char *name, const char *cls, const char *value)
{
    buf_printf(out, "<td data-name=\"%s\"%s%s%s>", name, cls[0] ? " class=\"" : "", cls,
               cls[0] ? "\"" : "");
    html_prose(out, value);
    buf_puts(out, "</td>");
}

static void header(struct buf *out, const char *const *names, size_t n)
{
    buf_puts(out, "<thead><tr>");
    for (size_t i = 0; i < n; i++) {
        bool right = names[i][0] == '>';
        buf_printf(out, "<th scope=\"col\"%s>%s</th>", right ? " class=\"n\"" : "",
                   names[i] + (right ? 1 : 0));
    }
    buf_puts(out, "</tr></thead><tbody>\n");
}

static void table_row(struct buf *out, const struct report *r, size_t i)
{
    const struct probe_target *t = &r->targets[i];
    const struct probe_result *a = &r->results[i];
    const char *state = report_state(r, i);
    char left[WHEN_TEXT_MAX] = "", n[48] = "", until[WHEN_TEXT_MAX] = "", text[160];
    char partition[24] = "";
    if (report_is_crl(r, i))
        report_left_text(report_left(r, i), left);
    if (report_has_crl(r, i)) {
        crl_number_format(&a->facts.number, n);
        when_format(a->facts.next_update, until);
    }
    if (t->partition)
        snprintf(partition, sizeof partition, "/%u", t->partition);
    buf_printf(out, "<tr%s><td class=\"state\" data-name=\"State\"><b class=\"%s\">%s</b></td>",
               strcmp(state, "OK") == 0 ? " class=\"fine\"" : "", html_class_of_state(state),
               state);
    cell(out, "Runway", "n", left);
    cell(out, "Location", "wide", t->url);
    cell(out, "Server", "who", t->as_client ? "as clients (caches allowed)" : report_server(r, i));
    snprintf(text, sizeof text, "%u%s %s%s", t->key_index, partition, location_role_name(t->role),
             t->parent               ? " (parent)"
             : probe_carried_only(t) ? " (only in certificates issued earlier)"
                                     : "");
    cell(out, "Key", "kind", text);
    cell(out, "Number", "n", n);
    cell(out, "nextUpdate", "", until);
    snprintf(text, sizeof text, "%" PRId64 " ms", a->total_ms);
    cell(out, "Time", "n", text);
    buf_puts(out, "</tr>\n");
}

int html_table(struct buf *out, const struct report *r, struct err *err)
{
    static const char *const names[] = {"State", ">Runway", "Location",   "Server",
                                        "Key",   ">Number", "nextUpdate", ">Time"};
    SCOPED(scope_free) size_t *order = NULL;
    size_t fine = 0;
    if (report_order(r, &order, err))
        return err->code;
    for (size_t i = 0; i < r->n; i++)
        fine += strcmp(report_state(r, i), "OK") == 0;
    bool paper = r->n > PAPER_ROWS && fine > 0;
    buf_puts(out, "<section><h2>Locations</h2>\n");
    if (paper)
        buf_printf(out,
                   "<p class=\"paper\">%zu of %zu locations are OK; on paper only the others are "
                   "listed. The file has them all.</p>\n",
                   fine, r->n);
    buf_puts(out, paper ? "<table class=\"long\">" : "<table>");
    header(out, names, ARRAY_LEN(names));
    for (size_t k = 0; k < r->n; k++)
        table_row(out, r, order[k]);
    buf_puts(out, "</tbody></table></section>\n");
    return ERR_OK;
}

struct change_list {
    struct buf *out;
    const struct report *r;
    size_t n;
    bool paper; /* too long for paper: only what is worse */
};

/* "OK, 42, until ..." of one side; "not there" when the location has only the other. */
static void side(struct buf *out, const char *name, const struct report *r, size_t i)
{
    char text[200], n[48], until[WHEN_TEXT_MAX];
    if (i == SIZE_MAX)
        snprintf(text, sizeof text, "not there");
    else if (report_has_crl(r, i))
        snprintf(text, sizeof text, "%s, number %s, until %s", report_state(r, i),
                 crl_number_format(&r->results[i].facts.number, n),
                 when_format(r->results[i].facts.next_update, until));
    else
        snprintf(text, sizeof text, "%s", report_state(r, i));
    cell(out, name, "", text);
}

static void change(void *arg, const struct report_change *c)
{
    struct change_list *l = arg;
    bool gone = c->now == SIZE_MAX;
    const struct report *of = gone ? l->r->before : l->r;
    size_t i = gone ? c->before : c->now;
    const char *cls = c->worse ? "bad" : "good";
    static const char *const names[] = {"Change", "Location", "Server", "Before", "Now"};
    if (l->n++ == 0) {
        buf_puts(l->out, l->paper ? "<table class=\"long\">" : "<table>");
        header(l->out, names, ARRAY_LEN(names));
    }
    buf_printf(l->out, "<tr><td class=\"state\" data-name=\"Change\"><b class=\"%s\">%s</b></td>",
               cls, c->worse ? "worse" : "changed");
    cell(l->out, "Location", "wide", of->targets[i].url);
    cell(l->out, "Server", "who", report_server(of, i));
    side(l->out, "Before", l->r->before, c->before);
    side(l->out, "Now", l->r, c->now);
    buf_puts(l->out, "</tr>\n");
}

void html_comparison(struct buf *out, const struct report *r)
{
    struct change_list l = {out, r, 0, r->n > PAPER_ROWS};
    char when[WHEN_TEXT_MAX];
    if (!r->before)
        return;
    buf_printf(out, "<section><h2>Compared with <time>%s</time></h2>\n",
               when_format(r->before->generated, when));
    size_t worse = report_compare(r, change, &l);
    buf_puts(out, l.n ? "</tbody></table>" : "");
    if (l.paper && l.n > worse)
        buf_puts(out, "<p class=\"paper\">On paper only those that are worse are listed.</p>");
    buf_printf(out, "<p>%zu location%s differ%s, %zu worse than before.</p></section>\n", l.n,
               l.n == 1 ? "" : "s", l.n == 1 ? "s" : "", worse);
}
