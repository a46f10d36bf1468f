/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/secretstore.h"

#include <windows.h>
#include <wincred.h>
#include <wincrypt.h>

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "win32/places.h"
#include "win32/token.h"
#include "win32/utf.h"
#include "win32/werr.h"

#define NAME_MAX_CHARS 64
#define BLOB_MAX 8192

/* Ties the file to its purpose: a blob of another program does not decrypt here. */
static const char purpose[] = "crlagent secret 1";

static int check_name(const char *name, struct err *err)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    if (!n || name[n] || n > NAME_MAX_CHARS || name[0] == '.')
        return err_set(err, ERR_INVALID,
                       "'%.80s' is no name of a secret; expected at most %d letters, digits, '-', "
                       "'_' or '.'",
                       name, NAME_MAX_CHARS);
    return ERR_OK;
}

static int file_path(const char *name, struct buf *ret, struct err *err)
{
    int rc = check_name(name, err);
    if (!rc)
        rc = place_path(PLACE_SECRETS, ret, err);
    if (!rc)
        buf_printf(ret, "\\%s.bin", name);
    return rc ? rc : buf_check(ret, "a path", err);
}

static int no_such(const char *name, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND,
                   "there is no secret '%s'; store it with 'crlagent secret set %s', or as the "
                   "account of the service with 'cmdkey /generic:%s /user:USER /pass'",
                   name, name, name);
}

/* Credential Manager -------------------------------------------------------------------------- */

static void credential_free(CREDENTIALW **c)
{
    if (!*c)
        return;
    SecureZeroMemory((*c)->CredentialBlob, (*c)->CredentialBlobSize);
    CredFree(*c);
}

/* The blob is UTF-16 without an end, as the Credential Manager itself writes it. */
static int take_credential(const CREDENTIALW *c, struct secret *ret, struct err *err)
{
    SCOPED(scope_free) char *user = NULL;
    wchar_t wide[SECRET_MAX] = L"";
    char text[SECRET_MAX];
    if (c->CredentialBlobSize >= sizeof wide)
        return err_set(err, ERR_LIMIT, "the stored password is longer than %d bytes", SECRET_MAX);
    memcpy(wide, c->CredentialBlob, c->CredentialBlobSize);
    int n =
        WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, -1, text, sizeof text, NULL, NULL);
    int rc = n > 0 ? ERR_OK
                   : err_set(err, ERR_LIMIT,
                             "the stored password cannot be used: not UTF-16, or "
                             "longer than %d bytes",
                             SECRET_MAX);
    if (!rc && c->UserName)
        rc = utf_from_wide(c->UserName, &user, err);
    if (!rc) {
        str_copy(ret->password, sizeof ret->password, text);
        if (!str_copy(ret->user, sizeof ret->user, user ? user : ""))
            rc = err_set(err, ERR_LIMIT, "the stored user name is too long");
    }
    SecureZeroMemory(wide, sizeof wide);
    SecureZeroMemory(text, sizeof text);
    return rc;
}

static int from_manager(const char *name, struct secret *ret, struct err *err)
{
    SCOPED(scope_free) wchar_t *wide = NULL;
    SCOPED(credential_free) CREDENTIALW *found = NULL;
    int rc = utf_to_wide(name, &wide, err);
    if (rc)
        return rc;
    if (!CredReadW(wide, CRED_TYPE_GENERIC, 0, &found)) {
        DWORD e = GetLastError();
        /* An account that never logged on has no manager at all. */
        return e == ERROR_NOT_FOUND || e == ERROR_NO_SUCH_LOGON_SESSION
                   ? no_such(name, err)
                   : err_set_win32(err, e, "reading the credential '%s'", name);
    }
    return take_credential(found, ret, err);
}

/* Our file ------------------------------------------------------------------------------------ */

static DATA_BLOB entropy(char copy[sizeof purpose])
{
    memcpy(copy, purpose, sizeof purpose);
    return (DATA_BLOB){sizeof purpose, (BYTE *)copy};
}

static int from_file(const char *name, struct secret *ret, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    SCOPED(buf_free) struct buf sealed = BUF_INIT;
    char copy[sizeof purpose];
    DATA_BLOB salt = entropy(copy), out = {0, NULL};
    struct file_info info;
    int rc = file_path(name, &path, err);
    if (!rc && file_stat(buf_str(&path), &info, NULL) == ERR_NOT_FOUND)
        return no_such(name, err);
    if (!rc)
        rc = place_verify(buf_str(&path), err);
    if (!rc)
        rc = file_read(buf_str(&path), BLOB_MAX, &sealed, err);
    if (rc)
        return rc;
    DATA_BLOB in = {(DWORD)sealed.len, (BYTE *)sealed.data};
    if (!CryptUnprotectData(&in, NULL, &salt, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN, &out))
        return err_set_win32(err, GetLastError(),
                             "decrypting the secret '%s' (was it stored on this machine?)", name);
    if (out.cbData == sizeof *ret) {
        memcpy(ret, out.pbData, sizeof *ret);
        ret->user[SECRET_MAX - 1] = ret->password[SECRET_MAX - 1] = '\0';
    } else {
        rc = err_set(err, ERR_PARSE, "the secret '%s' has %lu bytes; expected %zu", name,
                     (unsigned long)out.cbData, sizeof *ret);
    }
    SecureZeroMemory(out.pbData, out.cbData);
    LocalFree(out.pbData);
    return rc;
}

int secret_store_put(const char *name, const struct secret *secret, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    struct secret plain = {0};
    char copy[sizeof purpose];
    DATA_BLOB salt = entropy(copy), in = {sizeof plain, (BYTE *)&plain}, out = {0, NULL};
    int rc = file_path(name, &path, err);
    if (!rc)
        rc = place_secure(PLACE_SECRETS, err);
    if (rc)
        return rc;
    str_copy(plain.user, sizeof plain.user, secret->user); /* no leftovers behind the texts */
    str_copy(plain.password, sizeof plain.password, secret->password);
    if (CryptProtectData(&in, NULL, &salt, NULL, NULL,
                         CRYPTPROTECT_LOCAL_MACHINE | CRYPTPROTECT_UI_FORBIDDEN, &out))
        rc = file_write_atomic(buf_str(&path), out.pbData, out.cbData, err);
    else
        rc = err_set_win32(err, GetLastError(), "encrypting the secret '%s'", name);
    LocalFree(out.pbData);
    SecureZeroMemory(&plain, sizeof plain);
    return rc;
}

int secret_store_remove(const char *name, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    int rc = file_path(name, &path, err);
    return rc ? rc : file_remove(buf_str(&path), err);
}

static int get(void *self, const char *name, struct secret *ret, struct err *err)
{
    struct secret found = {0};
    struct err manager = ERR_INIT;
    (void)self;
    int rc = from_manager(name, &found, &manager);
    if (rc == ERR_NOT_FOUND && !check_name(name, NULL)) /* no other name was ever stored by us */
        rc = from_file(name, &found, err);
    else if (rc && err)
        *err = manager;
    if (!rc)
        *ret = found;
    SecureZeroMemory(&found, sizeof found);
    return rc;
}

const struct secret_store *secret_store_system(void)
{
    static const struct secret_store store = {get, NULL};
    return &store;
}
