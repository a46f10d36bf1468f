/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A false service: takes the name of the control pipe, as any user may while the agent does not
 * run, and tells each caller that the CA is paused. pipe_false.exe [SECONDS]: until "pipe_false.exe
 * end" or the time is over, then prints how many connections and bytes it got. */
#include <windows.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIPE L"\\\\.\\pipe\\crlagent\\control"
#define END L"crlagent_pipe_false_end"

static const char answer[] =
    "{\"version\":1,\"type\":\"final\",\"exit\":0,"
    "\"document\":\"{\\\"outcome\\\":\\\"done\\\",\\\"state\\\":\\\"paused\\\"}\"}";

struct got {
    long connections, bytes;
};

/* Reads what comes first and answers it, whatever it is. */
static void serve(HANDLE pipe, struct got *got)
{
    static char block[65536];
    uint8_t frame[5 + sizeof answer] = {0};
    DWORD n = 0, done;
    got->connections++;
    if (!ReadFile(pipe, block, sizeof block, &n, NULL) || !n)
        return;
    got->bytes += (long)n;
    const uint32_t len = sizeof answer - 1;
    memcpy(frame, &len, sizeof len); /* little-endian, as the machine */
    frame[4] = 'F';
    memcpy(frame + 5, answer, len);
    WriteFile(pipe, frame, 5 + len, &done, NULL);
    FlushFileBuffers(pipe);
}

static DWORD WINAPI serve_all(void *arg)
{
    struct got *got = arg;
    HANDLE pipe = CreateNamedPipeW(PIPE, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE | PIPE_WAIT, 1, 65536,
                                   65536, 0, NULL);
    if (pipe == INVALID_HANDLE_VALUE) {
        printf("not taken: %lu\n", (unsigned long)GetLastError());
        return 1;
    }
    printf("taken\n");
    fflush(stdout);
    for (;;) {
        if (ConnectNamedPipe(pipe, NULL) || GetLastError() == ERROR_PIPE_CONNECTED)
            serve(pipe, got);
        DisconnectNamedPipe(pipe);
    }
}

int main(int argc, char **argv)
{
    static struct got got;
    HANDLE end = CreateEventW(NULL, TRUE, FALSE, END);
    if (argc > 1 && strcmp(argv[1], "end") == 0)
        return SetEvent(end) ? 0 : 1;
    HANDLE wait[2] = {end, CreateThread(NULL, 0, serve_all, &got, 0, NULL)};
    DWORD seconds = argc > 1 ? strtoul(argv[1], NULL, 10) : 60;
    bool ended = WaitForMultipleObjects(2, wait, FALSE, seconds * 1000) == WAIT_OBJECT_0;
    printf("connections %ld bytes %ld\n", got.connections, got.bytes);
    fflush(stdout);
    return ended ? 0 : 1;
}
