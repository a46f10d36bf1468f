/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/verdict.h"

#include <string.h>

#include <jansson.h>

#include "base/jsonget.h"
#include "base/str.h"
#include "base/when.h"

/* ---- reading ---- */

#define TEXT(o, name, field) json_copy_text(o, name, ' ', field, sizeof(field))

/* Only what a person must know: not the findings that say that all is well. */
static void read_items(const json_t *list, struct verdict *v)
{
    size_t i;
    json_t *o;
    json_array_foreach(list, i, o)
    {
        struct verdict_item *t = &v->item[v->n_items];
        if (v->n_items == VERDICT_ITEMS_MAX)
            return;
        TEXT(o, "severity", t->severity);
        if (!str_eq_nocase(t->severity, "critical") && !str_eq_nocase(t->severity, "warning"))
            continue;
        TEXT(o, "title", t->title);
        TEXT(o, "url", t->where);
        TEXT(o, "expected", t->expected);
        TEXT(o, "found", t->found);
        TEXT(o, "remedy", t->remedy);
        v->n_items++;
    }
}

static void read_document(const json_t *o, struct verdict *v)
{
    const json_t *m = json_object_get(o, "maintenance"), *g = json_object_get(o, "gate");
    const json_t *c = json_object_get(o, "comparison");
    v->repeated = json_is_true(json_object_get(o, "repeated"));
    TEXT(o, "state", v->state);
    TEXT(json_object_get(o, "error"), "text", v->error);
    TEXT(json_object_get(o, "proof"), "text", v->proof);
    TEXT(c, "text", v->compared);
    TEXT(g, "decides", v->decides);
    v->down = json_get_number(c, "down-seconds", VERDICT_NONE);
    v->weakest = json_get_number(g, "weakest", VERDICT_NONE);
    v->need = json_get_number(g, "need", VERDICT_NONE);
    v->resume_by = json_get_when(m, "resume-by");
    if (v->resume_by == WHEN_NONE)
        v->resume_by = json_get_when(g, "resume-by");
    v->runway_until = json_get_when(m, "runway-until");
    read_items(json_object_get(g, "items"), v);
}

/* The document begins at the start of a line: what a login prints may stand before it. */
static json_t *find_document(const char *text, size_t len)
{
    for (size_t at = 0; at < len; at++) {
        if (text[at] != '{' || (at && text[at - 1] != '\n'))
            continue;
        json_t *o = json_loadb(text + at, len - at, JSON_DISABLE_EOF_CHECK, NULL);
        if (json_is_string(json_object_get(o, "outcome")))
            return o;
        json_decref(o);
    }
    return NULL;
}

void verdict_read(const char *text, size_t len, struct verdict *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->resume_by = ret->runway_until = WHEN_NONE;
    ret->weakest = ret->need = ret->down = VERDICT_NONE;
    json_t *o = find_document(text, len);
    if (!o)
        return;
    ret->known = true;
    TEXT(o, "outcome", ret->outcome);
    read_document(o, ret);
    json_decref(o);
}

/* ---- telling ---- */

void verdict_moment(int64_t when, int64_t now, struct buf *out)
{
    char at[WHEN_TEXT_MAX], left[WHEN_TEXT_MAX];
    duration_format(when < now ? now - when : when - now, left);
    buf_printf(out, when < now ? "%s (%s ago)" : "%s (in %s)", when_format(when, at), left);
}

static void tell_runway(const struct verdict *v, int64_t now, struct buf *out)
{
    char weakest[WHEN_TEXT_MAX], need[WHEN_TEXT_MAX];
    if (v->resume_by != WHEN_NONE) {
        buf_puts(out, "; resume by ");
        verdict_moment(v->resume_by, now, out);
    }
    if (v->runway_until != WHEN_NONE && v->runway_until > now)
        buf_printf(out, "; runway %s", duration_format(v->runway_until - now, weakest));
    else if (v->weakest != VERDICT_NONE)
        buf_printf(out, "; runway %s", duration_format(v->weakest, weakest));
    if (v->need != VERDICT_NONE)
        buf_printf(out, ", needed %s", duration_format(v->need, need));
    if (v->decides[0])
        buf_printf(out, " (decided by %s)", v->decides);
}

void verdict_line(const struct verdict *v, int64_t now, struct buf *out)
{
    char down[WHEN_TEXT_MAX];
    if (!v->known)
        return;
    bool good = strcmp(v->outcome, "done") == 0;
    buf_puts(out, good && v->state[0] ? v->state : v->outcome);
    if (v->repeated)
        buf_puts(out, " (as answered before)");
    if (!good && v->error[0])
        buf_printf(out, ": %s", v->error);
    if (v->down != VERDICT_NONE)
        buf_printf(out, "; the CA was away for %s", duration_format(v->down, down));
    else
        tell_runway(v, now, out);
    if (v->proof[0])
        buf_printf(out, "; %s", v->proof);
}
