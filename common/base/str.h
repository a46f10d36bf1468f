/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Small string helpers; all text is UTF-8. */
#ifndef CRLAGENT_BASE_STR_H
#define CRLAGENT_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* malloc'ed copy; NULL for NULL or without memory. */
char *str_dup(const char *s);
char *str_ndup(const char *s, size_t n);

/* Copies into a fixed field, always terminated, cut at a UTF-8 boundary. Returns false when it was
 * cut. */
bool str_copy(char *dst, size_t dst_size, const char *src);

/* As str_copy, but what is too long ends after a whole word, with " ...". */
bool str_copy_words(char *dst, size_t dst_size, const char *src);

/* ASCII only, independent of the locale. */
bool str_eq_nocase(const char *a, const char *b);
bool str_starts_nocase(const char *s, const char *prefix);
bool str_starts(const char *s, const char *prefix);
bool str_ends_nocase(const char *s, const char *suffix);

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms)? */
bool str_is_utf8(const char *s, size_t len);

/* Lower-case hex, 2*len+1 bytes in dst. */
void str_hex(char *dst, const void *bytes, size_t len);

/* Upper or lower case, even length, *ret_len = bytes written; ERR_PARSE with the offset otherwise.
 */
MUST_CHECK int str_unhex(const char *hex, uint8_t *dst, size_t dst_size, size_t *ret_len,
                         struct err *err);

/* Whole decimal number within [min, max]; ERR_PARSE / ERR_LIMIT otherwise. */
MUST_CHECK int str_parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret,
                             struct err *err);

#endif
