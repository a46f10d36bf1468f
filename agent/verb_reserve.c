/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent reserve make, list, verify, release, recall */
#include "agent/ask.h"
#include "agent/verbs.h"

int verb_reserve_make(struct cli *cli, int argc, char **argv)
{
    return ask_service(cli, argc, argv, "reserve-make", 0);
}

int verb_reserve_list(struct cli *cli, int argc, char **argv)
{
    return ask_service(cli, argc, argv, "reserve-list", ASK_LIMIT);
}

int verb_reserve_verify(struct cli *cli, int argc, char **argv)
{
    return ask_service(cli, argc, argv, "reserve-verify", 0);
}

int verb_reserve_release(struct cli *cli, int argc, char **argv)
{
    return ask_service(cli, argc, argv, "reserve-release", ASK_REASON);
}

int verb_reserve_recall(struct cli *cli, int argc, char **argv)
{
    return ask_service(cli, argc, argv, "reserve-recall", ASK_REASON);
}
