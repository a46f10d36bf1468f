/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/pattern.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Where the segment pat[0..n) ends when it begins at t, or NULL. */
static const char *segment_at(const char *t, const char *end, const char *pat, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_blank(pat[i])) {
            if (t == end || !is_blank(*t))
                return NULL;
            while (t < end && is_blank(*t))
                t++;
            while (i + 1 < n && is_blank(pat[i + 1]))
                i++;
        } else {
            if (t == end || lower(*t) != lower(pat[i]))
                return NULL;
            t++;
        }
    }
    return t;
}

const char *pattern_find(const char *text, size_t len, const char *pattern)
{
    const char *end = text + len;
    const char *first = NULL;
    const char *t = text;
    bool any = false;
    for (const char *p = pattern; *p;) {
        size_t n = strcspn(p, "*");
        if (n) {
            const char *after = NULL;
            for (; t <= end && !(after = segment_at(t, end, p, n)); t++)
                ;
            if (!after)
                return NULL;
            if (!first)
                first = t;
            t = after;
            any = true;
        }
        p += n;
        p += *p == '*';
    }
    return any ? first : NULL;
}

bool pattern_has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    while (*list) {
        size_t k = strcspn(list, " ");
        if (k == n && n && memcmp(list, word, n) == 0)
            return true;
        list += k;
        list += strspn(list, " ");
    }
    return false;
}
