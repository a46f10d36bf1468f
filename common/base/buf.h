/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A growing byte buffer that is also the string builder. The byte after the last one is always NUL,
 * so that data can be used as a C string when nothing binary was put in. */
#ifndef CRLAGENT_BASE_BUF_H
#define CRLAGENT_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf {
    char *data; /* NULL when empty and never written */
    size_t len; /* bytes used */
    size_t cap; /* bytes allocated */
    size_t max; /* refuse to grow beyond; 0 = no limit */
    int failed; /* sticky: an append ran out of memory or over max; check once at the end */
};

#define BUF_INIT                                                                                   \
    {                                                                                              \
        NULL, 0, 0, 0, 0                                                                           \
    }

/* All appends return 0, or non-zero and set b->failed. After a failure the content is what it was
 * before. */
int buf_add(struct buf *b, const void *data, size_t len);
int buf_puts(struct buf *b, const char *text);
int buf_putc(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Text of b, never NULL. */
const char *buf_str(const struct buf *b);

/* Hands the malloc'ed bytes over (NUL-terminated, "" when empty) and leaves b empty; NULL without
 * memory. */
char *buf_steal(struct buf *b);

void buf_clear(struct buf *b);

/* For SCOPED(buf_free). Takes half-built buffers. */
void buf_free(struct buf *b);

/* ERR_OK, or ERR_NOMEM / ERR_LIMIT when an append failed. */
int buf_check(const struct buf *b, const char *what, struct err *err);

#endif
