/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/regread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "win32/utf.h"
#include "win32/werr.h"

void reg_close(struct reg_key *key)
{
    if (key->handle)
        RegCloseKey(key->handle);
    key->handle = NULL;
}

static int open_at(HKEY parent, const char *name, const char *shown, struct reg_key *ret,
                   struct err *err)
{
    SCOPED(scope_free) wchar_t *wide = NULL;
    HKEY handle = NULL;
    int rc = utf_to_wide(name, &wide, err);
    if (rc)
        return rc;
    LSTATUS e = RegOpenKeyExW(parent, wide, 0, KEY_READ | KEY_WOW64_64KEY, &handle);
    if (e)
        return err_set_win32(err, (unsigned long)e, "opening the registry key 'HKLM\\%s'", shown);
    ret->handle = handle;
    str_copy(ret->path, sizeof ret->path, shown);
    return ERR_OK;
}

int reg_open(const char *path, struct reg_key *ret, struct err *err)
{
    return open_at(HKEY_LOCAL_MACHINE, path, path, ret, err);
}

int reg_open_sub(const struct reg_key *key, const char *name, struct reg_key *ret, struct err *err)
{
    char shown[sizeof ret->path];
    snprintf(shown, sizeof shown, "%s\\%s", key->path, name);
    return open_at(key->handle, name, shown, ret, err);
}

/* The value's bytes with two zero characters behind; *ret = NULL when there is no such value. */
static int read_value(const struct reg_key *key, const char *name, DWORD *ret_type, BYTE **ret,
                      DWORD *ret_len, struct err *err)
{
    SCOPED(scope_free) wchar_t *wide = NULL;
    SCOPED(scope_free) BYTE *data = NULL;
    DWORD len = 0;
    *ret = NULL;
    int rc = utf_to_wide(name, &wide, err);
    if (rc)
        return rc;
    for (int tries = 0; tries < 4; tries++) { /* it may grow between two calls */
        DWORD room = len;
        LSTATUS e = RegQueryValueExW(key->handle, wide, NULL, ret_type, data, &len);
        if (e == ERROR_FILE_NOT_FOUND)
            return ERR_OK;
        if (e == ERROR_SUCCESS && data && len <= room) {
            *ret = steal_ptr(data);
            *ret_len = len;
            return ERR_OK;
        }
        if (e != ERROR_SUCCESS && e != ERROR_MORE_DATA)
            return err_set_win32(err, (unsigned long)e, "reading 'HKLM\\%s', value '%s'", key->path,
                                 name);
        free(data);
        data = calloc(1, (size_t)len + 2 * sizeof(wchar_t));
        if (!data)
            return err_nomem(err);
    }
    return err_set(err, ERR_BUSY, "'HKLM\\%s', value '%s' keeps changing", key->path, name);
}

static int wrong_type(const struct reg_key *key, const char *name, DWORD type, const char *want,
                      struct err *err)
{
    return err_set(err, ERR_PARSE, "'HKLM\\%s', value '%s' has the type %lu; expected %s",
                   key->path, name, (unsigned long)type, want);
}

bool reg_has(const struct reg_key *key, const char *name)
{
    SCOPED(scope_free) wchar_t *wide = NULL;
    return !utf_to_wide(name, &wide, NULL) &&
           RegQueryValueExW(key->handle, wide, NULL, NULL, NULL, NULL) == ERROR_SUCCESS;
}

int reg_dword(const struct reg_key *key, const char *name, uint32_t missing, uint32_t *ret,
              struct err *err)
{
    SCOPED(scope_free) BYTE *data = NULL;
    DWORD type = 0, len = 0;
    int rc = read_value(key, name, &type, &data, &len, err);
    if (rc)
        return rc;
    if (data && (type != REG_DWORD || len != sizeof *ret))
        return wrong_type(key, name, type, "REG_DWORD", err);
    if (data)
        memcpy(ret, data, sizeof *ret);
    else
        *ret = missing;
    return ERR_OK;
}

int reg_text(const struct reg_key *key, const char *name, const char *missing, char **ret,
             struct err *err)
{
    SCOPED(scope_free) BYTE *data = NULL;
    DWORD type = 0, len = 0;
    int rc = read_value(key, name, &type, &data, &len, err);
    if (rc)
        return rc;
    if (data && type != REG_SZ && type != REG_EXPAND_SZ)
        return wrong_type(key, name, type, "REG_SZ", err);
    if (data)
        return utf_from_wide((const wchar_t *)(const void *)data, ret, err);
    *ret = str_dup(missing);
    return missing && !*ret ? err_nomem(err) : ERR_OK;
}

int reg_lines(const struct reg_key *key, const char *name,
              int (*each)(void *arg, const char *text, struct err *err), void *arg, struct err *err)
{
    SCOPED(scope_free) BYTE *data = NULL;
    DWORD type = 0, len = 0;
    int rc = read_value(key, name, &type, &data, &len, err);
    if (!rc && data && type != REG_MULTI_SZ)
        rc = wrong_type(key, name, type, "REG_MULTI_SZ", err);
    const wchar_t *line = (const wchar_t *)(const void *)data;
    const wchar_t *end = line + (data ? len / sizeof(wchar_t) : 0);
    while (!rc && line < end && *line) {
        SCOPED(scope_free) char *text = NULL;
        rc = utf_from_wide(line, &text, err);
        if (!rc)
            rc = each(arg, text, err);
        line += wcslen(line) + 1;
    }
    return rc;
}

int reg_bytes(const struct reg_key *key, const char *name, struct buf *ret, struct err *err)
{
    SCOPED(scope_free) BYTE *data = NULL;
    DWORD type = 0, len = 0;
    int rc = read_value(key, name, &type, &data, &len, err);
    if (!rc && data && type != REG_BINARY)
        rc = wrong_type(key, name, type, "REG_BINARY", err);
    if (!rc && data && buf_add(ret, data, len))
        rc = buf_check(ret, name, err);
    return rc;
}

int reg_subkeys(const struct reg_key *key, int (*each)(void *arg, const char *name), void *arg,
                struct err *err)
{
    wchar_t name[256];
    int rc = ERR_OK;
    for (DWORD i = 0; !rc; i++) {
        SCOPED(scope_free) char *text = NULL;
        DWORD len = ARRAY_LEN(name);
        LSTATUS e = RegEnumKeyExW(key->handle, i, name, &len, NULL, NULL, NULL, NULL);
        if (e == ERROR_NO_MORE_ITEMS)
            break;
        if (e)
            return err_set_win32(err, (unsigned long)e, "listing 'HKLM\\%s'", key->path);
        rc = utf_from_wide(name, &text, err);
        if (!rc)
            rc = each(arg, text);
    }
    return rc;
}
