/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "watch/jsonput.h"

#include "base/when.h"
#include "maint/state.h"

/* json_object_set_new takes NULL for a text that is not valid UTF-8. */
void json_put_text(json_t *o, const char *name, const char *text)
{
    if (text && *text)
        json_object_set_new(o, name, json_string(text));
}

void json_put_number(json_t *o, const char *name, int64_t n)
{
    json_object_set_new(o, name, json_integer(n));
}

void json_put_span(json_t *o, const char *name, int64_t seconds)
{
    if (seconds != INT64_MIN)
        json_put_number(o, name, seconds);
}

void json_put_known(json_t *o, const char *name, int64_t n)
{
    if (n >= 0)
        json_put_number(o, name, n);
}

void json_put_bool(json_t *o, const char *name, bool b)
{
    json_object_set_new(o, name, json_boolean(b));
}

void json_put_when(json_t *o, const char *name, int64_t when)
{
    char text[WHEN_TEXT_MAX];
    if (when != WHEN_NONE && when != 0)
        json_put_text(o, name, when_format(when, text));
}

json_t *json_maintenance(const struct store_maintenance *m)
{
    json_t *o = json_object();
    json_put_number(o, "id", m->id);
    json_put_number(o, "epoch", m->epoch);
    json_put_text(o, "state", m->state);
    json_put_text(o, "change", m->change);
    json_put_text(o, "reason", m->reason);
    json_put_text(o, "owner", *m->owner_name ? m->owner_name : m->owner_sid);
    json_put_text(o, "owner-sid", m->owner_sid);
    json_put_number(o, "window", m->window);
    json_put_number(o, "reserve", m->reserve);
    json_put_text(o, "deadline-action", m->deadline_action);
    json_put_when(o, "created", m->created);
    json_put_when(o, "paused", m->paused);
    json_put_when(o, "stopped", m->stopped);
    json_put_when(o, "resumed", m->resumed);
    json_put_when(o, "ended", m->ended);
    json_put_when(o, "runway-until", m->runway_until);
    json_put_when(o, "resume-by", m->resume_by);
    json_put_when(o, "deadline", m->deadline);
    json_put_bool(o, "cover", m->cover);
    json_put_text(o, "note", m->note);
    return o;
}
