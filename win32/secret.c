/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Generic credentials of the Credential Manager, of the account that runs this process. Made with:
 * cmdkey /generic:NAME /user:USER /pass (as that account). */
#include <windows.h>

#include <wincred.h>

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "win32/secret.h"
#include "win32/utf.h"

static int take_text(const wchar_t *text, const char *what, char dst[SECRET_MAX], struct err *err)
{
    char *utf8 = NULL;
    int rc = utf_from_wide(text, &utf8, err);
    if (!rc && !str_copy(dst, SECRET_MAX, utf8))
        rc = err_set(err, ERR_LIMIT, "the %s is longer than %d characters", what, SECRET_MAX - 1);
    if (utf8)
        SecureZeroMemory(utf8, strlen(utf8));
    free(utf8);
    return rc;
}

/* The blob is UTF-16 without a NUL, as cmdkey and the control panel write it. */
static int take_password(const CREDENTIALW *c, struct secret *s, struct err *err)
{
    wchar_t wide[SECRET_MAX];
    size_t n = c->CredentialBlobSize / sizeof(wchar_t);
    if (c->CredentialBlobSize % sizeof(wchar_t) || n >= SECRET_MAX)
        return err_set(err, ERR_LIMIT,
                       "the password has %lu bytes, expected UTF-16 of at most %d characters",
                       c->CredentialBlobSize, SECRET_MAX - 1);
    if (n)
        memcpy(wide, c->CredentialBlob, c->CredentialBlobSize);
    wide[n] = L'\0';
    int rc = take_text(wide, "password", s->password, err);
    SecureZeroMemory(wide, sizeof wide);
    return rc;
}

static int get(void *self, const char *name, struct secret *ret, struct err *err)
{
    wchar_t *wide = NULL;
    CREDENTIALW *c = NULL;
    struct secret s = {"", ""};
    (void)self;
    int rc = utf_to_wide(name, &wide, err);
    if (!rc && !CredReadW(wide, CRED_TYPE_GENERIC, 0, &c)) {
        DWORD code = GetLastError();
        rc =
            code == ERROR_NOT_FOUND
                ? err_set_os(err, ERR_NOT_FOUND, (long)code,
                             "the Credential Manager of this account has no generic entry '%s'; as "
                             "that account: cmdkey /generic:%s /user:USER /pass",
                             name, name)
                : err_set_os(err, ERR_DENIED, (long)code, "the Credential Manager answers %lu",
                             code);
    }
    free(wide);
    if (!rc && c->UserName)
        rc = take_text(c->UserName, "user name", s.user, err);
    if (!rc)
        rc = take_password(c, &s, err);
    if (c) {
        SecureZeroMemory(c->CredentialBlob, c->CredentialBlobSize);
        CredFree(c);
    }
    if (!rc)
        *ret = s;
    SecureZeroMemory(&s, sizeof s);
    return rc;
}

const struct secret_store *secret_system(void)
{
    static const struct secret_store store = {get, NULL};
    return &store;
}
