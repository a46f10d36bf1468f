/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "base/lines.h"

void lines_end(struct lines *l)
{
    l->text[l->len] = '\0';
    if (l->len && l->each)
        l->each(l->self, l->text);
    l->len = 0;
}

void lines_feed(struct lines *l, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '\n' || c == '\r')
            lines_end(l);
        else if (l->len < LINES_CHARS_MAX)
            l->text[l->len++] = c < 0x20 || c == 0x7F ? '.' : (char)c;
    }
}
