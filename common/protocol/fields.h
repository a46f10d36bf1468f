/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* JSON objects against a table of fields. Internal to common/protocol. */
#ifndef CRLAGENT_PROTOCOL_FIELDS_H
#define CRLAGENT_PROTOCOL_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum json_field_kind { JSON_FIELD_TEXT, JSON_FIELD_NUMBER, JSON_FIELD_BOOL };

struct json_field {
    const char *name;
    enum json_field_kind kind;
    size_t offset;    /* in the struct */
    size_t size;      /* TEXT: of the char array */
    int64_t min, max; /* NUMBER; TEXT: max characters, 0 = as many as fit */
    int64_t absent;   /* NUMBER: the value that means "not given" and is not sent */
};

/* Parses data as one JSON object without duplicate keys; ERR_LIMIT beyond LIMIT_PIPE_MESSAGE. */
MUST_CHECK int json_object_read(const char *data, size_t len, json_t **ret, struct err *err);
void json_object_free(json_t **object); /* for SCOPED() */

/* Takes the table's fields out of the object into the struct. What is left in the object afterwards
 * was not known to the table. */
MUST_CHECK int json_fields_take(json_t *object, const struct json_field *table, size_t n,
                                void *target, struct err *err);
/* ERR_PARSE when the object still holds something. */
MUST_CHECK int json_fields_done(json_t *object, struct err *err);

MUST_CHECK int json_fields_put(json_t *object, const struct json_field *table, size_t n,
                               const void *source, struct err *err);

/* Serialises compactly, appends, and frees the object. ERR_LIMIT when the text is longer than a
 * message may be. */
MUST_CHECK int json_object_write(json_t **object, struct buf *out, struct err *err);

#endif
