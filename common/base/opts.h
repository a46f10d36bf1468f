/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Command lines: a verb's options as a table, the same for crlagent and hsmupgrade. Accepts "--name
 * value",
 * "--name=value", "-name value" and flags; "--" ends options; "--help", "-h" and "/?" are
 * recognised on every verb. An unknown option is refused and the nearest known one is named. */
#ifndef CRLAGENT_BASE_OPTS_H
#define CRLAGENT_BASE_OPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum opt_kind {
    OPT_FLAG,     /* bool * */
    OPT_TEXT,     /* const char **, last one wins; points into argv */
    OPT_LIST,     /* struct opt_list * */
    OPT_NUMBER,   /* uint64_t * */
    OPT_DURATION, /* int64_t *, seconds */
    OPT_TIME,     /* int64_t *, UTC seconds */
};

#define OPT_LIST_MAX 64
struct opt_list {
    const char *item[OPT_LIST_MAX];
    size_t n;
};

struct opt {
    const char *name; /* without dashes */
    enum opt_kind kind;
    void *target;
    const char *value; /* name of the value in help: "FILE"; NULL for flags */
    const char *help;  /* one line */
};

struct opts {
    const struct opt *table;
    size_t n;
    size_t min_args, max_args; /* positional arguments allowed */
};

/* Reads argv[0..argc). Positional arguments are moved to the front of argv and counted in
 * *ret_args. *ret_help is set when help was asked for (nothing else is checked then). ERR_INVALID
 * with a text for the user otherwise. */
MUST_CHECK int opts_parse(const struct opts *o, int argc, char **argv, int *ret_args,
                          bool *ret_help, struct err *err);

/* "  --name VALUE   help" lines, one per option, aligned, at most 100 columns. */
struct buf;
void opts_help(const struct opts *o, struct buf *out);

#endif
