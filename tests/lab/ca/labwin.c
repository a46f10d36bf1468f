/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "labwin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "win32/utf.h"

const char *lab_text(const char *key, const char *fallback, char *buf, size_t size)
{
    char line[1024];
    size_t len = strlen(key);
    str_copy(buf, size, fallback);
    FILE *f = fopen(LAB_DIR "\\ca.conf", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\r\n")] = 0;
        if (strncmp(line, key, len) == 0 && line[len] == '=')
            str_copy(buf, size, line + len + 1);
    }
    if (f != NULL)
        fclose(f);
    return buf;
}

long lab_number(const char *key, long fallback)
{
    char text[64];
    lab_text(key, "", text, sizeof text);
    return text[0] ? (long)strtoll(text, NULL, 0) : fallback;
}

void lab_delay(const char *key)
{
    long ms = lab_number(key, 0);
    if (ms > 0)
        Sleep((DWORD)ms);
}

wchar_t *lab_wide(const char *text)
{
    wchar_t *w = NULL;
    if (utf_to_wide(text, &w, NULL) != ERR_OK)
        w = calloc(1, sizeof *w);
    return w;
}

char *lab_utf8(const wchar_t *text)
{
    char *s = NULL;
    if (utf_from_wide(text, &s, NULL) != ERR_OK)
        s = calloc(1, 1);
    return s;
}

static void *reg_read(const char *key, const char *name, DWORD want, DWORD *ret_len)
{
    wchar_t *wkey = lab_wide(key), *wname = lab_wide(name);
    HKEY h = NULL;
    DWORD type = 0, len = 0;
    uint8_t *data = NULL;
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, wkey, 0, KEY_READ, &h) == ERROR_SUCCESS) {
        if (RegQueryValueExW(h, wname, NULL, &type, NULL, &len) == ERROR_SUCCESS && type == want) {
            data = calloc(1, len + 2 * sizeof(wchar_t)); /* always ends as a MULTI_SZ must */
            if (data && RegQueryValueExW(h, wname, NULL, &type, data, &len) != ERROR_SUCCESS) {
                free(data);
                data = NULL;
            }
        }
        RegCloseKey(h);
    }
    free(wkey);
    free(wname);
    *ret_len = len;
    return data;
}

char *reg_text(const char *key, const char *name)
{
    DWORD len = 0;
    wchar_t *w = reg_read(key, name, REG_SZ, &len);
    char *s = w ? lab_utf8(w) : NULL;
    free(w);
    return s;
}

DWORD reg_dword(const char *key, const char *name, DWORD fallback)
{
    DWORD len = 0, value = fallback;
    void *data = reg_read(key, name, REG_DWORD, &len);
    if (data != NULL && len == sizeof value)
        memcpy(&value, data, sizeof value);
    free(data);
    return value;
}

int64_t reg_filetime(const char *key, const char *name)
{
    DWORD len = 0;
    uint64_t ticks = 0;
    void *data = reg_read(key, name, REG_BINARY, &len);
    if (data != NULL && len == sizeof ticks)
        memcpy(&ticks, data, sizeof ticks);
    free(data);
    return ticks ? (int64_t)(ticks / 10000000u) - 11644473600LL : WHEN_NONE;
}

char **reg_multi(const char *key, const char *name)
{
    DWORD len = 0;
    size_t n = 0;
    wchar_t *w = reg_read(key, name, REG_MULTI_SZ, &len);
    char **list = w ? calloc(len / sizeof(wchar_t) + 2, sizeof *list) : NULL;
    for (const wchar_t *p = w; list != NULL && *p; p += wcslen(p) + 1)
        list[n++] = lab_utf8(p);
    free(w);
    return list;
}

void reg_multi_free(char **list)
{
    for (char **p = list; p != NULL && *p != NULL; p++)
        free(*p);
    free(list);
}

bool reg_put(const char *key, const char *name, DWORD type, const void *data, size_t len)
{
    wchar_t *wkey = lab_wide(key), *wname = lab_wide(name);
    HKEY h = NULL;
    LONG rc = RegCreateKeyExW(HKEY_LOCAL_MACHINE, wkey, 0, NULL, 0, KEY_WRITE, NULL, &h, NULL);
    if (rc == ERROR_SUCCESS) {
        rc = RegSetValueExW(h, *wname ? wname : NULL, 0, type, data, (DWORD)len);
        RegCloseKey(h);
    }
    free(wkey);
    free(wname);
    return rc == ERROR_SUCCESS;
}

bool reg_put_text(const char *key, const char *name, const char *text)
{
    wchar_t *w = lab_wide(text);
    bool ok = reg_put(key, name, REG_SZ, w, (wcslen(w) + 1) * sizeof *w);
    free(w);
    return ok;
}

bool reg_put_dword(const char *key, const char *name, DWORD value)
{
    return reg_put(key, name, REG_DWORD, &value, sizeof value);
}

bool reg_put_multi(const char *key, const char *name, const char *const *list, size_t n)
{
    struct buf b = BUF_INIT;
    for (size_t i = 0; i < n; i++) {
        wchar_t *w = lab_wide(list[i]);
        buf_add(&b, w, (wcslen(w) + 1) * sizeof *w);
        free(w);
    }
    buf_add(&b, L"", sizeof(wchar_t));
    bool ok = reg_put(key, name, REG_MULTI_SZ, b.data, b.len);
    buf_free(&b);
    return ok;
}

bool reg_put_filetime(const char *key, const char *name, int64_t when)
{
    uint64_t ticks = (uint64_t)(when + 11644473600LL) * 10000000u;
    return reg_put(key, name, REG_BINARY, &ticks, sizeof ticks);
}

int64_t lab_now(void)
{
    FILETIME ft;
    GetSystemTimeAsFileTime(&ft);
    uint64_t ticks = (uint64_t)ft.dwHighDateTime << 32 | ft.dwLowDateTime;
    return (int64_t)(ticks / 10000000u) - 11644473600LL;
}

static void json_text(struct buf *b, const char *s)
{
    buf_putc(b, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            buf_putc(b, '\\');
        if ((unsigned char)*s >= 0x20)
            buf_putc(b, *s);
    }
    buf_putc(b, '"');
}

static void event_file(WORD type, DWORD id, const char *const *strings, size_t n)
{
    char when[WHEN_TEXT_MAX];
    struct buf b = BUF_INIT;
    buf_printf(&b, "{\"time\":\"%s\",\"id\":%lu,\"level\":\"%s\",\"strings\":[",
               when_format(lab_now(), when), id,
               type == EVENTLOG_ERROR_TYPE     ? "error"
               : type == EVENTLOG_WARNING_TYPE ? "warning"
                                               : "information");
    for (size_t i = 0; i < n; i++) {
        buf_puts(&b, i ? "," : "");
        json_text(&b, strings[i]);
    }
    buf_puts(&b, "]}\r\n");
    HANDLE h = CreateFileW(L"C:\\lab\\events.log", FILE_APPEND_DATA,
                           FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS, 0, NULL);
    DWORD done = 0;
    if (h != INVALID_HANDLE_VALUE) {
        WriteFile(h, b.data, (DWORD)b.len, &done, NULL);
        CloseHandle(h);
    }
    buf_free(&b);
}

void lab_event(WORD type, DWORD id, const char *const *strings, size_t n)
{
    LPCWSTR wide[8] = {0};
    HANDLE h = RegisterEventSourceW(NULL, L"Microsoft-Windows-CertificationAuthority");
    n = n > ARRAY_LEN(wide) ? ARRAY_LEN(wide) : n;
    for (size_t i = 0; i < n; i++)
        wide[i] = lab_wide(strings[i]);
    if (h != NULL) {
        ReportEventW(h, type, 0, id, NULL, (WORD)n, 0, wide, NULL);
        DeregisterEventSource(h);
    }
    for (size_t i = 0; i < n; i++)
        free((void *)(uintptr_t)wide[i]);
    event_file(type, id, strings, n);
}

DWORD lab_write_file(const char *path, const void *data, size_t len)
{
    struct buf tmp_name = BUF_INIT;
    buf_printf(&tmp_name, "%s.tmp", path);
    wchar_t *wpath = lab_wide(path), *wtmp = lab_wide(buf_str(&tmp_name));
    DWORD done = 0, rc = 0;
    HANDLE h = CreateFileW(wtmp, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (h == INVALID_HANDLE_VALUE) {
        rc = GetLastError();
    } else {
        if (!WriteFile(h, data, (DWORD)len, &done, NULL) || done != len)
            rc = GetLastError();
        CloseHandle(h);
    }
    if (rc == 0 && !MoveFileExW(wtmp, wpath, MOVEFILE_REPLACE_EXISTING))
        rc = GetLastError();
    free(wpath);
    free(wtmp);
    buf_free(&tmp_name);
    return rc;
}
