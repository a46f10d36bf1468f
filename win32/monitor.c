/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "base/monitor.h"

#include <windows.h>

#include <process.h>
#include <stdlib.h>

struct monitor {
    SRWLOCK lock;
    CONDITION_VARIABLE bell;
};

int monitor_new(struct monitor **ret, struct err *err)
{
    struct monitor *m = calloc(1, sizeof *m);
    if (!m)
        return err_nomem(err);
    InitializeSRWLock(&m->lock);
    InitializeConditionVariable(&m->bell);
    *ret = m;
    return ERR_OK;
}

void monitor_free(struct monitor **m)
{
    free(*m);
    *m = NULL;
}

void monitor_enter(struct monitor *m)
{
    AcquireSRWLockExclusive(&m->lock);
}

void monitor_leave(struct monitor *m)
{
    ReleaseSRWLockExclusive(&m->lock);
}

void monitor_ring(struct monitor *m)
{
    WakeConditionVariable(&m->bell);
}

void monitor_wait(struct monitor *m, int64_t ms)
{
    SleepConditionVariableSRW(&m->bell, &m->lock, ms > 0 ? (DWORD)ms : 0, 0);
}

struct start {
    void (*run)(void *arg);
    void *arg;
};

static unsigned __stdcall begin(void *arg)
{
    struct start s = *(struct start *)arg;
    free(arg);
    s.run(s.arg);
    return 0;
}

int monitor_spawn(void (*run)(void *arg), void *arg, struct err *err)
{
    struct start *s = malloc(sizeof *s);
    if (!s)
        return err_nomem(err);
    *s = (struct start){run, arg};
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, begin, s, 0, NULL);
    if (!thread) {
        free(s);
        return err_set(err, ERR_NOMEM, "starting a thread: the system has no room for one");
    }
    CloseHandle(thread);
    return ERR_OK;
}
