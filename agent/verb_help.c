/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent help, crlagent version */
#include <string.h>

#include "agent/cli.h"
#include "agent/verbs.h"

int verb_help(struct cli *cli, int argc, char **argv)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    if (argc > 0) {
        static char ask[] = "--help";
        char *line[8] = {"crlagent"};
        int n = 1;
        for (int i = 0; i < argc && n < 6; i++)
            line[n++] = argv[i];
        line[n++] = ask;
        return cli_main(cli, n, line);
    }
    buf_puts(&text, "crlagent " CRLAGENT_VERSION " - PKI/CRL coordination agent for Windows\n\n"
                    "usage: crlagent VERB [options]\n\n");
    size_t width = 0;
    for (size_t i = 0; i < cli_verb_count; i++) {
        size_t w = strlen(cli_verbs[i].name);
        width = w > width ? w : width;
    }
    for (size_t i = 0; i < cli_verb_count; i++)
        buf_printf(&text, "  %-*s  %s\n", (int)width, cli_verbs[i].name, cli_verbs[i].summary);
    buf_puts(&text, "\n'crlagent VERB --help' explains a verb.\n");
    return cli_write(cli, &text, EXIT_DONE);
}

int verb_version(struct cli *cli, int argc, char **argv)
{
    static const struct opts none = {NULL, 0, 0, 0};
    int args, code;
    if (cli_options(cli, &none, argc, argv, &args, &code))
        return code;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    buf_puts(&text, "crlagent " CRLAGENT_VERSION "\n");
    return cli_write(cli, &text, EXIT_DONE);
}
