/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Runs something that may hang (COM, the cluster, the event log) on a thread of its own, with a
 * limit. A call that never comes back keeps its thread; how many may do so is counted per pool, so
 * that a cluster that hangs leaves the calls to the CA their places. Questions to locations are
 * base/errand.h. */
#ifndef CRLAGENT_WIN32_DEADLINE_H
#define CRLAGENT_WIN32_DEADLINE_H

#include <stdint.h>

#include "base/err.h"

/* One per kind of outside world. */
enum deadline_pool { DEADLINE_CA, DEADLINE_CLUSTER, DEADLINE_EVENTS, DEADLINE_POOLS };

/* job must stand alone: what it points to must live until drop(), because its thread may outlive
 * the call. */
struct deadline_job {
    int (*run)(struct deadline_job *job, struct err *err);
    void (*drop)(struct deadline_job *job); /* frees it; called once, by whoever is last */
    long refs;                              /* private */
    struct err err;                         /* private: what run() said */
    int rc;                                 /* private */
};

/* The result of run() when it came back within timeout_ms: its outputs in job may be read then.
 * ERR_TIMEOUT otherwise: the thread is left behind and job must not be read. ERR_BUSY (nothing was
 * run) when DEADLINE_STUCK_MAX earlier ones of the same pool have not come back. In every case end
 * with deadline_release. */
MUST_CHECK int deadline_run(enum deadline_pool pool, struct deadline_job *job, int64_t timeout_ms,
                            struct err *err);
void deadline_release(struct deadline_job *job);

#define DEADLINE_STUCK_MAX 4

/* Threads of that pool left behind by earlier time-outs that have not come back yet. */
unsigned deadline_stuck(enum deadline_pool pool);

#endif
