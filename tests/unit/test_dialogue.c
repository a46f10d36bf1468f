/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "driver/dialogue.h"
#include "driver/pattern.h"
#include "driver/recognise.h"

#define P "[local_host] lunash:>"
#define OK_END "\r\n\r\nCommand Result : 0 (Success)\r\n" P

/* A clock that only moves when somebody waits. */
struct fake_clock {
    int64_t ms;
};
static int64_t fake_now(void *self)
{
    return 1700000000 + ((struct fake_clock *)self)->ms / 1000;
}
static int64_t fake_mono(void *self)
{
    return ((struct fake_clock *)self)->ms;
}
static int fake_sleep(void *self, int64_t ms)
{
    ((struct fake_clock *)self)->ms += ms;
    return 0;
}
static const struct clock_ops fake_clock_ops = {fake_now, fake_mono, fake_sleep};

/* A scripted appliance: after the line `typed` was written, `says` arrives piece by piece ('|'
 * separates pieces that come a second apart; '^' ends the connection). */
struct turn {
    const char *typed; /* NULL: said after open */
    const char *says;
};
struct fake {
    const struct turn *turn;
    size_t n, at;
    struct buf typed;      /* everything that was typed, a line each */
    const char *pending;   /* what is still to be said */
    int64_t waited;        /* ms of the present pause that are over */
    struct fake_clock clk; /* moves on time-outs */
    int closed;
};

static int fake_open(void *self, struct err *err)
{
    struct fake *f = self;
    (void)err;
    f->pending = f->at < f->n && !f->turn[f->at].typed ? f->turn[f->at++].says : "";
    return ERR_OK;
}

static int fake_write(void *self, const void *bytes, size_t len, struct err *err)
{
    struct fake *f = self;
    (void)err;
    buf_add(&f->typed, bytes, len);
    const char *line = bytes;
    size_t n = strcspn(line, "\r\n");
    if (f->at < f->n && strlen(f->turn[f->at].typed) == n &&
        memcmp(line, f->turn[f->at].typed, n) == 0)
        f->pending = f->turn[f->at++].says;
    return ERR_OK;
}

static int fake_read(void *self, void *bytes, size_t cap, int64_t timeout_ms, size_t *ret_n,
                     struct err *err)
{
    struct fake *f = self;
    if (*f->pending == '^')
        return err_set(err, ERR_UNAVAILABLE, "closed by the other side");
    for (; *f->pending == '|'; f->pending++) {
        int64_t wait = 1000 - f->waited < timeout_ms ? 1000 - f->waited : timeout_ms;
        f->clk.ms += wait;
        f->waited += wait;
        timeout_ms -= wait;
        if (f->waited < 1000 || (timeout_ms == 0 && f->pending[1] == '|'))
            return err_set(err, ERR_TIMEOUT, "silence");
        f->waited = 0;
    }
    if (!*f->pending) {
        f->clk.ms += timeout_ms;
        return err_set(err, ERR_TIMEOUT, "silence");
    }
    size_t n = strcspn(f->pending, "|^");
    n = n < cap ? n : cap;
    memcpy(bytes, f->pending, n);
    f->pending += n;
    *ret_n = n;
    return ERR_OK;
}

static void fake_close(void *self)
{
    ((struct fake *)self)->closed++;
}
static void fake_free(void *self)
{
    (void)self;
}
static const struct transport_ops fake_ops = {fake_open,  fake_write, fake_read,
                                              fake_close, NULL,       fake_free};

struct bench {
    struct fake fake;
    struct transport t;
    struct clock clock;
    struct family family;
    struct transcript *tr;
    struct dialogue d;
    struct exchange x;
    struct err err;
};

static void begin_with(struct bench *b, const struct turn *turn, size_t n, const char *transcript)
{
    memset(b, 0, sizeof *b);
    b->fake.turn = turn;
    b->fake.n = n;
    b->fake.pending = "";
    b->t = (struct transport){.ops = &fake_ops, .self = &b->fake, .kind = "fake", .eol = "\n"};
    b->clock = (struct clock){&fake_clock_ops, &b->fake.clk};
    assert_int_equal(family_builtin(&b->family, &b->err), ERR_OK);
    assert_int_equal(transcript_open(transcript, &b->tr, &b->err), ERR_OK);
    dialogue_init(&b->d, &b->t, &b->family, &b->clock, b->tr);
}

static int begin(struct bench *b, const struct turn *turn, size_t n)
{
    static const struct dialogue_account account = {"admin", "secret-pw", 60000};
    begin_with(b, turn, n, NULL);
    return dialogue_open(&b->d, &account, &b->err);
}

static int run(struct bench *b, const char *id, const char *text)
{
    struct dialogue_command c = {.id = id, .text = text, .idle_ms = 30000, .total_ms = 60000};
    return dialogue_run(&b->d, &c, &b->x, &b->err);
}

static void end(struct bench *b)
{
    exchange_free(&b->x);
    transcript_close(&b->tr);
    dialogue_free(&b->d);
    buf_free(&b->fake.typed);
}

static void dialogue_run__plain_command__body_without_echo(void **state)
{
    (void)state;
    static const struct turn turns[] = {
        {NULL,
         "Last login: Sun Feb 10\r\n\r\nLuna Network HSM Command Line Shell v7.2.0-220.\r\n\r\n" P},
        {"hsm show", "hsm show\r\n\r\nbody\r\n" OK_END},
    };
    struct bench b;
    assert_int_equal(begin(&b, turns, 2), ERR_OK);
    assert_string_equal(b.d.prompt, P);
    assert_int_equal(run(&b, "show", "hsm show"), ERR_OK);
    assert_int_equal(b.x.outcome, OUTCOME_DONE);
    assert_int_equal(b.x.result, 0);
    assert_string_equal(b.x.result_text, "Success");
    assert_string_equal(buf_str(&b.x.body), "\nbody\n\n\n");
    assert_true(exchange_ok(&b.x));
    end(&b);
}

static void dialogue_run__control_characters__never_typed(void **state)
{
    (void)state;
    static const struct turn turns[] = {{NULL, P}};
    static const char *const bad[] = {"hsm\tshow", "hsm show\x03", "hsm ?", "a\nb", "h\xc3\xa4"};
    struct bench b;
    assert_int_equal(begin(&b, turns, 1), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(run(&b, "show", bad[i]), ERR_INVALID);
    assert_int_equal(b.fake.typed.len, 0);
    end(&b);
}

#define LINE "something this program has never read yet\r\n"
#define LINE10 LINE LINE LINE LINE LINE LINE LINE LINE LINE LINE

/* Each row: what an appliance says to `command`, and what must come of it. */
static void dialogue_run__table_of_answers__outcomes(void **state)
{
    (void)state;
    static const struct {
        const char *id, *typed, *says, *then_typed, *then_says;
        enum outcome outcome;
        long result;
    } cases[] = {
        {"show", "hsm show", "hsm show\r\nCommand Result : 65535 (Luna Shell execution)\r\n" P,
         NULL, NULL, OUTCOME_DONE, 65535},
        /* wrapped echo and wrapped result text */
        {"show", "hsm show",
         "hsm s \rhow\r\nCommand Result : 65535 (Luna Shell execu\r\ntion)\r\n" P, NULL, NULL,
         OUTCOME_DONE, 65535},
        /* a prompt inside the body is not the end */
        {"show", "hsm show", "hsm show\r\n" P "|more\r\n" OK_END, NULL, NULL, OUTCOME_DONE, 0},
        {"show", "hsm show", "hsm show\r\nCommand Result : 0 (Success)\r\n|" P, NULL, NULL,
         OUTCOME_DONE, 0},
        {"show", "hsm show", "hsm show\r\nusage\r\n" P, NULL, NULL, OUTCOME_NO_RESULT, -1},
        {"show", "hsm show", "hsm show\r\nhalf a li^", NULL, NULL, OUTCOME_LOST, -1},
        {"show", "hsm show", "hsm show\r\nand then nothing", NULL, NULL, OUTCOME_TIMEOUT, -1},
        /* the known question of this command */
        {"update", "package update a",
         "package update a\r\nWARNING!!  Appliance software upgrade is a one-way "
         "operation: you \r\ncannot downgrade the appliance software.\r\n\r\n Type 'proceed' to "
         "continue, or 'quit'"
         "\r\n to quit now.\r\n          > ",
         "proceed", "proceed\r\nSOFTWARE UPDATE COMPLETED!\r\n" OK_END, OUTCOME_DONE, 0},
        /* the known words, and then a loss; and the known words with much more behind them */
        {"update", "package update a",
         "WARNING!!  Appliance software upgrade is a one-way operation.\r\nCAUTION:  3 partitions "
         "use STC and will be DELETED.\r\n Type 'proceed' to continue, or 'quit' to quit "
         "now.\r\n> ",
         "quit", "quit\r\n" OK_END, OUTCOME_REFUSED, 0},
        {"update", "package update a",
         "WARNING!!  Appliance software upgrade is a one-way operation.\r\n" LINE10 LINE10
         " Type 'proceed' to continue, or 'quit' to quit now.\r\n> ",
         "quit", "quit\r\n" OK_END, OUTCOME_REFUSED, 0},
        /* the same question at another command */
        {"reboot", "sysconf",
         "sysconf\r\nAppliance software upgrade is a one-way operation\r\nType 'proceed', or "
         "'quit'\r\n> ",
         "quit", "quit\r\n" OK_END, OUTCOME_REFUSED, 0},
        /* unknown questions in their four shapes */
        {"update", "package update a",
         "CAUTION:  x\r\n          Type 'proceed' to return, or\r\n          'quit' to "
         "quit now.\r\n          > ",
         "quit", "quit\r\n" OK_END, OUTCOME_REFUSED, 0},
        {"update", "package update a",
         "WARNING !!  x\r\nthen type 'proceed', otherwise type 'quit'\r\n\r\n> ", "quit",
         "quit\r\n" OK_END, OUTCOME_REFUSED, 0},
        {"update", "package update a",
         "If you are sure to continue then type proceed, otherwise type quit.\r\n> ", "quit",
         "quit\r\n" OK_END, OUTCOME_REFUSED, 0},
        {"update", "package update a", "Type 'proceed' to continue, or 'quit' to quit now ->",
         "quit", "quit\r\n" OK_END, OUTCOME_REFUSED, 0},
        /* a password prompt: typing 'quit' there would be a failed login */
        {"login", "hsm login",
         "hsm login\r\n\r\nPlease enter the HSM Administrators' password:\r\n> ", NULL, NULL,
         OUTCOME_STOPPED, -1},
        /* the last attempt */
        {"login", "hsm login",
         "Caution:  This is your LAST available HSM Admin login attempt\r\nType 'proceed' to "
         "continue, or 'quit' to quit now.\r\n> ",
         "quit", "quit\r\n" OK_END, OUTCOME_REFUSED, 0},
        {"show", "hsm show",
         "For security purposes, you must change your   **\r\n**   password.\r\nNew password:",
         NULL, NULL, OUTCOME_STOPPED, -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct turn turns[3] = {
            {NULL, P}, {cases[i].typed, cases[i].says}, {cases[i].then_typed, cases[i].then_says}};
        struct bench b;
        assert_int_equal(begin(&b, turns, cases[i].then_typed ? 3 : 2), ERR_OK);
        assert_int_equal(run(&b, cases[i].id, cases[i].typed), ERR_OK);
        if (b.x.outcome != cases[i].outcome || b.x.result != cases[i].result)
            fail_msg("case %zu: %s, result %ld", i, outcome_name(b.x.outcome), b.x.result);
        if (cases[i].then_typed)
            assert_non_null(strstr(buf_str(&b.fake.typed), cases[i].then_typed));
        else
            assert_null(strstr(buf_str(&b.fake.typed), "quit"));
        end(&b);
    }
}

static void dialogue_run__bad_body_with_result_0__not_ok(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "1...Passed\r\n2...[FAILED]\r\nSOFTWARE UPDATE COMPLETED!\r\n",
        "Command failed:  decrypt package\r\n",
        "all is quiet\r\n", /* SOFTWARE UPDATE COMPLETED! is missing */
    };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        char says[512];
        snprintf(says, sizeof says, "package update a\r\n%s" OK_END, bodies[i]);
        struct turn turns[2] = {{NULL, P}, {"package update a", says}};
        struct bench b;
        assert_int_equal(begin(&b, turns, 2), ERR_OK);
        assert_int_equal(run(&b, "update", "package update a"), ERR_OK);
        assert_int_equal(b.x.outcome, OUTCOME_DONE);
        assert_int_equal(b.x.result, 0);
        assert_false(exchange_ok(&b.x));
        end(&b);
    }
}

struct seen_ped {
    char key[16];
    int ticks;
};
static void on_tick(void *self, const char *command, const struct family_rule *ped,
                    int64_t elapsed_ms, int64_t left_ms)
{
    struct seen_ped *s = self;
    (void)command;
    (void)elapsed_ms;
    assert_true(left_ms <= 60000);
    s->ticks++;
    if (ped)
        str_copy(s->key, sizeof s->key, ped->key);
}

static void dialogue_run__ped_wait__colour_is_told(void **state)
{
    (void)state;
    static const struct turn turns[] = {
        {NULL, P},
        {"hsm login", "hsm login\r\n \r\nLuna PED operation required to login as HSM Administrator "
                      "- use Security "
                      "Officer (blue) PED key.\r\n \r\n||||\r\n'hsm login' successful.\r\n" OK_END},
    };
    struct bench b;
    struct seen_ped seen = {"", 0};
    assert_int_equal(begin(&b, turns, 2), ERR_OK);
    b.d.watch = (struct dialogue_watch){on_tick, &seen};
    assert_int_equal(run(&b, "login", "hsm login"), ERR_OK);
    assert_true(exchange_ok(&b.x));
    assert_true(b.x.ped);
    assert_string_equal(seen.key, "blue");
    assert_true(seen.ticks >= 3);
    end(&b);
}

static void dialogue_open__password_change__stops_for_a_person(void **state)
{
    (void)state;
    static const struct turn turns[] = {
        {NULL, "**   For security purposes, you must change your   **\r\n"
               "**   password.                                     **\r\n"}};
    struct bench b;
    assert_int_equal(begin(&b, turns, 1), ERR_STATE);
    assert_non_null(strstr(b.err.text, "choose one"));
    assert_int_equal(b.fake.typed.len, 0);
    assert_int_equal(b.fake.closed, 1);
    end(&b);
}

static void dialogue_open__prompt_in_message_of_the_day__last_one_counts(void **state)
{
    (void)state;
    static const struct turn turns[] = {{NULL, "Welcome to lunash:>\r\nreally\r\n[hsm1] lunash:>"}};
    struct bench b;
    assert_int_equal(begin(&b, turns, 1), ERR_OK);
    assert_string_equal(b.d.prompt, "[hsm1] lunash:>");
    end(&b);
}

/* The echo of 'package update' holds the authorization code; the question goes into errors. */
static void dialogue_run__unknown_input__question_without_echo(void **state)
{
    (void)state;
    static const struct turn turns[] = {
        {NULL, P},
        {"package update a -authcode AAAA", "package update a -authcode AA\r\nAA\r\nx:\r\n> "}};
    struct bench b;
    assert_int_equal(begin(&b, turns, 2), ERR_OK);
    assert_int_equal(run(&b, "update", "package update a -authcode AAAA"), ERR_OK);
    assert_int_equal(b.x.outcome, OUTCOME_STOPPED);
    assert_string_equal(b.x.question, "x:\n> ");
    end(&b);
}

/* One blind Return, then nothing: the next one could be a second wrong password. */
static void dialogue_open__console_left_at_a_password__stops(void **state)
{
    (void)state;
    static const struct turn turns[] = {{NULL, ""}, {"", "\r\nPlease enter the password:\r\n> "}};
    static const struct dialogue_account account = {"admin", "secret-pw", 60000};
    struct bench b;
    begin_with(&b, turns, 2, NULL);
    b.t.console_login = b.t.survives = true;
    assert_int_equal(dialogue_open(&b.d, &account, &b.err), ERR_STATE);
    assert_non_null(strstr(b.err.text, "left open"));
    assert_string_equal(buf_str(&b.fake.typed), "\n");
    end(&b);
}

/* After a command that stopped at an unknown input nothing is typed on that line any more. */
static void dialogue_open__line_that_survives_stopped__not_woken(void **state)
{
    (void)state;
    static const struct turn turns[] = {
        {NULL, P}, {"hsm login", "hsm login\r\nPlease enter the password:\r\n> "}};
    static const struct dialogue_account account = {"admin", "secret-pw", 60000};
    struct bench b;
    begin_with(&b, turns, 2, NULL);
    b.t.console_login = b.t.survives = true;
    assert_int_equal(dialogue_open(&b.d, &account, &b.err), ERR_OK);
    assert_int_equal(run(&b, "login", "hsm login"), ERR_OK);
    assert_int_equal(b.x.outcome, OUTCOME_STOPPED);
    size_t before = b.fake.typed.len;
    assert_int_equal(dialogue_open(&b.d, &account, &b.err), ERR_STATE);
    assert_int_equal(b.fake.typed.len, before);
    end(&b);
}

static void dialogue_open__console__logs_in_once(void **state)
{
    (void)state;
    static const struct turn good[] = {{NULL, ""},
                                       {"", "\r\nhsm1 login as: "},
                                       {"admin", "admin\r\nPassword: "},
                                       {"secret-pw", "\r\n" P}};
    static const struct turn wrong[] = {{NULL, ""},
                                        {"", "\r\nhsm1 login: "},
                                        {"admin", "admin\r\nPassword: "},
                                        {"secret-pw", "\r\nLogin incorrect\r\nhsm1 login: "}};
    static const struct dialogue_account account = {"admin", "secret-pw", 60000};
    struct bench b;
    begin_with(&b, good, 4, NULL);
    b.t.console_login = true;
    b.t.eol = "\r";
    assert_int_equal(dialogue_open(&b.d, &account, &b.err), ERR_OK);
    end(&b);
    begin_with(&b, wrong, 4, NULL);
    b.t.console_login = true;
    assert_int_equal(dialogue_open(&b.d, &account, &b.err), ERR_DENIED);
    end(&b);
}

/* What a console does besides asking once: each line is one login. */
static void dialogue_open__restarted_console__table(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct turn turn[10];
        int code;
        const char *typed; /* lines joined by '/', without those of waking */
    } rows[] = {
        {"a Return that was answered late: two prompts, one login",
         {{NULL, ""},
          {"", "\r\nhsm1 login as: \r\nhsm1 login as: "},
          {"admin", "\r\nhsm1 login as: |admin\r\nPassword: "},
          {"secret-pw", "\r\n" P}},
         ERR_OK,
         "admin/secret-pw/"},
        {"it boots after the password was typed, and asks anew",
         {{NULL, ""},
          {"", "\r\nhsm1 login as: "},
          {"admin", "admin\r\nPassword: "},
          {"secret-pw", "\r\n||Starting sshd: [ OK ]\r\nhsm1 login as: "},
          {"admin", "admin\r\nPassword: "},
          {"secret-pw", "\r\n" P}},
         ERR_OK,
         "admin/secret-pw/admin/secret-pw/"},
        {"it boots and takes the password that was on its way for an account",
         {{NULL, ""},
          {"", "\r\nhsm1 login as: "},
          {"admin", "admin\r\nPassword: "},
          {"secret-pw", "\r\n|Starting sshd\r\nhsm1 login as: secret-pw\r\nPassword: "},
          {"", "\r\nLogin incorrect\r\nhsm1 login as: "},
          {"", "\r\nhsm1 login as: "},
          {"admin", "admin\r\nPassword: "},
          {"secret-pw", "\r\n" P}},
         ERR_OK,
         "admin/secret-pw/admin/secret-pw/"},
        {"its login runs out of time",
         {{NULL, ""},
          {"", "\r\nhsm1 login: "},
          {"admin", "\r\nLogin timed out after 60 seconds\r\nhsm1 login: "},
          {"admin", "admin\r\nPassword: "},
          {"secret-pw", "\r\n" P}},
         ERR_OK,
         "admin/admin/secret-pw/"},
        {"somebody left a question for a password: ours is not given to it",
         {{NULL, "Password: "},
          {"", "\r\nLogin incorrect\r\n"},
          {"", "\r\nhsm1 login: "},
          {"admin", "admin\r\nPassword: "},
          {"secret-pw", "\r\n" P}},
         ERR_OK,
         "admin/secret-pw/"},
        {"a refusal in words is final",
         {{NULL, ""},
          {"", "\r\nhsm1 login: "},
          {"admin", "admin\r\nPassword: "},
          {"secret-pw", "\r\nLogin incorrect\r\nhsm1 login: "}},
         ERR_DENIED,
         "admin/secret-pw/"},
        {"a console that never says why is given the password three times, not more often",
         {{NULL, ""},
          {"", "\r\nhsm1 login: "},
          {"admin", "admin\r\nPassword: "},
          {"secret-pw", "\r\nhsm1 login: "},
          {"admin", "admin\r\nPassword: "},
          {"secret-pw", "\r\nhsm1 login: "},
          {"admin", "admin\r\nPassword: "},
          {"secret-pw", "\r\nhsm1 login: "},
          {"admin", "admin\r\nPassword: "}},
         ERR_DENIED,
         "admin/secret-pw/admin/secret-pw/admin/secret-pw/admin/"},
    };
    static const struct dialogue_account account = {"admin", "secret-pw", 60000};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        SCOPED(buf_free) struct buf lines = BUF_INIT;
        size_t n = 0;
        while (n < ARRAY_LEN(rows[i].turn) && rows[i].turn[n].says)
            n++;
        begin_with(&b, rows[i].turn, n, NULL);
        b.t.console_login = true;
        b.t.eol = "\r";
        int rc = dialogue_open(&b.d, &account, &b.err);
        for (char *w = strtok(b.fake.typed.data, "\r"); w; w = strtok(NULL, "\r"))
            buf_printf(&lines, "%s/", w);
        if (rc != rows[i].code || strcmp(buf_str(&lines), rows[i].typed) != 0)
            fail_msg("%s: code %d (%s), typed %s", rows[i].what, rc, b.err.text, buf_str(&lines));
        end(&b);
    }
}

static void dialogue_run__login_prompt_on_a_console__lost(void **state)
{
    (void)state;
    static const struct {
        struct turn turn[2];
        enum outcome outcome;
    } rows[] = {
        {{{NULL, P}, {"hsm show", "hsm show\r\n|Kernel 3.10\r\n\r\nhsm1 login as: |||"}},
         OUTCOME_LOST},
        /* what was typed has become the account */
        {{{NULL, P}, {"hsm show", "|Kernel 3.10\r\n\r\nhsm1 login as: hsm show\r\nPassword: |||"}},
         OUTCOME_LOST},
        /* a login prompt that does not stay is text */
        {{{NULL, P}, {"hsm show", "hsm show\r\nhsm1 login: |none" OK_END}}, OUTCOME_DONE},
    };
    static const struct dialogue_account account = {"admin", "secret-pw", 60000};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        begin_with(&b, rows[i].turn, 2, NULL);
        b.t.console_login = true;
        assert_int_equal(dialogue_open(&b.d, &account, &b.err), ERR_OK);
        assert_int_equal(run(&b, "show", "hsm show"), ERR_OK);
        assert_int_equal(b.x.outcome, rows[i].outcome);
        end(&b);
    }
}

static void transcript__secrets_in_every_form__never_written(void **state)
{
    (void)state;
    static const char code[] = "5/Rd79MAGd/G9EY5";
    static const char *const pieces[] = {
        "package update a -authcode 5/Rd79MAGd/G9EY5\r\n",    /* whole */
        "package update a -authcode 5/Rd7 \r9MAGd/G9EY5\r\n", /* wrapped */
        "x 5/Rd79MA",
        "Gd/G9EY5 y\r\n",                 /* in two pieces, elsewhere */
        "-authcode UnknownCode12345\r\n", /* typed by a person */
        "ends with 5/Rd79M",              /* never completed: no secret */
    };
    struct transcript *t = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(file_remove("test-transcript.txt", &err), ERR_OK);
    assert_int_equal(transcript_open("test-transcript.txt", &t, &err), ERR_OK);
    assert_int_equal(transcript_hide(t, code, &err), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        transcript_received(t, pieces[i], strlen(pieces[i]));
    transcript_note(t, 1700000000, "typing: package verify a -authcode 5/Rd79MAGd/G9EY5");
    transcript_close(&t);
    struct buf b = BUF_INIT;
    assert_int_equal(file_read("test-transcript.txt", 65536, &b, &err), ERR_OK);
    assert_null(strstr(buf_str(&b), code));
    assert_null(strstr(buf_str(&b), "MAGd"));
    assert_null(strstr(buf_str(&b), "UnknownCode"));
    assert_non_null(strstr(buf_str(&b), "x ******** y"));
    assert_non_null(strstr(buf_str(&b), "package update a -authcode ********"));
    buf_free(&b);
    assert_int_equal(file_remove("test-transcript.txt", &err), ERR_OK);
}

static void family_fill__hostile_values__refused(void **state)
{
    (void)state;
    struct family f;
    struct err err = ERR_INIT;
    struct buf b = BUF_INIT;
    assert_int_equal(family_builtin(&f, &err), ERR_OK);
    const struct family_command *c = family_command(&f, "update");
    assert_non_null(c);
    assert_int_equal(family_fill(c, "a.spkg; reboot", "abc", NULL, &b, &err), ERR_INVALID);
    assert_int_equal(family_fill(c, "a.spkg", "ab\tc", NULL, &b, &err), ERR_INVALID);
    assert_int_equal(family_fill(c, "a.spkg", NULL, NULL, &b, &err), ERR_INVALID);
    buf_clear(&b);
    assert_int_equal(family_fill(c, "my package.spkg", "a/B1", NULL, &b, &err), ERR_OK);
    assert_string_equal(buf_str(&b), "package update \"my package.spkg\" -authcode a/B1");
    buf_free(&b);
}

static void family_load__broken__line_and_element(void **state)
{
    (void)state;
    static const struct {
        const char *xml, *says;
    } cases[] = {
        {"<family><nonsense/></family>", "<nonsense>: unknown element"},
        {"<family>\n<question id='x' match='y'/></family>",
         ":2: <question>: attribute 'command' is missing"},
        {"<family><stop/></family>", "'match' is missing"},
        {"<family><login ask='x' match='y'/></family>", "allowed: user, password, refused"},
        {"<family/>", "<prompt> and <result> are needed"},
        {"<other/>", "expected the root element"},
        {"<!DOCTYPE family><family/>", "document type"},
        {"<family", "f.xml:1:"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct family f;
        struct err err = ERR_INIT;
        assert_int_equal(family_load("f.xml", cases[i].xml, strlen(cases[i].xml), &f, &err),
                         ERR_PARSE);
        if (!strstr(err.text, cases[i].says))
            fail_msg("case %zu: %s", i, err.text);
    }
}

static void pattern_find__table__matches(void **state)
{
    (void)state;
    static const struct {
        const char *text, *pattern;
        bool found;
    } cases[] = {
        {"Type 'Proceed' now", "type 'proceed'", true},
        {"type\n  'proceed'", "type 'proceed'", true},
        {"LAST available HSM Admin login attempt", "last available*login attempt", true},
        {"attempt login LAST available", "last available*login attempt", false},
        {"abc", "", false},
        {"abc", "*", false},
        {"abc", "c*", true},
        {"", "a", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(pattern_find(cases[i].text, strlen(cases[i].text), cases[i].pattern) !=
                             NULL,
                         cases[i].found);
}

static void screen__terminal_noise__plain_text(void **state)
{
    (void)state;
    static const char bytes[] = "\x1b[2Ja\x1b]0;title\x07"
                                "b\bc\r\n\xff\x01\x1b[31mred\x1b[0m\x1b[1;\nx";
    struct screen s;
    screen_init(&s);
    assert_int_equal(screen_feed(&s, bytes, sizeof bytes - 1), 0);
    assert_string_equal(buf_str(&s.text), "ac\n?red\nx");
    screen_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialogue_run__control_characters__never_typed),
        cmocka_unit_test(dialogue_run__plain_command__body_without_echo),
        cmocka_unit_test(dialogue_run__table_of_answers__outcomes),
        cmocka_unit_test(dialogue_run__bad_body_with_result_0__not_ok),
        cmocka_unit_test(dialogue_run__ped_wait__colour_is_told),
        cmocka_unit_test(dialogue_open__password_change__stops_for_a_person),
        cmocka_unit_test(dialogue_open__prompt_in_message_of_the_day__last_one_counts),
        cmocka_unit_test(dialogue_run__unknown_input__question_without_echo),
        cmocka_unit_test(dialogue_open__console_left_at_a_password__stops),
        cmocka_unit_test(dialogue_open__line_that_survives_stopped__not_woken),
        cmocka_unit_test(dialogue_open__console__logs_in_once),
        cmocka_unit_test(dialogue_open__restarted_console__table),
        cmocka_unit_test(dialogue_run__login_prompt_on_a_console__lost),
        cmocka_unit_test(transcript__secrets_in_every_form__never_written),
        cmocka_unit_test(family_fill__hostile_values__refused),
        cmocka_unit_test(family_load__broken__line_and_element),
        cmocka_unit_test(pattern_find__table__matches),
        cmocka_unit_test(screen__terminal_noise__plain_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
