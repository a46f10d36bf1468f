/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/agents.h"

#include <string.h>

#include "base/process.h"
#include "base/str.h"

#define SAID_MAX 600
#define AGENT_HSM_NOT_ACCEPTED 14 /* exit code of crlagent hook post-upgrade */

/* The end of what a program said, one line. */
static void last_words(const struct buf *out, struct buf *said)
{
    size_t n = out->len;
    while (n && strchr(" \r\n", out->data[n - 1]))
        n--;
    size_t from = n > SAID_MAX ? n - SAID_MAX : 0;
    for (size_t i = from; i < n; i++) {
        unsigned char c = (unsigned char)out->data[i];
        buf_putc(said, c == '\n' ? ' ' : c < 0x20 ? '.' : (char)c);
    }
}

/* A bare program name cannot be started: no shell, no search path. */
static int run_words(const char *const *argv, int64_t timeout, uint32_t *ret_code, struct buf *said,
                     struct err *err)
{
    struct process_result r;
    memset(&r, 0, sizeof r);
    int rc = process_run(argv, NULL, timeout * 1000, &r, err);
    last_words(&r.out, said);
    *ret_code = r.exit_code;
    buf_free(&r.out);
    return rc;
}

int agent_call(struct driver *drv, const struct plan_agent *a, enum hook hook, uint32_t *ret_code,
               struct buf *said, struct err *err)
{
    const char *argv[PLAN_ARGS_MAX + 16];
    char window[32], reserve[32];
    size_t n = 0;
    int64_t left = drv->plan.window_end + drv->opt.extend_window - driver_now(drv);
    snprintf(window, sizeof window, "%llds", (long long)(left > 60 ? left : 60));
    snprintf(reserve, sizeof reserve, "%llds", (long long)drv->plan.reserve);
    for (size_t i = 0; i < a->command.n; i++)
        argv[n++] = a->command.arg[i];
    argv[n++] = "hook";
    argv[n++] = hook == HOOK_POST ? "post-upgrade" : "pre-upgrade";
    argv[n++] = "--change";
    argv[n++] = drv->plan.change;
    if (hook != HOOK_POST) {
        argv[n++] = "--window";
        argv[n++] = window;
        argv[n++] = "--reserve";
        argv[n++] = reserve;
    }
    if (hook == HOOK_PRE_DRY)
        argv[n++] = "--dry-run";
    argv[n++] = "--json";
    argv[n] = NULL;
    return run_words(argv, a->command.timeout, ret_code, said, err);
}

bool command_passes(struct driver *drv, const struct plan_command *c, struct buf *said)
{
    const char *argv[PLAN_ARGS_MAX + 1];
    uint32_t code = 1;
    struct err err = ERR_INIT;
    (void)drv;
    for (size_t i = 0; i <= c->n; i++)
        argv[i] = c->arg[i];
    if (run_words(argv, c->timeout, &code, said, &err)) {
        buf_puts(said, err.text);
        return false;
    }
    return code == 0;
}

static void owner_of(const struct plan_agent *a, char owner[64])
{
    snprintf(owner, 64, "agent:%s", a->name);
}

/* One hook, journalled. Returns the agent's exit code, or -1 when it could not be asked. */
static int call_recorded(struct driver *drv, const struct plan_agent *a, enum hook hook)
{
    SCOPED(buf_free) struct buf said = BUF_INIT;
    char owner[64];
    uint32_t code = 0;
    struct err err = ERR_INIT, later = ERR_INIT;
    const char *step = hook == HOOK_POST ? "post-upgrade" : "pre-upgrade";
    owner_of(a, owner);
    say(drv, owner, "%s ...", step);
    int rc = journal_set(drv->journal, clock_now(drv->clock), owner, step, STEP_BEGUN, "", &err);
    if (!rc)
        rc = agent_call(drv, a, hook, &code, &said, &err);
    bool good = !rc && code == 0;
    SCOPED(buf_free) struct buf detail = BUF_INIT;
    if (rc)
        buf_puts(&detail, err.text);
    else
        buf_printf(&detail, "exit code %u: %s", (unsigned)code, buf_str(&said));
    if (journal_set(drv->journal, clock_now(drv->clock), owner, step,
                    good ? STEP_DONE
                    : rc ? STEP_HELD /* no answer: it may or may not have paused */
                         : STEP_FAILED,
                    buf_str(&detail), &later))
        say(drv, owner, "%s", later.text);
    say(drv, owner, "%s: %s%s%s", step, good ? "done" : "FAILED", good ? "" : ": ",
        good ? "" : buf_str(&detail));
    return rc ? -1 : (int)code;
}

static enum step_state state_of(struct driver *drv, const struct plan_agent *a, const char *step)
{
    struct journal_step s;
    struct err err = ERR_INIT;
    char owner[64];
    owner_of(a, owner);
    return journal_step(drv->journal, owner, step, &s, &err) ? STEP_NEW : s.state;
}

int agents_resume(struct driver *drv)
{
    int worst = HU_DONE;
    for (size_t i = 0; i < drv->plan.n_agents; i++) {
        const struct plan_agent *a = &drv->plan.agent[i];
        enum step_state paused = state_of(drv, a, "pre-upgrade");
        if (paused == STEP_NEW || state_of(drv, a, "post-upgrade") == STEP_DONE)
            continue;
        /* A pre-upgrade that failed has undone itself; one whose answer was lost may have paused.
         */
        if (paused == STEP_FAILED)
            continue;
        int code = call_recorded(drv, a, HOOK_POST);
        if (code == AGENT_HSM_NOT_ACCEPTED)
            worst = HU_NOT_ACCEPTED;
        else if (code != 0 && worst == HU_DONE)
            worst = HU_HELD;
    }
    return worst;
}

int agents_pause(struct driver *drv)
{
    for (size_t i = 0; i < drv->plan.n_agents; i++) {
        const struct plan_agent *a = &drv->plan.agent[i];
        struct err err = ERR_INIT;
        char owner[64];
        owner_of(a, owner);
        if (state_of(drv, a, "pre-upgrade") == STEP_DONE &&
            state_of(drv, a, "post-upgrade") != STEP_DONE)
            continue;
        if (journal_set(drv->journal, clock_now(drv->clock), owner, "post-upgrade", STEP_NEW, "",
                        &err)) {
            say(drv, owner, "%s", err.text);
            return HU_FAILED;
        }
        int code = call_recorded(drv, a, HOOK_PRE);
        if (code == 0)
            continue;
        say(drv, "", "agent '%s' refused; resuming those that were paused", a->name);
        int undone = agents_resume(drv);
        return undone == HU_DONE ? HU_AGENT_REFUSED : undone;
    }
    return HU_DONE;
}
