/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/werr.h"

#include <windows.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "win32/utf.h"

static enum err_code code_of_win32(unsigned long n)
{
    switch (n) {
    case ERROR_SUCCESS:
        return ERR_INTERNAL;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_SERVICE_DOES_NOT_EXIST:
    case ERROR_NOT_FOUND:
    case ERROR_INVALID_DRIVE:
    case ERROR_BAD_NETPATH:
    case ERROR_BAD_NET_NAME:
        return ERR_NOT_FOUND;
    case ERROR_ACCESS_DENIED:
    case ERROR_WRITE_PROTECT:
    case ERROR_PRIVILEGE_NOT_HELD:
        return ERR_DENIED;
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
    case ERROR_SERVICE_EXISTS:
        return ERR_EXISTS;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
        return ERR_NOMEM;
    case ERROR_INVALID_PARAMETER:
    case ERROR_INVALID_NAME:
        return ERR_INVALID;
    case ERROR_PIPE_BUSY:
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
    case ERROR_SERVICE_DATABASE_LOCKED:
        return ERR_BUSY;
    case ERROR_SEM_TIMEOUT:
    case ERROR_SERVICE_REQUEST_TIMEOUT:
    case WAIT_TIMEOUT:
        return ERR_TIMEOUT;
    case RPC_S_SERVER_UNAVAILABLE:
    case ERROR_SERVICE_NOT_ACTIVE:
        return ERR_UNAVAILABLE;
    case ERROR_OPERATION_ABORTED:
    case ERROR_CANCELLED:
        return ERR_CANCELLED;
    case ERROR_SERVICE_CANNOT_ACCEPT_CTRL:
    case ERROR_SERVICE_ALREADY_RUNNING:
    case ERROR_SERVICE_DISABLED:
    case ERROR_SERVICE_MARKED_FOR_DELETE:
        return ERR_STATE;
    default:
        return ERR_IO;
    }
}

static enum err_code code_of_hresult(long hr)
{
    unsigned long u = (unsigned long)hr;
    if (HRESULT_FACILITY(hr) == FACILITY_WIN32)
        return code_of_win32(HRESULT_CODE(hr));
    if (u == (unsigned long)REGDB_E_CLASSNOTREG || u == (unsigned long)CLASS_E_CLASSNOTAVAILABLE)
        return ERR_UNSUPPORTED;
    if (u == 0x80094004ul) /* CERTSRV_E_PROPERTY_EMPTY */
        return ERR_NOT_FOUND;
    if (u == 0x80094006ul || u == (unsigned long)CO_E_SERVER_EXEC_FAILURE ||
        u == (unsigned long)RPC_E_DISCONNECTED)
        return ERR_UNAVAILABLE;
    if ((u & 0xFFFFF000ul) == 0x80090000ul)
        return ERR_CRYPTO;
    return ERR_IO;
}

/* The system's message in UTF-8 without the trailing line end; dst stays "" when there is none. */
static void system_message(unsigned long n, char *dst, size_t dst_size)
{
    wchar_t wide[256];
    dst[0] = '\0';
    DWORD len = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, n,
                               0, wide, (DWORD)ARRAY_LEN(wide), NULL);
    while (len && (wide[len - 1] == L'\r' || wide[len - 1] == L'\n' || wide[len - 1] == L'.' ||
                   wide[len - 1] == L' '))
        len--;
    wide[len] = L'\0';
    SCOPED(scope_free) char *text = NULL;
    if (len && !utf_from_wide(wide, &text, NULL))
        snprintf(dst, dst_size, "%s ", text);
}

static int fill(struct err *err, enum err_code code, long os, const char *tail, const char *fmt,
                va_list ap)
{
    char text[ERR_TEXT_MAX];
    vsnprintf(text, sizeof text, fmt, ap);
    return err_set_os(err, code, os, "%s: %s", text, tail);
}

int err_set_win32(struct err *err, unsigned long win32, const char *fmt, ...)
{
    char message[300];
    char tail[400];
    va_list ap;
    system_message(win32, message, sizeof message);
    snprintf(tail, sizeof tail, "%s(error %lu)", message, win32);
    va_start(ap, fmt);
    int rc = fill(err, code_of_win32(win32), (long)win32, tail, fmt, ap);
    va_end(ap);
    return rc;
}

int err_set_hresult(struct err *err, long hresult, const char *fmt, ...)
{
    char message[300];
    char tail[400];
    va_list ap;
    system_message((unsigned long)hresult, message, sizeof message);
    snprintf(tail, sizeof tail, "%s(0x%08lX)", message, (unsigned long)hresult);
    va_start(ap, fmt);
    int rc = fill(err, code_of_hresult(hresult), hresult, tail, fmt, ap);
    va_end(ap);
    return rc;
}
