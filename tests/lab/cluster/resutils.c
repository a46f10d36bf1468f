/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The lab's resutils.dll: finding one text in a property list (CLUSPROP_LIST). */
#include <windows.h>

#include <wchar.h>

DWORD WINAPI ResUtilFindSzProperty(const PVOID list, DWORD size, LPCWSTR name, LPWSTR *ret);

static DWORD word(const BYTE *data, DWORD at)
{
    DWORD n;
    memcpy(&n, data + at, 4);
    return n;
}

/* Syntax and length stand before each name and value, each filled up to four bytes; a syntax of 0
 * ends the values of a name. */
DWORD WINAPI ResUtilFindSzProperty(const PVOID list, DWORD size, LPCWSTR name, LPWSTR *ret)
{
    const BYTE *data = list;
    DWORD at = 4;
    BOOL found = FALSE;
    while (at + 8 <= size) {
        DWORD syntax = word(data, at), bytes = syntax ? word(data, at + 4) : 0;
        const wchar_t *text = (const void *)(data + at + 8);
        if (!syntax) {
            at += 4;
            continue;
        }
        if (bytes > size - at - 8)
            return ERROR_INVALID_DATA;
        if (found) {
            *ret = LocalAlloc(LMEM_ZEROINIT, bytes + sizeof(wchar_t));
            memcpy(*ret, text, bytes);
            return ERROR_SUCCESS;
        }
        found = syntax == 0x00040003 && _wcsicmp(text, name) == 0;
        at += 8 + (bytes + 3) / 4 * 4;
    }
    return ERROR_FILE_NOT_FOUND;
}
