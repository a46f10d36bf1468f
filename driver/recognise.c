/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/recognise.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "driver/pattern.h"

/* A question is looked for in the last part of the text only: an older one has been answered. */
#define QUESTION_TAIL 2048

struct tail {
    const char *line; /* the last line, without blanks at both ends */
    size_t len;
};

static struct tail last_line(const char *text, size_t len)
{
    size_t end = len;
    while (end && (text[end - 1] == ' ' || text[end - 1] == '\t'))
        end--;
    size_t start = end;
    while (start && text[start - 1] != '\n')
        start--;
    while (start < end && (text[start] == ' ' || text[start] == '\t'))
        start++;
    return (struct tail){text + start, end - start};
}

static bool ends_with_nocase(const char *s, size_t n, const char *suffix)
{
    size_t m = strlen(suffix);
    if (m > n)
        return false;
    for (size_t i = 0; i < m; i++) {
        if (tolower((unsigned char)s[n - m + i]) != tolower((unsigned char)suffix[i]))
            return false;
    }
    return true;
}

/* The prompt with the host name in front: noise may stand before the '['. */
static void copy_prompt(const struct tail *t, size_t suffix, char *dst, size_t size)
{
    const char *start = t->line + t->len - suffix;
    const char *p = start;
    while (p > t->line && *p != '[')
        p--;
    if (*p == '[')
        start = p;
    size_t n = (size_t)(t->line + t->len - start);
    if (n >= size)
        n = size - 1;
    memcpy(dst, start, n);
    dst[n] = '\0';
}

static const char *find_last(const char *text, size_t len, const char *needle)
{
    size_t n = strlen(needle);
    if (len < n)
        return NULL;
    for (const char *p = text + len - n;; p--) {
        if (memcmp(p, needle, n) == 0)
            return p;
        if (p == text)
            return NULL;
    }
}

static bool only_blank(const char *from, const char *to)
{
    for (; from < to; from++) {
        if (!isspace((unsigned char)*from))
            return false;
    }
    return true;
}

/* "Command Result : 65535 (Luna Shell execution)"; the words may be wrapped, the number not. */
static bool parse_result(const struct family *f, const char *text, size_t len, const char *end,
                         struct sight *s)
{
    const char *at = find_last(text, len, f->result);
    if (!at)
        return false;
    const char *p = at + strlen(f->result);
    while (p < end && (*p == ' ' || *p == '\n'))
        p++;
    if (p == end || !isdigit((unsigned char)*p))
        return false;
    s->result = 0;
    for (int digits = 0; p < end && isdigit((unsigned char)*p); p++) {
        if (++digits > 9)
            return false;
        s->result = s->result * 10 + (*p - '0');
    }
    while (p < end && (*p == ' ' || *p == '\n'))
        p++;
    if (p == end || *p != '(')
        return false;
    size_t n = 0;
    for (p++; p < end && *p != ')'; p++) {
        if (n + 1 < sizeof s->result_text && *p != '\n')
            s->result_text[n++] = *p;
    }
    if (p == end)
        return false;
    s->result_text[n] = '\0';
    s->body_end = (size_t)(at - text);
    s->exact = only_blank(p + 1, end);
    return true;
}

static bool is_input_line(const struct tail *t)
{
    if (t->len == 1 && t->line[0] == '>')
        return true;
    /* "... or 'quit' to quit now ->" keeps the sign on the line of the question. */
    return t->len > 2 && t->line[t->len - 1] == '>' &&
           (t->line[t->len - 2] == '-' || t->line[t->len - 2] == ' ');
}

static bool asks_proceed(const char *text, size_t len)
{
    return pattern_find(text, len, "type 'proceed'") || pattern_find(text, len, "type proceed");
}

bool recognise_offers_quit(const char *text, size_t len)
{
    size_t from = len > QUESTION_TAIL ? len - QUESTION_TAIL : 0;
    return asks_proceed(text + from, len - from) &&
           pattern_find(text + from, len - from, "quit") != NULL;
}

struct sight recognise(const struct family *f, const char *text, size_t len)
{
    struct sight s;
    memset(&s, 0, sizeof s);
    s.rule = family_match(f, RULE_STOP, NULL, text, len);
    if (s.rule) {
        s.seen = SEEN_STOP;
        return s;
    }
    struct tail t = last_line(text, len);
    if (ends_with_nocase(t.line, t.len, f->prompt)) {
        copy_prompt(&t, strlen(f->prompt), s.prompt, sizeof s.prompt);
        const char *end = t.line + t.len - strlen(s.prompt);
        s.seen = parse_result(f, text, len, end, &s) ? SEEN_DONE : SEEN_PROMPT;
        return s;
    }
    if (is_input_line(&t)) {
        size_t from = len > QUESTION_TAIL ? len - QUESTION_TAIL : 0;
        s.seen = asks_proceed(text + from, len - from) ? SEEN_QUESTION
                 : t.len == 1                          ? SEEN_INPUT
                                                       : SEEN_NOTHING;
    }
    return s;
}

struct sight recognise_login(const struct family *f, const char *text, size_t len)
{
    struct sight s = recognise(f, text, len);
    if (s.seen != SEEN_NOTHING)
        return s;
    struct tail t = last_line(text, len);
    if (!t.len || t.line[t.len - 1] != ':') {
        if (family_match(f, RULE_LOGIN_REFUSED, NULL, text, len))
            s.seen = SEEN_LOGIN_REFUSED;
        return s;
    }
    if (family_match(f, RULE_LOGIN_REFUSED, NULL, text, len))
        s.seen = SEEN_LOGIN_REFUSED;
    else if (family_match(f, RULE_LOGIN_PASSWORD, NULL, t.line, t.len))
        s.seen = SEEN_LOGIN_PASSWORD;
    else if (family_match(f, RULE_LOGIN_USER, NULL, t.line, t.len))
        s.seen = SEEN_LOGIN_USER;
    return s;
}

static bool skipped(char c)
{
    return isspace((unsigned char)c) != 0;
}

/* Length of text used up when command begins at p, 0 when it does not. */
static size_t echo_at(const char *p, const char *end, const char *command)
{
    const char *start = p;
    for (const char *c = command; *c; c++) {
        if (skipped(*c))
            continue;
        while (p < end && skipped(*p))
            p++;
        if (p == end || *p != *c)
            return 0;
        p++;
    }
    return (size_t)(p - start);
}

size_t recognise_echo(const char *text, size_t len, const char *command)
{
    const char *end = text + len;
    const char *limit = len > 4096 ? text + 4096 : end;
    for (const char *p = text; p < limit; p++) {
        size_t n = skipped(*p) ? 0 : echo_at(p, end, command);
        if (!n)
            continue;
        p += n;
        while (p < end && *p != '\n')
            p++;
        return p < end ? (size_t)(p - text) + 1 : len;
    }
    return 0;
}
