/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct parallel {
    size_t n, threads;
    atomic_size_t next;
    void (*each)(void *arg, size_t i);
    void *arg;
    pthread_t thread[];
};

static void *run(void *self)
{
    struct parallel *p = self;
    for (size_t i; (i = atomic_fetch_add(&p->next, 1)) < p->n;)
        p->each(p->arg, i);
    return NULL;
}

int parallel_start(size_t n, size_t threads, void (*each)(void *arg, size_t i), void *arg,
                   struct parallel **ret, struct err *err)
{
    size_t want = n < threads ? n : threads;
    struct parallel *p = calloc(1, sizeof *p + want * sizeof p->thread[0]);
    if (!p)
        return err_nomem(err);
    p->n = n;
    p->each = each;
    p->arg = arg;
    for (; p->threads < want; p->threads++) {
        int e = pthread_create(&p->thread[p->threads], NULL, run, p);
        if (e && p->threads == 0) {
            free(p);
            return err_set_errno(err, e, "starting a thread");
        }
        if (e)
            break; /* fewer threads do the same work */
    }
    *ret = p;
    return ERR_OK;
}

void parallel_wait(struct parallel **pp)
{
    struct parallel *p = *pp;
    if (!p)
        return;
    for (size_t i = 0; i < p->threads; i++)
        pthread_join(p->thread[i], NULL);
    free(p);
    *pp = NULL;
}
