/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The one place where UTF-8 meets UTF-16. Strict both ways: malformed text is an error, never
 * replaced. */
#ifndef CRLAGENT_WIN32_UTF_H
#define CRLAGENT_WIN32_UTF_H

#include <wchar.h>

#include "base/err.h"

/* malloc'ed; caller frees. ERR_PARSE for text that is not well-formed. */
MUST_CHECK int utf_to_wide(const char *text, wchar_t **ret, struct err *err);
MUST_CHECK int utf_from_wide(const wchar_t *text, char **ret, struct err *err);

/* A path for -W file functions: made absolute, with the \\?\ prefix when it is long. malloc'ed. */
MUST_CHECK int utf_to_path(const char *path, wchar_t **ret, struct err *err);

#endif
