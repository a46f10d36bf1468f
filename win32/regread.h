/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Reading one registry value of one type. A missing value is no error: it gets the default. */
#ifndef CRLAGENT_WIN32_REGREAD_H
#define CRLAGENT_WIN32_REGREAD_H

#include <windows.h>

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct reg_key {
    HKEY handle;
    char path[512]; /* for messages, below HKEY_LOCAL_MACHINE */
};

/* For SCOPED(). */
void reg_close(struct reg_key *key);

/* Opens path below HKEY_LOCAL_MACHINE, 64-bit view, for reading. ERR_NOT_FOUND, ERR_DENIED. */
MUST_CHECK int reg_open(const char *path, struct reg_key *ret, struct err *err);
/* A sub-key of an open key. */
MUST_CHECK int reg_open_sub(const struct reg_key *key, const char *name, struct reg_key *ret,
                            struct err *err);

bool reg_has(const struct reg_key *key, const char *name);

/* REG_DWORD. ERR_PARSE when the value has another type. */
MUST_CHECK int reg_dword(const struct reg_key *key, const char *name, uint32_t missing,
                         uint32_t *ret, struct err *err);

/* REG_SZ or REG_EXPAND_SZ (as it is), malloc'ed UTF-8; missing may be NULL. */
MUST_CHECK int reg_text(const struct reg_key *key, const char *name, const char *missing,
                        char **ret, struct err *err);

/* REG_MULTI_SZ: each(arg, text) in order; a missing value has no lines. */
MUST_CHECK int reg_lines(const struct reg_key *key, const char *name,
                         int (*each)(void *arg, const char *text, struct err *err), void *arg,
                         struct err *err);

/* REG_BINARY appended to *ret; nothing is appended when it is missing. */
MUST_CHECK int reg_bytes(const struct reg_key *key, const char *name, struct buf *ret,
                         struct err *err);

/* Calls each(arg, name of a sub-key). */
MUST_CHECK int reg_subkeys(const struct reg_key *key, int (*each)(void *arg, const char *name),
                           void *arg, struct err *err);

#endif
