/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void scope_free(void *ptr_to_ptr)
{
    void **slot = ptr_to_ptr;
    free(*slot);
    *slot = NULL;
}

/* A cut inside a multi-byte character would make the text invalid UTF-8. */
static void trim_partial_utf8(char *text)
{
    size_t n = strlen(text);
    size_t back = 0;
    while (back < 3 && back < n && ((unsigned char)text[n - 1 - back] & 0xC0) == 0x80)
        back++;
    if (back < n) {
        unsigned char lead = (unsigned char)text[n - 1 - back];
        size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
        if (want > back + 1)
            text[n - 1 - back] = '\0';
    }
}

static void fill(struct err *err, enum err_code code, long os_code, const char *fmt, va_list ap)
{
    if (!err)
        return;
    char text[ERR_TEXT_MAX];
    int n = vsnprintf(text, sizeof text, fmt, ap);
    if (n >= (int)sizeof text)
        trim_partial_utf8(text);
    err->code = code;
    err->os_code = os_code;
    memcpy(err->text, text, sizeof text);
}

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(err, code, 0, fmt, ap);
    va_end(ap);
    return (int)code;
}

int err_set_os(struct err *err, enum err_code code, long os_code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(err, code, os_code, fmt, ap);
    va_end(ap);
    return (int)code;
}

static enum err_code code_of_errno(int errnum)
{
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERR_DENIED;
    case ENOMEM:
        return ERR_NOMEM;
    case EINVAL:
    case ENAMETOOLONG:
        return ERR_INVALID;
    case EBUSY:
        return ERR_BUSY;
    default:
        return ERR_IO;
    }
}

int err_set_errno(struct err *err, int errnum, const char *fmt, ...)
{
    enum err_code code = code_of_errno(errnum);
    va_list ap;
    va_start(ap, fmt);
    fill(err, code, errnum, fmt, ap);
    va_end(ap);
    if (err) {
        size_t n = strlen(err->text);
        snprintf(err->text + n, sizeof err->text - n, ": %s", strerror(errnum));
    }
    return (int)code;
}

int err_context(struct err *err, const char *fmt, ...)
{
    if (!err)
        return ERR_INTERNAL;
    char inner[ERR_TEXT_MAX];
    memcpy(inner, err->text, sizeof inner);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    size_t used = n < 0 ? 0 : (size_t)n;
    if (used < sizeof err->text) {
        int m = snprintf(err->text + used, sizeof err->text - used, ": %s", inner);
        if (m < 0 || used + (size_t)m < sizeof err->text)
            return (int)err->code;
    }
    trim_partial_utf8(err->text);
    return (int)err->code;
}

int err_nomem(struct err *err)
{
    return err_set(err, ERR_NOMEM, "no memory left");
}

void err_clear(struct err *err)
{
    err->code = ERR_OK;
    err->os_code = 0;
    err->text[0] = '\0';
}

const char *err_code_name(enum err_code code)
{
    static const char *const names[] = {
        [ERR_OK] = "ok",
        [ERR_INVALID] = "invalid",
        [ERR_NOT_FOUND] = "not-found",
        [ERR_EXISTS] = "exists",
        [ERR_DENIED] = "denied",
        [ERR_IO] = "io",
        [ERR_TIMEOUT] = "timeout",
        [ERR_UNAVAILABLE] = "unavailable",
        [ERR_BUSY] = "busy",
        [ERR_STATE] = "state",
        [ERR_PARSE] = "parse",
        [ERR_LIMIT] = "limit",
        [ERR_CRYPTO] = "crypto",
        [ERR_UNSUPPORTED] = "unsupported",
        [ERR_CANCELLED] = "cancelled",
        [ERR_NOMEM] = "no-memory",
        [ERR_INTERNAL] = "internal",
    };
    if ((size_t)code >= ARRAY_LEN(names) || !names[code])
        return "internal";
    return names[code];
}
