/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The command line: one table of verbs; a verb is one file, verb_<name>.c, with one row here. */
#ifndef CRLAGENT_AGENT_CLI_H
#define CRLAGENT_AGENT_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/opts.h"
#include "base/when.h"

/* Exit codes. Checks use 0-3 of the monitoring plug-ins guidelines; maintenance verbs have their
 * own list. The list is a contract: docs/exit-codes.md. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_CHECK_WARNING = 1,
    EXIT_CHECK_CRITICAL = 2,
    EXIT_CHECK_UNKNOWN = 3,
    EXIT_GATE_REFUSED = 10,
    EXIT_MAINTENANCE_BUSY = 11,
    EXIT_NOT_PROVEN = 12,
    EXIT_PAUSE_FAILED = 13,
    EXIT_HSM_NOT_ACCEPTED = 14,
    EXIT_RESUME_HELD = 15,
    EXIT_DEADLINE_PASSED = 16,
    EXIT_USAGE = 20,
    EXIT_NOT_PERMITTED = 21,
    EXIT_NO_SERVICE = 22,
    EXIT_FAILED = 23, /* an operation failed for a reason that is on standard error */
};

struct control;

struct crl_issuers;
struct fetch_options;
struct ldap_fetcher;
struct probe_result;
struct probe_target;
struct probing;
struct secret_store;

/* What a verb gets. */
struct cli {
    const char *program;   /* as typed, for usage lines */
    FILE *out, *err;       /* results; progress and messages */
    bool out_tty, err_tty; /* a console is there: colour and progress allowed */
    int columns;           /* width of the console, 100 when unknown */
    const struct clock *clock;
    const struct secret_store *secrets; /* NULL: this build has no credential store */
    const struct ldap_fetcher *ldap;    /* NULL: this build cannot read directories */
    const struct control *control;      /* way to the service; NULL = this build has none */
    /* Adds what a CA named "HOST\\CA" says of itself; NULL = this build cannot ask one. */
    int (*ask_ca)(const char *config_string, struct probing *p, struct err *err);
    /* Asks locations in a process without rights; NULL = this build asks in its own. */
    int (*ask_locations)(struct cli *cli, const struct fetch_options *o,
                         const struct probe_target *targets, size_t n,
                         const struct crl_issuers *issuers, struct probe_result *results,
                         struct err *err);
    const char *config_path; /* where the configuration is when --config is not given */
    /* Makes the folder of the configuration with its rights; NULL = nothing to make. */
    int (*prepare_config)(const char *path, struct err *err);
    const struct verb *verb; /* the row that is running */
};

struct verb {
    const char *name;    /* "crl show" is two words: the longest match wins */
    const char *args;    /* "FILE|URL|-", "" for none */
    const char *summary; /* one line for 'help' */
    const char *detail;  /* several lines for '--help'; may be NULL */
    int (*run)(struct cli *cli, int argc,
               char **argv); /* argv after the verb; returns an exit code */
};

/* All verbs of this build, in the order of 'help'. */
extern const struct verb *const cli_verbs;
extern const size_t cli_verb_count;

/* Runs one command line (argv[0] = program). Returns the exit code. */
int cli_main(struct cli *cli, int argc, char **argv);

/* opts_parse for a verb: on help prints it and returns 1 with *ret_exit = 0; on an error prints it
 * with the usage line and returns 1 with *ret_exit = EXIT_USAGE; returns 0 to go on. */
int cli_options(struct cli *cli, const struct opts *o, int argc, char **argv, int *ret_args,
                int *ret_exit);

/* Prints "crlagent: TEXT" and returns exit_code. */
int cli_fail(struct cli *cli, int exit_code, const struct err *err);

/* Writes a buffer to cli->out; EXIT_FAILED when that fails (disk full, closed pipe). */
int cli_write(struct cli *cli, const struct buf *text, int exit_code);

#endif
