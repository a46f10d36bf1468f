/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What an agent answered: the JSON document of a hook (docs/exit-codes.md), read for the person at
 * the driver. Any command line may be an agent, so nothing in it is relied on but the exit code. */
#ifndef CRLAGENT_DRIVER_VERDICT_H
#define CRLAGENT_DRIVER_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define VERDICT_ITEMS_MAX 4
#define VERDICT_NONE INT64_MIN /* a span that was not given */

/* A finding that made the agent's gate refuse or warn. */
struct verdict_item {
    char severity[12], title[160], where[200], expected[160], found[200], remedy[200];
};

struct verdict {
    bool known;                      /* false: no such document; everything else is empty */
    bool repeated;                   /* the answer of before, nothing was done again */
    char outcome[32];                /* "done", "gate-refused", ... */
    char state[24];                  /* of the maintenance */
    char error[600];                 /* why not, in the agent's words */
    char decides[200];               /* what the runway hangs on */
    char proof[300];                 /* what became of the CRLs, in the agent's words */
    char compared[300];              /* before and after, in the agent's words */
    int64_t resume_by, runway_until; /* UTC; WHEN_NONE */
    int64_t weakest, need;           /* seconds; VERDICT_NONE */
    int64_t down;                    /* seconds the CA was away; VERDICT_NONE */
    struct verdict_item item[VERDICT_ITEMS_MAX];
    size_t n_items;
};

/* text: what the agent wrote on standard output. */
void verdict_read(const char *text, size_t len, struct verdict *ret);

/* One line: "paused; resume by 2026-11-23T04:10:00Z (in 3h 58m), runway 4h 20m". Nothing when the
 * document is not known. */
void verdict_line(const struct verdict *v, int64_t now, struct buf *out);

/* "2026-11-23T04:10:00Z (in 3h 58m)", "... (5m ago)". */
void verdict_moment(int64_t when, int64_t now, struct buf *out);

#endif
