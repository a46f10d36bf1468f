/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Looks at every location while nothing else is to be done: history and runway. */
#ifndef CRLAGENT_AGENT_ROUNDS_H
#define CRLAGENT_AGENT_ROUNDS_H

#include "agent/conductor_int.h"

struct look {
    struct ca_view view;
    struct probe_round round;
};
void look_free(struct look *l); /* for SCOPED(); takes a zeroed one */

/* The CA as it says it is (or said, while it is stopped) and every location asked once. Keeps the
 * results in the history and the runway for status. */
MUST_CHECK int look_take(struct conductor *c, struct look *ret, struct err *err);

/* The "check" request: a look, judged and rendered. */
int round_answer(struct conductor *c, struct job *job);

#endif
