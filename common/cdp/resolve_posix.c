/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* glibc's asynchronous resolver: all names at once, and an end to the waiting. */
#include "cdp/resolve.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/str.h"

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

static void take_answer(struct host_addresses *h, struct gaicb *cb)
{
    int rc = gai_error(cb);
    if (rc == EAI_INPROGRESS) {
        gai_cancel(cb);
        err_set(&h->err, ERR_TIMEOUT, "the name '%s' did not resolve in time", h->host);
        return;
    }
    if (rc) {
        err_set_os(&h->err, ERR_NOT_FOUND, rc, "the name '%s' does not resolve: %s", h->host,
                   gai_strerror(rc));
        return;
    }
    take_addresses(h, cb->ar_result);
    freeaddrinfo(cb->ar_result);
}

static bool any_open(struct gaicb **list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (gai_error(list[i]) == EAI_INPROGRESS)
            return true;
    }
    return false;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct query {
    struct gaicb **list;
    struct gaicb *cb;
    char (*name)[256];
};

/* A request that was not cancelled in time is still written to by the C library: its memory must
 * stay. That leak is bounded by one query per time-out. */
static void release(struct query *q, size_t n)
{
    if (any_open(q->list, n))
        return;
    free(q->list);
    free(q->cb);
    free(q->name);
}

static void resolve(void *self, struct host_addresses *hosts, size_t n, int64_t timeout_ms)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    (void)self;
    struct query q = {calloc(n + 1, sizeof(struct gaicb *)), calloc(n + 1, sizeof *q.cb),
                      calloc(n + 1, sizeof *q.name)};
    for (size_t i = 0; i < n; i++) {
        hosts[i].n = hosts[i].more = 0;
        err_clear(&hosts[i].err);
        if (!q.list || !q.cb || !q.name) {
            err_nomem(&hosts[i].err);
            continue;
        }
        str_copy(q.name[i], sizeof q.name[i], hosts[i].host);
        q.cb[i].ar_name = q.name[i];
        q.cb[i].ar_request = &hints;
        q.list[i] = &q.cb[i];
    }
    if (!q.list || !q.cb || !q.name) {
        free(q.list);
        free(q.cb);
        free(q.name);
        return;
    }
    int64_t end = now_ms() + timeout_ms;
    int rc = n ? getaddrinfo_a(GAI_NOWAIT, q.list, (int)n, NULL) : 0;
    for (int64_t left; rc == 0 && any_open(q.list, n) && (left = end - now_ms()) > 0;) {
        struct timespec wait = {left / 1000, (left % 1000) * 1000000};
        (void)gai_suspend((const struct gaicb *const *)q.list, (int)n, &wait);
    }
    for (size_t i = 0; i < n; i++)
        take_answer(&hosts[i], q.list[i]);
    release(&q, n);
}

const struct resolver *resolver_system(void)
{
    static const struct resolver r = {resolve, NULL};
    return &r;
}
