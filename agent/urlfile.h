/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A text file with one URL per line, as people and PowerShell write it: UTF-8 with or without a
 * byte order mark, UTF-16 with one, blanks around a URL, empty lines, comments after '#'. */
#ifndef CRLAGENT_AGENT_URLFILE_H
#define CRLAGENT_AGENT_URLFILE_H

#include "base/buf.h"
#include "cdp/locations.h"

/* Adds each as a base CRL of the command line. A line that is no URL is an error with its number,
 * counted from 1. */
MUST_CHECK int urlfile_add(struct locations *l, const char *path, struct err *err);

/* The text as UTF-8 without byte order mark. ERR_PARSE: half a character, a NUL. Exposed for tests.
 */
MUST_CHECK int urlfile__decode(const struct buf *data, struct buf *ret, struct err *err);

#endif
