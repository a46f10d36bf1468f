/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The system clock of the native build; the Windows one is win32/clock.c. */
#include "base/when.h"

#include <time.h>

static int64_t posix_now(void *self)
{
    (void)self;
    return (int64_t)time(NULL);
}

static int64_t posix_mono_ms(void *self)
{
    (void)self;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int posix_sleep_ms(void *self, int64_t ms)
{
    (void)self;
    struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    return nanosleep(&t, NULL);
}

const struct clock *clock_system(void)
{
    static const struct clock_ops ops = {posix_now, posix_mono_ms, posix_sleep_ms};
    static const struct clock clock = {&ops, NULL};
    return &clock;
}
