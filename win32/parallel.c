/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include <windows.h>

#include <process.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/parallel.h"

struct parallel {
    size_t n, threads;
    atomic_size_t next;
    void (*each)(void *arg, size_t i);
    void *arg;
    HANDLE thread[];
};

static unsigned __stdcall run(void *self)
{
    struct parallel *p = self;
    for (size_t i; (i = atomic_fetch_add(&p->next, 1)) < p->n;)
        p->each(p->arg, i);
    return 0;
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
        HANDLE h = (HANDLE)_beginthreadex(NULL, 0, run, p, 0, NULL);
        if (!h && p->threads == 0) {
            free(p);
            return err_set(err, ERR_NOMEM, "starting a thread: the system has no room for one");
        }
        if (!h)
            break; /* fewer threads do the same work */
        p->thread[p->threads] = h;
    }
    *ret = p;
    return ERR_OK;
}

void parallel_wait(struct parallel **pp)
{
    struct parallel *p = *pp;
    if (!p)
        return;
    for (size_t i = 0; i < p->threads; i++) {
        WaitForSingleObject(p->thread[i], INFINITE);
        CloseHandle(p->thread[i]);
    }
    free(p);
    *pp = NULL;
}
