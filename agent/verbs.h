/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Entry points of the verbs, one per row of verbs.c. */
#ifndef CRLAGENT_AGENT_VERBS_H
#define CRLAGENT_AGENT_VERBS_H

struct cli;

int verb_help(struct cli *cli, int argc, char **argv);
int verb_version(struct cli *cli, int argc, char **argv);

#endif
