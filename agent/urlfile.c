/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/urlfile.h"

#include <string.h>

#include "base/file.h"
#include "base/str.h"

#define URL_FILE_MAX (64u * 1024 * 1024)

static void put_utf8(struct buf *out, uint32_t c)
{
    if (c >= 0x10000)
        buf_putc(out, (char)(0xF0 | c >> 18));
    if (c >= 0x800)
        buf_putc(out, (char)(c >= 0x10000 ? 0x80 | (c >> 12 & 0x3F) : 0xE0 | c >> 12));
    if (c >= 0x80)
        buf_putc(out, (char)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3F) : 0xC0 | c >> 6));
    buf_putc(out, (char)(c >= 0x80 ? 0x80 | (c & 0x3F) : c));
}

/* low = 0: the low byte comes first (little endian), 1: the high one. */
static int from_utf16(const unsigned char *p, size_t len, size_t low, struct buf *ret,
                      struct err *err)
{
    uint32_t high = 0;
    for (size_t i = 0; i + 1 < len; i += 2) {
        uint32_t c = p[i + low] | (uint32_t)p[i + 1 - low] << 8;
        bool second = c >= 0xDC00 && c < 0xE000;
        if ((high != 0) != second || c == 0)
            return err_set(err, ERR_PARSE, "the UTF-16 text is broken at byte %zu", i + 2);
        if (c >= 0xD800 && c < 0xDC00) {
            high = c;
            continue;
        }
        put_utf8(ret, second ? 0x10000 + ((high - 0xD800) << 10) + (c - 0xDC00) : c);
        high = 0;
    }
    if (high || len % 2)
        return err_set(err, ERR_PARSE, "the UTF-16 text ends in the middle of a character");
    return buf_check(ret, "the text", err);
}

int urlfile__decode(const struct buf *data, struct buf *ret, struct err *err)
{
    const unsigned char *p = (const unsigned char *)buf_str(data);
    size_t n = data->len;
    if (n >= 2 && p[0] == 0xFF && p[1] == 0xFE)
        return from_utf16(p + 2, n - 2, 0, ret, err);
    if (n >= 2 && p[0] == 0xFE && p[1] == 0xFF)
        return from_utf16(p + 2, n - 2, 1, ret, err);
    if (n >= 3 && p[0] == 0xEF && p[1] == 0xBB && p[2] == 0xBF) {
        p += 3;
        n -= 3;
    }
    if (memchr(p, 0, n))
        return err_set(
            err, ERR_PARSE,
            "the file holds a NUL byte: expected text in UTF-8, or in UTF-16 with a byte "
            "order mark");
    if (buf_add(ret, p, n))
        return buf_check(ret, "the text", err);
    return ERR_OK;
}

/* The line without blanks at its ends, in place. */
static char *trimmed(char *s)
{
    s += strspn(s, " \t");
    size_t n = strlen(s);
    while (n && strchr(" \t\r", s[n - 1]))
        n--;
    s[n] = '\0';
    return s;
}

int urlfile_add(struct locations *l, const char *path, struct err *err)
{
    SCOPED(buf_free) struct buf data = BUF_INIT;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    int rc = file_read(path, URL_FILE_MAX, &data, err);
    if (!rc)
        rc = urlfile__decode(&data, &text, err);
    if (rc)
        return err_context(err, "--url-file '%s'", path);
    size_t line = 0;
    for (char *s = text.data, *next; !rc && s && *s; s = next) {
        size_t len = strcspn(s, "\n");
        next = s + len + (s[len] == '\n');
        s[len] = '\0';
        line++;
        const char *url = trimmed(s);
        if (*url && *url != '#')
            rc = locations_add_url(l, url, ROLE_CRL_BASE, FROM_COMMAND_LINE, 0, err);
        if (rc)
            err_context(err, "%s, line %zu", path, line);
    }
    return rc;
}
