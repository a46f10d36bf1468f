/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Setters for the JSON documents of service and evidence: what is not known is absent. Text that is
 * not valid UTF-8 is absent too. */
#ifndef CRLAGENT_WATCH_JSONPUT_H
#define CRLAGENT_WATCH_JSONPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/maintenance.h"

void json_put_text(json_t *o, const char *name, const char *text); /* "" and NULL are absent */
void json_put_number(json_t *o, const char *name, int64_t n);
void json_put_span(json_t *o, const char *name, int64_t seconds); /* INT64_MIN is absent */
void json_put_known(json_t *o, const char *name, int64_t n);      /* what is negative is absent */
void json_put_bool(json_t *o, const char *name, bool b);
void json_put_when(json_t *o, const char *name, int64_t when); /* WHEN_NONE and 0 are absent */

/* One maintenance, as the service and the evidence tell it. The caller owns it. */
json_t *json_maintenance(const struct store_maintenance *m);

#endif
