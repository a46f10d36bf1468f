/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "protocol/fields.h"

#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"

void json_object_free(json_t **object)
{
    json_decref(*object);
    *object = NULL;
}

int json_object_read(const char *data, size_t len, json_t **ret, struct err *err)
{
    if (len > LIMIT_PIPE_MESSAGE)
        return err_set(err, ERR_LIMIT, "a message of %zu bytes, at most %u are taken", len,
                       LIMIT_PIPE_MESSAGE);
    json_error_t why;
    json_t *object = json_loadb(data, len, JSON_REJECT_DUPLICATES, &why);
    if (!object)
        return err_set(err, ERR_PARSE, "the message is not JSON: %s at byte %d", why.text,
                       why.position);
    if (!json_is_object(object)) {
        json_decref(object);
        return err_set(err, ERR_PARSE, "the message is not a JSON object");
    }
    *ret = object;
    return ERR_OK;
}

/* Control characters would let a caller forge lines of a log or move a console's cursor. */
static bool has_control(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    }
    return false;
}

static size_t characters(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static int take_text(const struct json_field *f, const json_t *value, char *target, struct err *err)
{
    const char *text = json_string_value(value);
    if (!text)
        return err_set(err, ERR_PARSE, "field '%s': expected a text", f->name);
    if (strlen(text) != json_string_length(value) || has_control(text))
        return err_set(err, ERR_PARSE, "field '%s' holds control characters", f->name);
    if (strlen(text) >= f->size || (f->max && characters(text) > (size_t)f->max))
        return err_set(err, ERR_LIMIT, "field '%s': %zu characters, at most %" PRId64 " are taken",
                       f->name, characters(text), f->max ? f->max : (int64_t)f->size - 1);
    memcpy(target, text, strlen(text) + 1);
    return ERR_OK;
}

static int take_number(const struct json_field *f, const json_t *value, int64_t *target,
                       struct err *err)
{
    if (!json_is_integer(value))
        return err_set(err, ERR_PARSE, "field '%s': expected a whole number", f->name);
    int64_t number = json_integer_value(value);
    if (number < f->min || number > f->max)
        return err_set(err, ERR_LIMIT,
                       "field '%s': expected %" PRId64 " to %" PRId64 ", found %" PRId64, f->name,
                       f->min, f->max, number);
    *target = number;
    return ERR_OK;
}

static int take_one(const struct json_field *f, const json_t *value, void *target, struct err *err)
{
    void *slot = (char *)target + f->offset;
    if (f->kind == JSON_FIELD_TEXT)
        return take_text(f, value, slot, err);
    if (f->kind == JSON_FIELD_NUMBER)
        return take_number(f, value, slot, err);
    if (!json_is_boolean(value))
        return err_set(err, ERR_PARSE, "field '%s': expected true or false", f->name);
    *(bool *)slot = json_is_true(value);
    return ERR_OK;
}

int json_fields_take(json_t *object, const struct json_field *table, size_t n, void *target,
                     struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        json_t *value = json_object_get(object, table[i].name);
        if (!value)
            continue;
        int rc = take_one(&table[i], value, target, err);
        if (rc)
            return rc;
        json_object_del(object, table[i].name);
    }
    return ERR_OK;
}

int json_fields_done(json_t *object, struct err *err)
{
    void *left = json_object_iter(object);
    if (!left)
        return ERR_OK;
    /* Cut: the name is the sender's. */
    return err_set(err, ERR_PARSE, "unknown field '%.40s'", json_object_iter_key(left));
}

static json_t *value_of(const struct json_field *f, const void *source, bool *ret_skip)
{
    const void *slot = (const char *)source + f->offset;
    *ret_skip = false;
    if (f->kind == JSON_FIELD_TEXT) {
        *ret_skip = *(const char *)slot == '\0';
        return json_string(slot);
    }
    if (f->kind == JSON_FIELD_NUMBER) {
        *ret_skip = *(const int64_t *)slot == f->absent;
        return json_integer(*(const int64_t *)slot);
    }
    *ret_skip = !*(const bool *)slot;
    return json_boolean(*(const bool *)slot);
}

int json_fields_put(json_t *object, const struct json_field *table, size_t n, const void *source,
                    struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        bool skip;
        json_t *value = value_of(&table[i], source, &skip);
        if (!value)
            return err_set(err, ERR_INVALID, "field '%s' is not valid UTF-8", table[i].name);
        if (skip)
            json_decref(value);
        else if (json_object_set_new(object, table[i].name, value))
            return err_nomem(err);
    }
    return ERR_OK;
}

static int append(const char *data, size_t len, void *out)
{
    return buf_add(out, data, len);
}

int json_object_write(json_t **object, struct buf *out, struct err *err)
{
    SCOPED(json_object_free) json_t *owned = steal_ptr(*object);
    size_t before = out->len;
    if (json_dump_callback(owned, append, out, JSON_COMPACT))
        return err_nomem(err);
    if (out->len - before > LIMIT_PIPE_MESSAGE)
        return err_set(err, ERR_LIMIT, "a message of %zu bytes, at most %u can be sent",
                       out->len - before, LIMIT_PIPE_MESSAGE);
    return ERR_OK;
}
