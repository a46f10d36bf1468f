/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* driver/stop.h for Windows. The handler runs on a thread of its own that the system makes. */
#include <windows.h>

#include <stdbool.h>
#include <string.h>

#include "driver/exitcode.h"
#include "driver/stop.h"

/* The system ends the program about 5 s after the console was closed, whatever the handler does. */
#define CLOSING_MS 4500

static volatile LONG wanted;
static HANDLE event; /* manual; NULL until stop_install */

static BOOL WINAPI on_control(DWORD what)
{
    static const char first[] =
        "\r\nstopping at the next safe point; once more: at once (the journal knows where)\r\n";
    bool closing = what != CTRL_C_EVENT && what != CTRL_BREAK_EVENT;
    DWORD n;
    if (InterlockedExchange(&wanted, 1) && !closing)
        TerminateProcess(GetCurrentProcess(), HU_INTERRUPTED);
    SetEvent(event);
    WriteFile(GetStdHandle(STD_ERROR_HANDLE), first, sizeof first - 1, &n, NULL);
    if (closing)
        Sleep(CLOSING_MS); /* until then main() may end the program in order */
    return TRUE;
}

void stop_install(void)
{
    if (event)
        return;
    event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (event)
        SetConsoleCtrlHandler(on_control, TRUE);
}

bool stop_wanted(void)
{
    return InterlockedCompareExchange(&wanted, 0, 0) != 0;
}

static int sleep_ms(void *self, int64_t ms)
{
    (void)self;
    if (!event)
        return clock_sleep_ms(clock_system(), ms);
    return ms > 0 && WaitForSingleObject(event, (DWORD)ms) == WAIT_OBJECT_0;
}

const struct clock *stop_clock(void)
{
    static const struct clock_ops ops = {clock_system_now, clock_system_mono_ms, sleep_ms};
    static const struct clock clock = {&ops, NULL};
    return &clock;
}

/* A console handle is signalled by any input event; the read that follows waits for the line. A
 * pipe's handle says nothing of the kind: it is read at once. */
bool stop_wait_input(void)
{
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE), wait[2] = {event, in};
    DWORD mode;
    if (!event || !GetConsoleMode(in, &mode))
        return !stop_wanted();
    return WaitForMultipleObjects(2, wait, FALSE, INFINITE) == WAIT_OBJECT_0 + 1;
}
