/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "base/when.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DAY 86400
#define DURATION_MAX (INT64_C(3660) * DAY)

int64_t clock_system_now(void *self)
{
    (void)self;
    return clock_now(clock_system());
}

int64_t clock_system_mono_ms(void *self)
{
    (void)self;
    return clock_mono_ms(clock_system());
}

/* Days since 1970-01-01; the era arithmetic of 400-year cycles with the year starting in March. */
static int64_t days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

struct when_civil when_to_civil(int64_t when)
{
    int64_t days = when / DAY;
    int64_t rest = when % DAY;
    if (rest < 0) {
        rest += DAY;
        days--;
    }
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    struct when_civil c;
    c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    c.year = yoe + era * 400 + (c.month <= 2);
    c.hour = (int)(rest / 3600);
    c.minute = (int)(rest % 3600 / 60);
    c.second = (int)(rest % 60);
    return c;
}

int64_t when_from_civil(const struct when_civil *c)
{
    return days_from_civil(c->year, c->month, c->day) * DAY + c->hour * 3600 + c->minute * 60 +
           c->second;
}

int when_month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[(month - 1) % 12];
}

const char *when_format(int64_t when, char dst[WHEN_TEXT_MAX])
{
    if (when == WHEN_NONE) {
        memcpy(dst, "-", 2);
        return dst;
    }
    struct when_civil c = when_to_civil(when);
    if (c.year < 0 || c.year > 9999) {
        snprintf(dst, WHEN_TEXT_MAX, "@%" PRId64, when);
        return dst;
    }
    snprintf(dst, WHEN_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)c.year, c.month, c.day,
             c.hour, c.minute, c.second);
    return dst;
}

/* Reads exactly n digits. */
static int digits(const char **p, int n, int *ret)
{
    int v = 0;
    for (int i = 0; i < n; i++) {
        char ch = (*p)[i];
        if (ch < '0' || ch > '9')
            return -1;
        v = v * 10 + (ch - '0');
    }
    *p += n;
    *ret = v;
    return 0;
}

static int expect(const char **p, char c)
{
    if (**p != c)
        return -1;
    (*p)++;
    return 0;
}

static int parse_zone(const char **p, int *ret_seconds)
{
    if (**p == 'Z' || **p == 'z') {
        (*p)++;
        *ret_seconds = 0;
        return 0;
    }
    int sign = **p == '+' ? 1 : **p == '-' ? -1 : 0;
    int h = 0, m = 0;
    if (!sign)
        return -1;
    (*p)++;
    if (digits(p, 2, &h) || expect(p, ':') || digits(p, 2, &m) || h > 23 || m > 59)
        return -1;
    *ret_seconds = sign * (h * 3600 + m * 60);
    return 0;
}

int when_parse(const char *text, int64_t *ret, struct err *err)
{
    const char *p = text;
    int y = 0, zone = 0;
    struct when_civil c = {0};
    bool ok = !digits(&p, 4, &y) && !expect(&p, '-') && !digits(&p, 2, &c.month) &&
              !expect(&p, '-') && !digits(&p, 2, &c.day) && (*p == 'T' || *p == 't' || *p == ' ');
    if (ok) {
        p++;
        ok = !digits(&p, 2, &c.hour) && !expect(&p, ':') && !digits(&p, 2, &c.minute);
    }
    if (ok && *p == ':') {
        p++;
        ok = !digits(&p, 2, &c.second);
    }
    ok = ok && !parse_zone(&p, &zone) && *p == '\0';
    c.year = y;
    ok = ok && c.month >= 1 && c.month <= 12 && c.day >= 1 &&
         c.day <= when_month_days(c.year, c.month) && c.hour <= 23 && c.minute <= 59 &&
         c.second <= 59;
    if (!ok)
        return err_set(err, ERR_PARSE,
                       "'%.40s' is not a time; expected for example 2026-11-23T04:10:00Z", text);
    *ret = when_from_civil(&c) - zone;
    return ERR_OK;
}

int duration_parse(const char *text, int64_t *ret, struct err *err)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'w', 7 * DAY}, {'d', DAY}, {'h', 3600}, {'m', 60}, {'s', 1}};
    int64_t total = 0;
    size_t next = 0;
    const char *p = text;
    while (*p) {
        int64_t v = 0;
        const char *start = p;
        while (*p >= '0' && *p <= '9' && v < DURATION_MAX)
            v = v * 10 + (*p++ - '0');
        size_t u = next;
        while (u < ARRAY_LEN(units) && units[u].unit != *p)
            u++;
        if (p == start || u == ARRAY_LEN(units) || *p == '\0')
            return err_set(
                err, ERR_PARSE,
                "'%.40s' is not a duration; expected for example 90s, 4h, 36h30m or 1d12h", text);
        if (v > (DURATION_MAX - total) / units[u].seconds)
            return err_set(err, ERR_LIMIT, "'%.40s' is longer than ten years", text);
        total += v * units[u].seconds;
        next = u + 1;
        p++;
    }
    if (p == text)
        return err_set(err, ERR_PARSE, "a duration is empty; expected for example 4h");
    *ret = total;
    return ERR_OK;
}

const char *duration_format(int64_t seconds, char dst[WHEN_TEXT_MAX])
{
    const char *sign = seconds < 0 ? "-" : "";
    uint64_t s = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
    if (s >= DAY)
        snprintf(dst, WHEN_TEXT_MAX, "%s%" PRIu64 "d %02" PRIu64 "h", sign, s / DAY,
                 s % DAY / 3600);
    else if (s >= 3600)
        snprintf(dst, WHEN_TEXT_MAX, "%s%" PRIu64 "h %02" PRIu64 "m", sign, s / 3600,
                 s % 3600 / 60);
    else if (s >= 60)
        snprintf(dst, WHEN_TEXT_MAX, "%s%" PRIu64 "m %02" PRIu64 "s", sign, s / 60, s % 60);
    else
        snprintf(dst, WHEN_TEXT_MAX, "%s%" PRIu64 "s", sign, s);
    return dst;
}
