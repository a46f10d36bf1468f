/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Errors: what can fail returns an enum err_code and fills a caller-owned struct err. Text goes
 * from the outside in: each level adds "doing X: " in front; the innermost says what was expected
 * and what was found, in single quotes. */
#ifndef CRLAGENT_BASE_ERR_H
#define CRLAGENT_BASE_ERR_H

#include "base/scope.h"

enum err_code {
    ERR_OK = 0,
    ERR_INVALID,     /* the caller's argument or the user's input is wrong */
    ERR_NOT_FOUND,   /* what was named does not exist */
    ERR_EXISTS,      /* it is there already */
    ERR_DENIED,      /* no permission */
    ERR_IO,          /* reading or writing failed */
    ERR_TIMEOUT,     /* not done in time */
    ERR_UNAVAILABLE, /* the other side cannot be reached or is not running */
    ERR_BUSY,        /* somebody else holds it */
    ERR_STATE,       /* not possible in the present state */
    ERR_PARSE,       /* bytes do not follow their format */
    ERR_LIMIT,       /* a limit of base/limits.h was met */
    ERR_CRYPTO,      /* a signature or a cryptographic operation failed */
    ERR_UNSUPPORTED, /* valid, but not handled here */
    ERR_CANCELLED,   /* stopped on request */
    ERR_NOMEM,       /* no memory */
    ERR_INTERNAL,    /* cannot happen; a defect */
};

#define ERR_TEXT_MAX 1024

struct err {
    enum err_code code;
    long os_code; /* raw HRESULT, Win32, errno, SQLite or curl number; 0 when there is none */
    char text[ERR_TEXT_MAX];
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        ERR_OK, 0, ""                                                                              \
    }

/* Fills *err (NULL is allowed) and returns code, so that a failing line can be "return
 * err_set(...)". Text longer than ERR_TEXT_MAX is cut at a UTF-8 boundary. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As err_set, and keeps the system's own number beside the code. */
int err_set_os(struct err *err, enum err_code code, long os_code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* errno translated in one place: text gets ": strerror" appended. */
int err_set_errno(struct err *err, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "text: " in front of what is there; returns the unchanged code. */
int err_context(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

int err_nomem(struct err *err);

void err_clear(struct err *err);

/* Stable lower-case name of a code, for JSON and metrics ("not-found"). Never NULL. */
const char *err_code_name(enum err_code code);

#endif
