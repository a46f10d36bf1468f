/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The operator's terminal and credential store for hsmupgrade; see driver/term.h. */
#include <windows.h>

#include <wincred.h>

#include "base/str.h"
#include "driver/stop.h"
#include "driver/term.h"
#include "win32/utf.h"
#include "win32/werr.h"

#define LINE_MAX_CHARS 4096

bool term_interactive(void)
{
    DWORD mode;
    return GetConsoleMode(GetStdHandle(STD_INPUT_HANDLE), &mode) != 0;
}

static int read_console(HANDLE in, struct buf *ret, struct err *err)
{
    static wchar_t wide[LINE_MAX_CHARS + 3];
    DWORD n = 0;
    if (!ReadConsoleW(in, wide, LINE_MAX_CHARS + 2, &n, NULL) || n == 0)
        return err_set(err, ERR_NOT_FOUND, "standard input has ended");
    while (n && (wide[n - 1] == L'\n' || wide[n - 1] == L'\r'))
        n--;
    wide[n] = L'\0';
    SCOPED(scope_free) char *text = NULL;
    int rc = utf_from_wide(wide, &text, err);
    SecureZeroMemory(wide, sizeof wide);
    if (!rc) {
        buf_puts(ret, text);
        SecureZeroMemory(text, strlen(text));
    }
    return rc ? rc : buf_check(ret, "line", err);
}

static int read_pipe(HANDLE in, struct buf *ret, struct err *err)
{
    char c;
    DWORD got = 0;
    size_t n = 0;
    while (ReadFile(in, &c, 1, &got, NULL) && got == 1 && c != '\n') {
        if (++n > LINE_MAX_CHARS)
            return err_set(err, ERR_LIMIT, "a line is longer than %d characters", LINE_MAX_CHARS);
        if (c != '\r')
            buf_putc(ret, c);
    }
    if (got != 1 && n == 0)
        return err_set(err, ERR_NOT_FOUND, "standard input has ended");
    return buf_check(ret, "line", err);
}

static int interrupted(struct err *err)
{
    return err_set(err, ERR_CANCELLED, "interrupted while waiting for input");
}

int term_read_line(bool echo, struct buf *ret, struct err *err)
{
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE);
    DWORD mode;
    if (!stop_wait_input())
        return interrupted(err);
    if (!GetConsoleMode(in, &mode))
        return read_pipe(in, ret, err);
    if (!echo)
        SetConsoleMode(in, (mode | ENABLE_LINE_INPUT) & ~(DWORD)ENABLE_ECHO_INPUT);
    int rc = read_console(in, ret, err);
    SetConsoleMode(in, mode);
    return rc && stop_wanted() ? interrupted(err) : rc;
}

int term_stored_secret(const char *name, struct buf *ret, struct err *err)
{
    SCOPED(buf_free) struct buf target = BUF_INIT;
    SCOPED(scope_free) wchar_t *wide = NULL;
    PCREDENTIALW cred = NULL;
    buf_printf(&target, "crlagent/hsmupgrade/%s", name);
    int rc = utf_to_wide(buf_str(&target), &wide, err);
    if (rc)
        return rc;
    if (!CredReadW(wide, CRED_TYPE_GENERIC, 0, &cred))
        return err_set_os(err, ERR_NOT_FOUND, (long)GetLastError(),
                          "the Credential Manager holds no generic credential '%s'",
                          buf_str(&target));
    SCOPED(scope_free)
    wchar_t *secret = calloc(cred->CredentialBlobSize / sizeof(wchar_t) + 1, sizeof(wchar_t));
    SCOPED(scope_free) char *text = NULL;
    if (secret)
        memcpy(secret, cred->CredentialBlob, cred->CredentialBlobSize & ~(DWORD)1);
    rc = secret ? utf_from_wide(secret, &text, err) : err_nomem(err);
    if (!rc)
        buf_puts(ret, text);
    if (secret)
        SecureZeroMemory(secret, cred->CredentialBlobSize);
    CredFree(cred);
    return rc ? rc : buf_check(ret, "secret", err);
}

int term_state_dir(struct buf *ret, struct err *err)
{
    wchar_t wide[MAX_PATH];
    SCOPED(scope_free) char *base = NULL;
    DWORD n = GetEnvironmentVariableW(L"ProgramData", wide, ARRAY_LEN(wide));
    if (n == 0 || n >= ARRAY_LEN(wide))
        return err_set(err, ERR_NOT_FOUND, "the folder ProgramData is not known; use --state DIR");
    int rc = utf_from_wide(wide, &base, err);
    if (!rc)
        buf_printf(ret, "%s\\crlagent\\hsmupgrade", base);
    return rc ? rc : buf_check(ret, "path", err);
}
