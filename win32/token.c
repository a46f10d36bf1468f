/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/token.h"

#include <sddl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "base/str.h"
#include "win32/utf.h"
#include "win32/werr.h"

void local_free(void *ptr_to_ptr)
{
    void **slot = ptr_to_ptr;
    if (*slot)
        LocalFree(*slot);
    *slot = NULL;
}

void handle_close(HANDLE *h)
{
    if (*h && *h != INVALID_HANDLE_VALUE)
        CloseHandle(*h);
    *h = NULL;
}

int sid_of(const char *account, PSID *ret, struct err *err)
{
    SCOPED(scope_free) wchar_t *wide = NULL;
    int rc = utf_to_wide(account, &wide, err);
    if (rc)
        return rc;
    if (str_starts_nocase(account, "S-1-")) {
        if (!ConvertStringSidToSidW(wide, ret))
            return err_set_win32(err, GetLastError(), "'%s' is not a SID", account);
        return ERR_OK;
    }
    DWORD sid_size = SECURITY_MAX_SID_SIZE;
    wchar_t domain[256];
    DWORD domain_size = ARRAY_LEN(domain);
    SID_NAME_USE use;
    PSID sid = LocalAlloc(LPTR, sid_size);
    if (!sid)
        return err_nomem(err);
    if (!LookupAccountNameW(NULL, wide, sid, &sid_size, domain, &domain_size, &use)) {
        DWORD e = GetLastError();
        LocalFree(sid);
        if (e == ERROR_NONE_MAPPED)
            return err_set_os(err, ERR_NOT_FOUND, (long)e,
                              "there is no account or group named '%s'; expected DOMAIN\\name or a "
                              "SID such as S-1-5-32-544",
                              account);
        return err_set_win32(err, e, "looking for the account '%s'", account);
    }
    *ret = sid;
    return ERR_OK;
}

int sid_of_service(const char *service, PSID *ret, struct err *err)
{
    SCOPED(scope_free) wchar_t *wide = NULL;
    unsigned char sha1[20];
    char text[100];
    uint32_t part[5];
    int rc = utf_to_wide(service, &wide, err);
    if (rc)
        return rc;
    CharUpperW(wide);
    if (!EVP_Digest(wide, wcslen(wide) * sizeof *wide, sha1, NULL, EVP_sha1(), NULL))
        return err_set(err, ERR_CRYPTO, "hashing the name of a service");
    memcpy(part, sha1, sizeof part); /* little-endian, as the machine */
    snprintf(text, sizeof text, "S-1-5-80-%u-%u-%u-%u-%u", part[0], part[1], part[2], part[3],
             part[4]);
    return sid_of(text, ret, err);
}

int sid_format(PSID sid, char *dst, size_t dst_size, struct err *err)
{
    SCOPED(local_free) wchar_t *wide = NULL;
    SCOPED(scope_free) char *text = NULL;
    if (!ConvertSidToStringSidW(sid, &wide))
        return err_set_win32(err, GetLastError(), "writing a SID as text");
    int rc = utf_from_wide(wide, &text, err);
    if (!rc)
        str_copy(dst, dst_size, text);
    return rc;
}

void sid_name(PSID sid, char *dst, size_t dst_size)
{
    wchar_t name[256], domain[256];
    DWORD n_name = ARRAY_LEN(name), n_domain = ARRAY_LEN(domain);
    SID_NAME_USE use;
    SCOPED(scope_free) char *name8 = NULL;
    SCOPED(scope_free) char *domain8 = NULL;
    if (LookupAccountSidW(NULL, sid, name, &n_name, domain, &n_domain, &use) &&
        !utf_from_wide(name, &name8, NULL) && !utf_from_wide(domain, &domain8, NULL))
        snprintf(dst, dst_size, "%s%s%s", domain8, *domain8 ? "\\" : "", name8);
    else if (sid_format(sid, dst, dst_size, NULL))
        str_copy(dst, dst_size, "unknown");
}

int token_user(HANDLE token, TOKEN_USER **ret, struct err *err)
{
    DWORD need = 0;
    GetTokenInformation(token, TokenUser, NULL, 0, &need);
    if (!need)
        return err_set_win32(err, GetLastError(), "reading the user of a token");
    SCOPED(scope_free) TOKEN_USER *user = calloc(1, need);
    if (!user)
        return err_nomem(err);
    if (!GetTokenInformation(token, TokenUser, user, need, &need))
        return err_set_win32(err, GetLastError(), "reading the user of a token");
    *ret = steal_ptr(user);
    return ERR_OK;
}

bool token_has(HANDLE token, PSID sid)
{
    BOOL member = FALSE;
    return CheckTokenMembership(token, sid, &member) && member;
}
