/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "support/dertext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void bad(const char *at)
{
    fprintf(stderr, "dertext: cannot read '%.40s'\n", at);
    abort();
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef";
    const char *p = c ? strchr(digits, c | 0x20) : NULL;
    return p ? (int)(p - digits) : -1;
}

static void put_length(struct buf *out, size_t len)
{
    char b[4] = {(char)0x82, (char)(len >> 8), (char)len, 0};
    if (len < 0x80)
        buf_add(out, &b[2], 1);
    else if (len < 0x100)
        buf_add(out, (const char[]){(char)0x81, (char)len}, 2);
    else
        buf_add(out, b, 3);
}

static const char *read_until(struct buf *out, const char *p, char end)
{
    while (*p != end) {
        if (*p == ' ' || *p == '\n') {
            p++;
        } else if (*p == '(') {
            struct buf inner = BUF_INIT;
            p = read_until(&inner, p + 1, ')');
            put_length(out, inner.len);
            buf_add(out, buf_str(&inner), inner.len);
            buf_free(&inner);
        } else if (*p == '\'') {
            const char *q = strchr(p + 1, '\'');
            if (!q)
                bad(p);
            buf_add(out, p + 1, (size_t)(q - p - 1));
            p = q + 1;
        } else {
            if (hex(p[0]) < 0 || hex(p[1]) < 0)
                bad(p);
            buf_putc(out, (char)(hex(p[0]) << 4 | hex(p[1])));
            p += 2;
        }
    }
    return end ? p + 1 : p;
}

void dertext(struct buf *out, const char *text)
{
    read_until(out, text, '\0');
}
