/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent service: what the SCM starts; crlagent keyprobe: what the service starts for a key test
 */
#include "agent/cli.h"
#include "agent/service.h"
#include "agent/verbs.h"
#include "win32/keyprobe.h"

int verb_service(struct cli *cli, int argc, char **argv)
{
    const char *config = NULL;
    bool console = false;
    const struct opt table[] = {
        {"console", OPT_FLAG, &console, NULL,
         "run in this (elevated) console until Ctrl-C, for debugging; the other verbs "
         "talk to it only where the service is not installed"},
        {"config", OPT_TEXT, &config, "FILE", "another configuration than the installed one"},
    };
    const struct opts opts = {table, ARRAY_LEN(table), 0, 0};
    struct err err = ERR_INIT;
    int args, code;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    int rc = service_run(config, console, cli->ldap, &err);
    if (rc == ERR_STATE && !console)
        err_context(&err, "'crlagent service' is started by Windows ('crlagent start'); use "
                          "--console to debug");
    return rc ? cli_fail(cli, EXIT_FAILED, &err) : EXIT_DONE;
}

int verb_keyprobe(struct cli *cli, int argc, char **argv)
{
    static const struct opts none = {NULL, 0, 0, 0};
    int args, code;
    if (cli_options(cli, &none, argc, argv, &args, &code))
        return code;
    return key_probe_child(stdin, cli->out);
}
