/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/resumeby.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "driver/answer.h"
#include "driver/hop.h"
#include "driver/steps.h"
#include "driver/verdict.h"

#define FACT "resume-by"
#define TELL_AGAIN_MS 600000
#define SHORT_STEP 300 /* seconds: a look, a login, a comparison */
#define BOOT_LOW 300   /* seconds until shell and HSM answer again */
#define BOOT_HIGH 900
#define UPDATE_LOW 900 /* seconds, where the table of updates has no row */
#define UPDATE_HIGH 14400

void resumeby_set(struct driver *drv, const char *owner, int64_t when)
{
    char text[32] = "";
    struct err err = ERR_INIT;
    if (when != WHEN_NONE)
        snprintf(text, sizeof text, "%lld", (long long)when);
    if (journal_set_fact(drv->journal, owner, FACT, text, &err))
        say(drv, owner, "%s", err.text);
}

struct earliest {
    int64_t when;
    char *owner;
};

static int take(void *arg, const char *owner, const char *value)
{
    struct earliest *e = arg;
    int64_t when = strtoll(value, NULL, 10);
    if (when <= 0 || (e->when != WHEN_NONE && e->when <= when))
        return 0;
    e->when = when;
    str_copy(e->owner, 64, owner);
    return 0;
}

int64_t resumeby_earliest(struct journal *j, char owner[64])
{
    struct earliest e = {WHEN_NONE, owner};
    struct err ignored = ERR_INIT;
    owner[0] = '\0';
    (void)!journal_each_fact(j, FACT, take, &e, &ignored);
    return e.when;
}

/* ---- what is left ---- */

/* What an update takes: the table's minutes, or wide limits where it has no row. */
static void of_table(struct site *s, enum component c, const char *from, const char *to,
                     int64_t *low, int64_t *high)
{
    struct route r;
    struct err ignored = ERR_INIT;
    bool found = from[0] && to[0] && !paths_route(&s->drv->paths, c, from, to, &r, &ignored) &&
                 r.verdict == ROUTE_FOUND && r.minutes_high;
    *low += found ? r.minutes_low * 60 : UPDATE_LOW;
    *high += found ? r.minutes_high * 60 : UPDATE_HIGH;
}

static void of_step(struct site *s, const struct step *step, int64_t *low, int64_t *high)
{
    const struct plan_hop *h = hop_of(s);
    const struct plan_hop *before = s->hop ? h - 1 : NULL;
    if (strcmp(step->name, "update") == 0) {
        const char *from = before && before->software[0] ? before->software : s->show.software;
        of_table(s, COMPONENT_SOFTWARE, from, h->software, low, high);
    } else if (strcmp(step->name, "firmware") == 0) {
        const char *from = before && before->firmware[0] ? before->firmware : s->show.firmware;
        of_table(s, COMPONENT_FIRMWARE, from, h->firmware, low, high);
    } else if (strstr(step->name, "reboot")) {
        *low += BOOT_LOW;
        *high += BOOT_HIGH;
    } else {
        *high += SHORT_STEP;
    }
}

static bool is_left(struct site *s, const struct step *step)
{
    struct journal_step j;
    struct err ignored = ERR_INIT;
    char name[HOP_NAME_MAX];
    hop_name(&s->drv->plan, s->hop, step->name, name);
    if (journal_step(s->drv->journal, s->a->name, name, &j, &ignored))
        return true;
    return j.state != STEP_DONE && j.state != STEP_SKIPPED && step->needed(s);
}

bool resumeby_steps_left(struct driver *drv)
{
    bool left = false;
    for (size_t i = 0; i < drv->n_sites; i++) {
        struct site *s = &drv->site[i];
        for (s->hop = 0; s->hop < drv->plan.n_hops; s->hop++) {
            for (size_t k = 0; k < luna_step_count; k++)
                left = left || is_left(s, &luna_steps[k]);
        }
        s->hop = 0;
    }
    return left;
}

void resumeby_expected(struct driver *drv, int64_t *ret_low, int64_t *ret_high)
{
    *ret_low = *ret_high = 0;
    for (size_t i = 0; i < drv->n_sites; i++) {
        struct site *s = &drv->site[i];
        size_t at = s->hop;
        for (size_t k = 0; k < luna_step_count * drv->plan.n_hops; k++) {
            const struct step *step = &luna_steps[k % luna_step_count];
            s->hop = k / luna_step_count;
            if (is_left(s, step))
                of_step(s, step, ret_low, ret_high);
        }
        s->hop = at;
    }
}

/* The same again is said every ten minutes at most. */
static bool is_news(struct driver *drv, char fit)
{
    int64_t now = clock_mono_ms(drv->clock);
    bool news = fit != drv->told_fit || now - drv->told_fit_ms >= TELL_AGAIN_MS;
    if (news) {
        drv->told_fit = fit;
        drv->told_fit_ms = now;
    }
    return news;
}

void resumeby_tell(struct driver *drv)
{
    char owner[64], low_text[WHEN_TEXT_MAX], high_text[WHEN_TEXT_MAX];
    int64_t when = resumeby_earliest(drv->journal, owner), low, high;
    int64_t now = clock_now(drv->clock);
    if (when == WHEN_NONE)
        return;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    verdict_moment(when, now, &text);
    resumeby_expected(drv, &low, &high);
    duration_format(low, low_text);
    duration_format(high, high_text);
    bool over = now + low > when, tight = now + high > when;
    if (!is_news(drv, over ? 'o' : tight ? 't' : 'f'))
        return;
    say(drv, owner, "%sthe CA must be back by %s; what is left is expected to take %s to %s%s",
        over    ? "WARNING: "
        : tight ? "careful: "
                : "",
        buf_str(&text), low_text, high_text,
        over    ? ": it does not fit. Think of stopping at the next step, or have a CRL published"
        : tight ? ": it may not fit"
                : "");
}

/* ---- status ---- */

struct listing {
    struct buf *out;
    int64_t now;
};

static int line(void *arg, const char *owner, const char *value)
{
    struct listing *l = arg;
    int64_t when = strtoll(value, NULL, 10);
    if (when <= 0)
        return 0;
    buf_printf(l->out, "%s: the CA must be back by ", owner);
    verdict_moment(when, l->now, l->out);
    buf_putc(l->out, '\n');
    return 0;
}

void resumeby_status(struct journal *j, int64_t now, struct buf *out)
{
    struct listing l = {out, now};
    struct err ignored = ERR_INIT;
    (void)!journal_each_fact(j, FACT, line, &l, &ignored);
}

static int object(void *arg, const char *owner, const char *value)
{
    int64_t when = strtoll(value, NULL, 10);
    if (when <= 0)
        return 0;
    json_t *o = json_object();
    json_put_text(o, "owner", owner);
    json_put_when(o, "resume-by", when);
    json_array_append_new(arg, o);
    return 0;
}

json_t *resumeby_json(struct journal *j)
{
    json_t *list = json_array();
    struct err ignored = ERR_INIT;
    (void)!journal_each_fact(j, FACT, object, list, &ignored);
    return list;
}
