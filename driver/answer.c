/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/answer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

const char *exit_name(int code)
{
    static const struct {
        int code;
        const char *name;
    } names[] = {
        {HU_DONE, "done"},
        {HU_CHECK_WARNING, "warning"},
        {HU_CHECK_CRITICAL, "critical"},
        {HU_CHECK_UNKNOWN, "unknown"},
        {HU_REFUSED, "gate-refused"},
        {HU_BUSY, "busy"},
        {HU_NOT_PROVEN, "not-proven"},
        {HU_AGENT_REFUSED, "agent-refused"},
        {HU_NOT_ACCEPTED, "hsm-not-accepted"},
        {HU_HELD, "held"},
        {HU_WINDOW, "outside-window"},
        {HU_SO_LOGIN, "so-login"},
        {HU_PLAN_CHANGED, "plan-changed"},
        {HU_USAGE, "usage"},
        {HU_NOT_PERMITTED, "not-permitted"},
        {HU_UNREACHABLE, "unreachable"},
        {HU_INTERRUPTED, "interrupted"},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].code == code)
            return names[i].name;
    }
    return "failed";
}

json_t *answer_new(const char *kind, int exit)
{
    json_t *o = json_object();
    json_put_number(o, "schema", ANSWER_SCHEMA);
    json_put_text(o, "kind", kind);
    if (exit >= 0) {
        json_put_text(o, "outcome", exit_name(exit));
        json_put_number(o, "exit", exit);
    }
    return o;
}

/* "plan.xml:12: text" -> 12 and the text; false for every other line. */
static bool place_of(const char *line, const char *file, long *ret_line, const char **ret_text)
{
    size_t n = file ? strlen(file) : 0;
    if (!n || strncmp(line, file, n) != 0 || line[n] != ':' || !isdigit((unsigned char)line[n + 1]))
        return false;
    char *end;
    *ret_line = strtol(line + n + 1, &end, 10);
    *ret_text = *end == ':' ? end + 1 + strspn(end + 1, " ") : end;
    return true;
}

void answer_error(json_t *o, const struct err *err, const char *file)
{
    json_t *e = json_object(), *places = json_array();
    json_put_text(e, "code", err_code_name(err->code));
    json_put_text(e, "text", err->text);
    json_put_text(e, "file", file);
    for (const char *p = err->text; *p;) {
        char line[ERR_TEXT_MAX];
        const char *text;
        long number;
        size_t n = strcspn(p, "\n");
        snprintf(line, sizeof line, "%.*s", (int)n, p);
        p += n + (p[n] == '\n');
        if (place_of(line, file, &number, &text)) {
            json_t *place = json_object();
            json_put_number(place, "line", number);
            json_put_text(place, "text", text);
            json_array_append_new(places, place);
        } else if (str_starts(line, "  do: ")) {
            json_put_text(e, "do", line + 6);
        }
    }
    if (json_array_size(places))
        json_object_set(e, "places", places);
    json_decref(places);
    json_object_set_new(o, "error", e);
}

int answer_write(json_t *o, struct buf *out, struct err *err)
{
    char *text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;
    json_decref(o);
    if (!text)
        return err_set(err, ERR_INTERNAL, "the answer could not be written as JSON");
    buf_printf(out, "%s\n", text);
    free(text);
    return buf_check(out, "JSON", err);
}
