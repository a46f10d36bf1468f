/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Points in time and durations. A time is int64_t seconds since 1970-01-01T00:00:00Z (UTC, no leap
 * seconds); a duration is int64_t seconds unless a name ends in _ms. WHEN_NONE stands for "no such
 * time". */
#ifndef CRLAGENT_BASE_WHEN_H
#define CRLAGENT_BASE_WHEN_H

#include <stdint.h>

#include "base/err.h"

#define WHEN_NONE INT64_MIN
#define WHEN_TEXT_MAX 32

/* The injected clock. now() is UTC and may step; mono_ms() never goes back. sleep_ms() may return
 * early (it returns non-zero when the wait was interrupted because the program should stop). */
struct clock_ops {
    int64_t (*now)(void *self);
    int64_t (*mono_ms)(void *self);
    int (*sleep_ms)(void *self, int64_t ms);
};
struct clock {
    const struct clock_ops *ops;
    void *self;
};

static inline int64_t clock_now(const struct clock *c)
{
    return c->ops->now(c->self);
}
static inline int64_t clock_mono_ms(const struct clock *c)
{
    return c->ops->mono_ms(c->self);
}
static inline int clock_sleep_ms(const struct clock *c, int64_t ms)
{
    return c->ops->sleep_ms(c->self, ms);
}

/* The machine's own clock (one static object; implemented per platform in clock_posix.c /
 * win32/clock.c). */
const struct clock *clock_system(void);

/* Its two readings, for the table of a clock that only waits in another way; self is not looked at.
 */
int64_t clock_system_now(void *self);
int64_t clock_system_mono_ms(void *self);

/* Civil date of a UTC time, proleptic Gregorian calendar. */
struct when_civil {
    int64_t year;
    int month, day, hour, minute, second; /* 1-12, 1-31, 0-23, 0-59, 0-59 */
};
struct when_civil when_to_civil(int64_t when);
/* No range check: callers validate fields first. */
int64_t when_from_civil(const struct when_civil *c);
/* Days in that month, 28..31. */
int when_month_days(int64_t year, int month);

/* "2026-11-23T04:10:00Z" into dst (WHEN_TEXT_MAX bytes); "-" for WHEN_NONE. Returns dst. */
const char *when_format(int64_t when, char dst[WHEN_TEXT_MAX]);

/* RFC 3339 date and time with 'Z' or a numeric offset, seconds optional; ERR_PARSE otherwise. */
MUST_CHECK int when_parse(const char *text, int64_t *ret, struct err *err);

/* "90s", "4h", "1d12h", "36h30m", "2w"; units w d h m s, each at most once and falling; a bare
 * number is refused because nobody agrees on its unit. ERR_PARSE, ERR_LIMIT beyond ten years. */
MUST_CHECK int duration_parse(const char *text, int64_t *ret, struct err *err);

/* The two largest units, for people: "6d 23h", "4h 05m", "59s", "-3h 10m". Returns dst. */
const char *duration_format(int64_t seconds, char dst[WHEN_TEXT_MAX]);

#endif
