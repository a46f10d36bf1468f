/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Cuts a stream of bytes into lines as they come. */
#ifndef CRLAGENT_BASE_LINES_H
#define CRLAGENT_BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINES_CHARS_MAX 1000 /* what is longer is cut; the rest of the line is dropped */

/* Zeroed = nothing read yet. */
struct lines {
    void (*each)(void *self, const char *line); /* NULL = nobody listens */
    void *self;
    char text[LINES_CHARS_MAX + 1];
    size_t len;
};

/* each() gets every whole line: its end (LF, CR or both) taken off, never empty, control characters
 * as '.'. */
void lines_feed(struct lines *l, const char *bytes, size_t n);
/* The end: what stands there without a line end is a line too. */
void lines_end(struct lines *l);

#endif
