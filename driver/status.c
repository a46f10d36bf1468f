/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/when.h"
#include "driver/answer.h"
#include "driver/resumeby.h"
#include "driver/term.h"

int status_open(const char *dir, const char *change, struct journal **ret, struct err *err)
{
    SCOPED(buf_free) struct buf place = BUF_INIT;
    int rc = ERR_OK;
    if (dir)
        buf_puts(&place, dir);
    else
        rc = term_state_dir(&place, err);
    return rc ? rc : journal_open(buf_str(&place), change, true, ret, err);
}

struct text {
    struct buf *out;
    int64_t now;
};

static int line(void *arg, const struct journal_step *s)
{
    struct text *t = arg;
    char begun[WHEN_TEXT_MAX], took[WHEN_TEXT_MAX] = "", times[32] = "";
    if (s->state == STEP_NEW)
        return 0;
    if (s->begun != WHEN_NONE)
        duration_format((s->ended == WHEN_NONE ? t->now : s->ended) - s->begun, took);
    if (s->tries > 1) /* an SO login is one for each firmware and each package */
        snprintf(times, sizeof times, "  %lld times", (long long)s->tries);
    buf_printf(t->out, "%-20s %-15s %-8s %-20s %8s%s\n", s->owner[0] ? s->owner : "(run)", s->name,
               step_state_name(s->state), when_format(s->begun, begun), took, times);
    if (s->detail[0] && s->state != STEP_DONE && s->state != STEP_SKIPPED)
        buf_printf(t->out, "    %s\n", s->detail);
    return 0;
}

int status_text(struct journal *j, const char *change, int64_t now, struct buf *out,
                struct err *err)
{
    struct text t = {out, now};
    buf_printf(out, "change %s\n", change);
    int rc = journal_each(j, line, &t, err);
    resumeby_status(j, now, out);
    return rc ? rc : buf_check(out, "status", err);
}

static int object(void *arg, const struct journal_step *s)
{
    json_t *o = json_object();
    if (s->state == STEP_NEW) {
        json_decref(o);
        return 0;
    }
    json_put_text(o, "owner", s->owner);
    json_put_text(o, "step", s->name);
    json_put_text(o, "state", step_state_name(s->state));
    json_put_when(o, "begun", s->begun);
    json_put_when(o, "ended", s->ended);
    json_put_number(o, "tries", s->tries);
    json_put_text(o, "detail", s->detail);
    json_array_append_new(arg, o);
    return 0;
}

int status_json(struct journal *j, const char *change, int exit_code, struct buf *out,
                struct err *err)
{
    struct journal_step run;
    json_t *o = answer_new("status", exit_code), *steps = json_array();
    json_put_text(o, "change", change);
    int rc = journal_step(j, "", "run", &run, err);
    if (!rc)
        json_put_text(o, "run", run.state == STEP_NEW ? "none" : step_state_name(run.state));
    json_object_set(o, "steps", steps);
    json_t *paused = resumeby_json(j);
    if (json_array_size(paused))
        json_object_set(o, "paused", paused);
    json_decref(paused);
    if (!rc)
        rc = journal_each(j, object, steps, err);
    json_decref(steps);
    if (rc) {
        json_decref(o);
        return rc;
    }
    return answer_write(o, out, err);
}
