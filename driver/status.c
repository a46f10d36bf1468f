/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/status.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/when.h"
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
    char begun[WHEN_TEXT_MAX], took[WHEN_TEXT_MAX] = "";
    if (s->state == STEP_NEW)
        return 0;
    if (s->begun != WHEN_NONE)
        duration_format((s->ended == WHEN_NONE ? t->now : s->ended) - s->begun, took);
    buf_printf(t->out, "%-20s %-15s %-8s %-20s %8s%s%s\n", s->owner[0] ? s->owner : "(run)",
               s->name, step_state_name(s->state), when_format(s->begun, begun), took,
               s->tries > 1 ? "  tried more than once" : "", "");
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

static json_t *when_or_null(int64_t when)
{
    return when == WHEN_NONE ? json_null() : json_integer((json_int_t)when);
}

static int object(void *arg, const struct journal_step *s)
{
    json_array_append_new(arg, json_pack("{s:s s:s s:s s:o s:o s:I s:s}", "owner", s->owner, "step",
                                         s->name, "state", step_state_name(s->state), "begun",
                                         when_or_null(s->begun), "ended", when_or_null(s->ended),
                                         "tries", (json_int_t)s->tries, "detail", s->detail));
    return 0;
}

int status_json(struct journal *j, const char *change, int exit_code, struct buf *out,
                struct err *err)
{
    json_t *steps = json_array();
    int rc = journal_each(j, object, steps, err);
    json_t *root = json_pack("{s:s s:o s:o}", "change", change, "exit_code",
                             exit_code < 0 ? json_null() : json_integer(exit_code), "steps", steps);
    char *text = !rc && root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text)
        return rc ? rc : err_set(err, ERR_INTERNAL, "the status could not be written as JSON");
    buf_printf(out, "%s\n", text);
    free(text);
    return buf_check(out, "JSON", err);
}
