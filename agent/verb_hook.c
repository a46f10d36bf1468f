/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent hook pre-upgrade, hook post-upgrade: what an upgrade driver calls (docs/exit-codes.md)
 */
#include "agent/ask.h"
#include "agent/verbs.h"

int verb_hook_pre(struct cli *cli, int argc, char **argv)
{
    return ask_service(cli, argc, argv, "pre-upgrade",
                       ASK_CHANGE | ASK_CHANGE_NEEDED | ASK_WINDOW | ASK_WINDOW_NEEDED |
                           ASK_RESERVE | ASK_REASON | ASK_DEADLINE | ASK_TOKEN | ASK_DRY_RUN |
                           ASK_PREPARE_ONLY);
}

int verb_hook_post(struct cli *cli, int argc, char **argv)
{
    return ask_service(cli, argc, argv, "post-upgrade",
                       ASK_CHANGE | ASK_CHANGE_NEEDED | ASK_TOKEN | ASK_DRY_RUN);
}
