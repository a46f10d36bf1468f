/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Files by UTF-8 path on Windows; the native ones are common/base/file_posix.c. */
#include "base/file.h"

#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "win32/utf.h"
#include "win32/werr.h"

int file_stat(const char *path, struct file_info *ret, struct err *err)
{
    SCOPED(scope_free) wchar_t *w = NULL;
    int rc = utf_to_path(path, &w, err);
    if (rc)
        return rc;
    WIN32_FILE_ATTRIBUTE_DATA d;
    if (!GetFileAttributesExW(w, GetFileExInfoStandard, &d))
        return err_set_win32(err, GetLastError(), "looking at '%s'", path);
    int64_t ticks = (int64_t)((uint64_t)d.ftLastWriteTime.dwHighDateTime << 32 |
                              d.ftLastWriteTime.dwLowDateTime);
    ret->size = (uint64_t)d.nFileSizeHigh << 32 | d.nFileSizeLow;
    ret->modified = (ticks - 116444736000000000LL) / 10000000;
    ret->is_dir = (d.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    return ERR_OK;
}

/* Opened with full sharing: a log or report that is being read must not make writing or renaming
 * fail. */
int file_open(const char *path, const char *mode, FILE **ret, struct err *err)
{
    SCOPED(scope_free) wchar_t *w = NULL;
    int rc = utf_to_path(path, &w, err);
    if (rc)
        return rc;
    bool plus = strchr(mode, '+') != NULL;
    DWORD access = mode[0] == 'r' && !plus ? GENERIC_READ : GENERIC_READ | GENERIC_WRITE;
    DWORD how = mode[0] == 'r' ? OPEN_EXISTING : mode[0] == 'w' ? CREATE_ALWAYS : OPEN_ALWAYS;
    if (mode[0] == 'a')
        access = FILE_APPEND_DATA | SYNCHRONIZE | (plus ? GENERIC_READ : 0);
    HANDLE h = CreateFileW(w, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                           how, FILE_ATTRIBUTE_NORMAL, NULL);
    if (h == INVALID_HANDLE_VALUE)
        return err_set_win32(err, GetLastError(), "opening '%s'", path);
    int fd = _open_osfhandle((intptr_t)h, _O_BINARY | (mode[0] == 'a' ? _O_APPEND : 0));
    if (fd < 0) {
        CloseHandle(h);
        return err_set(err, ERR_IO, "opening '%s': no file descriptor left", path);
    }
    FILE *f = _fdopen(fd, mode);
    if (!f) {
        _close(fd);
        return err_set(err, ERR_IO, "opening '%s': no stream left", path);
    }
    *ret = f;
    return ERR_OK;
}

static int write_and_flush(HANDLE h, const char *data, size_t len)
{
    while (len) {
        DWORD part = len > 1u << 20 ? 1u << 20 : (DWORD)len;
        DWORD done = 0;
        if (!WriteFile(h, data, part, &done, NULL))
            return (int)GetLastError();
        data += done;
        len -= done;
    }
    return FlushFileBuffers(h) ? 0 : (int)GetLastError();
}

int file_write_atomic(const char *path, const void *data, size_t len, struct err *err)
{
    SCOPED(buf_free) struct buf tmp = BUF_INIT;
    SCOPED(scope_free) wchar_t *wtmp = NULL;
    buf_printf(&tmp, "%s.%lu-%lu.tmp", path, GetCurrentProcessId(), GetCurrentThreadId());
    int rc = buf_check(&tmp, path, err);
    if (!rc)
        rc = utf_to_path(buf_str(&tmp), &wtmp, err);
    if (rc)
        return rc;
    HANDLE h =
        CreateFileW(wtmp, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    if (h == INVALID_HANDLE_VALUE)
        return err_set_win32(err, GetLastError(), "making a temporary file beside '%s'", path);
    int e = write_and_flush(h, data, len);
    CloseHandle(h);
    if (e)
        rc = err_set_win32(err, (unsigned long)e, "writing '%s'", path);
    else
        rc = file_rename(buf_str(&tmp), path, err);
    if (rc)
        DeleteFileW(wtmp);
    return rc;
}

int file_make_dirs(const char *path, struct err *err)
{
    SCOPED(scope_free) wchar_t *w = NULL;
    int rc = utf_to_path(path, &w, err);
    if (rc)
        return rc;
    wchar_t *start = wcsncmp(w, L"\\\\?\\", 4) == 0 ? w + 4 : w;
    if (start[0] && start[1] == L':')
        start += 3;
    for (wchar_t *p = start;; p++) {
        if (*p != L'\\' && *p != L'/' && *p != L'\0')
            continue;
        wchar_t keep = *p;
        *p = L'\0';
        if (p > w && !CreateDirectoryW(w, NULL)) {
            DWORD e = GetLastError();
            if (e != ERROR_ALREADY_EXISTS && (keep == L'\0' || e != ERROR_ACCESS_DENIED))
                return err_set_win32(err, e, "making the folder '%s'", path);
        }
        *p = keep;
        if (!keep)
            return ERR_OK;
    }
}

int file_remove(const char *path, struct err *err)
{
    SCOPED(scope_free) wchar_t *w = NULL;
    int rc = utf_to_path(path, &w, err);
    if (rc)
        return rc;
    if (!DeleteFileW(w)) {
        DWORD e = GetLastError();
        if (e != ERROR_FILE_NOT_FOUND && e != ERROR_PATH_NOT_FOUND)
            return err_set_win32(err, e, "removing '%s'", path);
    }
    return ERR_OK;
}

int file_rename(const char *from, const char *to, struct err *err)
{
    SCOPED(scope_free) wchar_t *wfrom = NULL;
    SCOPED(scope_free) wchar_t *wto = NULL;
    int rc = utf_to_path(from, &wfrom, err);
    if (!rc)
        rc = utf_to_path(to, &wto, err);
    if (rc)
        return rc;
    if (!MoveFileExW(wfrom, wto, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
        return err_set_win32(err, GetLastError(), "renaming '%s' to '%s'", from, to);
    return ERR_OK;
}

int file_list(const char *dir, int (*each)(void *arg, const char *name), void *arg, struct err *err)
{
    SCOPED(buf_free) struct buf pattern = BUF_INIT;
    SCOPED(scope_free) wchar_t *w = NULL;
    buf_printf(&pattern, "%s\\*", dir);
    int rc = utf_to_path(buf_str(&pattern), &w, err);
    if (rc)
        return rc;
    WIN32_FIND_DATAW found;
    HANDLE h = FindFirstFileW(w, &found);
    if (h == INVALID_HANDLE_VALUE)
        return err_set_win32(err, GetLastError(), "listing '%s'", dir);
    do {
        SCOPED(scope_free) char *name = NULL;
        if (wcscmp(found.cFileName, L".") == 0 || wcscmp(found.cFileName, L"..") == 0)
            continue;
        rc = utf_from_wide(found.cFileName, &name, err);
        if (!rc)
            rc = each(arg, name);
    } while (!rc && FindNextFileW(h, &found));
    FindClose(h);
    return rc;
}
