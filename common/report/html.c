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

static const char style_sheet[] =
    ":root{color-scheme:light "
    "dark;--bg:#fff;--fg:#1a1d21;--dim:#545b64;--line:#c9ced4;--card:#f5f6f8;"
    "--good:#1b6b3a;--warn:#8a5300;--bad:#b3161b;--life:#2f7d4f;--over:#d9a521;--dead:#b3161b;"
    "--now:#1a1d21;--window:#9db9e8;--resume:#6b2fb3}\n"
    "@media "
    "(prefers-color-scheme:dark){:root{--bg:#15181c;--fg:#e8eaed;--dim:#a9b0b9;--line:#3c434c;"
    "--card:#1f242a;--good:#6fcf97;--warn:#f2c14e;--bad:#ff8a80;--life:#4fae78;--over:#d9a521;"
    "--dead:#ff6b60;--now:#fff;--window:#34527f;--resume:#c39bf5}}\n"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:75rem;padding:1rem;background:var(--bg);"
    "color:var(--fg);font:1rem/1.5 system-ui,'Segoe UI',sans-serif}\n"
    "h1{font-size:1.4rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}"
    "h3{font-size:1rem;margin:0}p{margin:.25rem 0}\n"
    ".runway{display:flex;flex-wrap:wrap;gap:.5rem "
    "2rem;align-items:baseline;background:var(--card);"
    "border:1px solid var(--line);border-radius:.5rem;padding:1rem;margin:0 0 1rem}"
    ".big{font-size:2.2rem;font-weight:700;line-height:1.1}\n"
    ".dim{color:var(--dim)}.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}"
    "b.good,b.warn,b.bad{white-space:nowrap}\n"
    ".row{display:grid;grid-template-columns:minmax(0,2fr) minmax(0,3fr);gap:.25rem 1rem;"
    "padding:.3rem 0;border-top:1px solid var(--line);align-items:center}.axis{border:0}"
    ".label,td,dd{overflow-wrap:anywhere}.bar{display:flex;gap:.75rem;align-items:center}"
    ".bar svg{flex:1;min-width:0;height:1.4rem;display:block}.bar b{min-width:5.2rem;"
    "text-align:right;white-space:nowrap}.ends{display:flex;justify-content:space-between;"
    "flex-wrap:wrap;color:var(--dim);font-size:.85rem}.axis "
    ".ends{padding-right:5.95rem;flex-wrap:nowrap;font-size:.75rem}\n"
    ".track{fill:var(--line)}.life{fill:var(--life);background:var(--life)}"
    ".over{fill:var(--over);background:var(--over)}.dead{fill:var(--dead);background:var(--dead)}"
    ".window{fill:var(--window);background:var(--window);fill-opacity:.6}"
    ".now{stroke:var(--now);background:var(--now);stroke-width:.35}"
    ".resume{stroke:var(--resume);background:var(--resume);stroke-width:.35;stroke-dasharray:2 1}\n"
    ".legend{font-size:.85rem;color:var(--dim)}.legend "
    "i{display:inline-block;width:1rem;height:.7rem;"
    "margin:0 .2rem 0 .8rem}.legend i.now,.legend i.resume{width:.2rem;height:1rem;"
    "vertical-align:middle}\n"
    ".history{width:100%;height:8rem;border-bottom:1px solid var(--line)}.history "
    "polyline{fill:none;"
    "stroke:var(--life);stroke-width:1.5;vector-effect:non-scaling-stroke}\n"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:."
    "35rem "
    ".5rem;border-top:1px solid var(--line);vertical-align:top}th{color:var(--dim);font-weight:600}"
    "td.n{text-align:right;white-space:nowrap}\n"
    "article{border:1px solid var(--line);border-left:.35rem solid var(--dim);border-radius:.35rem;"
    "padding:.75rem 1rem;margin:.75rem "
    "0;break-inside:avoid;color:inherit}article.bad{border-left-color:var(--bad);"
    "color:inherit}article.warn{border-left-color:var(--warn);color:inherit}dl{display:grid;"
    "grid-template-columns:8rem minmax(0,1fr);gap:.15rem 1rem;margin:.5rem 0 0}"
    "dt{color:var(--dim)}dd{margin:0}code{font-family:ui-monospace,Consolas,monospace;"
    "font-size:.92em}\n"
    "time{white-space:nowrap}article.good{color:inherit}\n"
    "@media (max-width:40rem){.axis "
    ".ends{font-size:.65rem}.row{grid-template-columns:minmax(0,1fr)}thead{position:absolute;"
    "clip-path:inset(50%);width:1px;height:1px;overflow:hidden}tr{display:block;border-top:1px "
    "solid "
    "var(--line);padding:.4rem 0}td,td.n{display:block;border:0;padding:.1rem 0;text-align:left;"
    "white-space:normal}td::before{content:attr(data-name) ' ';color:var(--dim)}dl{"
    "grid-template-columns:minmax(0,1fr)}dt{margin-top:.3rem}}\n"
    "@media print{:root{color-scheme:light;--bg:#fff;--fg:#000;--dim:#444;--line:#999;--card:#fff;"
    "--good:#1b6b3a;--warn:#8a5300;--bad:#b3161b}body{max-width:none;padding:0;font-size:10pt}"
    "svg,i{print-color-adjust:exact;-webkit-print-color-adjust:exact}tr,.row{break-inside:avoid}}"
    "\n";

static const char *class_of(enum severity s)
{
    return s == SEV_CRITICAL ? "bad" : s == SEV_WARNING ? "warn" : "good";
}

static enum severity severity_of_state(const char *state)
{
    if (strcmp(state, "OK") == 0)
        return SEV_OK;
    return strcmp(state, "Expiring") == 0 ? SEV_WARNING : SEV_CRITICAL;
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
    buf_puts(out, style_sheet);
    buf_puts(out, "</style>\n</head>\n<body>\n<main>\n");
}

static void runway(struct buf *out, const struct report *r)
{
    const struct runway *rw = r->runway;
    char a[WHEN_TEXT_MAX], b[WHEN_TEXT_MAX];
    bool known = rw && rw->n;
    buf_puts(out, "<div class=\"runway\"><div><div class=\"dim\">Runway</div>");
    buf_printf(out, "<div class=\"big %s\">%s</div></div>",
               !known || rw->weakest <= 0
                   ? "bad"
                   : class_of(report_worst(r) == SEV_CRITICAL ? SEV_WARNING : report_worst(r)),
               known ? report_left_text(rw->weakest, a) : "unknown");
    if (known) {
        if (rw->weakest_until == WHEN_NONE)
            buf_puts(out, "<div><p>The weakest location serves no usable CRL.</p>");
        else
            buf_printf(out, "<div><p>Weakest location holds until <time>%s</time>.</p>",
                       when_format(rw->weakest_until, a));
        buf_printf(out, "<p>Clients that try the URLs in order: %s.</p></div>",
                   report_left_text(rw->effective, b));
    }
    buf_puts(out, "</div>\n");
}

static void title(struct buf *out, const struct report *r)
{
    static const char *const words[] = {"OK", "OK", "Warning", "Critical"};
    enum severity worst = report_worst(r);
    char when[WHEN_TEXT_MAX];
    buf_puts(out, "<header><h1>CRL health: ");
    html_text(out, report_title(r));
    buf_printf(out,
               "</h1><p><b class=\"%s\">%s</b> &middot; %zu critical, %zu warnings &middot; "
               "%zu locations &middot; <time>%s</time>",
               class_of(worst), words[worst], report_count(r, SEV_CRITICAL),
               report_count(r, SEV_WARNING), r->n, when_format(r->generated, when));
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
    html_text(out, value);
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

static void finding(struct buf *out, const struct finding *f)
{
    const struct finding_kind *k = finding_kind_by_id(f->id);
    char where[LIMIT_URL_CHARS + 100];
    buf_printf(out, "<article class=\"%s\"><h3><b class=\"%s\">%s</b> %u ", class_of(f->severity),
               class_of(f->severity), severity_name(f->severity), f->id);
    html_text(out, k ? k->title : "");
    buf_puts(out, "</h3><dl>");
    snprintf(where, sizeof where, "%s%s%s", f->url, f->address[0] ? " at " : "", f->address);
    field(out, "Location", f->url[0] ? where : "");
    field(out, "Expected", f->expected);
    field(out, "Found", f->found);
    field(out, "Why", k ? k->cause : "");
    field(out, "Do", f->remedy);
    field(out, "Reference", k ? k->reference : "");
    buf_puts(out, "</dl></article>\n");
}

static void findings(struct buf *out, const struct report *r)
{
    buf_puts(out, "<section><h2>Findings</h2>\n");
    if (!r->findings || !r->findings->n)
        buf_puts(out, "<p>None.</p>");
    for (int s = SEV_CRITICAL; r->findings && s >= SEV_OK; s--) {
        for (size_t i = 0; i < r->findings->n; i++) {
            if (r->findings->item[i].severity == (enum severity)s)
                finding(out, &r->findings->item[i]);
        }
    }
    buf_puts(out, "</section>\n");
}

static void cell(struct buf *out, const char *name, const char *value, bool right)
{
    buf_printf(out, "<td data-name=\"%s\"%s>", name, right ? " class=\"n\"" : "");
    html_text(out, value);
    buf_puts(out, "</td>");
}

static void table_row(struct buf *out, const struct report *r, size_t i)
{
    const struct probe_target *t = &r->targets[i];
    const struct probe_result *a = &r->results[i];
    const char *state = report_state(r, i);
    char left[WHEN_TEXT_MAX] = "-", n[48] = "-", until[WHEN_TEXT_MAX] = "-", text[160];
    if (report_is_crl(r, i))
        report_left_text(report_left(r, i), left);
    if (report_has_crl(r, i)) {
        crl_number_format(&a->facts.number, n);
        when_format(a->facts.next_update, until);
    }
    buf_printf(out, "<tr><td data-name=\"State\"><b class=\"%s\">%s</b></td>",
               class_of(severity_of_state(state)), state);
    cell(out, "Location", t->url, false);
    cell(out, "Server", t->as_client ? "as clients (caches allowed)" : report_server(r, i), false);
    snprintf(text, sizeof text, "key %u %s%s", t->key_index, location_role_name(t->role),
             t->parent ? " (parent)" : "");
    cell(out, "CRL", text, false);
    cell(out, "Number", n, true);
    cell(out, "nextUpdate", until, false);
    cell(out, "Runway", left, true);
    snprintf(text, sizeof text, "%" PRId64 " ms", a->total_ms);
    cell(out, "Time", text, true);
    buf_puts(out, "</tr>\n");
}

static void table(struct buf *out, const struct report *r)
{
    buf_puts(out,
             "<section><h2>Locations</h2>\n<table><thead><tr><th scope=\"col\">State</th>"
             "<th scope=\"col\">Location</th><th scope=\"col\">Server</th><th scope=\"col\">CRL"
             "</th><th scope=\"col\">Number</th><th scope=\"col\">nextUpdate</th>"
             "<th scope=\"col\">Runway</th><th scope=\"col\">Time</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < r->n; i++)
        table_row(out, r, i);
    buf_puts(out, "</tbody></table></section>\n");
}

struct change_list {
    struct buf *out;
    const struct report *r;
    size_t n;
};

static void change(void *arg, const struct report_change *c)
{
    struct change_list *l = arg;
    const struct probe_target *t =
        c->now == SIZE_MAX ? &l->r->before->targets[c->before] : &l->r->targets[c->now];
    l->n++;
    buf_printf(l->out, "<article class=\"%s\"><h3><b class=\"%s\">%s</b> ",
               c->worse ? "bad" : "good", c->worse ? "bad" : "good",
               c->worse ? "worse" : "changed");
    html_text(l->out, t->url);
    if (t->address[0]) {
        buf_puts(l->out, " at ");
        html_text(l->out, t->address);
    }
    buf_puts(l->out, "</h3><p>");
    html_text(l->out, c->text);
    buf_puts(l->out, "</p></article>\n");
}

static void comparison(struct buf *out, const struct report *r)
{
    struct change_list l = {out, r, 0};
    char when[WHEN_TEXT_MAX];
    if (!r->before)
        return;
    buf_printf(out, "<section><h2>Compared with <time>%s</time></h2>\n",
               when_format(r->before->generated, when));
    size_t worse = report_compare(r, change, &l);
    buf_printf(out, "<p>%zu location%s differ%s, %zu worse than before.</p></section>\n", l.n,
               l.n == 1 ? "" : "s", l.n == 1 ? "s" : "", worse);
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
    (void)err;
    head(out, r);
    title(out, r);
    runway(out, r);
    maintenance(out, r->maintenance);
    html_chart(out, r);
    findings(out, r);
    comparison(out, r);
    table(out, r);
    html_history(out, r);
    hsm(out, r->hsm);
    buf_puts(out, "</main>\n<footer><p class=\"dim\">crlagent " CRLAGENT_VERSION);
    if (r->host[0]) {
        buf_puts(out, " on ");
        html_text(out, r->host);
    }
    buf_puts(out, "</p></footer>\n</body>\n</html>\n");
    return ERR_OK;
}
