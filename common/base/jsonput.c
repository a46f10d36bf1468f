/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "base/jsonput.h"

#include "base/when.h"

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
