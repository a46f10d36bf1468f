/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The two reboots, and what proves that there was one. */
#include <string.h>

#include "base/str.h"
#include "driver/hop.h"
#include "driver/site.h"
#include "driver/steps_int.h"

#define GOING_DOWN_MS 60000

/* Facts of the step itself: "reboot.sent", "reboot-patch.gone", "reboot@2.early". */
static const char *step_key(const struct site *s, const char *name, char dst[64])
{
    snprintf(dst, 64, "%s.%s", s->step_name, name);
    return dst;
}

static bool step_fact_is(struct site *s, const char *name, const char *value)
{
    SCOPED(buf_free) struct buf b = BUF_INIT;
    char key[64];
    steps_fact(s, step_key(s, name, key), &b);
    return strcmp(buf_str(&b), value) == 0;
}

static int set_step_fact(struct site *s, const char *name, const char *value, struct err *err)
{
    char key[64];
    return journal_set_fact(s->drv->journal, s->a->name, step_key(s, name, key), value, err);
}

static void note_step(struct site *s, const char *name)
{
    struct err ignored = ERR_INIT;
    (void)!set_step_fact(s, name, "yes", &ignored);
}

/* Was it sent down a minute ago or more? */
static bool sent_long_ago(struct site *s)
{
    struct journal_step step;
    struct err ignored = ERR_INIT;
    return step_fact_is(s, "sent", "yes") &&
           !journal_step(s->drv->journal, s->a->name, s->step_name, &step, &ignored) &&
           (clock_now(s->drv->clock) - step.begun) * 1000 > GOING_DOWN_MS;
}

/* Nobody has confirmed that 'hsm show' prints the old version until the reboot. So the new one is a
 * proof of it only where the old one was seen right before, or where the appliance was away. */
static bool was_down(struct site *s)
{
    return step_fact_is(s, "early", "no") || step_fact_is(s, "gone", "yes") ||
           steps_hop_fact_is(s, "update.away", "yes") || sent_long_ago(s);
}

int reboot_proof(struct site *s, bool *ret_reached, struct err *err)
{
    struct luna_show show;
    int rc = site_fresh_show(s, &show, err);
    if ((rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT) && step_fact_is(s, "sent", "yes"))
        note_step(s, "gone");
    if (!rc)
        *ret_reached = version_reached(show.software, hop_of(s)->software) && was_down(s);
    return rc;
}

/* Our connection dies when the appliance goes down: from then on a login meets the new boot. A
 * serial line stays, so it tells nothing. */
static bool wait_gone(struct site *s)
{
    int64_t end = clock_mono_ms(s->drv->clock) + GOING_DOWN_MS;
    char ignored[512];
    size_t n;
    struct err err = ERR_INIT;
    int rc = ERR_OK;
    if (s->t.survives)
        return false;
    while ((!rc || rc == ERR_TIMEOUT) && clock_mono_ms(s->drv->clock) < end)
        rc = s->t.ops->read(s->t.self, ignored, sizeof ignored, 1000, &n, &err);
    return rc && rc != ERR_TIMEOUT;
}

/* A connection that ended before the result proves nothing: the command may not have been run. */
static int send_reboot(struct site *s, struct err *err)
{
    SCOPED(exchange_free) struct exchange x = {0};
    struct site_command c = {.id = "reboot"};
    int rc = set_step_fact(s, "gone", "no", err);
    if (!rc)
        rc = set_step_fact(s, "sent", "yes", err);
    if (!rc)
        rc = site_run(s, &c, &x, err);
    if (rc)
        return rc;
    if (exchange_ok(&x) && wait_gone(s))
        rc = set_step_fact(s, "gone", "yes", err);
    site_leave(s);
    if (x.outcome == OUTCOME_LOST || exchange_ok(&x))
        return rc;
    return site_exchange_error(s, "sysconf appliance reboot", &x, err);
}

/* A shell whose HSM card does not answer is in the middle of a boot. */
static int wait_for_card(struct site *s, bool *ret_reached, struct err *err)
{
    const struct driver *drv = s->drv;
    int64_t start = clock_mono_ms(drv->clock), limit = drv->plan.timeouts.boot * 1000;
    for (;;) {
        struct err now_err = ERR_INIT;
        int rc = reboot_proof(s, ret_reached, &now_err);
        int64_t spent = clock_mono_ms(drv->clock) - start;
        if (rc != ERR_BUSY)
            return rc ? err_set(err, rc, "%s", now_err.text) : ERR_OK;
        if (spent >= limit)
            return err_set(err, ERR_STATE, "after %lld s: %s", (long long)(limit / 1000),
                           now_err.text);
        progress_wait(s->drv, s->a->name, "HSM card", NULL, spent, limit - spent);
        if (clock_sleep_ms(drv->clock, drv->plan.timeouts.poll * 1000))
            return err_set(err, ERR_CANCELLED, "interrupted while waiting for the HSM card");
    }
}

int reboot_do(struct site *s, struct err *err)
{
    bool reached = false;
    int rc = wait_for_card(s, &reached, err);
    if (rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT) /* it is rebooting by itself */
        return set_step_fact(s, "gone", "yes", err);
    if (rc || reached)
        return rc;
    bool early = version_reached(s->show.software, hop_of(s)->software);
    if (early)
        say(s->drv, s->a->name,
            "software %s is shown, and nothing proves that the appliance has rebooted: it is "
            "rebooted once more than it may need",
            s->show.software);
    rc = set_step_fact(s, "early", early ? "yes" : "no", err);
    return rc ? rc : send_reboot(s, err);
}

int reboot_do_patch(struct site *s, struct err *err)
{
    struct luna_show show;
    int rc = site_fresh_show(s, &show, err);
    return rc ? rc : send_reboot(s, err);
}

/* The patch shows no version: back is when the HSM answers again after it was away. The reboot has
 * closed our connection; the first look may still meet the old one going down, so it must be gone
 * once or a minute must be over. */
int reboot_proof_back(struct site *s, bool *ret_reached, struct err *err)
{
    struct luna_show show;
    int rc = site_fresh_show(s, &show, err);
    if (rc && step_fact_is(s, "sent", "yes"))
        note_step(s, "gone");
    if (!rc)
        *ret_reached = step_fact_is(s, "gone", "yes") || sent_long_ago(s);
    return rc;
}
