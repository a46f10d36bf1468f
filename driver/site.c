/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Talking to one appliance: logins, commands, uploads, and the one SO login that is tried. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "driver/driver.h"
#include "driver/site.h"
#include "driver/stop.h"

#define LOGOUT_MS 30000
#define BY_HAND_SECONDS (24 * 3600) /* a person types and pastes */

static int64_t ms(int64_t seconds)
{
    return seconds * 1000;
}

static int password_of(struct site *s, const char **ret, struct err *err)
{
    char key[80], prompt[160];
    const char *user = s->a->console == CONSOLE_SERIAL ? s->a->serial.user : s->a->ssh.user;
    if (s->t.by_hand || (s->a->console == CONSOLE_SSH && s->a->ssh.login != SSH_LOGIN_PASSWORD)) {
        *ret = NULL;
        return ERR_OK;
    }
    snprintf(key, sizeof key, "password:%s", s->a->name);
    snprintf(prompt, sizeof prompt, "Password of '%s' on %s", user, s->a->name);
    return secret_get(s->drv, key, prompt, false, ret, err);
}

int site_login(struct site *s, struct err *err)
{
    const char *password = NULL;
    site_leave(s);
    int rc = site_connect_transports(s, err);
    if (!rc)
        rc = password_of(s, &password, err);
    if (rc)
        return rc;
    struct dialogue_account a = {
        .user = s->a->console == CONSOLE_SERIAL ? s->a->serial.user : s->a->ssh.user,
        .password = password,
        .total_ms = ms(s->t.by_hand ? BY_HAND_SECONDS : s->drv->plan.timeouts.connect),
    };
    rc = dialogue_open(&s->d, &a, err);
    s->refused = rc == ERR_DENIED;
    return rc;
}

/* Nobody is to find the Security Officer logged in. What it answers decides nothing. */
static void log_out(struct site *s)
{
    SCOPED(exchange_free) struct exchange x = {0};
    struct err ignored = ERR_INIT;
    struct site_command c = {.id = "logout", .total_ms = LOGOUT_MS};
    (void)!site_run(s, &c, &x, &ignored);
}

void site_leave(struct site *s)
{
    if (s->so && s->t.ops && s->d.open)
        log_out(s);
    s->so = false;
    if (s->t.ops)
        dialogue_close(&s->d);
}

int site_run(struct site *s, const struct site_command *c, struct exchange *ret, struct err *err)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    SCOPED(buf_free) struct buf redacted = BUF_INIT;
    const struct family_command *f = family_command(&s->drv->family, c->id);
    if (!f)
        return err_set(err, ERR_INTERNAL, "the family '%s' has no command '%s'",
                       s->drv->family.name, c->id);
    /* A person types the code himself: we need not know it. */
    const char *code = c->code || !s->t.by_hand ? c->code : "AUTHORIZATIONCOD";
    int rc = family_fill(f, c->file, code, c->name, &text, err);
    if (!rc)
        transcript_redact(s->drv->transcript, buf_str(&text), text.len, &redacted);
    if (rc)
        return rc;
    bool own_limit = s->t.by_hand || c->total_ms; /* long silence is normal there */
    struct dialogue_command d = {
        .id = c->id,
        .text = buf_str(&text),
        .redacted = buf_str(&redacted),
        .expect = f->expect,
        .idle_ms = own_limit ? 0 : ms(s->drv->plan.timeouts.command),
        .total_ms = s->t.by_hand  ? ms(BY_HAND_SECONDS)
                    : c->total_ms ? c->total_ms
                                  : ms(4 * s->drv->plan.timeouts.command),
    };
    rc = dialogue_run(&s->d, &d, ret, err);
    progress_end(s->drv);
    if (!s->d.open)
        s->so = false;
    return rc;
}

/* Why an exchange is no success, in words. */
int site_exchange_error(struct site *s, const char *id, const struct exchange *x, struct err *err)
{
    const struct family_rule *absent =
        family_match(&s->drv->family, RULE_ABSENT, NULL, buf_str(&x->body), x->body.len);
    char line[200] = "";
    const char *e = strstr(buf_str(&x->body), "Error:");
    if (!e)
        e = strstr(buf_str(&x->body), "Command failed:");
    if (e)
        snprintf(line, sizeof line, ": %.*s", (int)strcspn(e, "\n"), e);
    switch (x->outcome) {
    case OUTCOME_LOST:
        return err_set(err, ERR_UNAVAILABLE, "the connection was lost in '%s'", id);
    case OUTCOME_TIMEOUT:
        return err_set(err, ERR_TIMEOUT, "'%s' did not end in time", id);
    case OUTCOME_REFUSED:
        return err_set(err, ERR_STATE, "'%s' asked a question that was answered 'quit': %.300s", id,
                       x->question);
    case OUTCOME_STOPPED:
        return err_set(err, ERR_STATE, "'%s': %s", id, x->stop_text ? x->stop_text : "stopped");
    case OUTCOME_NO_RESULT:
        return err_set(err, ERR_PARSE, "'%s' ended without a result line", id);
    case OUTCOME_DONE:
        break;
    }
    if (absent)
        return err_set(err, ERR_BUSY, "the HSM card does not answer its appliance%s", line);
    if (x->result != 0)
        return err_set(err, ERR_IO, "'%s' ended with result %ld (%s)%s", id, x->result,
                       x->result_text, line);
    if (x->bad)
        return err_set(err, ERR_IO, "'%s' ended with result 0, but its answer holds '%s'%s", id,
                       x->bad->match, line);
    return err_set(err, ERR_IO, "'%s' ended with result 0, but the text of success is missing", id);
}

int site_ask(struct site *s, const char *id, const char *name, struct buf *body, struct err *err)
{
    SCOPED(exchange_free) struct exchange x = {0};
    struct site_command c = {.id = id, .name = name};
    int rc = s->d.open ? ERR_OK : site_login(s, err);
    if (!rc)
        rc = site_run(s, &c, &x, err);
    if (rc)
        return rc;
    if (!exchange_ok(&x))
        return site_exchange_error(s, id, &x, err);
    buf_add(body, buf_str(&x.body), x.body.len);
    return buf_check(body, id, err);
}

static int show_now(struct site *s, struct luna_show *ret, struct err *err)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    int rc = site_ask(s, "show", NULL, &body, err);
    if (!rc)
        rc = luna_parse_show(buf_str(&body), ret, err);
    if (!rc)
        s->show = *ret;
    return rc;
}

int site_fresh_show(struct site *s, struct luna_show *ret, struct err *err)
{
    int rc = site_login(s, err);
    return rc ? rc : show_now(s, ret, err);
}

/* ---- the SO login ---- */

static int may_login(struct site *s, struct err *err)
{
    struct luna_show show;
    struct journal_step before;
    int rc = journal_step(s->drv->journal, s->a->name, "so-login", &before, err);
    if (rc)
        return rc;
    if ((before.state == STEP_FAILED || before.state == STEP_BEGUN) && !s->drv->opt.retry_so_login)
        return err_set(
            err, ERR_DENIED,
            "an SO login on %s %s before (%s); it is not tried again by itself. Look at the "
            "PED and the key, then: hsmupgrade resume --retry-so-login",
            s->a->name, before.state == STEP_FAILED ? "failed" : "was not finished", before.detail);
    rc = show_now(s, &show, err);
    if (rc)
        return rc;
    if (str_eq_nocase(show.login_status, "Logged In"))
        return err_set(err, ERR_DENIED,
                       "no SO login on %s: the SO is logged in already, in another session. Two "
                       "people, or two programs, work on this HSM: let that one finish and leave",
                       s->a->name);
    if (strcmp(show.attempts, LUNA_ATTEMPTS_FULL) != 0)
        return err_set(err, ERR_DENIED,
                       "no SO login on %s: expected '%s', found '%s'. A person must log in "
                       "successfully first; that sets the counter back",
                       s->a->name, LUNA_ATTEMPTS_FULL, show.attempts);
    return ERR_OK;
}

static void tell_attempts(struct site *s)
{
    struct luna_show show;
    struct err ignored = ERR_INIT;
    int rc = s->d.open ? show_now(s, &show, &ignored) : site_fresh_show(s, &show, &ignored);
    if (rc)
        say(s->drv, s->a->name, "the attempts left could not be read: %s", ignored.text);
    else
        say(s->drv, s->a->name, "attempts left now: %s", show.attempts);
}

int site_so_login(struct site *s, struct err *err)
{
    SCOPED(exchange_free) struct exchange x = {0};
    struct driver *drv = s->drv;
    struct site_command c = {.id = "login", .total_ms = ms(drv->plan.timeouts.ped)};
    if (s->so && s->d.open)
        return ERR_OK;
    int rc = s->d.open ? ERR_OK : site_login(s, err);
    if (!rc)
        rc = may_login(s, err);
    if (!rc)
        rc = journal_set(drv->journal, clock_now(drv->clock), s->a->name, "so-login", STEP_BEGUN,
                         "", err);
    if (rc)
        return rc;
    /* One permission, one attempt. */
    drv->opt.retry_so_login = false;
    say(drv, s->a->name, "SO login: have the blue PED key (Security Officer) ready at %s",
        s->a->name);
    rc = site_run(s, &c, &x, err);
    if (rc)
        return rc;
    s->so = exchange_ok(&x);
    if (!s->so)
        site_exchange_error(s, "hsm login", &x, err);
    struct err later = ERR_INIT;
    rc = journal_set(drv->journal, clock_now(drv->clock), s->a->name, "so-login",
                     s->so ? STEP_DONE : STEP_FAILED, s->so ? "" : err->text, &later);
    if (s->so)
        return rc;
    tell_attempts(s);
    err->code = ERR_DENIED;
    return err_context(err, "SO login");
}

/* ---- upload ---- */

struct upload_state {
    struct site *s;
    uint64_t size;
    int64_t start;
};

static int on_progress(void *arg, uint64_t done)
{
    struct upload_state *u = arg;
    progress_transfer(u->s->drv, u->s->a->name, done, u->size,
                      clock_mono_ms(u->s->drv->clock) - u->start);
    return stop_wanted();
}

int site_put(struct site *s, const struct plan_package *k, uint64_t size, struct err *err)
{
    struct driver *drv = s->drv;
    struct upload_state state = {s, size, clock_mono_ms(drv->clock)};
    struct version v, first = {{7, 9, 0}, -1};
    bool sftp =
        version_parse(s->show.software, &v, NULL) == ERR_OK && version_compare(&v, &first) >= 0;
    struct upload u = {k->file, k->name, size, sftp, on_progress, &state};
    struct transport *t = s->file.ops ? &s->file : &s->t;
    int rc = t->ops->put_file(t->self, &u, err);
    progress_end(drv);
    int64_t spent = clock_mono_ms(drv->clock) - state.start;
    if (!rc && !t->by_hand)
        say(drv, s->a->name, "%s: %llu bytes by %s in %.1f s (%.1f MiB/s)", k->name,
            (unsigned long long)size, sftp ? "SFTP" : "SCP", (double)spent / 1000.0,
            spent > 0 ? (double)size / 1048576.0 / ((double)spent / 1000.0) : 0.0);
    return rc;
}
