/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "base/jsonget.h"

#include "base/str.h"
#include "base/when.h"

const char *json_get_text(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s ? s : "";
}

int64_t json_get_number(const json_t *o, const char *name, int64_t absent)
{
    const json_t *v = json_object_get(o, name);
    return json_is_integer(v) ? (int64_t)json_integer_value(v) : absent;
}

bool json_get_true(const json_t *o, const char *name)
{
    return json_is_true(json_object_get(o, name));
}

int64_t json_get_when(const json_t *o, const char *name)
{
    struct err ignored = ERR_INIT;
    int64_t when = WHEN_NONE;
    return when_parse(json_get_text(o, name), &when, &ignored) ? WHEN_NONE : when;
}

void json_copy_text(const json_t *o, const char *name, char instead, char *dst, size_t size)
{
    (void)str_copy(dst, size, json_get_text(o, name));
    for (char *p = dst; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = instead;
    }
}
