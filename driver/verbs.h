/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The command line of hsmupgrade. */
#ifndef CRLAGENT_DRIVER_VERBS_H
#define CRLAGENT_DRIVER_VERBS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/when.h"

struct hu_cli {
    FILE *out, *err; /* results; progress and messages */
    bool err_tty;
    int columns;
    const struct clock *clock;
};

/* argv[0] = program. Returns a hu_exit. */
int hu_main(struct hu_cli *cli, int argc, char **argv);

#endif
