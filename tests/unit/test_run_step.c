/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What becomes of a step, whatever error came of it: a one-way command that was typed is never
 * typed again by itself. */
#include "unit/cmocka_unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "driver/run_int.h"
#include "driver/steps.h"
#include "driver/typed.h"
#include "support/scratch.h"

#define PATIENCE 100 /* seconds */
#define SETTLE 20

static char dir[SCRATCH_MAX];
static int64_t now_ms;

/* What the step of the test does, and what the appliance shows then. */
static struct {
    int rc;
    enum typed mark;
    int typed;
    bool reached;
    int proof_rc;
} script;

static int64_t clock_fake_now(void *self)
{
    (void)self;
    return 1800000000 + now_ms / 1000;
}
static int64_t clock_fake_mono(void *self)
{
    (void)self;
    return now_ms;
}
static int clock_fake_sleep(void *self, int64_t ms)
{
    (void)self;
    now_ms += ms;
    return 0;
}
static const struct clock_ops clock_ops = {clock_fake_now, clock_fake_mono, clock_fake_sleep};
static const struct clock fake_clock = {&clock_ops, NULL};

static bool always(struct site *s)
{
    (void)s;
    return true;
}

static int act(struct site *s, struct err *err)
{
    if (script.mark != TYPED_NO)
        script.typed++;
    int rc = typed_mark(s, script.mark, err);
    return rc || !script.rc ? rc : err_set(err, script.rc, "the answer of the test");
}

static int prove(struct site *s, bool *ret_reached, struct err *err)
{
    (void)s;
    if (script.proof_rc)
        return err_set(err, script.proof_rc, "the proof of the test");
    *ret_reached = script.reached;
    return ERR_OK;
}

static int64_t patience(const struct plan *p)
{
    (void)p;
    return PATIENCE;
}
static int64_t settle(const struct plan *p)
{
    (void)p;
    return SETTLE;
}

static const struct step one_way = {.name = "update",
                                    .title = "updating",
                                    .one_way = true,
                                    .needed = always,
                                    .action = act,
                                    .proof = prove,
                                    .patience = patience,
                                    .settle = settle};

static struct plan_appliance hsm; /* another name, another history: one journal serves them all */

static struct site *next_site(struct driver *drv)
{
    static int n;
    snprintf(hsm.name, sizeof hsm.name, "hsm%d", ++n);
    memset(&script, 0, sizeof script);
    return &drv->site[0];
}

static struct driver *fresh(void)
{
    struct driver *drv = calloc(1, sizeof *drv);
    struct err err = ERR_INIT;
    char path[SCRATCH_MAX + 20];
    assert_non_null(drv);
    scratch_make("run_step", dir);
    assert_int_equal(journal_open(dir, "C1", false, &drv->journal, &err), ERR_OK);
    assert_int_equal(transcript_open(NULL, &drv->transcript, &err), ERR_OK);
    snprintf(path, sizeof path, "%s/said", dir);
    drv->err = fopen(path, "wb");
    assert_non_null(drv->err);
    drv->clock = &fake_clock;
    drv->plan.n_hops = 1;
    drv->plan.window_end = INT64_MAX / 2;
    drv->plan.timeouts.poll = 1;
    drv->n_sites = 1;
    drv->site[0].drv = drv;
    drv->site[0].a = &hsm;
    return drv;
}

static void done_with(struct driver **slot)
{
    struct driver *drv = *slot;
    fclose(drv->err);
    transcript_close(&drv->transcript);
    journal_close(&drv->journal);
    free(drv);
    *slot = NULL;
    scratch_remove(dir);
}

static enum step_state state_of(struct driver *drv)
{
    struct journal_step s;
    struct err err = ERR_INIT;
    assert_int_equal(journal_step(drv->journal, hsm.name, "update", &s, &err), ERR_OK);
    return s.state;
}

static const int every_error[] = {
    ERR_INVALID, ERR_NOT_FOUND, ERR_DENIED, ERR_IO,     ERR_TIMEOUT,     ERR_BUSY,  ERR_UNAVAILABLE,
    ERR_STATE,   ERR_PARSE,     ERR_LIMIT,  ERR_CRYPTO, ERR_UNSUPPORTED, ERR_NOMEM, ERR_INTERNAL};

static void run_one_step__typed_and_any_error__never_typed_again(void **state)
{
    (void)state;
    SCOPED(done_with) struct driver *drv = fresh();
    for (size_t i = 0; i < ARRAY_LEN(every_error); i++) {
        for (enum typed mark = TYPED_OPEN; mark <= TYPED_ENDED; mark++) {
            struct site *s = next_site(drv);
            script.rc = every_error[i];
            script.mark = mark;
            assert_int_not_equal(run_one_step(s, &one_way), HU_DONE);
            assert_true(state_of(drv) == STEP_BEGUN || state_of(drv) == STEP_FAILED);
            /* again and again, and with every state that another version may have left */
            assert_int_not_equal(run_one_step(s, &one_way), HU_DONE);
            struct err err = ERR_INIT;
            assert_int_equal(
                journal_set(drv->journal, 1, hsm.name, "update", STEP_HELD, "as before", &err),
                ERR_OK);
            assert_int_not_equal(run_one_step(s, &one_way), HU_DONE);
            assert_int_equal(script.typed, 1);
            script.reached = true;
            assert_int_equal(run_one_step(s, &one_way), HU_DONE);
            assert_int_equal(state_of(drv), STEP_DONE);
            assert_int_equal(script.typed, 1);
        }
    }
}

static void run_one_step__never_typed__not_waited_for_and_done_again(void **state)
{
    (void)state;
    SCOPED(done_with) struct driver *drv = fresh();
    for (size_t i = 0; i < ARRAY_LEN(every_error); i++) {
        struct site *s = next_site(drv);
        int64_t start = now_ms;
        script.rc = every_error[i];
        int code = run_one_step(s, &one_way);
        bool away = script.rc == ERR_UNAVAILABLE || script.rc == ERR_TIMEOUT;
        assert_true(code != HU_DONE && code != HU_NOT_PROVEN);
        assert_int_equal(code == HU_UNREACHABLE, away || script.rc == ERR_CRYPTO);
        assert_int_equal(state_of(drv), STEP_HELD);
        assert_int_equal(now_ms, start);
        script.rc = ERR_OK;
        script.mark = TYPED_ENDED;
        assert_int_equal(run_one_step(s, &one_way), HU_DONE);
        assert_int_equal(script.typed, 1);
    }
}

static void run_one_step__other_host_key_while_waiting__begun_and_asked_later(void **state)
{
    (void)state;
    SCOPED(done_with) struct driver *drv = fresh();
    struct site *s = next_site(drv);
    script.rc = ERR_UNAVAILABLE;
    script.mark = TYPED_OPEN;
    script.proof_rc = ERR_CRYPTO;
    assert_int_equal(run_one_step(s, &one_way), HU_UNREACHABLE);
    assert_int_equal(state_of(drv), STEP_BEGUN);
    script.proof_rc = ERR_OK;
    script.reached = true;
    assert_int_equal(run_one_step(s, &one_way), HU_DONE);
    assert_int_equal(script.typed, 1);
}

/* Where its end was seen, the old state need not last for the whole time-out of the step. */
static void run_one_step__not_proven__waits_as_long_as_it_must(void **state)
{
    (void)state;
    static const struct {
        enum typed mark;
        int64_t seconds;
    } cases[] = {{TYPED_OPEN, PATIENCE}, {TYPED_ENDED, SETTLE}};
    SCOPED(done_with) struct driver *drv = fresh();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = ERR_INIT;
        struct site *s = next_site(drv);
        str_copy(s->step_name, sizeof s->step_name, "update");
        assert_int_equal(typed_mark(s, cases[i].mark, &err), ERR_OK);
        assert_int_equal(journal_set(drv->journal, 1, hsm.name, "update", STEP_BEGUN, "", &err),
                         ERR_OK);
        int64_t start = now_ms;
        assert_int_equal(run_one_step(s, &one_way), HU_NOT_PROVEN);
        assert_int_equal((now_ms - start) / 1000, cases[i].seconds);
        assert_int_equal(state_of(drv), STEP_BEGUN);
    }
}

static void run_one_step__repeat__only_where_it_is_a_persons_right(void **state)
{
    (void)state;
    char item[80];
    SCOPED(done_with) struct driver *drv = fresh();
    struct site *s = next_site(drv);
    snprintf(item, sizeof item, "%s:update", hsm.name);
    drv->opt.repeat.n = 1;
    drv->opt.repeat.item[0] = item;
    script.rc = ERR_IO;
    script.mark = TYPED_ENDED;
    assert_int_equal(run_one_step(s, &one_way), HU_HELD);
    script.rc = ERR_OK;
    assert_int_equal(run_one_step(s, &one_way), HU_DONE);
    assert_int_equal(script.typed, 2);
    /* done is done */
    assert_int_equal(run_one_step(s, &one_way), HU_DONE);
    assert_int_equal(script.typed, 2);
    struct step harmless = one_way;
    harmless.one_way = false;
    harmless.proof = NULL;
    assert_int_equal(run_one_step(s, &harmless), HU_DONE);
    assert_int_equal(script.typed, 3);
}

/* ---- the mark of a one-way command ---- */

/* What the shell says, one piece for each line that is typed; NULL = dots without end. */
static const char *const *pieces;
static const char *answers;

static int shell_write(void *self, const void *bytes, size_t len, struct err *err)
{
    (void)self, (void)bytes, (void)len, (void)err;
    answers = pieces && *pieces ? *pieces++ : pieces ? "" : NULL;
    return ERR_OK;
}

static int shell_read(void *self, void *bytes, size_t cap, int64_t timeout_ms, size_t *ret_n,
                      struct err *err)
{
    (void)self;
    if (answers && !answers[0]) {
        now_ms += timeout_ms;
        return err_set(err, ERR_TIMEOUT, "silence");
    }
    *ret_n = answers ? strlen(answers) : cap;
    if (answers)
        memcpy(bytes, answers, *ret_n);
    else
        memset(bytes, '.', cap);
    answers = answers ? "" : NULL;
    return ERR_OK;
}

static void shell_close(void *self)
{
    (void)self;
}

static const struct transport_ops shell_ops = {
    .write = shell_write, .read = shell_read, .close = shell_close};

static int type_update(struct driver *drv, bool open, const char *const *says, enum typed *ret,
                       struct err *err)
{
    struct site *s = next_site(drv);
    SCOPED(exchange_free) struct exchange x = {0};
    struct site_command c = {
        .id = "update", .file = "p.spkg", .code = "AAAABBBBCCCCDDDD", .total_ms = 5000};
    s->t = (struct transport){.ops = &shell_ops, .kind = "test", .eol = "\n"};
    dialogue_init(&s->d, &s->t, &drv->family, drv->clock, drv->transcript);
    s->d.open = open;
    str_copy(s->d.prompt, sizeof s->d.prompt, "[h] lunash:>");
    str_copy(s->step_name, sizeof s->step_name, "update");
    if (!says)
        s->d.screen.text.max = 20000;
    pieces = says;
    answers = says ? "" : NULL;
    int rc = typed_run(s, &c, &x, err);
    *ret = typed_read(s);
    dialogue_free(&s->d);
    return rc;
}

static void typed_run__every_end__marked_as_what_it_proves(void **state)
{
    (void)state;
#define RESULT "\n\nCommand Result : 65535 (Luna Shell execution)\n[h] lunash:>"
#define ECHOED "package update p.spkg -authcode AAAABBBBCCCCDDDD\n"
#define CHOICE "Type 'proceed' to continue, or 'quit' to quit now.\n          > "
#define KNOWN "\nWARNING!!  Appliance software upgrade is a one-way operation.\n\n          " CHOICE
#define UNKNOWN "\nThe keys of two partitions will be lost.\n\n          " CHOICE
    static const struct {
        bool open;
        const char *says[5];
        int rc;
        enum typed mark;
    } cases[] = {
        {false, {NULL}, ERR_STATE, TYPED_NO}, /* nothing could be typed */
        {true, {ECHOED "\nCommand failed:  decrypt package" RESULT}, ERR_OK, TYPED_ENDED},
        {true, {ECHOED "loading\n"}, ERR_OK, TYPED_OPEN}, /* time-out */
        {true, {ECHOED "Key of the boot loader:\n> "}, ERR_OK, TYPED_OPEN},
        {true, {ECHOED UNKNOWN, "quit\nCommand cancelled." RESULT}, ERR_OK, TYPED_NO},
        {true,
         {ECHOED KNOWN, "proceed\nProceeding...\n" UNKNOWN, "quit\nCommand cancelled." RESULT},
         ERR_OK,
         TYPED_ENDED},
    };
    SCOPED(done_with) struct driver *drv = fresh();
    struct err load = ERR_INIT;
    assert_int_equal(family_builtin(&drv->family, &load), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = ERR_INIT;
        enum typed mark = TYPED_NO;
        assert_int_equal(type_update(drv, cases[i].open, cases[i].says, &mark, &err), cases[i].rc);
        assert_int_equal(mark, cases[i].mark);
    }
    struct err err = ERR_INIT;
    enum typed mark = TYPED_NO;
    assert_int_equal(type_update(drv, true, NULL, &mark, &err), ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "too large"));
    assert_int_equal(mark, TYPED_OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_one_step__typed_and_any_error__never_typed_again),
        cmocka_unit_test(run_one_step__never_typed__not_waited_for_and_done_again),
        cmocka_unit_test(run_one_step__other_host_key_while_waiting__begun_and_asked_later),
        cmocka_unit_test(run_one_step__not_proven__waits_as_long_as_it_must),
        cmocka_unit_test(typed_run__every_end__marked_as_what_it_proves),
        cmocka_unit_test(run_one_step__repeat__only_where_it_is_a_persons_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
