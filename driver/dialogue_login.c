/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Opening and closing a conversation: wakes a console, logs in where the stream asks for it, and
 * learns the prompt. */
#include "driver/dialogue.h"

#include <string.h>

#include "base/str.h"
#include "driver/recognise.h"

#define WAKE_MS 1500

struct login {
    struct dialogue *d;
    const struct dialogue_account *a;
    int users, passwords; /* how often each was sent: once is enough */
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

static int send_user(struct login *l, struct err *err)
{
    /* Before any password was sent, a second question means that the console has started anew. */
    if (l->users++)
        return err_set(err, l->passwords ? ERR_DENIED : ERR_UNAVAILABLE,
                       "the console asked for the account a second time");
    return send_line(l, l->a->user, err);
}

static int send_password(struct login *l, struct err *err)
{
    if (!l->a->password)
        return err_set(err, ERR_DENIED,
                       "the console asks for the password of '%s' and none is known", l->a->user);
    if (l->passwords++)
        return err_set(err, ERR_DENIED, "the console refused the password of '%s'", l->a->user);
    return send_line(l, l->a->password, err);
}

/* *ret_done: 1 = the prompt is there and nothing follows it; -1 = something followed, look again.
 */
static int look(struct login *l, int *ret_done, struct err *err)
{
    struct dialogue *d = l->d;
    const struct buf *t = &d->screen.text;
    struct sight s = d->transport->console_login ? recognise_login(d->family, buf_str(t), t->len)
                                                 : recognise(d->family, buf_str(t), t->len);
    switch (s.seen) {
    case SEEN_STOP:
        return err_set(err, ERR_STATE, "%s", s.rule->text);
    case SEEN_LOGIN_USER:
        return send_user(l, err);
    case SEEN_LOGIN_PASSWORD:
        return send_password(l, err);
    case SEEN_LOGIN_REFUSED:
        return err_set(err, ERR_DENIED, "the console refused the login of '%s'", l->a->user);
    case SEEN_DONE:
    case SEEN_PROMPT: {
        /* A message of the day may hold the prompt's text: it is the prompt when it stays last. */
        *ret_done = -1;
        /* A prompt that was the right one before needs less patience. */
        int64_t settle = strcmp(s.prompt, d->last_prompt) == 0 ? d->settle_ms / 3 : d->settle_ms;
        if (read_more(l, settle, err) == ERR_TIMEOUT) {
            err_clear(err);
            str_copy(d->prompt, sizeof d->prompt, s.prompt);
            *ret_done = 1;
        }
        return (int)err->code;
    }
    default:
        return ERR_OK;
    }
}

/* A console says nothing until it is asked; pressing Return is harmless in every state. */
static int wake(struct login *l, int64_t now, struct err *err)
{
    struct transport *t = l->d->transport;
    /* Once the account was sent, an empty line would be an empty password: a failed login. */
    if (!t->console_login || l->users || l->passwords || (l->waked && now - l->waked < WAKE_MS))
        return ERR_OK;
    l->waked = now;
    return t->ops->write(t->self, "\r\n", 2, err);
}

static int until_prompt(struct login *l, struct err *err)
{
    struct dialogue *d = l->d;
    int done = 0;
    for (int rc = ERR_OK; done != 1;) {
        int64_t now = clock_mono_ms(d->clock);
        int64_t left = l->a->total_ms - (now - l->start);
        if (left <= 0)
            return err_set(err, ERR_TIMEOUT, "no prompt '%s' within %lld s", d->family->prompt,
                           (long long)(l->a->total_ms / 1000));
        rc = wake(l, now, err);
        if (!rc)
            rc = read_more(l, left < 1000 ? left : 1000, err);
        if (rc == ERR_TIMEOUT) {
            err_clear(err);
            continue;
        }
        do {
            done = 0;
            rc = rc ? rc : look(l, &done, err);
        } while (!rc && done < 0);
        if (rc)
            return rc;
    }
    return ERR_OK;
}

int dialogue_open(struct dialogue *d, const struct dialogue_account *a, struct err *err)
{
    struct login l = {.d = d, .a = a, .start = clock_mono_ms(d->clock)};
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
