/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Entry of the native hsmupgrade. */
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "driver/stop.h"
#include "driver/verbs.h"

static int console_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        return size.ws_col;
    return 100;
}

int main(int argc, char **argv)
{
    /* A broken connection is an answer of write(), not the end of the program. */
    signal(SIGPIPE, SIG_IGN);
    struct hu_cli cli = {
        .out = stdout,
        .err = stderr,
        .err_tty = isatty(STDERR_FILENO) != 0,
        .columns = console_columns(),
        .clock = stop_clock(),
    };
    return hu_main(&cli, argc, argv);
}
