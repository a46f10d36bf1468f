/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* process_run of base/process.h; the native one is common/base/process_posix.c. */
#include "base/process.h"

#include <string.h>

#include "base/limits.h"
#include "base/when.h"
#include "win32/process_int.h"
#include "win32/werr.h"

/* After the end of the program its pipe may still be held open by something it started. */
#define DRAIN_MS 2000

struct talk {
    struct child c;
    const char *input;
    size_t left;
    char block[4096];
    struct buf *out;
};

static void keep_output(struct talk *t, DWORD n)
{
    size_t room = t->out->len < LIMIT_CHILD_OUTPUT ? LIMIT_CHILD_OUTPUT - t->out->len : 0;
    buf_add(t->out, t->block, n < room ? n : room);
}

/* Starts what can be started: the read, and the write while there is input. false = the child has
 * closed its output. */
static bool keep_going(struct talk *t)
{
    if (!t->c.out.pending && child_read(&t->c.out, t->block, sizeof t->block))
        return false;
    if (t->c.in.ours && !t->c.in.pending) {
        /* It does not want our input: no error of ours. */
        if (!t->left || child_write(&t->c.in, t->input, (DWORD)t->left))
            child_pipe_close(&t->c.in);
    }
    return true;
}

static bool read_done(struct talk *t)
{
    DWORD n = 0;
    if (child_result(&t->c.out, &n))
        return false;
    keep_output(t, n);
    return true;
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

/* Feeds and drains until the child has ended and its output is read. false = time-out. */
static bool converse(struct talk *t, int64_t deadline)
{
    const struct clock *clock = clock_system();
    bool ended = false;
    while (keep_going(t)) {
        HANDLE wait[3] = {t->c.out.ov.hEvent};
        DWORD n = 1, at_process = 9, at_write = 9;
        if (t->c.in.pending)
            wait[at_write = n++] = t->c.in.ov.hEvent;
        if (!ended)
            wait[at_process = n++] = t->c.process;
        int64_t left = deadline - clock_mono_ms(clock);
        DWORD which = WaitForMultipleObjects(n, wait, FALSE, left < 0 ? 0 : (DWORD)left);
        if (which == WAIT_OBJECT_0) {
            if (!read_done(t))
                break;
        } else if (which == WAIT_OBJECT_0 + at_write) {
            write_done(t);
        } else if (which == WAIT_OBJECT_0 + at_process) {
            ended = true;
            int64_t drained = clock_mono_ms(clock) + DRAIN_MS;
            deadline = deadline < drained ? deadline : drained;
        } else {
            return ended;
        }
    }
    int64_t left = deadline - clock_mono_ms(clock);
    return WaitForSingleObject(t->c.process, left < 0 ? 0 : (DWORD)left) == WAIT_OBJECT_0;
}

int process_run(const char *const *argv, const char *input, int64_t timeout_ms,
                struct process_result *ret, struct err *err)
{
    struct child_setup setup = {.argv = argv};
    struct talk t = {.input = input ? input : "", .out = &ret->out};
    const struct clock *clock = clock_system();
    int64_t start = clock_mono_ms(clock);
    memset(ret, 0, sizeof *ret);
    t.left = strlen(t.input);
    int rc = child_start(&setup, &t.c, err);
    if (rc)
        return rc;
    DWORD code = 0;
    bool ended = converse(&t, start + timeout_ms);
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
