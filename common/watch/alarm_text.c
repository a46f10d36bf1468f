/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* One line per alarm, fields apart by tabs, the URL last. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/str.h"
#include "watch/alarm.h"

#define FIELDS 11

int alarms_write(const struct alarms *a, struct buf *ret, struct err *err)
{
    buf_printf(ret, "alarms 1 %" PRId64 " %" PRIu64 "\n", a->maintenance, a->muted);
    for (size_t i = 0; i < a->n; i++) {
        const struct alarm *x = &a->item[i];
        /* A name that would break the line is not kept: it is told once more after a restart. */
        if (strpbrk(x->url, "\t\n") || strpbrk(x->address, "\t\n"))
            continue;
        buf_printf(ret, "%u\t%u\t%d\t%d\t%d\t%" PRId64 "\t%" PRId64 "\t%u\t%d\t%s\t%s\n", x->id,
                   x->key_index, (int)x->severity, (int)x->worst, x->level, x->since, x->told,
                   x->absent, x->muted, x->address, x->url);
    }
    return buf_check(ret, "the alarms", err);
}

/* Cuts a line at its tabs; false when there are not exactly FIELDS. */
static bool cut(char *line, char *field[FIELDS])
{
    for (size_t i = 0; i < FIELDS; i++) {
        field[i] = line;
        char *tab = line ? strchr(line, '\t') : NULL;
        if (!line || !tab != (i == FIELDS - 1))
            return false;
        if (tab)
            *tab = '\0';
        line = tab ? tab + 1 : NULL;
    }
    return true;
}

static bool number(const char *text, int64_t min, int64_t max, int64_t *ret)
{
    char *end;
    long long v = strtoll(text, &end, 10);
    *ret = v;
    return *text && !*end && v >= min && v <= max;
}

static bool read_line(char *line, struct alarm *x)
{
    char *f[FIELDS];
    int64_t v[FIELDS - 2];
    static const int64_t max[FIELDS - 2] = {
        UINT32_MAX, UINT32_MAX, SEV_CRITICAL, SEV_CRITICAL, 3, INT64_MAX, INT64_MAX, UINT32_MAX, 1};
    if (!cut(line, f))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        if (!number(f[i], i == 5 || i == 6 ? INT64_MIN : 0, max[i], &v[i]))
            return false;
    }
    *x = (struct alarm){.id = (uint32_t)v[0],
                        .key_index = (uint32_t)v[1],
                        .severity = (enum severity)v[2],
                        .worst = (enum severity)v[3],
                        .level = (int)v[4],
                        .since = v[5],
                        .told = v[6],
                        .absent = (uint32_t)v[7],
                        .muted = v[8] != 0};
    return str_copy(x->address, sizeof x->address, f[9]) && str_copy(x->url, sizeof x->url, f[10]);
}

int alarms_read(const char *text, struct alarms *ret, struct err *err)
{
    SCOPED(alarms_free) struct alarms a = {0};
    SCOPED(scope_free) char *copy = str_dup(text);
    size_t lines = 0, at = 0;
    if (!copy)
        return err_nomem(err);
    for (const char *p = text; *p; p++)
        lines += *p == '\n';
    a.cap = lines < ALARMS_MAX ? lines + 1 : ALARMS_MAX;
    a.item = calloc(a.cap, sizeof *a.item);
    if (!a.item)
        return err_nomem(err);
    for (char *line = copy, *end; (end = strchr(line, '\n')); line = end + 1, at++) {
        *end = '\0';
        bool good =
            at ? a.n < a.cap && read_line(line, &a.item[a.n])
               : sscanf(line, "alarms 1 %" SCNd64 " %" SCNu64, &a.maintenance, &a.muted) == 2;
        if (!good)
            return err_set(err, ERR_PARSE, "line %zu of the kept alarms cannot be read", at + 1);
        a.n += at != 0;
    }
    if (!at)
        return err_set(err, ERR_PARSE, "the kept alarms are empty");
    *ret = a;
    memset(&a, 0, sizeof a);
    return ERR_OK;
}
