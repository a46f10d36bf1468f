/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Entry of the native build: the portable verbs, with the native twins of the platform seams. */
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/cli.h"
#include "cdp/ldap.h"

static int console_columns(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        return size.ws_col;
    return 100;
}

int main(int argc, char **argv)
{
    struct cli cli = {
        .program = argv[0],
        .out = stdout,
        .err = stderr,
        .out_tty = isatty(STDOUT_FILENO) != 0,
        .err_tty = isatty(STDERR_FILENO) != 0,
        .columns = console_columns(),
        .clock = clock_system(),
        .ldap = ldap_system(),
        .config_path = "/etc/crlagent/crlagent.xml",
    };
    return cli_main(&cli, argc, argv);
}
