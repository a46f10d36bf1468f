/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* process_run of base/process.h; the native one is common/base/process_posix.c. */
#include "base/process_int.h"

#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "base/when.h"
#include "win32/process_int.h"
#include "win32/werr.h"

/* After the end of the program its pipe may still be held open by something it started. */
#define DRAIN_MS 2000

struct talk {
    struct child c;
    const char *input;
    size_t left;
    char block[4096], said[4096];
    struct buf *out;
    struct lines *lines; /* NULL: standard error goes with the output */
};

/* Starts what can be started: the reads, and the write while there is input. false = the child has
 * closed its outputs. */
static bool keep_going(struct talk *t)
{
    struct child *c = &t->c;
    if (c->out.ours && !c->out.pending && child_read(&c->out, t->block, sizeof t->block))
        child_pipe_close(&c->out);
    if (c->says.ours && !c->says.pending && child_read(&c->says, t->said, sizeof t->said))
        child_pipe_close(&c->says);
    if (c->in.ours && !c->in.pending) {
        /* It does not want our input: no error of ours. */
        if (!t->left || child_write(&c->in, t->input, (DWORD)t->left))
            child_pipe_close(&c->in);
    }
    return c->out.ours || c->says.ours;
}

static void read_done(struct talk *t)
{
    DWORD n = 0;
    size_t room = t->out->len < LIMIT_CHILD_OUTPUT ? LIMIT_CHILD_OUTPUT - t->out->len : 0;
    if (child_result(&t->c.out, &n))
        child_pipe_close(&t->c.out);
    else
        buf_add(t->out, t->block, n < room ? n : room);
}

static void said_done(struct talk *t)
{
    DWORD n = 0;
    if (child_result(&t->c.says, &n))
        child_pipe_close(&t->c.says);
    else
        lines_feed(t->lines, t->said, n);
}

static void write_done(struct talk *t)
{
    DWORD n = 0;
    if (child_result(&t->c.in, &n))
        t->left = 0;
    else {
        t->input += n;
        t->left -= n;
    }
}

enum wait { WAIT_READ, WAIT_SAID, WAIT_WRITE, WAIT_END, WAIT_NONE };

/* Waits for one of the transfers under way, or the end of the process. */
static enum wait wait_one(struct talk *t, bool ended, int64_t left)
{
    HANDLE handle[4];
    enum wait what[4];
    DWORD n = 0;
    const struct {
        bool on;
        HANDLE handle;
        enum wait what;
    } all[] = {{t->c.out.pending, t->c.out.ov.hEvent, WAIT_READ},
               {t->c.says.pending, t->c.says.ov.hEvent, WAIT_SAID},
               {t->c.in.pending, t->c.in.ov.hEvent, WAIT_WRITE},
               {!ended, t->c.process, WAIT_END}};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i].on) {
            handle[n] = all[i].handle;
            what[n++] = all[i].what;
        }
    }
    DWORD which = WaitForMultipleObjects(n, handle, FALSE, left < 0 ? 0 : (DWORD)left);
    return which < WAIT_OBJECT_0 + n ? what[which - WAIT_OBJECT_0] : WAIT_NONE;
}

/* Feeds and drains until the child has ended and its output is read. false = time-out. */
static bool converse(struct talk *t, int64_t deadline)
{
    const struct clock *clock = clock_system();
    bool ended = false;
    while (keep_going(t)) {
        switch (wait_one(t, ended, deadline - clock_mono_ms(clock))) {
        case WAIT_READ:
            read_done(t);
            break;
        case WAIT_SAID:
            said_done(t);
            break;
        case WAIT_WRITE:
            write_done(t);
            break;
        case WAIT_END: {
            ended = true;
            int64_t drained = clock_mono_ms(clock) + DRAIN_MS;
            deadline = deadline < drained ? deadline : drained;
            break;
        }
        case WAIT_NONE:
            return ended;
        }
    }
    int64_t left = deadline - clock_mono_ms(clock);
    return WaitForSingleObject(t->c.process, left < 0 ? 0 : (DWORD)left) == WAIT_OBJECT_0;
}

int process_talk(const char *const *argv, const char *input, int64_t timeout_ms,
                 struct lines *lines, struct process_result *ret, struct err *err)
{
    struct child_setup setup = {.argv = argv,
                                .error = lines ? CHILD_ERROR_PIPE : CHILD_ERROR_WITH_OUT};
    struct talk t = {.input = input ? input : "", .out = &ret->out, .lines = lines};
    const struct clock *clock = clock_system();
    int64_t start = clock_mono_ms(clock);
    memset(ret, 0, sizeof *ret);
    t.left = strlen(t.input);
    int rc = child_start(&setup, &t.c, err);
    if (rc)
        return rc;
    DWORD code = 0;
    bool ended = converse(&t, start + timeout_ms);
    if (lines)
        lines_end(lines);
    if (ended)
        GetExitCodeProcess(t.c.process, &code);
    child_end(&t.c);
    ret->ms = clock_mono_ms(clock) - start;
    ret->exit_code = code;
    if (!ended)
        return err_set(err, ERR_TIMEOUT, "'%s' did not end within %lld ms and was stopped", argv[0],
                       (long long)timeout_ms);
    return ERR_OK;
}
