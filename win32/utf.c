/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/utf.h"

#include <windows.h>

#include <stdlib.h>
#include <string.h>

#include "win32/werr.h"

int utf_to_wide(const char *text, wchar_t **ret, struct err *err)
{
    int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    if (n <= 0)
        return err_set(err, ERR_PARSE, "text is not well-formed UTF-8");
    wchar_t *w = calloc((size_t)n, sizeof *w);
    if (!w)
        return err_nomem(err);
    MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, w, n);
    *ret = w;
    return ERR_OK;
}

int utf_from_wide(const wchar_t *text, char **ret, struct err *err)
{
    int n = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1, NULL, 0, NULL, NULL);
    if (n <= 0)
        return err_set(err, ERR_PARSE, "text is not well-formed UTF-16");
    char *s = calloc((size_t)n, 1);
    if (!s)
        return err_nomem(err);
    WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1, s, n, NULL, NULL);
    *ret = s;
    return ERR_OK;
}

/* MAX_PATH without room for a temporary suffix. */
#define PLAIN_PATH_MAX 240

int utf_to_path(const char *path, wchar_t **ret, struct err *err)
{
    SCOPED(scope_free) wchar_t *w = NULL;
    int rc = utf_to_wide(path, &w, err);
    if (rc)
        return rc;
    if (wcslen(w) < PLAIN_PATH_MAX || wcsncmp(w, L"\\\\?\\", 4) == 0) {
        *ret = steal_ptr(w);
        return ERR_OK;
    }
    DWORD n = GetFullPathNameW(w, 0, NULL, NULL);
    if (!n)
        return err_set_win32(err, GetLastError(), "the path '%.200s...' cannot be resolved", path);
    const size_t room = 8; /* "\\?\UNC\" */
    SCOPED(scope_free) wchar_t *full = calloc(n + room, sizeof *full);
    if (!full)
        return err_nomem(err);
    if (w[0] == L'\\' && w[1] == L'\\') {
        /* \\server\share becomes \\?\UNC\server\share */
        GetFullPathNameW(w, n, full + 6, NULL);
        wmemcpy(full, L"\\\\?\\UNC", 7);
        full[7] = L'\\';
    } else {
        GetFullPathNameW(w, n, full + 4, NULL);
        wmemcpy(full, L"\\\\?\\", 4);
    }
    *ret = steal_ptr(full);
    return ERR_OK;
}
