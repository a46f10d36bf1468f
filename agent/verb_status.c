/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent status, maintenance, history, publish */
#include "agent/ask.h"
#include "agent/verbs.h"

int verb_status(struct cli *cli, int argc, char **argv)
{
    return ask_service(cli, argc, argv, "status", 0);
}

int verb_maintenance(struct cli *cli, int argc, char **argv)
{
    return ask_service(cli, argc, argv, "maintenance", 0);
}

int verb_history(struct cli *cli, int argc, char **argv)
{
    return ask_service(cli, argc, argv, "history", ASK_LIMIT);
}

int verb_publish(struct cli *cli, int argc, char **argv)
{
    return ask_service(cli, argc, argv, "publish", ASK_CHANGE | ASK_REASON | ASK_UNTIL);
}
