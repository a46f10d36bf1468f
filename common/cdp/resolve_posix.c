/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* All names on a few threads, and an end to the waiting. */
#include "cdp/resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/str.h"

#define RESOLVE_THREADS 16u

static void take_addresses(struct host_addresses *h, const struct addrinfo *list)
{
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        char text[48];
        bool seen = false;
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST))
            continue;
        for (size_t i = 0; i < h->n; i++)
            seen = seen || strcmp(h->address[i], text) == 0;
        if (seen)
            continue;
        if (h->n == LIMIT_ADDRESSES)
            h->more++;
        else
            str_copy(h->address[h->n++], sizeof h->address[0], text);
    }
}

/* What the threads of one question share. A thread that is late keeps it alive: the C library's
 * resolver cannot be stopped, but nobody waits for it. */
struct question {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    size_t n, next, open, users; /* names; next to ask; without an answer; threads and the asker */
    struct host_addresses host[];
};

static void leave(struct question *q)
{
    bool last = --q->users == 0;
    pthread_mutex_unlock(&q->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->answered);
    free(q);
}

static void look_up(struct host_addresses *h)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(h->host, NULL, &hints, &list);
    if (rc) {
        err_set_os(&h->err, ERR_NOT_FOUND, rc, "the name '%s' does not resolve: %s", h->host,
                   gai_strerror(rc));
        return;
    }
    take_addresses(h, list);
    freeaddrinfo(list);
}

static void *work(void *arg)
{
    struct question *q = arg;
    struct host_addresses *h = malloc(sizeof *h);
    pthread_mutex_lock(&q->lock);
    while (h && q->next < q->n) {
        size_t i = q->next++;
        memset(h, 0, sizeof *h);
        str_copy(h->host, sizeof h->host, q->host[i].host);
        pthread_mutex_unlock(&q->lock);
        look_up(h);
        pthread_mutex_lock(&q->lock);
        q->host[i] = *h;
        q->open--;
        pthread_cond_signal(&q->answered);
    }
    free(h);
    leave(q);
    return NULL;
}

static struct question *ask(const struct host_addresses *hosts, size_t n)
{
    struct question *q = calloc(1, sizeof *q + n * sizeof q->host[0]);
    pthread_condattr_t clock;
    pthread_t thread;
    if (!q)
        return NULL;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->answered, &clock);
    pthread_condattr_destroy(&clock);
    q->n = q->open = n;
    q->users = 1;
    for (size_t i = 0; i < n; i++) {
        str_copy(q->host[i].host, sizeof q->host[i].host, hosts[i].host);
        err_set(&q->host[i].err, ERR_TIMEOUT, "the name '%s' did not resolve in time",
                hosts[i].host);
    }
    pthread_mutex_lock(&q->lock);
    for (size_t i = 0; i < n && i < RESOLVE_THREADS; i++) {
        if (pthread_create(&thread, NULL, work, q))
            break; /* fewer threads do the same work; without any, all time out */
        pthread_detach(thread);
        q->users++;
    }
    pthread_mutex_unlock(&q->lock);
    return q;
}

static void resolve(void *self, struct host_addresses *hosts, size_t n, int64_t timeout_ms)
{
    struct timespec end;
    struct question *q = ask(hosts, n);
    (void)self;
    for (size_t i = 0; !q && i < n; i++) {
        hosts[i].n = hosts[i].more = 0;
        err_nomem(&hosts[i].err);
    }
    if (!q)
        return;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += timeout_ms / 1000;
    end.tv_nsec += (timeout_ms % 1000) * 1000000;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    pthread_mutex_lock(&q->lock);
    while (q->open && pthread_cond_timedwait(&q->answered, &q->lock, &end) == 0)
        ;
    memcpy(hosts, q->host, n * sizeof *hosts);
    q->next = q->n; /* names nobody waits for any more are not asked */
    leave(q);
}

const struct resolver *resolver_system(void)
{
    static const struct resolver r = {resolve, NULL};
    return &r;
}
