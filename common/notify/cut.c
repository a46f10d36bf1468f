/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Notices grow with the outage, and what Slack and Teams take does not. */
#include <string.h>

#include "base/str.h"
#include "notify/notice_int.h"

#define WHERE "crlagent report on the CA's host, or its Application log (source crlagent)"
#define TAIL_COST 160u /* of the line that says what is missing */
#define SHORT_MAX 600u

size_t notice_cost_plain(char c)
{
    (void)c;
    return 1;
}

size_t notice_cost_teams(char c)
{
    if (c == '\n')
        return 4;
    if (c == '"' || c == '\\')
        return 2;
    return (unsigned char)c < 0x20 || c == 0x7F ? 6 : 1;
}

size_t notice_cost_slack(char c)
{
    return c == '&' ? 5 : c == '<' || c == '>' ? 4 : 1;
}

static size_t cost_of(const char *text, size_t len, notice_cost cost)
{
    size_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += cost(text[i]);
    return sum;
}

/* How many bytes of text cost at most max, up to a boundary between characters. */
static size_t fitting(const char *text, size_t len, size_t max, notice_cost cost)
{
    size_t n = 0, sum = 0;
    while (n < len && (sum += cost(text[n])) <= max)
        n++;
    while (n && n < len && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    return n;
}

void notice_clip(struct buf *out, const char *text, size_t max, notice_cost cost)
{
    size_t len = strlen(text);
    bool whole = cost_of(text, len, cost) <= max;
    buf_add(out, text, whole ? len : fitting(text, len, max > 4 ? max - 4 : 0, cost));
    if (!whole)
        buf_puts(out, " ...");
}

static size_t count_lines(const char *text)
{
    size_t n = 0;
    while (*text) {
        text += strcspn(text, "\n");
        text += *text == '\n';
        n++;
    }
    return n;
}

void notice_cut(struct buf *out, const char *text, size_t max, notice_cost cost)
{
    if (cost_of(text, strlen(text), cost) <= max) {
        buf_puts(out, text);
        return;
    }
    size_t room = max > TAIL_COST ? max - TAIL_COST : 0, lines = 0;
    for (;;) {
        size_t len = strcspn(text, "\n");
        size_t line = cost_of(text, len, cost) + cost('\n');
        if (line > room)
            break;
        buf_add(out, text, len);
        buf_putc(out, '\n');
        text += len + 1; /* the end is not reached: the whole did not fit */
        room -= line;
        lines++;
    }
    if (!lines && room > 8) {
        size_t len = strcspn(text, "\n");
        buf_add(out, text, fitting(text, len, room - 6, cost));
        buf_puts(out, " ...\n");
        text += len + (text[len] == '\n');
    }
    size_t more = count_lines(text);
    if (more)
        buf_printf(out, "and %zu more: " WHERE, more);
    else
        buf_puts(out, "The rest: " WHERE);
}

struct notice notice_short(const struct notice *n, struct buf *text)
{
    struct notice s = *n;
    notice_cut(text, n->text ? n->text : "", SHORT_MAX, notice_cost_plain);
    s.text = buf_str(text);
    s.url = s.url && strlen(s.url) > 300 ? "" : s.url;
    return s;
}
