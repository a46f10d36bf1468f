/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Child processes of the native build; the Windows ones are win32/process.c. */
#include "base/process_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/when.h"

struct child {
    pid_t pid;
    int to;   /* its standard input, -1 when closed */
    int from; /* its standard output, and its standard error unless that has a pipe of its own */
    int says; /* its standard error, -1 when it goes with the output */
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static _Noreturn void child_main(const char *const *argv, int in, int out, int says, int report)
{
    setpgid(0, 0);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(says, 2) < 0)
        _exit(126);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    int e = errno;
    (void)!write(report, &e, sizeof e);
    _exit(127);
}

/* The report pipe closes by itself on a successful exec; otherwise it carries errno. */
static int spawn(const char *const *argv, bool heard, struct child *ret, struct err *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, says[2] = {-1, -1}, report[2] = {-1, -1};
    int rc = ERR_OK;
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(report, O_CLOEXEC) ||
        (heard && pipe2(says, O_CLOEXEC))) {
        rc = err_set_errno(err, errno, "making pipes for '%s'", argv[0]);
        goto out;
    }
    pid_t pid = fork();
    if (pid == 0)
        child_main(argv, in[0], out[1], heard ? says[1] : out[1], report[1]);
    if (pid < 0) {
        rc = err_set_errno(err, errno, "starting '%s'", argv[0]);
        goto out;
    }
    close_fd(&report[1]);
    int e = 0;
    if (read(report[0], &e, sizeof e) == (ssize_t)sizeof e) {
        waitpid(pid, NULL, 0);
        rc = err_set_errno(err, e, "starting '%s'", argv[0]);
        goto out;
    }
    ret->pid = pid;
    ret->to = in[1];
    ret->from = out[0];
    ret->says = says[0];
    in[1] = out[0] = says[0] = -1;
out:
    for (int i = 0; i < 2; i++) {
        close_fd(&in[i]);
        close_fd(&out[i]);
        close_fd(&says[i]);
        close_fd(&report[i]);
    }
    return rc;
}

static void feed(struct child *c, const char **input, size_t *left)
{
    ssize_t n = write(c->to, *input, *left);
    if (n < 0) {
        *left = 0; /* it does not want our input: no error of ours */
    } else {
        *input += n;
        *left -= (size_t)n;
    }
}

/* What one of its two outputs has: into out, or to the listener. Its end closes it. */
static void drain(int *fd, struct buf *out, struct lines *lines)
{
    char block[4096];
    ssize_t n = read(*fd, block, sizeof block);
    if (n <= 0) {
        close_fd(fd);
        return;
    }
    size_t room = LIMIT_CHILD_OUTPUT - (out ? out->len : 0);
    if (out)
        buf_add(out, block, (size_t)n < room ? (size_t)n : room);
    else
        lines_feed(lines, block, (size_t)n);
}

/* Feeds input and drains output until the child closes its sides or the deadline passes (returns
 * ETIMEDOUT). */
static int converse(struct child *c, const char *input, int64_t deadline, struct buf *out,
                    struct lines *lines)
{
    size_t left = input ? strlen(input) : 0;
    while (c->from >= 0 || c->says >= 0) {
        if (!left)
            close_fd(&c->to);
        int64_t wait = deadline - clock_mono_ms(clock_system());
        if (wait <= 0)
            return ETIMEDOUT;
        struct pollfd fds[3] = {{.fd = c->from, .events = POLLIN},
                                {.fd = c->says, .events = POLLIN},
                                {.fd = c->to, .events = POLLOUT}};
        if (poll(fds, 3, (int)(wait > 1000000 ? 1000000 : wait)) < 0) {
            if (errno == EINTR)
                continue;
            return errno;
        }
        if (c->to >= 0 && fds[2].revents)
            feed(c, &input, &left);
        if (fds[0].revents)
            drain(&c->from, out, NULL);
        if (fds[1].revents)
            drain(&c->says, NULL, lines);
    }
    return 0;
}

static int reap(struct child *c, int64_t deadline, int *ret_status)
{
    for (;;) {
        pid_t p = waitpid(c->pid, ret_status, WNOHANG);
        if (p == c->pid)
            return 0;
        if (p < 0 || clock_mono_ms(clock_system()) >= deadline)
            return ETIMEDOUT;
        clock_sleep_ms(clock_system(), 2);
    }
}

int process_talk(const char *const *argv, const char *input, int64_t timeout_ms,
                 struct lines *lines, struct process_result *ret, struct err *err)
{
    struct child c = {-1, -1, -1, -1};
    int64_t start = clock_mono_ms(clock_system());
    int status = 0;
    memset(ret, 0, sizeof *ret);
    int rc = spawn(argv, lines != NULL, &c, err);
    if (rc)
        return rc;
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    int e = converse(&c, input, start + timeout_ms, &ret->out, lines);
    if (lines)
        lines_end(lines);
    if (!e)
        e = reap(&c, start + timeout_ms, &status);
    if (e) {
        kill(-c.pid, SIGKILL);
        waitpid(c.pid, &status, 0);
    }
    signal(SIGPIPE, old);
    close_fd(&c.to);
    close_fd(&c.from);
    close_fd(&c.says);
    ret->ms = clock_mono_ms(clock_system()) - start;
    if (e == ETIMEDOUT)
        return err_set(err, ERR_TIMEOUT, "'%s' did not end within %lld ms and was stopped", argv[0],
                       (long long)timeout_ms);
    if (e)
        return err_set_errno(err, e, "talking to '%s'", argv[0]);
    ret->exit_code =
        WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status) : 128u + (uint32_t)WTERMSIG(status);
    return ERR_OK;
}
