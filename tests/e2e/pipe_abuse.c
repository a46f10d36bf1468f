/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Clients of the control pipe that do not behave: pipe_abuse.exe MODE [N]. Prints what came back,
 * as one line, and exits with 0 when the misbehaviour could be carried out. */
#include <windows.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIPE L"\\\\.\\pipe\\crlagent\\control"
#define CLIENTS_MAX 256

static HANDLE open_pipe(void)
{
    for (int i = 0; i < 100; i++) {
        HANDLE h = CreateFileW(PIPE, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
        if (h != INVALID_HANDLE_VALUE)
            return h;
        if (GetLastError() != ERROR_PIPE_BUSY)
            return NULL;
        WaitNamedPipeW(PIPE, 100);
    }
    return NULL;
}

static void put(HANDLE h, const void *data, size_t len)
{
    DWORD done;
    WriteFile(h, data, (DWORD)len, &done, NULL);
}

static void put_frame(HANDLE h, uint32_t claimed, char kind, const void *data, size_t len)
{
    uint8_t head[5] = {(uint8_t)claimed, (uint8_t)(claimed >> 8), (uint8_t)(claimed >> 16),
                       (uint8_t)(claimed >> 24), (uint8_t)kind};
    put(h, head, sizeof head);
    put(h, data, len);
}

/* "closed" or the text of the first frame. */
static void show_answer(HANDLE h)
{
    uint8_t bytes[4096];
    DWORD n = 0, total = 0;
    while (total < sizeof bytes - 1 &&
           ReadFile(h, bytes + total, (DWORD)(sizeof bytes - 1 - total), &n, NULL) && n) {
        total += n;
        uint32_t len = total < 5 ? 0
                                 : (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
                                       (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
        if (total >= 5 && total - 5 >= len)
            break;
    }
    if (total > 5)
        printf("%.*s\n", (int)(total - 5), (const char *)bytes + 5);
    else
        printf("closed\n");
}

static int many(int n)
{
    static HANDLE h[CLIENTS_MAX];
    int open = 0;
    for (int i = 0; i < n && i < CLIENTS_MAX; i++) {
        h[i] = open_pipe();
        open += h[i] != NULL;
    }
    printf("%d\n", open);
    for (int i = 0; i < CLIENTS_MAX; i++) {
        if (h[i])
            CloseHandle(h[i]);
    }
    return 0;
}

/* storm N SECONDS: N clients at once, each again and again with another misbehaviour, until the
 * time is over or somebody runs "calm". */
#define CALM L"crlagent_pipe_abuse_calm"

struct storm {
    HANDLE calm;
    ULONGLONG end;
    LONG done, refused;
};

static void misbehave(int way, HANDLE h)
{
    static const char block[4096] = {'x'};
    switch (way % 4) {
    case 0:
        put(h, "\xff\xfe\x00\x01GET / HTTP/1.1\r\n\r\n", 22);
        break;
    case 1:
        put_frame(h, 500, 'Q', "{\"version\":1,", 13);
        break;
    case 2:
        put_frame(h, 100u * 1024 * 1024, 'Q', block, sizeof block);
        break;
    default: /* silent */
        break;
    }
    Sleep(100);
}

static DWORD WINAPI storm_client(void *arg)
{
    struct storm *s = arg;
    for (int way = (int)GetCurrentThreadId() / 4;
         GetTickCount64() < s->end && WaitForSingleObject(s->calm, 0) == WAIT_TIMEOUT; way++) {
        HANDLE h = open_pipe();
        InterlockedIncrement(h ? &s->done : &s->refused);
        if (!h)
            continue;
        misbehave(way, h);
        CloseHandle(h);
    }
    return 0;
}

static int storm(int n, int seconds)
{
    static HANDLE thread[CLIENTS_MAX];
    struct storm s = {.calm = CreateEventW(NULL, TRUE, FALSE, CALM),
                      .end = GetTickCount64() + (ULONGLONG)seconds * 1000};
    n = n > CLIENTS_MAX ? CLIENTS_MAX : n;
    for (int i = 0; i < n; i++)
        thread[i] = CreateThread(NULL, 0, storm_client, &s, 0, NULL);
    while (s.done < n && GetTickCount64() < s.end)
        Sleep(20);
    printf("begun\n");
    fflush(stdout);
    for (int i = 0; i < n; i++) {
        if (thread[i])
            WaitForSingleObject(thread[i], INFINITE);
    }
    printf("%ld %ld\n", s.done, s.refused);
    return s.done >= n ? 0 : 1;
}

int main(int argc, char **argv)
{
    static char block[65536];
    const char *mode = argc > 1 ? argv[1] : "";
    if (strcmp(mode, "many") == 0)
        return many(argc > 2 ? (int)strtol(argv[2], NULL, 10) : 64);
    if (strcmp(mode, "calm") == 0)
        return SetEvent(CreateEventW(NULL, TRUE, FALSE, CALM)) ? 0 : 1;
    if (strcmp(mode, "storm") == 0 && argc > 3)
        return storm((int)strtol(argv[2], NULL, 10), (int)strtol(argv[3], NULL, 10));
    HANDLE h = open_pipe();
    if (!h) {
        printf("no pipe: %lu\n", (unsigned long)GetLastError());
        return 1;
    }
    memset(block, 'x', sizeof block);
    if (strcmp(mode, "garbage") == 0) {
        put(h, "\xff\xfe\x00\x01GET / HTTP/1.1\r\n\r\n", 22);
    } else if (strcmp(mode, "huge") == 0) {
        put_frame(h, 100u * 1024 * 1024, 'Q', block, sizeof block);
        for (int i = 0; i < 1600; i++)
            put(h, block, sizeof block);
    } else if (strcmp(mode, "half") == 0) {
        put_frame(h, 500, 'Q', "{\"version\":1,", 13);
        CloseHandle(h);
        printf("left\n");
        return 0;
    } else if (strcmp(mode, "frame") == 0 && argc > 2) {
        put_frame(h, (uint32_t)strlen(argv[2]), 'Q', argv[2], strlen(argv[2]));
    } else if (strcmp(mode, "silent") != 0) {
        return 2;
    }
    show_answer(h);
    CloseHandle(h);
    return 0;
}
