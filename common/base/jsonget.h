/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Readers of JSON documents, the other side of base/jsonput.h. What is absent, null or of another
 * type is as if it were not there. */
#ifndef CRLAGENT_BASE_JSONGET_H
#define CRLAGENT_BASE_JSONGET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

const char *json_get_text(const json_t *o, const char *name); /* "" = not there; o owns it */
int64_t json_get_number(const json_t *o, const char *name, int64_t absent);
bool json_get_true(const json_t *o, const char *name);
int64_t json_get_when(const json_t *o, const char *name); /* WHEN_NONE = not there */

/* For text that comes from elsewhere and is shown on a console: a control character becomes
 * `instead`. What is too long is cut. */
void json_copy_text(const json_t *o, const char *name, char instead, char *dst, size_t size);

#endif
