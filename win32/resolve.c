/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* GetAddrInfoExW with an event each: all names at once, and an end to the waiting. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cdp/resolve.h"
#include "win32/utf.h"

/* mingw-w64 10 declares neither of the two; both are in ws2_32.dll since Windows 8. */
typedef int(WSAAPI *cancel_fn)(LPHANDLE handle);
typedef int(WSAAPI *result_fn)(LPOVERLAPPED overlapped);

static FARPROC from_winsock(const char *name)
{
    HMODULE dll = GetModuleHandleW(L"ws2_32.dll");
    return dll ? GetProcAddress(dll, name) : NULL;
}

struct query {
    OVERLAPPED overlapped;
    PADDRINFOEXW list;
    HANDLE cancel;
    wchar_t *name;
    int rc;
};

static void start(struct query *q, struct host_addresses *h)
{
    static const ADDRINFOEXW hints = {.ai_socktype = SOCK_STREAM};
    struct err err = ERR_INIT;
    q->rc = WSA_NOT_ENOUGH_MEMORY;
    q->overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!q->overlapped.hEvent || utf_to_wide(h->host, &q->name, &err))
        return;
    q->rc = GetAddrInfoExW(q->name, NULL, NS_DNS, NULL, &hints, &q->list, NULL, &q->overlapped,
                           NULL, &q->cancel);
}

/* Cancelled queries are waited for: the system still writes to them until their event is set. */
static void finish(struct query *q, DWORD wait_ms, struct host_addresses *h)
{
    if (q->rc == WSA_IO_PENDING) {
        bool late = WaitForSingleObject(q->overlapped.hEvent, wait_ms) != WAIT_OBJECT_0;
        if (late) {
            cancel_fn cancel = (cancel_fn)(void (*)(void))from_winsock("GetAddrInfoExCancel");
            if (cancel)
                cancel(&q->cancel);
            WaitForSingleObject(q->overlapped.hEvent, INFINITE);
        }
        result_fn result = (result_fn)(void (*)(void))from_winsock("GetAddrInfoExOverlappedResult");
        q->rc = result ? result(&q->overlapped) : WSASYSCALLFAILURE;
        if (late && q->rc) {
            err_set_os(&h->err, ERR_TIMEOUT, q->rc, "the name '%s' did not resolve in time",
                       h->host);
            return;
        }
    }
    if (q->rc)
        err_set_os(&h->err, ERR_NOT_FOUND, q->rc, "the name '%s' does not resolve (%d)", h->host,
                   q->rc);
}

static void take_addresses(const struct query *q, struct host_addresses *h)
{
    for (const ADDRINFOEXW *a = q->rc ? NULL : q->list; a; a = (const void *)a->ai_next) {
        char text[48];
        bool seen = false;
        if (getnameinfo(a->ai_addr, (socklen_t)a->ai_addrlen, text, sizeof text, NULL, 0,
                        NI_NUMERICHOST))
            continue;
        for (size_t i = 0; i < h->n; i++)
            seen = seen || strcmp(h->address[i], text) == 0;
        if (!seen && h->n == LIMIT_ADDRESSES)
            h->more++;
        else if (!seen)
            str_copy(h->address[h->n++], sizeof h->address[0], text);
    }
}

static void resolve(void *self, struct host_addresses *hosts, size_t n, int64_t timeout_ms)
{
    WSADATA data;
    (void)self;
    int up = WSAStartup(MAKEWORD(2, 2), &data);
    struct query *q = calloc(n + 1, sizeof *q);
    ULONGLONG end = GetTickCount64() + (ULONGLONG)(timeout_ms > 0 ? timeout_ms : 0);
    for (size_t i = 0; i < n; i++) {
        hosts[i].n = hosts[i].more = 0;
        err_clear(&hosts[i].err);
        if (q && up == 0)
            start(&q[i], &hosts[i]);
        else
            err_set(&hosts[i].err, ERR_IO, "the network library could not be started (%d)", up);
    }
    for (size_t i = 0; q && up == 0 && i < n; i++) {
        ULONGLONG now = GetTickCount64();
        finish(&q[i], now < end ? (DWORD)(end - now) : 0, &hosts[i]);
        take_addresses(&q[i], &hosts[i]);
        if (q[i].list)
            FreeAddrInfoExW(q[i].list);
        if (q[i].overlapped.hEvent)
            CloseHandle(q[i].overlapped.hEvent);
        free(q[i].name);
    }
    free(q);
    if (up == 0)
        WSACleanup();
}

const struct resolver *resolver_system(void)
{
    static const struct resolver r = {resolve, NULL};
    return &r;
}
