/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A maintenance engine on a bench: fake world, real store, one request to change at will. */
#ifndef CRLAGENT_TESTS_SUPPORT_BENCH_H
#define CRLAGENT_TESTS_SUPPORT_BENCH_H

#include "support/scratch.h"
#include "support/world.h"

struct bench {
    struct world w;
    struct svc_info before[WORLD_SERVICES]; /* what the services were */
    struct maint_policy policy;
    struct maint_seams seams;
    struct maint_request req;
    struct maint_answer a; /* of the last verb */
    struct store *store;
    struct maint *m;
    struct err err;
    char dir[SCRATCH_MAX], path[SCRATCH_MAX + 16];
};

void bench_open(struct bench *b, const char *name);
void bench_close(struct bench *b);
/* As after a crash: the store is opened again, the engine is a new one. */
void bench_restart(struct bench *b);
/* The CA becomes a cluster resource; right after bench_open. */
void bench_cluster(struct bench *b);
/* The services as they are now are what must be restored. */
void bench_remember(struct bench *b);

enum maint_outcome bench_prepare(struct bench *b);
enum maint_outcome bench_finish(struct bench *b);
enum maint_outcome bench_abort(struct bench *b);
enum maint_outcome bench_extend(struct bench *b);
enum maint_outcome bench_tick(struct bench *b);
enum maint_outcome bench_reconcile(struct bench *b);

/* Fails the test with the answer's text when it is another outcome, or after a crime. */
void bench_expect(struct bench *b, enum maint_outcome got, enum maint_outcome want);
/* Every service is what it was. */
bool bench_restored(struct bench *b);
/* ... and was never stopped or started. */
bool bench_untouched(struct bench *b);

#endif
