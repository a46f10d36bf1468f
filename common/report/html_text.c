/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The one way by which anything that came from outside gets into the page. */
#include <string.h>

#include "base/str.h"
#include "report/report_int.h"

#define TOGETHER_MAX 40 /* longer pieces must stay breakable on a narrow screen */

static void escaped(struct buf *out, const char *text, size_t n, bool utf8)
{
    static const struct {
        char c;
        const char *name;
    } names[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        const char *name = NULL;
        for (size_t k = 0; k < ARRAY_LEN(names); k++)
            name = names[k].c == text[i] ? names[k].name : name;
        if (name)
            buf_puts(out, name);
        else if (c < 0x20 || c == 0x7F)
            buf_putc(out, ' ');
        else
            buf_putc(out, c >= 0x80 && !utf8 ? '?' : (char)c);
    }
}

void html_text(struct buf *out, const char *text)
{
    size_t n = strlen(text);
    escaped(out, text, n, str_is_utf8(text, n));
}

/* A time or an option of a command is read, and copied, as one piece. */
static bool together(const char *word, size_t n)
{
    bool time = n == 20 && word[4] == '-' && word[10] == 'T' && word[19] == 'Z';
    return n <= TOGETHER_MAX && n > 1 && (time || word[0] == '-');
}

void html_prose(struct buf *out, const char *text)
{
    bool utf8 = str_is_utf8(text, strlen(text));
    while (*text) {
        size_t n = strcspn(text, " ");
        size_t comma = n && strchr(",;", text[n - 1]) ? 1 : 0;
        bool nb = together(text, n - comma);
        buf_puts(out, nb ? "<span class=\"nb\">" : "");
        escaped(out, text, n, utf8);
        buf_puts(out, nb ? "</span>" : "");
        text += n;
        for (; *text == ' '; text++)
            buf_putc(out, ' ');
    }
}
