/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/agents.h"

#include <string.h>

#include "base/process.h"
#include "base/str.h"
#include "driver/resumeby.h"
#include "driver/stop.h"
#include "driver/verdict.h"

#define SAID_MAX 600
#define AGENT_HSM_NOT_ACCEPTED 14 /* exit code of crlagent hook post-upgrade */

/* The end of what a program said, one line; words are not cut. */
static void last_words(const struct buf *out, struct buf *said)
{
    size_t n = out->len;
    while (n && strchr(" \r\n", out->data[n - 1]))
        n--;
    size_t from = n > SAID_MAX ? n - SAID_MAX : 0;
    while (from && from < n && !strchr(" \r\n", out->data[from - 1]))
        from++;
    if (from)
        buf_puts(said, "... ");
    for (size_t i = from; i < n; i++) {
        unsigned char c = (unsigned char)out->data[i];
        buf_putc(said, c == '\n' ? ' ' : c < 0x20 ? '.' : (char)c);
    }
}

/* What a program says on standard error: shown at once, and kept for the case that it says nothing
 * else. */
struct hearing {
    struct driver *drv;
    const char *owner; /* NULL: not shown */
    struct buf text;
};

/* "20:15:01Z  preparing  ...": the time stands in front of our own line already. */
static const char *without_time(const char *line)
{
    size_t n = strspn(line, "0123456789:");
    return n == 8 && line[n] == 'Z' && line[n + 1] == ' ' ? line + n + 1 + strspn(line + n + 1, " ")
                                                          : line;
}

static void hear(void *self, const char *line)
{
    struct hearing *h = self;
    buf_printf(&h->text, "%s\n", line);
    if (h->owner && !h->drv->opt.quiet)
        say(h->drv, h->owner, "%s", without_time(line));
}

/* A bare program name cannot be started: no shell, no search path. raw: its standard output, may be
 * NULL; said: the end of it, or of what it complained about. */
static int run_words(struct driver *drv, const char *owner, const char *const *argv,
                     int64_t timeout, uint32_t *ret_code, struct buf *raw, struct buf *said,
                     struct err *err)
{
    struct process_result r;
    struct hearing h = {.drv = drv, .owner = owner, .text = BUF_INIT};
    struct process_listener listener = {hear, &h};
    memset(&r, 0, sizeof r);
    h.text.max = 64 * 1024;
    int rc = process_run_heard(argv, timeout * 1000, &listener, &r, err);
    last_words(r.out.len ? &r.out : &h.text, said);
    if (raw)
        buf_add(raw, buf_str(&r.out), r.out.len);
    *ret_code = r.exit_code;
    buf_free(&r.out);
    buf_free(&h.text);
    return rc;
}

static void owner_of(const struct plan_agent *a, char owner[64])
{
    snprintf(owner, 64, "agent:%s", a->name);
}

int agent_ask(struct driver *drv, const struct plan_agent *a, enum hook hook, uint32_t *ret_code,
              struct buf *raw, struct buf *said, struct err *err)
{
    char owner[64];
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
    owner_of(a, owner);
    return run_words(drv, owner, argv, a->command.timeout, ret_code, raw, said, err);
}

bool command_passes(struct driver *drv, const struct plan_command *c, struct buf *said)
{
    const char *argv[PLAN_ARGS_MAX + 1];
    uint32_t code = 1;
    struct err err = ERR_INIT;
    for (size_t i = 0; i <= c->n; i++)
        argv[i] = c->arg[i];
    if (run_words(drv, NULL, argv, c->timeout, &code, NULL, said, &err)) {
        buf_puts(said, err.text);
        return false;
    }
    return code == 0;
}

/* The findings behind a refusal, a line each. */
static void tell_findings(struct driver *drv, const char *owner, const struct verdict *v)
{
    for (size_t i = 0; i < v->n_items; i++) {
        const struct verdict_item *t = &v->item[i];
        say(drv, owner, "  %s%s%s: expected %s, found %s%s%s", t->title, t->where[0] ? " at " : "",
            t->where, t->expected, t->found, t->remedy[0] ? ". Do: " : "", t->remedy);
    }
}

/* What the agent answered, in its own words where it has them. */
static void put_verdict(struct driver *drv, const char *owner, enum hook hook, uint32_t code,
                        const struct buf *raw, const struct buf *said, struct buf *detail)
{
    struct verdict v;
    verdict_read(buf_str(raw), raw->len, &v);
    if (code)
        buf_printf(detail, "exit code %u: ", (unsigned)code);
    if (v.known)
        verdict_line(&v, clock_now(drv->clock), detail);
    else if (code)
        buf_add(detail, buf_str(said), said->len);
    if (code)
        tell_findings(drv, owner, &v);
    else if (hook == HOOK_PRE)
        resumeby_set(drv, owner, v.resume_by);
    else if (hook == HOOK_POST)
        resumeby_set(drv, owner, WHEN_NONE);
}

/* One hook, journalled. Returns the agent's exit code, or -1 when it could not be asked. */
static int call_recorded(struct driver *drv, const struct plan_agent *a, enum hook hook)
{
    SCOPED(buf_free) struct buf said = BUF_INIT;
    SCOPED(buf_free) struct buf raw = BUF_INIT;
    SCOPED(buf_free) struct buf detail = BUF_INIT;
    char owner[64];
    uint32_t code = 0;
    struct err err = ERR_INIT, later = ERR_INIT;
    const char *step = hook == HOOK_POST ? "post-upgrade" : "pre-upgrade";
    owner_of(a, owner);
    say(drv, owner, "%s ...", step);
    int rc = journal_set(drv->journal, clock_now(drv->clock), owner, step, STEP_BEGUN, "", &err);
    if (!rc)
        rc = agent_ask(drv, a, hook, &code, &raw, &said, &err);
    bool good = !rc && code == 0;
    if (rc)
        buf_puts(&detail, err.text);
    else
        put_verdict(drv, owner, hook, code, &raw, &said, &detail);
    if (journal_set(drv->journal, clock_now(drv->clock), owner, step,
                    good ? STEP_DONE
                    : rc ? STEP_HELD /* no answer: it may or may not have paused */
                         : STEP_FAILED,
                    buf_str(&detail), &later))
        say(drv, owner, "%s", later.text);
    say(drv, owner, "%s: %s%s%s", step, good ? "done" : "FAILED", detail.len ? ": " : "",
        buf_str(&detail));
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

/* Is, or may be: a pre-upgrade that failed has undone itself, one without an answer may not. */
static bool is_paused(struct driver *drv, const struct plan_agent *a)
{
    enum step_state pre = state_of(drv, a, "pre-upgrade");
    return pre != STEP_NEW && pre != STEP_FAILED && state_of(drv, a, "post-upgrade") != STEP_DONE;
}

bool agents_any_paused(struct driver *drv)
{
    bool any = false;
    for (size_t i = 0; i < drv->plan.n_agents; i++)
        any = any || is_paused(drv, &drv->plan.agent[i]);
    return any;
}

static bool needs_pause(struct driver *drv, const struct plan_agent *a)
{
    return state_of(drv, a, "pre-upgrade") != STEP_DONE ||
           state_of(drv, a, "post-upgrade") == STEP_DONE;
}

bool agents_to_pause(struct driver *drv)
{
    bool any = false;
    for (size_t i = 0; i < drv->plan.n_agents; i++)
        any = any || needs_pause(drv, &drv->plan.agent[i]);
    return any;
}

bool agents_forgotten(struct driver *drv, const char *owner)
{
    struct plan_agent gone = {0};
    if (!str_copy(gone.name, sizeof gone.name, owner + strlen("agent:")))
        return true;
    for (size_t i = 0; i < drv->plan.n_agents; i++) {
        if (strcmp(drv->plan.agent[i].name, gone.name) == 0)
            return false;
    }
    return is_paused(drv, &gone);
}

int agents_resume(struct driver *drv)
{
    int worst = HU_DONE;
    for (size_t i = 0; i < drv->plan.n_agents; i++) {
        const struct plan_agent *a = &drv->plan.agent[i];
        if (!is_paused(drv, a))
            continue;
        int code = call_recorded(drv, a, HOOK_POST);
        if (code == AGENT_HSM_NOT_ACCEPTED)
            worst = HU_NOT_ACCEPTED;
        else if (code != 0 && worst == HU_DONE)
            worst = HU_HELD;
    }
    return worst;
}

int agents_pause(struct driver *drv, bool undo)
{
    for (size_t i = 0; i < drv->plan.n_agents; i++) {
        const struct plan_agent *a = &drv->plan.agent[i];
        struct err err = ERR_INIT;
        char owner[64];
        owner_of(a, owner);
        if (!needs_pause(drv, a))
            continue;
        if (stop_wanted())
            return HU_INTERRUPTED;
        if (journal_set(drv->journal, clock_now(drv->clock), owner, "post-upgrade", STEP_NEW, "",
                        &err)) {
            say(drv, owner, "%s", err.text);
            return HU_FAILED;
        }
        int code = call_recorded(drv, a, HOOK_PRE);
        if (code == 0)
            continue;
        say(drv, "", "agent '%s' refused; %s", a->name,
            undo ? "resuming those that were paused"
                 : "the others stay as they are: an appliance was begun");
        if (!undo)
            return HU_AGENT_REFUSED;
        int undone = agents_resume(drv);
        return undone == HU_DONE ? HU_AGENT_REFUSED : undone;
    }
    return HU_DONE;
}
