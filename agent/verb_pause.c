/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent pause, resume, abort, extend: a maintenance by hand */
#include "agent/ask.h"
#include "agent/verbs.h"

int verb_pause(struct cli *cli, int argc, char **argv)
{
    return ask_service(cli, argc, argv, "pause",
                       ASK_CHANGE | ASK_CHANGE_NEEDED | ASK_WINDOW | ASK_WINDOW_NEEDED |
                           ASK_RESERVE | ASK_REASON | ASK_DEADLINE | ASK_TOKEN | ASK_DRY_RUN |
                           ASK_PREPARE_ONLY);
}

int verb_resume(struct cli *cli, int argc, char **argv)
{
    return ask_service(cli, argc, argv, "resume",
                       ASK_CHANGE | ASK_CHANGE_NEEDED | ASK_TOKEN | ASK_TAKE_OVER | ASK_DRY_RUN);
}

int verb_abort(struct cli *cli, int argc, char **argv)
{
    return ask_service(cli, argc, argv, "abort",
                       ASK_CHANGE | ASK_CHANGE_NEEDED | ASK_REASON | ASK_TOKEN | ASK_TAKE_OVER);
}

int verb_extend(struct cli *cli, int argc, char **argv)
{
    return ask_service(cli, argc, argv, "extend",
                       ASK_CHANGE | ASK_CHANGE_NEEDED | ASK_WINDOW | ASK_WINDOW_NEEDED |
                           ASK_REASON | ASK_TOKEN | ASK_TAKE_OVER);
}
