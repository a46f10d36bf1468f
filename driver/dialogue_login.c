/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Opening and closing a conversation: wakes a console, logs in where the stream asks for it, and
 * learns the prompt. */
#include "driver/dialogue.h"

#include <string.h>

#include "base/str.h"
#include "driver/recognise.h"

#define WAKE_MS 1000
#define ASK_SETTLE_MS 150 /* a login prompt that stays last for so long is a question */
/* A prompt for the account after the account was sent: perhaps the answer to an earlier Return,
 * printed late by a busy appliance. Only one that stays is a console that has started anew. */
#define ASK_AGAIN_MS 3000
#define RESTARTS_MAX 4  /* of the console in one login */
#define PASSWORDS_MAX 3 /* sent without ever seeing a prompt */
#define NEVER_MS (INT64_MAX / 2)

struct login {
    struct dialogue *d;
    const struct dialogue_account *a;
    bool user_sent, password_sent; /* since the console last started */
    int restarts;
    int64_t start, waked; /* mono_ms */
};

static int send_line(struct login *l, const char *text, struct err *err)
{
    struct transport *t = l->d->transport;
    SCOPED(buf_free) struct buf line = BUF_INIT;
    buf_printf(&line, "%s%s", text, t->eol);
    int rc = buf_check(&line, "login", err);
    if (!rc)
        rc = t->ops->write(t->self, line.data, line.len, err);
    screen_clear(&l->d->screen);
    return rc;
}

static int read_more(struct login *l, int64_t ms, struct err *err)
{
    struct dialogue *d = l->d;
    char block[4096];
    size_t n = 0;
    int rc = d->transport->ops->read(d->transport->self, block, sizeof block, ms, &n, err);
    if (rc)
        return rc;
    transcript_received(d->transcript, block, n);
    return screen_feed(&d->screen, block, n)
               ? err_set(err, ERR_LIMIT, "the greeting is larger than %u bytes", SCREEN_BYTES_MAX)
               : ERR_OK;
}

/* The console asks for the account. Again, although it has it: it has booted, or its login has run
 * out of time, and knows nothing of us. That is no refusal; a refusal says so. */
static int send_user(struct login *l, struct err *err)
{
    if (l->user_sent && ++l->restarts > RESTARTS_MAX)
        return err_set(err, ERR_UNAVAILABLE, "the console asked for the account %d times",
                       l->restarts + 1);
    l->user_sent = true;
    l->password_sent = false;
    return send_line(l, l->a->user, err);
}

/* Asked again and not refused: the console has booted meanwhile and taken our password, which was
 * on its way, for an account. Return ends that login. */
static int leave_wrong_login(struct login *l, struct err *err)
{
    l->user_sent = l->password_sent = false;
    return send_line(l, "", err);
}

static int send_password(struct login *l, struct err *err)
{
    if (!l->a->password)
        return err_set(err, ERR_DENIED,
                       "the console asks for the password of '%s' and none is known", l->a->user);
    if (l->password_sent)
        return leave_wrong_login(l, err);
    if (l->d->passwords >= PASSWORDS_MAX)
        return err_set(err, ERR_DENIED,
                       "the console was given the password of '%s' %d times and never said why it "
                       "asks again; it is not sent once more",
                       l->a->user, l->d->passwords);
    l->password_sent = true;
    l->d->passwords++;
    return send_line(l, l->a->password, err);
}

/* How long nothing may follow until what is seen is acted upon: a message of the day may hold the
 * prompt's text, and prompts that were asked for twice come twice. */
static int64_t silence_wanted(const struct login *l, const struct sight *s)
{
    switch (s->seen) {
    case SEEN_STOP:
    case SEEN_LOGIN_REFUSED:
        return 0;
    case SEEN_LOGIN_USER:
        return l->user_sent ? ASK_AGAIN_MS : ASK_SETTLE_MS;
    case SEEN_LOGIN_PASSWORD:
        /* Somebody else's login, which is not for our password: the next Return ends it. */
        return l->user_sent ? ASK_SETTLE_MS : NEVER_MS;
    case SEEN_QUESTION:
    case SEEN_INPUT:
        return l->d->settle_ms * 7; /* a booting machine prints many things */
    case SEEN_DONE:
    case SEEN_PROMPT:
        /* A prompt that was the right one before needs less patience. */
        return strcmp(s->prompt, l->d->last_prompt) == 0 ? l->d->settle_ms / 3 : l->d->settle_ms;
    default:
        return NEVER_MS;
    }
}

/* Another Return could be another wrong password, and three of those zeroize the HSM. */
static int left_open(struct err *err)
{
    return err_set(err, ERR_STATE,
                   "a command was left open there: it waits for input, which this program does not "
                   "know. Nothing more is typed; end it by hand at the console, then start again");
}

/* What is seen is the last word of the other side. *ret_done: the prompt is there. */
static int act(struct login *l, const struct sight *s, bool *ret_done, struct err *err)
{
    struct dialogue *d = l->d;
    switch (s->seen) {
    case SEEN_STOP:
        return err_set(err, ERR_STATE, "%s", s->rule->text);
    case SEEN_LOGIN_USER:
        return send_user(l, err);
    case SEEN_LOGIN_PASSWORD:
        return send_password(l, err);
    case SEEN_LOGIN_REFUSED:
        if (l->password_sent)
            return err_set(err, ERR_DENIED, "the console refused the login of '%s'", l->a->user);
        /* Not ours: our Return met a question for a password that somebody left open. */
        l->user_sent = false;
        screen_clear(&d->screen);
        return ERR_OK;
    case SEEN_QUESTION:
    case SEEN_INPUT:
        return left_open(err);
    default:
        str_copy(d->prompt, sizeof d->prompt, s->prompt);
        d->passwords = 0;
        *ret_done = true;
        return ERR_OK;
    }
}

/* A console says nothing until it is asked. Return is harmless at a prompt and at a login; at a
 * question of a command that somebody left open it is an answer, so only the first one is blind. */
static int wake(struct login *l, const struct sight *s, int64_t now, struct err *err)
{
    struct transport *t = l->d->transport;
    if (s->seen == SEEN_QUESTION || s->seen == SEEN_INPUT)
        return ERR_OK;
    /* Once the account was sent, an empty line would be an empty password: a failed login. */
    if (!t->console_login || l->user_sent || (l->waked && now - l->waked < WAKE_MS))
        return ERR_OK;
    l->waked = now;
    return t->ops->write(t->self, t->eol, strlen(t->eol), err);
}

static struct sight look(const struct login *l)
{
    const struct dialogue *d = l->d;
    const struct buf *t = &d->screen.text;
    return d->transport->console_login ? recognise_login(d->family, buf_str(t), t->len)
                                       : recognise(d->family, buf_str(t), t->len);
}

/* Reads on. *ret_silent: nothing came for as long as what is seen wants. */
static int listen_on(struct login *l, const struct sight *s, int64_t left, bool *ret_silent,
                     struct err *err)
{
    int64_t silence = silence_wanted(l, s);
    int64_t wait = silence < NEVER_MS ? silence : 1000;
    *ret_silent = silence == 0;
    if (*ret_silent)
        return ERR_OK;
    int rc = read_more(l, wait < left ? wait : left, err);
    if (rc != ERR_TIMEOUT)
        return rc;
    err_clear(err);
    *ret_silent = silence < NEVER_MS && wait <= left;
    return ERR_OK;
}

static int until_prompt(struct login *l, struct err *err)
{
    struct dialogue *d = l->d;
    for (bool done = false; !done;) {
        bool silent = false;
        int64_t now = clock_mono_ms(d->clock);
        int64_t left = l->a->total_ms - (now - l->start);
        if (left <= 0)
            return err_set(err, ERR_TIMEOUT, "no prompt '%s' within %lld s", d->family->prompt,
                           (long long)(l->a->total_ms / 1000));
        struct sight s = look(l);
        int rc = wake(l, &s, now, err);
        if (!rc)
            rc = listen_on(l, &s, left, &silent, err);
        if (!rc && silent)
            rc = act(l, &s, &done, err);
        if (rc)
            return rc;
    }
    return ERR_OK;
}

int dialogue_open(struct dialogue *d, const struct dialogue_account *a, struct err *err)
{
    struct login l = {.d = d, .a = a, .start = clock_mono_ms(d->clock)};
    if (d->left_waiting)
        return left_open(err);
    if (d->prompt[0])
        memcpy(d->last_prompt, d->prompt, sizeof d->last_prompt);
    d->prompt[0] = '\0';
    screen_clear(&d->screen);
    transcript_note(d->transcript, clock_now(d->clock), "connecting");
    int rc = d->transport->ops->open(d->transport->self, err);
    if (!rc)
        rc = until_prompt(&l, err);
    transcript_flush(d->transcript);
    if (rc) {
        transcript_note(d->transcript, clock_now(d->clock), err ? err->text : "login failed");
        d->transport->ops->close(d->transport->self);
        return rc;
    }
    d->open = true;
    return ERR_OK;
}

void dialogue_close(struct dialogue *d)
{
    struct transport *t = d->transport;
    if (d->open) {
        /* On a console the next person must not find our shell open. */
        struct err err = ERR_INIT;
        if (t->survives && !t->by_hand) {
            if (t->ops->write(t->self, "exit", 4, &err) == ERR_OK)
                (void)t->ops->write(t->self, t->eol, strlen(t->eol), &err);
        }
        transcript_note(d->transcript, clock_now(d->clock), "closing");
    }
    d->open = false;
    t->ops->close(t->self);
}
