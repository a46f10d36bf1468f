/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/stop.h"
#include "driver/term.h"

#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#define LINE_MAX_CHARS 4096

bool term_interactive(void)
{
    return isatty(STDIN_FILENO) != 0;
}

/* Byte by byte, without buffering: what follows may belong to somebody else. */
static int read_line(struct buf *ret, struct err *err)
{
    char c;
    size_t n = 0;
    ssize_t got;
    if (!stop_wait_input())
        return err_set(err, ERR_CANCELLED, "interrupted while waiting for input");
    while ((got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
        if (++n > LINE_MAX_CHARS)
            return err_set(err, ERR_LIMIT, "a line is longer than %d characters", LINE_MAX_CHARS);
        if (c != '\r')
            buf_putc(ret, c);
    }
    if (got != 1 && n == 0)
        return err_set(err, ERR_NOT_FOUND, "standard input has ended");
    return buf_check(ret, "line", err);
}

int term_read_line(bool echo, struct buf *ret, struct err *err)
{
    struct termios before, quiet;
    bool hide = !echo && term_interactive() && tcgetattr(STDIN_FILENO, &before) == 0;
    if (hide) {
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    int rc = read_line(ret, err);
    if (hide) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    return rc;
}

int term_stored_secret(const char *name, struct buf *ret, struct err *err)
{
    (void)ret;
    return err_set(err, ERR_UNSUPPORTED,
                   "no credential store on this system for '%s'; use a prompt or --secrets-stdin",
                   name);
}

int term_state_dir(struct buf *ret, struct err *err)
{
    const char *base = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (base && *base)
        buf_printf(ret, "%s/hsmupgrade", base);
    else
        buf_printf(ret, "%s/.local/state/hsmupgrade", home && *home ? home : ".");
    return buf_check(ret, "path", err);
}
