/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "watch/told.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/when.h"

bool told_event(uint32_t id, enum severity severity, enum severity minimum)
{
    static const uint32_t always[] = {FIND_MAINT_PREPARING, FIND_MAINT_READY,   FIND_MAINT_PAUSED,
                                      FIND_MAINT_RESUMING,  FIND_MAINT_CLOSED,  FIND_MAINT_REFUSED,
                                      FIND_MAINT_ABORTED,   FIND_MAINT_EXTENDED};
    if (id == 0 || id == FIND_NOTICE_NOT_SENT || id == FIND_NOTICE_GIVEN_UP ||
        id == FIND_NOTICE_TEST)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(always); i++) {
        if (always[i] == id)
            return true;
    }
    return severity >= minimum;
}

bool told_news(const struct alarm_news *news, enum severity minimum)
{
    return news->alarm.worst >= minimum;
}

static const char *level_text(int level)
{
    static const char *const texts[] = {"", "50 %", "75 %", "90 %"};
    return texts[level < 0 || level > 3 ? 0 : level];
}

void told_line(const struct alarm_news *news, const struct findings *findings, struct buf *out)
{
    const struct alarm *a = &news->alarm;
    const struct finding_kind *k = finding_kind_by_id(a->id);
    char since[WHEN_TEXT_MAX], after[WHEN_TEXT_MAX];
    const struct finding *f = news->finding == SIZE_MAX ? NULL : &findings->item[news->finding];
    if (news->change == ALARM_OVER)
        buf_printf(out, "Over after %s: ", duration_format(news->after, after));
    if (news->change == ALARM_REMINDER)
        buf_printf(out, "Still so since %s: ", when_format(a->since, since));
    if (news->change == ALARM_WORSE)
        buf_puts(out, "Worse: ");
    buf_puts(out, k ? k->title : "An unknown finding");
    if (a->url[0])
        buf_printf(out, ": %s", a->url);
    else
        buf_printf(out, ": key %u", a->key_index);
    if (a->address[0])
        buf_printf(out, " at %s", a->address);
    if (f && f->found[0])
        buf_printf(out, "; found %s", f->found);
    if (f && f->expected[0])
        buf_printf(out, "; expected %s", f->expected);
    if (a->level && news->change != ALARM_OVER)
        buf_printf(out, "; %s of the time until clients fail is used up", level_text(a->level));
    if (f && f->remedy[0])
        buf_printf(out, ". %s", f->remedy);
}

void told_lines(const struct alarm_news *news, size_t n, enum severity minimum,
                const struct findings *findings, struct buf *out)
{
    for (int pass = 2 * SEV_CRITICAL + 1; pass >= 0; pass--) {
        bool over = pass <= SEV_CRITICAL;
        int severity = pass - (over ? 0 : SEV_CRITICAL + 1);
        for (size_t i = 0; i < n; i++) {
            if (!told_news(&news[i], minimum) || (news[i].change == ALARM_OVER) != over ||
                (int)news[i].alarm.severity != severity)
                continue;
            told_line(&news[i], findings, out);
            buf_putc(out, '\n');
        }
    }
}

const char *told_report(uint32_t id)
{
    static const struct {
        uint32_t id;
        const char *phase;
    } table[] = {
        {FIND_MAINT_READY, "before"},   {FIND_MAINT_PAUSED, "before"},
        {FIND_MAINT_REFUSED, "before"}, {FIND_MAINT_ABORTED, "before"},
        {FIND_MAINT_CLOSED, "after"},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].id == id)
            return table[i].phase;
    }
    return NULL;
}

void told_title(const struct alarm_news *news, size_t n, enum severity minimum, const char *ca,
                char *dst, size_t dst_size, size_t *ret_worst)
{
    size_t begun = 0, over = 0, still = 0, worst = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        if (!told_news(&news[i], minimum))
            continue;
        over += news[i].change == ALARM_OVER;
        still += news[i].change == ALARM_REMINDER;
        begun += news[i].change == ALARM_RAISED || news[i].change == ALARM_WORSE;
        if (worst == SIZE_MAX ||
            (news[worst].change == ALARM_OVER && news[i].change != ALARM_OVER) ||
            ((news[worst].change == ALARM_OVER) == (news[i].change == ALARM_OVER) &&
             news[i].alarm.severity > news[worst].alarm.severity))
            worst = i;
    }
    *ret_worst = worst;
    if (worst == SIZE_MAX)
        return;
    const struct finding_kind *k = finding_kind_by_id(news[worst].alarm.id);
    snprintf(dst, dst_size, "%s%s%s%s", *ca ? ca : "", *ca ? ": " : "",
             news[worst].change == ALARM_OVER ? "over: " : "", k ? k->title : "finding");
    if (begun + over + still > 1) {
        size_t len = strlen(dst);
        snprintf(dst + len, dst_size - len, " (%zu new, %zu lasting, %zu over)", begun, still,
                 over);
    }
}
