/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "base/monitor.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct monitor {
    pthread_mutex_t lock;
    pthread_cond_t bell; /* on the monotonic clock */
};

int monitor_new(struct monitor **ret, struct err *err)
{
    pthread_condattr_t clock;
    struct monitor *m = calloc(1, sizeof *m);
    if (!m)
        return err_nomem(err);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->bell, &clock);
    pthread_condattr_destroy(&clock);
    *ret = m;
    return ERR_OK;
}

void monitor_free(struct monitor **m)
{
    if (!*m)
        return;
    pthread_mutex_destroy(&(*m)->lock);
    pthread_cond_destroy(&(*m)->bell);
    free(*m);
    *m = NULL;
}

void monitor_enter(struct monitor *m)
{
    pthread_mutex_lock(&m->lock);
}

void monitor_leave(struct monitor *m)
{
    pthread_mutex_unlock(&m->lock);
}

void monitor_ring(struct monitor *m)
{
    pthread_cond_signal(&m->bell);
}

void monitor_wait(struct monitor *m, int64_t ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += ms / 1000;
    end.tv_nsec += (ms % 1000) * 1000000;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&m->bell, &m->lock, &end);
}

struct start {
    void (*run)(void *arg);
    void *arg;
};

static void *begin(void *arg)
{
    struct start s = *(struct start *)arg;
    free(arg);
    s.run(s.arg);
    return NULL;
}

int monitor_spawn(void (*run)(void *arg), void *arg, struct err *err)
{
    pthread_t thread;
    struct start *s = malloc(sizeof *s);
    if (!s)
        return err_nomem(err);
    *s = (struct start){run, arg};
    int e = pthread_create(&thread, NULL, begin, s);
    if (e) {
        free(s);
        return err_set_os(err, ERR_NOMEM, e,
                          "starting a thread: the system has no room for one (%d)", e);
    }
    pthread_detach(thread);
    return ERR_OK;
}
