/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What mail programs agree on is the HTML of tables and inline styles: no style sheet, no script,
 * no picture, no link. */
#include <string.h>

#include "base/when.h"
#include "notify/notice_int.h"

#define LINES_MAX 200u /* the text part has them all */

static void escape(struct buf *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '&')
            buf_puts(out, "&amp;");
        else if (c == '<')
            buf_puts(out, "&lt;");
        else if (c == '>')
            buf_puts(out, "&gt;");
        else if (c == '"')
            buf_puts(out, "&quot;");
        else if (c < 0x20 || c == 0x7F)
            buf_putc(out, ' ');
        else
            buf_putc(out, (char)c);
    }
}

/* Dark enough for white letters on it. */
static const char *colour(const struct notice *n)
{
    if (n->recovered)
        return "#1a6b34";
    return n->severity == SEV_CRITICAL  ? "#a4161a"
           : n->severity == SEV_WARNING ? "#8a4b00"
                                        : "#1f4e79";
}

static void row(struct buf *out, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    buf_printf(out,
               "<tr><th align=\"left\" valign=\"top\" style=\"padding:2px 12px 2px 0\">%s</th>"
               "<td style=\"padding:2px 0;word-break:break-all\">",
               name);
    escape(out, value, strlen(value));
    buf_puts(out, "</td></tr>\n");
}

static void lines(struct buf *out, const char *text)
{
    size_t n = 0, left = 0;
    for (size_t len; *text; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        if (len == 0)
            continue;
        if (n == LINES_MAX) {
            left++;
            continue;
        }
        buf_printf(out,
                   "<tr><td bgcolor=\"%s\" style=\"padding:6px 8px;border-bottom:1px solid "
                   "#cccccc;word-break:break-word\">",
                   n++ % 2 ? "#ffffff" : "#f4f4f4");
        escape(out, text, len);
        buf_puts(out, "</td></tr>\n");
    }
    if (left)
        buf_printf(out,
                   "<tr><td style=\"padding:6px 8px\">and %zu more: in the text part of this "
                   "mail</td></tr>\n",
                   left);
}

int notice_page(const struct notice *n, struct buf *ret, struct err *err)
{
    char when[WHEN_TEXT_MAX];
    const char *title = n->title ? n->title : "";
    buf_puts(ret, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
    escape(ret, title, strlen(title));
    buf_printf(ret,
               "</title></head>\n<body bgcolor=\"#ffffff\" style=\"margin:0;padding:12px;"
               "font-family:Segoe UI,Arial,sans-serif;font-size:14px;color:#1b1b1b\">\n"
               "<table role=\"presentation\" width=\"100%%\" cellpadding=\"0\" cellspacing=\"0\">\n"
               "<tr><td bgcolor=\"%s\" style=\"padding:8px;color:#ffffff;font-weight:bold\">%s: ",
               colour(n), notice_word(n));
    escape(ret, title, strlen(title));
    buf_puts(ret, "</td></tr>\n</table>\n<table style=\"margin:10px 0\">\n");
    row(ret, "When", when_format(n->when, when));
    row(ret, "CA", n->ca);
    row(ret, "Change", n->change_id);
    row(ret, "Location", n->url);
    buf_puts(ret, "</table>\n<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" "
                  "cellspacing=\"0\">\n");
    lines(ret, n->text ? n->text : "");
    buf_puts(ret, "</table>\n");
    if (n->report && *n->report)
        buf_puts(ret, "<p>The whole health report is attached: crl-health.html</p>\n");
    buf_puts(ret, "</body></html>\n");
    return buf_check(ret, "the mail", err);
}
