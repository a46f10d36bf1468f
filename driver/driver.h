/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* One run of hsmupgrade at work: the plan, the appliances it talks to, journal, transcript and
 * console. Everything else takes a pointer to it. Single-threaded. */
#ifndef CRLAGENT_DRIVER_DRIVER_H
#define CRLAGENT_DRIVER_DRIVER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/opts.h"
#include "base/when.h"
#include "driver/dialogue.h"
#include "driver/exitcode.h"
#include "driver/journal.h"
#include "driver/lunash.h"
#include "driver/paths.h"
#include "driver/plan.h"

/* What the command line decided. */
struct driver_options {
    const char *state_dir;       /* NULL = the system's place */
    const char *unlisted_reason; /* --accept-unlisted-path */
    const char *changed_plan;    /* --accept-changed-plan REASON */
    struct opt_list host_keys;   /* --accept-host-key NAME=SHA256:... */
    struct opt_list repeat;      /* --repeat APPLIANCE:STEP */
    struct opt_list assume;      /* --assume-done APPLIANCE:STEP */
    struct opt_list unproven;    /* --accept-unproven APPLIANCE:STEP, of abort */
    bool retry_so_login;         /* a person allows one more SO login */
    bool secrets_stdin;          /* secrets come as KEY=VALUE lines before everything else */
    bool json, quiet;
    int64_t extend_window; /* seconds added to the window's end */
};

struct secret {
    char key[80];
    char value[256];
};
#define SECRETS_MAX TRANSCRIPT_SECRETS_MAX

/* What an appliance holds and serves (inventory.h). */
enum inventory_item {
    INV_SOFTWARE,
    INV_FIRMWARE,
    INV_PARTITIONS, /* "serial name objects" a line each */
    INV_CLIENTS,
    INV_ASSIGNED, /* "client: partitions" a line each; empty when a person types */
    INV_ROUTES,
    INV_NTLS,     /* "running" */
    INV_SERVICES, /* "ntp running" a line each; empty when a person types */
    INV_IPCHECK,  /* the line of 'ntls ipcheck show' */
    INV_STANDBY,  /* "Upgrade Firmware" of 'hsm firmware show', "" when not printed */
    INV_ITEMS
};
struct inventory {
    struct buf item[INV_ITEMS];
};
void inventory_free(struct inventory *i); /* for SCOPED() */

/* One appliance at run time. */
struct driver;
struct site {
    struct driver *drv;
    const struct plan_appliance *a;
    struct transport t;    /* the console */
    struct transport file; /* for uploads when the console cannot */
    struct dialogue d;
    bool so;               /* the SO is logged in on the present connection */
    bool refused;          /* the last login to the shell was refused: account, password or key */
    char pinned[64];       /* fingerprint in force: the plan's, or one that was accepted */
    struct luna_show show; /* the last one that was read */
    struct inventory inventory; /* of 'check'; empty items otherwise */
    size_t hop;                 /* index into plan.hop: which update it is in (hop.h) */
    char step_name[48];         /* of the step that is under way, as in the journal */
};

struct driver {
    struct plan plan;
    struct paths paths;
    struct family family;
    struct driver_options opt;
    const struct clock *clock;
    struct journal *journal;       /* NULL for verbs that keep none */
    struct transcript *transcript; /* never NULL */
    struct secret secret[SECRETS_MAX];
    size_t n_secrets;
    struct site site[PLAN_APPLIANCES_MAX];
    size_t n_sites;
    bool looking; /* 'check': the journal is open without its lock, or not at all */
    FILE *out, *err;
    bool err_tty;
    int columns;
    bool bar_shown;  /* a progress line without an end stands on err */
    int64_t told_ms; /* when a plain progress line was last printed */
    char told_fit;   /* what resumeby_tell last said: 0 nothing, 'f' fits, 't' tight, 'o' over */
    int64_t told_fit_ms;
};

/* ---- site.c: connections ---- */

/* Fresh login; a connection that is open is closed first. */
MUST_CHECK int site_login(struct site *s, struct err *err);
void site_leave(struct site *s);
/* Types a command of the family and gives the whole exchange. file, code, name fill its template.
 */
struct site_command {
    const char *id, *file, *code, *name;
    int64_t total_ms;
};
MUST_CHECK int site_run(struct site *s, const struct site_command *c, struct exchange *ret,
                        struct err *err);
/* A show command on the present connection (logs in when there is none): its body, or why not. */
MUST_CHECK int site_ask(struct site *s, const char *id, const char *name, struct buf *body,
                        struct err *err);
/* 'hsm show' from a fresh login. */
MUST_CHECK int site_fresh_show(struct site *s, struct luna_show *ret, struct err *err);
MUST_CHECK int site_put(struct site *s, const struct plan_package *k, uint64_t size,
                        struct err *err);
/* The one automatic SO login. Fails with ERR_DENIED when it may not be tried or was refused. */
MUST_CHECK int site_so_login(struct site *s, struct err *err);

/* ---- secrets.c ---- */

/* "password:NAME", "authcode", "authcode:patch"; from stdin lines, the store, or a prompt. The text
 * lives in drv and is hidden from the transcript. */
MUST_CHECK int secret_get(struct driver *drv, const char *key, const char *prompt, bool stored,
                          const char **ret, struct err *err);
MUST_CHECK int secrets_read_stdin(struct driver *drv, struct err *err);
void secrets_wipe(struct driver *drv);

/* ---- console.c ---- */

/* "20:15:01 [hsm-a] text" on standard error, and into transcript and journal. */
void say(struct driver *drv, const char *owner, const char *fmt, ...) PRINTF_LIKE(3, 4);
void progress_transfer(struct driver *drv, const char *owner, uint64_t done, uint64_t size,
                       int64_t elapsed_ms);
void progress_wait(struct driver *drv, const char *owner, const char *what,
                   const struct family_rule *ped, int64_t elapsed_ms, int64_t left_ms);
void progress_end(struct driver *drv);
/* A question for a person; ERR_STATE when nobody can be asked. */
MUST_CHECK int ask(struct driver *drv, const char *question, struct buf *ret, struct err *err);

int64_t driver_now(const struct driver *drv);

/* ---- setup.c ---- */
/* RUN: journal with its locks, transcript. CHECK: the journal without a lock, to write down what is
 * seen; where that is not possible it says so and goes without. WATCH: neither. */
enum driver_for { DRIVER_RUN, DRIVER_CHECK, DRIVER_WATCH };
MUST_CHECK int driver_open(struct driver *drv, const char *plan_path, enum driver_for what,
                           struct err *err);
void driver_close(struct driver *drv); /* for SCOPED() */

#endif
