/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Patterns of a family file: found anywhere in a text, ASCII case ignored; '*' = any run of
 * characters, a blank = any run of white space. No backtracking: linear in text times pattern. */
#ifndef CRLAGENT_DRIVER_PATTERN_H
#define CRLAGENT_DRIVER_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* The first place of the pattern in text[0..len), or NULL. An empty pattern is never found. */
const char *pattern_find(const char *text, size_t len, const char *pattern);

/* Is `word` one of the blank-separated words of `list`? */
bool pattern_has_word(const char *list, const char *word);

#endif
