/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What the text of a shell, as far as it has come, means. Pure: (family, text) -> sight. */
#ifndef CRLAGENT_DRIVER_RECOGNISE_H
#define CRLAGENT_DRIVER_RECOGNISE_H

#include <stdbool.h>
#include <stddef.h>

#include "driver/family.h"

enum seen {
    SEEN_NOTHING,  /* not finished */
    SEEN_DONE,     /* a result line, then the prompt at the end */
    SEEN_PROMPT,   /* the prompt at the end, no result line before it */
    SEEN_QUESTION, /* a proceed/quit question waits for input */
    SEEN_INPUT,    /* "> " waits for input and it is not such a question */
    SEEN_STOP,     /* a text at which a person must take over */
    SEEN_LOGIN_USER,
    SEEN_LOGIN_PASSWORD,
    SEEN_LOGIN_REFUSED,
};

struct sight {
    enum seen seen;
    long result;                    /* DONE: the number */
    char result_text[64];           /* DONE: what stands in parentheses */
    size_t body_end;                /* DONE: length of the text before the result line */
    char prompt[80];                /* DONE, PROMPT: the whole prompt */
    bool exact;                     /* DONE: nothing but blank lines between result and prompt */
    const struct family_rule *rule; /* STOP */
};

struct sight recognise(const struct family *f, const char *text, size_t len);

/* Text before login on a console or right after a shell was opened: also sees the login prompts. */
struct sight recognise_login(const struct family *f, const char *text, size_t len);

/* Offset of the first character after the echo of `command` and its line end; 0 when the echo is
 * not there. White space is ignored on both sides, because a shell wraps long lines. */
size_t recognise_echo(const char *text, size_t len, const char *command);

/* Does the question offer 'quit'? Only then may it be sent. */
bool recognise_offers_quit(const char *text, size_t len);

#endif
