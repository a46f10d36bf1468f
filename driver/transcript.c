/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/transcript.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "base/when.h"
#include "driver/digest.h"

static const char mask[] = "********";
static const char authcode_word[] = "-authcode";

struct transcript {
    FILE *file; /* NULL: nothing is kept */
    char *secret[TRANSCRIPT_SECRETS_MAX];
    size_t n;
    struct buf held; /* received, not yet written */
};

enum match { MATCH_NO, MATCH_PART, MATCH_WHOLE };

/* Characters a shell may put inside a wrapped line. */
static bool is_filler(char c)
{
    return isspace((unsigned char)c) || c == '\b';
}

/* Does `word` begin at p, fillers ignored? PART: the text ends before the word does. */
static enum match match_word(const char *p, const char *end, const char *word, const char **ret_end)
{
    if (p < end && *p != *word)
        return MATCH_NO; /* fillers count inside a word only */
    for (; *word; word++) {
        while (p < end && is_filler(*p) && *p != *word)
            p++;
        if (p == end)
            return MATCH_PART;
        if (*p != *word)
            return MATCH_NO;
        p++;
    }
    *ret_end = p;
    return MATCH_WHOLE;
}

/* "-authcode XXXX": the sixteen characters after it, whoever typed them. */
static enum match match_authcode(const char *p, const char *end, const char **ret_start,
                                 const char **ret_end)
{
    const char *at = p;
    enum match m = match_word(p, end, authcode_word, &at);
    if (m != MATCH_WHOLE)
        return m;
    while (at < end && is_filler(*at))
        at++;
    *ret_start = at;
    int n = 0;
    for (; at < end && n < 16 && (isalnum((unsigned char)*at) || *at == '/' || is_filler(*at));
         at++)
        n += !is_filler(*at);
    *ret_end = at;
    return at == end && n < 16 ? MATCH_PART : MATCH_WHOLE;
}

static enum match match_any(const struct transcript *t, const char *p, const char *end,
                            const char **ret_start, const char **ret_end)
{
    enum match part = MATCH_NO;
    for (size_t i = 0; i < t->n; i++) {
        enum match m = match_word(p, end, t->secret[i], ret_end);
        *ret_start = p;
        if (m == MATCH_WHOLE)
            return m;
        if (m == MATCH_PART)
            part = m;
    }
    enum match m = *p == '-' ? match_authcode(p, end, ret_start, ret_end) : MATCH_NO;
    return m == MATCH_NO ? part : m;
}

/* Copies text to ret with secrets masked. Stops where a secret may have begun and is not complete
 * (unless `final`); returns how much was used. */
static size_t redact(const struct transcript *t, const char *text, size_t len, int final,
                     struct buf *ret)
{
    const char *end = text + len;
    const char *p = text;
    while (p < end) {
        const char *start = p;
        const char *stop = p;
        enum match m = match_any(t, p, end, &start, &stop);
        if (m == MATCH_PART && !final)
            break;
        if (m == MATCH_WHOLE && stop > start) {
            buf_add(ret, p, (size_t)(start - p));
            buf_puts(ret, mask);
            p = stop;
        } else if (m == MATCH_PART && *p == '-' && stop > start && start > p) {
            /* the text ends inside a code that was typed: nothing of it is kept */
            buf_add(ret, p, (size_t)(start - p));
            buf_puts(ret, mask);
            p = end;
        } else {
            buf_putc(ret, *p++);
        }
    }
    return (size_t)(p - text);
}

int transcript_open(const char *path, struct transcript **ret, struct err *err)
{
    struct transcript *t = calloc(1, sizeof *t);
    if (!t)
        return err_nomem(err);
    int rc = path ? file_open(path, "ab", &t->file, err) : ERR_OK;
    if (rc)
        free(t);
    else
        *ret = t;
    return rc;
}

int transcript_hide(struct transcript *t, const char *secret, struct err *err)
{
    if (strlen(secret) < TRANSCRIPT_SECRET_MIN)
        return ERR_OK;
    for (size_t i = 0; i < t->n; i++) {
        if (strcmp(t->secret[i], secret) == 0)
            return ERR_OK;
    }
    if (t->n == TRANSCRIPT_SECRETS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d secrets", TRANSCRIPT_SECRETS_MAX);
    t->secret[t->n] = str_dup(secret);
    if (!t->secret[t->n])
        return err_nomem(err);
    t->n++;
    return ERR_OK;
}

static void write_out(struct transcript *t, int final)
{
    SCOPED(buf_free) struct buf out = BUF_INIT;
    size_t used = redact(t, buf_str(&t->held), t->held.len, final, &out);
    if (t->file && out.len) {
        /* CR would make the file hard to read, and it carries nothing. */
        for (size_t i = 0; i < out.len; i++) {
            if (out.data[i] != '\r')
                fputc(out.data[i], t->file);
        }
        fflush(t->file);
    }
    if (used)
        memmove(t->held.data, t->held.data + used, t->held.len - used + 1);
    t->held.len -= used;
}

void transcript_received(struct transcript *t, const void *bytes, size_t len)
{
    buf_add(&t->held, bytes, len);
    write_out(t, 0);
}

void transcript_flush(struct transcript *t)
{
    write_out(t, 1);
}

void transcript_note(struct transcript *t, int64_t when, const char *text)
{
    char stamp[WHEN_TEXT_MAX];
    transcript_flush(t);
    if (!t->file)
        return;
    SCOPED(buf_free) struct buf out = BUF_INIT;
    redact(t, text, strlen(text), 1, &out);
    fprintf(t->file, "\n## %s %s\n", when_format(when, stamp), buf_str(&out));
    fflush(t->file);
}

void transcript_redact(const struct transcript *t, const char *text, size_t len, struct buf *ret)
{
    redact(t, text, len, 1, ret);
}

void transcript_close(struct transcript **slot)
{
    struct transcript *t = *slot;
    if (!t)
        return;
    transcript_flush(t);
    if (t->file)
        fclose(t->file);
    for (size_t i = 0; i < t->n; i++) {
        secret_wipe(t->secret[i], strlen(t->secret[i]));
        free(t->secret[i]);
    }
    buf_free(&t->held);
    free(t);
    *slot = NULL;
}
