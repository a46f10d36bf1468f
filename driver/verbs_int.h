/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Between the files of the command line. */
#ifndef CRLAGENT_DRIVER_VERBS_INT_H
#define CRLAGENT_DRIVER_VERBS_INT_H

#include "driver/driver.h"
#include "driver/verbs.h"

/* Bits: which options a verb has. An option that a verb would ignore is refused. */
enum verb_bit {
    V_PLAN_INIT = 1,
    V_PLAN_CHECK = 2,
    V_PATH = 4,
    V_CHECK = 8,
    V_RUN = 16,
    V_RESUME = 32,
    V_ABORT = 64,
    V_STATUS = 128,
    V_WATCH = 256,
};

/* One row of the table in verbs.c. */
struct hu_verb {
    const char *name; /* one or two words */
    const char *args;
    const char *summary;
    int (*run)(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv);
    unsigned bit; /* 0: no options */
};

struct parsed {
    struct driver_options o;
    const char *metrics; /* --metrics FILE */
    bool no_agents;      /* --no-agents */
    const char *file;    /* the first argument: in front of the messages about a plan */
};

/* Reads the options. 0 = go on, 1 = *ret is the exit code. */
int hu_parse(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv,
             struct parsed *p, size_t args, int *ret);
/* Says why on standard error, and with --json as a document on standard output. Returns code. */
int hu_fail(struct hu_cli *cli, const struct parsed *p, int code, const struct err *err);
/* Writes the result; returns code, or HU_FAILED when it cannot be written. */
int hu_put(struct hu_cli *cli, const struct buf *text, int code);
/* The exit code for a plan, journal or place that could not be opened. */
int hu_open_failed(struct hu_cli *cli, const struct parsed *p, const struct err *err);

struct driver *hu_driver(struct hu_cli *cli, const struct parsed *p); /* NULL: no memory */
void hu_end_driver(struct driver **drv);                              /* for SCOPED() */

int verb_plan_init(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv);
int verb_plan_check(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv);
int verb_path(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv);
int verb_check(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv);
int verb_watch(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv);

#endif
