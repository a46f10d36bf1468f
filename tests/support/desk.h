/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The continuous watch on a bench: fake world, real store, a clock that jumps. */
#ifndef CRLAGENT_TESTS_SUPPORT_DESK_H
#define CRLAGENT_TESTS_SUPPORT_DESK_H

#include "store/history.h"
#include "support/bench.h"
#include "watch/watch.h"

#define DESK_ROWS 100000

struct desk {
    struct bench b;
    struct config config;
    struct watch_setup setup;
    struct watch *watch;
    struct store_probe *rows;
    char metrics[SCRATCH_MAX + 32];
    uint32_t random;
    struct probe_seen seen;
    bool has_seen;
    struct health_ca_event logged[2];
    size_t n_logged;
    int log_rc;
};

/* For cmocka. */
int desk_begin(void **state);
int desk_end(void **state);
/* A watch over the bench as it is now; setup may be changed between the two. */
void desk_wire(struct desk *d);
int desk_try_look(struct desk *d, struct err *err);
/* One look that must work, and a minute. */
void desk_look(struct desk *d);

#endif
