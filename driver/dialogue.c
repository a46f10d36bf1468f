/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/dialogue.h"

#include <string.h>

#include "base/str.h"
#include "driver/pattern.h"
#include "driver/recognise.h"

#define TICK_MS 1000
#define QUESTION_SPAN_MAX 600 /* characters from the words of a known question to its '>' */
#define QUESTION_SETTLE_MS 150
#define LOGIN_SETTLE_MS                                                                            \
    2000 /* a login prompt in the middle of a command is believed after that                       \
          */

const char *outcome_name(enum outcome o)
{
    static const char *const names[] = {
        [OUTCOME_DONE] = "done",       [OUTCOME_NO_RESULT] = "no-result",
        [OUTCOME_REFUSED] = "refused", [OUTCOME_STOPPED] = "stopped",
        [OUTCOME_LOST] = "lost",       [OUTCOME_TIMEOUT] = "timeout",
    };
    return (size_t)o < ARRAY_LEN(names) ? names[o] : "unknown";
}

void exchange_free(struct exchange *x)
{
    buf_free(&x->body);
}

bool exchange_ok(const struct exchange *x)
{
    return x->outcome == OUTCOME_DONE && x->result == 0 && !x->bad && !x->good_missing;
}

void dialogue_init(struct dialogue *d, struct transport *t, const struct family *f,
                   const struct clock *clock, struct transcript *tr)
{
    memset(d, 0, sizeof *d);
    d->transport = t;
    d->family = f;
    d->clock = clock;
    d->transcript = tr;
    d->settle_ms = 300;
    screen_init(&d->screen);
}

void dialogue_free(struct dialogue *d)
{
    screen_free(&d->screen);
}

/* Tab completes, '?' asks for help, Ctrl-C ends the shell: nothing like that is ever typed. */
static int refuse_control(const char *text, struct err *err)
{
    for (const char *p = text; *p; p++) {
        if (*p < 0x20 || *p > 0x7E || *p == '?')
            return err_set(err, ERR_INVALID,
                           "a command holds a character that is never typed (position %d)",
                           (int)(p - text) + 1);
    }
    return ERR_OK;
}

static int type_line(struct dialogue *d, const char *text, struct err *err)
{
    SCOPED(buf_free) struct buf line = BUF_INIT;
    int rc = refuse_control(text, err);
    if (rc)
        return rc;
    buf_printf(&line, "%s%s", text, d->transport->eol);
    rc = buf_check(&line, "command", err);
    return rc ? rc : d->transport->ops->write(d->transport->self, line.data, line.len, err);
}

static void note(struct dialogue *d, const char *what, const char *text)
{
    SCOPED(buf_free) struct buf b = BUF_INIT;
    buf_printf(&b, "%s%s", what, text);
    transcript_note(d->transcript, clock_now(d->clock), buf_str(&b));
}

/* One read into the screen. */
static int take(struct dialogue *d, int64_t timeout_ms, struct err *err)
{
    char block[8192];
    size_t n = 0;
    int rc = d->transport->ops->read(d->transport->self, block, sizeof block, timeout_ms, &n, err);
    if (rc)
        return rc;
    transcript_received(d->transcript, block, n);
    if (screen_feed(&d->screen, block, n))
        return err_set(err, ERR_LIMIT, "the answer is larger than %u bytes", SCREEN_BYTES_MAX);
    return ERR_OK;
}

/* Nothing more for so long: then the prompt or question at the end really is the end. */
static bool is_quiet(struct dialogue *d, int64_t ms)
{
    struct err err = ERR_INIT;
    /* A connection that has just ended says nothing more either. */
    return take(d, ms, &err) != ERR_OK;
}

/* ---- one command ---- */

struct run {
    struct dialogue *d;
    const struct dialogue_command *c;
    struct exchange *x;
    int64_t start, heard, ticked; /* mono_ms */
    size_t answered;              /* text up to here has been dealt with */
    bool quit_sent;
};

static void close_now(struct dialogue *d)
{
    d->open = false;
    d->transport->ops->close(d->transport->self);
    transcript_flush(d->transcript);
}

static int stop(struct run *r, enum outcome o, const char *text)
{
    r->x->outcome = o;
    r->x->stop_text = text;
    /* Whatever waits for input goes on waiting there when a line survives its connection. */
    const struct transport *t = r->d->transport;
    r->d->left_waiting = o == OUTCOME_STOPPED && t->survives && !t->by_hand;
    close_now(r->d);
    return 1;
}

/* Without the echo of the command: it may hold the authorization code. */
static void keep_question(struct run *r, const char *text, size_t len)
{
    size_t from = recognise_echo(text, len, r->c->text);
    if (len - from > sizeof r->x->question - 1)
        from = len - (sizeof r->x->question - 1);
    memcpy(r->x->question, text + from, len - from);
    r->x->question[len - from] = '\0';
}

/* The rule of a question that may be answered 'proceed': its words are there, and little else after
 * them. A longer text says more than what the rule was written for. */
static const struct family_rule *known_question(const struct run *r, const char *text, size_t len)
{
    const struct family *f = r->d->family;
    const struct family_rule *rule = family_match(f, RULE_QUESTION, r->c->id, text, len);
    const char *at = rule ? pattern_find(text, len, rule->match) : NULL;
    if (!at || (size_t)(text + len - at) > QUESTION_SPAN_MAX ||
        family_match(f, RULE_NEVER, NULL, text, len))
        return NULL;
    return rule;
}

/* The whole policy of answering: a known question of this command gets 'proceed', any other
 * proceed/quit question gets 'quit', any other input gets nothing at all. Typing 'quit' at a
 * password prompt would be a failed login, and three of those zeroize the HSM. */
static int answer(struct run *r, const char *text, size_t len)
{
    struct dialogue *d = r->d;
    struct err err = ERR_INIT;
    keep_question(r, text, len);
    const struct family_rule *known = known_question(r, text, len);
    if (known && !r->quit_sent) {
        note(d, "answering 'proceed' to the question ", known->id);
        r->x->proceeded = true;
        if (type_line(d, "proceed", &err))
            return stop(r, OUTCOME_LOST, NULL);
    } else if (recognise_offers_quit(text, len)) {
        bool never = family_match(d->family, RULE_NEVER, NULL, text, len) != NULL;
        note(d,
             "answering 'quit': ", never ? "this question is never answered" : "unknown question");
        r->quit_sent = true;
        if (type_line(d, "quit", &err))
            return stop(r, OUTCOME_LOST, NULL);
    } else {
        return stop(r, OUTCOME_STOPPED,
                    "the appliance waits for input that this program does not know");
    }
    r->answered = d->screen.text.len;
    r->heard = clock_mono_ms(d->clock);
    return 0;
}

static void finish(struct run *r, const struct sight *s)
{
    struct exchange *x = r->x;
    const char *text = buf_str(&r->d->screen.text);
    size_t from = recognise_echo(text, s->body_end, r->c->text);
    x->outcome = r->quit_sent ? OUTCOME_REFUSED : OUTCOME_DONE;
    x->result = s->result;
    str_copy(x->result_text, sizeof x->result_text, s->result_text);
    buf_add(&x->body, text + from, s->body_end - from);
}

enum looked { LOOK_MORE, LOOK_AGAIN, LOOK_ENDED };

/* A console that asks for the account again has booted, or its shell has ended: the command has
 * no result any more, and nothing may be typed there. */
static enum looked look_for_login(struct run *r)
{
    struct dialogue *d = r->d;
    const struct buf *t = &d->screen.text;
    struct sight s = recognise_login(d->family, buf_str(t), t->len);
    /* Or it has taken what we typed for an account, and wants the password of that. */
    bool asks = s.seen == SEEN_LOGIN_USER ||
                (s.seen == SEEN_LOGIN_PASSWORD &&
                 family_match(d->family, RULE_LOGIN_USER, NULL, buf_str(t), t->len));
    if (!d->transport->console_login || !asks)
        return LOOK_MORE;
    if (!is_quiet(d, LOGIN_SETTLE_MS))
        return LOOK_AGAIN;
    note(d, "connection ended: ", "the console asks for a login");
    stop(r, OUTCOME_LOST, NULL);
    return LOOK_ENDED;
}

/* Looks at what is there. AGAIN: something came while it was waited for silence. */
static enum looked look(struct run *r)
{
    struct dialogue *d = r->d;
    const struct buf *t = &d->screen.text;
    struct sight s = recognise(d->family, buf_str(t), t->len);
    switch (s.seen) {
    case SEEN_STOP:
        stop(r, OUTCOME_STOPPED, s.rule->text);
        return LOOK_ENDED;
    case SEEN_QUESTION:
    case SEEN_INPUT:
        if (t->len <= r->answered)
            return LOOK_MORE;
        if (!is_quiet(d, QUESTION_SETTLE_MS))
            return LOOK_AGAIN;
        return answer(r, buf_str(t) + r->answered, t->len - r->answered) ? LOOK_ENDED : LOOK_MORE;
    case SEEN_DONE:
        if (!(s.exact && strcmp(s.prompt, d->prompt) == 0) && !is_quiet(d, d->settle_ms))
            return LOOK_AGAIN;
        finish(r, &s);
        return LOOK_ENDED;
    case SEEN_PROMPT:
        /* Text that looks like a prompt: believed only when nothing follows for long. */
        if (!is_quiet(d, d->settle_ms * 7))
            return LOOK_AGAIN;
        r->x->outcome = r->quit_sent ? OUTCOME_REFUSED : OUTCOME_NO_RESULT;
        buf_puts(&r->x->body, buf_str(t));
        return LOOK_ENDED;
    default:
        return look_for_login(r);
    }
}

static void tick(struct run *r, int64_t now)
{
    struct dialogue *d = r->d;
    const struct buf *t = &d->screen.text;
    const struct family_rule *ped = family_match(d->family, RULE_PED, r->c->id, buf_str(t), t->len);
    r->x->ped = r->x->ped || ped;
    if (d->watch.tick && (now - r->ticked >= TICK_MS || (ped && r->ticked == r->start))) {
        d->watch.tick(d->watch.self, r->c->redacted ? r->c->redacted : r->c->text, ped,
                      now - r->start, r->c->total_ms - (now - r->start));
        r->ticked = now;
    }
}

static int wait_for_end(struct run *r)
{
    for (;;) {
        struct err err = ERR_INIT;
        int64_t now = clock_mono_ms(r->d->clock);
        int64_t left = r->c->total_ms - (now - r->start);
        int64_t idle = r->c->idle_ms ? r->c->idle_ms - (now - r->heard) : left;
        tick(r, now);
        if (left <= 0 || idle <= 0)
            return stop(r, OUTCOME_TIMEOUT, NULL);
        int64_t wait = left < idle ? left : idle;
        int rc = take(r->d, wait < TICK_MS ? wait : TICK_MS, &err);
        if (rc == ERR_TIMEOUT)
            continue;
        if (rc) {
            note(r->d, "connection ended: ", err.text);
            return stop(r, OUTCOME_LOST, NULL);
        }
        r->heard = clock_mono_ms(r->d->clock);
        enum looked k;
        do {
            k = look(r);
        } while (k == LOOK_AGAIN);
        if (k == LOOK_ENDED)
            return 1;
    }
}

static void judge_body(const struct family *f, const char *id, struct exchange *x)
{
    const char *text = buf_str(&x->body);
    x->bad = family_match(f, RULE_BAD, id, text, x->body.len);
    bool wanted = false;
    for (size_t i = 0; i < f->n_rules; i++) {
        const struct family_rule *rule = &f->rule[i];
        wanted = wanted || (rule->kind == RULE_GOOD && pattern_has_word(rule->commands, id));
    }
    x->good_missing = wanted && !family_match(f, RULE_GOOD, id, text, x->body.len);
}

/* What the connection said before it ended is worth keeping. */
static void keep_rest(struct run *r)
{
    const struct buf *t = &r->d->screen.text;
    if (r->x->outcome != OUTCOME_DONE && r->x->outcome != OUTCOME_REFUSED && !r->x->body.len) {
        size_t from = recognise_echo(buf_str(t), t->len, r->c->text);
        buf_add(&r->x->body, buf_str(t) + from, t->len - from);
    }
}

int dialogue_run(struct dialogue *d, const struct dialogue_command *c, struct exchange *ret,
                 struct err *err)
{
    const char *shown = c->redacted ? c->redacted : c->text;
    memset(ret, 0, sizeof *ret);
    ret->result = -1;
    if (!d->open)
        return err_set(err, ERR_STATE, "not logged in to the appliance");
    screen_clear(&d->screen);
    int64_t now = clock_mono_ms(d->clock);
    struct run r = {.d = d, .c = c, .x = ret, .start = now, .heard = now, .ticked = now};
    note(d, "typing: ", shown);
    d->transport->expect = c->expect;
    int rc = type_line(d, d->transport->by_hand ? shown : c->text, err);
    d->transport->expect = NULL;
    if (rc == ERR_INVALID || rc == ERR_NOMEM || rc == ERR_LIMIT)
        return rc;
    if (rc)
        stop(&r, OUTCOME_LOST, NULL);
    else
        wait_for_end(&r);
    keep_rest(&r);
    judge_body(d->family, c->id, ret);
    ret->ms = clock_mono_ms(d->clock) - now;
    transcript_flush(d->transcript);
    return d->screen.text.failed ? err_set(err, ERR_LIMIT, "the answer to '%s' is too large", shown)
                                 : ERR_OK;
}
