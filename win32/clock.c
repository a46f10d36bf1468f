/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "base/when.h"

#include <windows.h>

/* 100 ns ticks between 1601-01-01 and 1970-01-01. */
#define EPOCH_TICKS 116444736000000000LL

static int64_t win_now(void *self)
{
    (void)self;
    FILETIME ft;
    GetSystemTimeAsFileTime(&ft);
    int64_t ticks = (int64_t)((uint64_t)ft.dwHighDateTime << 32 | ft.dwLowDateTime);
    return (ticks - EPOCH_TICKS) / 10000000;
}

static int64_t win_mono_ms(void *self)
{
    (void)self;
    return (int64_t)GetTickCount64();
}

static int win_sleep_ms(void *self, int64_t ms)
{
    (void)self;
    Sleep((DWORD)ms);
    return 0;
}

const struct clock *clock_system(void)
{
    static const struct clock_ops ops = {win_now, win_mono_ms, win_sleep_ms};
    static const struct clock clock = {&ops, NULL};
    return &clock;
}
