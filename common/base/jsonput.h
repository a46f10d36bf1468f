/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Setters for the JSON documents of both programs: what is not known is absent. Text that is not
 * valid UTF-8 is absent too. A target of its own (crla_json): the rest of base needs no jansson. */
#ifndef CRLAGENT_BASE_JSONPUT_H
#define CRLAGENT_BASE_JSONPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

void json_put_text(json_t *o, const char *name, const char *text); /* "" and NULL are absent */
void json_put_number(json_t *o, const char *name, int64_t n);
void json_put_span(json_t *o, const char *name, int64_t seconds); /* INT64_MIN is absent */
void json_put_known(json_t *o, const char *name, int64_t n);      /* what is negative is absent */
void json_put_bool(json_t *o, const char *name, bool b);
void json_put_when(json_t *o, const char *name, int64_t when); /* WHEN_NONE and 0 are absent */

#endif
