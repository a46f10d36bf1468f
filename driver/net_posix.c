/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/net.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/when.h"

int net_wait(intptr_t socket, bool readable, bool writable, int64_t timeout_ms)
{
    struct pollfd p = {.fd = (int)socket,
                       .events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0))};
    int64_t end = clock_mono_ms(clock_system()) + timeout_ms;
    for (;;) {
        int n = poll(&p, 1, timeout_ms > 1000000 ? 1000000 : timeout_ms < 0 ? 0 : (int)timeout_ms);
        if (n >= 0 || errno != EINTR)
            return n < 0 ? -1 : n > 0;
        /* A signal is not silence: the wait goes on for what is left of it. */
        timeout_ms = end - clock_mono_ms(clock_system());
    }
}

static void tune(int fd)
{
    const int on = 1, idle = 15, interval = 10, count = 4;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

/* 0 or errno. */
static int try_address(const struct addrinfo *a, int64_t timeout_ms, int *ret)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd < 0)
        return errno;
    int e = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
    if (e == EINPROGRESS) {
        socklen_t len = sizeof e;
        if (net_wait(fd, false, true, timeout_ms) != 1)
            e = ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len))
            e = errno;
    }
    if (e) {
        close(fd);
        return e;
    }
    tune(fd);
    *ret = fd;
    return 0;
}

int net_connect(const char *host, uint16_t port, int64_t timeout_ms, intptr_t *ret, struct err *err)
{
    char service[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    snprintf(service, sizeof service, "%u", port);
    int e = getaddrinfo(host, service, &hints, &list);
    if (e)
        return err_set(err, ERR_NOT_FOUND, "the name '%s' cannot be resolved: %s", host,
                       gai_strerror(e));
    int fd = -1;
    e = EADDRNOTAVAIL;
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
        e = try_address(a, timeout_ms, &fd);
    freeaddrinfo(list);
    if (fd < 0)
        return err_set_os(err, ERR_UNAVAILABLE, e, "%s port %u does not answer: %s", host, port,
                          strerror(e));
    *ret = fd;
    return ERR_OK;
}

void net_close(intptr_t *socket)
{
    if (*socket != NET_NONE)
        close((int)*socket);
    *socket = NET_NONE;
}
