/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* One conversation with an appliance's shell over a transport: type a command, wait for the result
 * line and the prompt, answer only questions the family file knows for that command. Nothing but
 * printable ASCII is ever typed: no Tab, no '?', no Ctrl-C. Not thread-safe. */
#ifndef CRLAGENT_DRIVER_DIALOGUE_H
#define CRLAGENT_DRIVER_DIALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/when.h"
#include "driver/family.h"
#include "driver/screen.h"
#include "driver/transcript.h"
#include "driver/transport.h"

enum outcome {
    OUTCOME_DONE,      /* result line and prompt were seen; look at result and body */
    OUTCOME_NO_RESULT, /* the prompt came back without a result line */
    OUTCOME_REFUSED,   /* a question was answered 'quit'; question holds it */
    OUTCOME_STOPPED,   /* a person must take over (rule says why), or input of an unknown kind is
                          waited for; the connection was closed and nothing was typed */
    OUTCOME_LOST,      /* the connection ended before the result */
    OUTCOME_TIMEOUT,   /* idle or absolute time-out; the connection was closed */
};
const char *outcome_name(enum outcome o);

struct exchange {
    enum outcome outcome;
    long result;                   /* number of the result line; -1 when there was none */
    char result_text[64];          /* its text */
    struct buf body;               /* plain text between echo and result line */
    char question[512];            /* last question asked, "" when none */
    bool proceeded;                /* a question was answered 'proceed' */
    const char *stop_text;         /* STOPPED: what to tell the operator */
    const struct family_rule *bad; /* a pattern of failure found in the body, NULL when none */
    bool good_missing;             /* the family wants a text in the body that is not there */
    bool ped;                      /* the command waited for a PED key */
    int64_t ms;
};
void exchange_free(struct exchange *x); /* for SCOPED() */

/* result 0, and nothing in the body or missing from it speaks against it. Still no proof. */
bool exchange_ok(const struct exchange *x);

/* Called about once a second while a command runs: ped is the rule of the key that is waited for,
 * or NULL; left_ms until the absolute time-out. */
struct dialogue_watch {
    void (*tick)(void *self, const char *command, const struct family_rule *ped, int64_t elapsed_ms,
                 int64_t left_ms);
    void *self;
};

struct dialogue {
    struct transport *transport;
    const struct family *family;
    const struct clock *clock;
    struct transcript *transcript;
    struct dialogue_watch watch; /* may be empty */
    struct screen screen;
    char prompt[80];      /* learned at login; "" = not open */
    char last_prompt[80]; /* of the login before */
    bool open;
    bool left_waiting; /* a line that survives was left at a question: nothing more is typed */
    int passwords;     /* given to a console since a prompt was last seen */
    int64_t settle_ms; /* quiet time after a prompt that was not expected to be the end */
};

struct dialogue_command {
    const char *id;       /* of the family file: which questions may be answered */
    const char *text;     /* as typed */
    const char *redacted; /* for logs and for a person who types; NULL = text */
    const char *expect;   /* for a person who types; may be NULL */
    int64_t idle_ms;      /* nothing received for so long = time-out; 0 = no such limit */
    int64_t total_ms;     /* absolute limit, > 0 */
};

struct dialogue_account {
    const char *user;
    const char *password; /* NULL: none known */
    int64_t total_ms;     /* for connecting and logging in together */
};

void dialogue_init(struct dialogue *d, struct transport *t, const struct family *f,
                   const struct clock *clock, struct transcript *tr);

/* Opens the transport, logs in where the stream asks for it, and waits for the first prompt.
 * ERR_STATE: a person must take over (password change); ERR_DENIED, ERR_CRYPTO, ERR_UNAVAILABLE,
 * ERR_TIMEOUT as from the transport. */
MUST_CHECK int dialogue_open(struct dialogue *d, const struct dialogue_account *a, struct err *err);

/* Runs one command. An error return means that nothing could be typed (ERR_INVALID, ERR_STATE when
 * not open, ERR_NOMEM, ERR_LIMIT); everything else is in *ret, which the caller frees. */
MUST_CHECK int dialogue_run(struct dialogue *d, const struct dialogue_command *c,
                            struct exchange *ret, struct err *err);

/* Leaves the shell ('exit' on a line that survives) and closes. */
void dialogue_close(struct dialogue *d);
void dialogue_free(struct dialogue *d);

#endif
