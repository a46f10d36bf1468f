/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Everything an appliance said and was told, in a file, without secrets. A secret is removed even
 * when the shell wrapped it over lines or when it arrives in two pieces: text that might still
 * become a secret is held back until it is clear. */
#ifndef CRLAGENT_DRIVER_TRANSCRIPT_H
#define CRLAGENT_DRIVER_TRANSCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define TRANSCRIPT_SECRETS_MAX 40
#define TRANSCRIPT_SECRET_MIN 4 /* shorter ones would blank ordinary text */

struct transcript;

/* Appends to the file at path (made when it is not there). NULL path: keeps nothing, but still
 * takes every call. */
MUST_CHECK int transcript_open(const char *path, struct transcript **ret, struct err *err);
void transcript_close(struct transcript **t); /* for SCOPED(); writes what was held back */

/* From now on this text never reaches the file. What follows "-authcode" never does either. */
MUST_CHECK int transcript_hide(struct transcript *t, const char *secret, struct err *err);

/* A line of our own: "## 2026-11-23T20:00:05Z TEXT". */
void transcript_note(struct transcript *t, int64_t when, const char *text);
void transcript_received(struct transcript *t, const void *bytes, size_t len);
/* Writes what is complete; called when a command ended. */
void transcript_flush(struct transcript *t);

/* The removing itself, for reports and error texts: appends text with every secret replaced by
 * "********". */
void transcript_redact(const struct transcript *t, const char *text, size_t len, struct buf *ret);

#endif
