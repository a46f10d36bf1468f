/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* TCP for hsmupgrade; see driver/net.h. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mstcpip.h>
#include <windows.h>

#include <stdio.h>

#include "driver/net.h"
#include "win32/utf.h"
#include "win32/werr.h"

static void start_once(void)
{
    static LONG started;
    WSADATA data;
    if (InterlockedExchange(&started, 1) == 0)
        WSAStartup(MAKEWORD(2, 2), &data);
}

int net_wait(intptr_t socket, bool readable, bool writable, int64_t timeout_ms)
{
    WSAPOLLFD p = {.fd = (SOCKET)socket,
                   .events = (SHORT)((readable ? POLLRDNORM : 0) | (writable ? POLLWRNORM : 0))};
    int n = WSAPoll(&p, 1, timeout_ms > 1000000 ? 1000000 : (INT)(timeout_ms < 0 ? 0 : timeout_ms));
    if (n < 0)
        return -1;
    return n > 0;
}

static void tune(SOCKET s)
{
    const BOOL on = TRUE;
    struct tcp_keepalive keep = {1, 15000, 10000};
    DWORD got;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof on);
    WSAIoctl(s, SIO_KEEPALIVE_VALS, &keep, sizeof keep, NULL, 0, &got, NULL, NULL);
}

/* 0 or the WSA error. */
static int try_address(const ADDRINFOW *a, int64_t timeout_ms, SOCKET *ret)
{
    SOCKET s = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
    if (s == INVALID_SOCKET)
        return WSAGetLastError();
    u_long nonblocking = 1;
    int e = ioctlsocket(s, (long)FIONBIO, &nonblocking) ? WSAGetLastError() : 0;
    if (!e && connect(s, a->ai_addr, (int)a->ai_addrlen))
        e = WSAGetLastError();
    if (e == WSAEWOULDBLOCK) {
        int len = sizeof e;
        if (net_wait((intptr_t)s, false, true, timeout_ms) != 1)
            e = WSAETIMEDOUT;
        else if (getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&e, &len))
            e = WSAGetLastError();
    }
    if (e) {
        closesocket(s);
        return e;
    }
    tune(s);
    *ret = s;
    return 0;
}

int net_connect(const char *host, uint16_t port, int64_t timeout_ms, intptr_t *ret, struct err *err)
{
    wchar_t service[8];
    ADDRINFOW hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    ADDRINFOW *list = NULL;
    SCOPED(scope_free) wchar_t *name = NULL;
    start_once();
    int rc = utf_to_wide(host, &name, err);
    if (rc)
        return rc;
    swprintf(service, ARRAY_LEN(service), L"%u", port);
    int e = GetAddrInfoW(name, service, &hints, &list);
    if (e)
        return err_set_os(err, ERR_NOT_FOUND, e, "the name '%s' cannot be resolved (error %d)",
                          host, e);
    SOCKET s = INVALID_SOCKET;
    e = WSAEADDRNOTAVAIL;
    for (const ADDRINFOW *a = list; a && s == INVALID_SOCKET; a = a->ai_next)
        e = try_address(a, timeout_ms, &s);
    FreeAddrInfoW(list);
    if (s == INVALID_SOCKET)
        return err_set_os(err, ERR_UNAVAILABLE, e, "%s port %u does not answer (error %d)", host,
                          port, e);
    *ret = (intptr_t)s;
    return ERR_OK;
}

void net_close(intptr_t *socket)
{
    if (*socket != NET_NONE)
        closesocket((SOCKET)*socket);
    *socket = NET_NONE;
}
