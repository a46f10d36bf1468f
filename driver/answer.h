/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The JSON documents of hsmupgrade (docs/hsmupgrade.md): one envelope, the same rules as
 * crlagent's: RFC 3339 times, whole seconds, what is not known is absent. */
#ifndef CRLAGENT_DRIVER_ANSWER_H
#define CRLAGENT_DRIVER_ANSWER_H

#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/jsonput.h"
#include "driver/exitcode.h"

#define ANSWER_SCHEMA 1

/* "done", "held", ...: the word of docs/hsmupgrade.md for an exit code. */
const char *exit_name(int code);

/* {schema, kind, outcome, exit}; exit < 0: not known, left out. Never NULL but without memory. */
json_t *answer_new(const char *kind, int exit);

/* "error": code, text, and for files "places" with line and text of each message. file: the name
 * that stands in front of the messages; NULL. */
void answer_error(json_t *o, const struct err *err, const char *file);

/* Appends the document and a line end; takes o. */
MUST_CHECK int answer_write(json_t *o, struct buf *out, struct err *err);

#endif
