/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/deadline.h"

#include <windows.h>

#include "win32/werr.h"

static volatile LONG stuck[DEADLINE_POOLS];

unsigned deadline_stuck(enum deadline_pool pool)
{
    return (unsigned)stuck[pool];
}

void deadline_release(struct deadline_job *job)
{
    if (job && InterlockedDecrement(&job->refs) == 0)
        job->drop(job);
}

/* phase: 0 = nobody has finished yet, 1 = the job came back, 2 = the caller went away first. */
struct race {
    struct deadline_job *job;
    volatile LONG *stuck; /* of its pool */
    HANDLE done;
    volatile LONG phase, refs;
};

static void race_release(struct race *r)
{
    if (InterlockedDecrement(&r->refs))
        return;
    CloseHandle(r->done);
    HeapFree(GetProcessHeap(), 0, r);
}

static DWORD WINAPI job_thread(void *arg)
{
    struct race *r = arg;
    struct deadline_job *job = r->job;
    job->rc = job->run(job, &job->err);
    if (InterlockedCompareExchange(&r->phase, 1, 0) == 2)
        InterlockedDecrement(r->stuck);
    SetEvent(r->done);
    race_release(r);
    deadline_release(job);
    return 0;
}

static const char *pool_name(enum deadline_pool pool)
{
    static const char *const names[DEADLINE_POOLS] = {
        [DEADLINE_CA] = "the CA",
        [DEADLINE_CLUSTER] = "the cluster",
        [DEADLINE_EVENTS] = "the event log",
    };
    return names[pool];
}

int deadline_run(enum deadline_pool pool, struct deadline_job *job, int64_t timeout_ms,
                 struct err *err)
{
    job->refs = 1;
    err_clear(&job->err);
    if (stuck[pool] >= DEADLINE_STUCK_MAX)
        return err_set(err, ERR_BUSY,
                       "%ld earlier calls to %s have not come back yet; waiting for them before "
                       "trying again",
                       (long)stuck[pool], pool_name(pool));
    struct race *r = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *r);
    if (!r)
        return err_nomem(err);
    r->job = job;
    r->refs = 2;
    r->stuck = &stuck[pool];
    r->done = CreateEventW(NULL, TRUE, FALSE, NULL);
    job->refs = 2;
    HANDLE thread = r->done ? CreateThread(NULL, 0, job_thread, r, 0, NULL) : NULL;
    if (!thread) {
        int rc = err_set_win32(err, GetLastError(), "starting a thread");
        job->refs = 1;
        if (r->done)
            CloseHandle(r->done);
        HeapFree(GetProcessHeap(), 0, r);
        return rc;
    }
    CloseHandle(thread);
    int rc;
    WaitForSingleObject(r->done, (DWORD)timeout_ms);
    if (InterlockedCompareExchange(&r->phase, 2, 0) == 0) {
        InterlockedIncrement(r->stuck);
        rc = err_set(err, ERR_TIMEOUT, "no answer within %lld ms", (long long)timeout_ms);
    } else {
        rc = job->rc;
        if (rc && err)
            *err = job->err;
    }
    race_release(r);
    return rc;
}
