/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The verbs that are one request to the service share their options: which of them a verb has is a
 * set of bits. */
#ifndef CRLAGENT_AGENT_ASK_H
#define CRLAGENT_AGENT_ASK_H

#include "agent/cli.h"

enum ask_option {
    ASK_CHANGE = 1,        /* --change ID */
    ASK_CHANGE_NEEDED = 2, /* and it must be given, unless --take-over is */
    ASK_WINDOW = 4,        /* --window DURATION */
    ASK_WINDOW_NEEDED = 8,
    ASK_RESERVE = 16,
    ASK_REASON = 32,
    ASK_DEADLINE = 64,
    ASK_TOKEN = 128,
    ASK_DRY_RUN = 256,
    ASK_PREPARE_ONLY = 512,
    ASK_TAKE_OVER = 1024,
    ASK_UNTIL = 2048,
    ASK_LIMIT = 4096,
};

/* Parses the options, asks the service for 'verb', prints the answer; returns the exit code. */
int ask_service(struct cli *cli, int argc, char **argv, const char *verb, unsigned options);

#endif
