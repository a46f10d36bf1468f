/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "ldapput.h"

#include <winldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labwin.h"

static HRESULT code_of(ULONG rc)
{
    switch (rc) {
    case LDAP_SUCCESS:
        return S_OK;
    case LDAP_NO_SUCH_OBJECT:
        return HRESULT_FROM_WIN32(0x208D); /* ERROR_DS_OBJ_NOT_FOUND */
    case LDAP_INSUFFICIENT_RIGHTS:
        return HRESULT_FROM_WIN32(0x2098);
    case LDAP_INVALID_CREDENTIALS:
        return HRESULT_FROM_WIN32(ERROR_LOGON_FAILURE);
    case LDAP_SERVER_DOWN:
    case LDAP_TIMEOUT:
    case LDAP_CONNECT_ERROR:
        return HRESULT_FROM_WIN32(0x203A); /* ERROR_DS_SERVER_DOWN */
    default:
        return HRESULT_FROM_WIN32(0x2095 /* ERROR_DS_GENERIC_ERROR */);
    }
}

static ULONG bind_ca(LDAP *ld)
{
    char user[256], password[128];
    ULONG version = LDAP_VERSION3;
    lab_text("ldap_user", "", user, sizeof user);
    lab_text("ldap_password", "", password, sizeof password);
    ldap_set_optionW(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
    wchar_t *wuser = lab_wide(user), *wpassword = lab_wide(password);
    ULONG rc = ldap_simple_bind_sW(ld, wuser, wpassword);
    free(wuser);
    free(wpassword);
    return rc;
}

static ULONG replace(LDAP *ld, const char *dn, const char *attribute, const void *der, size_t len)
{
    wchar_t *wdn = lab_wide(dn), *wattr = lab_wide(attribute);
    struct berval value = {(ULONG)len, (char *)(uintptr_t)der};
    struct berval *values[] = {&value, NULL};
    LDAPModW mod = {.mod_op = LDAP_MOD_REPLACE | LDAP_MOD_BVALUES, .mod_type = wattr};
    LDAPModW *mods[] = {&mod, NULL};
    mod.mod_vals.modv_bvals = values;
    ULONG rc = ldap_modify_sW(ld, wdn, mods);
    free(wdn);
    free(wattr);
    return rc;
}

HRESULT ldap_put(const char *url, const void *der, size_t len)
{
    char host[256], dn[1024], attribute[128] = "";
    const char *start = strstr(url, "//");
    const char *slash = start ? strchr(start + 2, '/') : NULL;
    const char *mark = slash ? strchr(slash, '?') : NULL;
    if (mark == NULL || (size_t)(mark - slash) > sizeof dn)
        return HRESULT_FROM_WIN32(ERROR_BAD_PATHNAME);
    snprintf(dn, sizeof dn, "%.*s", (int)(mark - slash - 1), slash + 1);
    snprintf(attribute, sizeof attribute, "%.*s", (int)strcspn(mark + 1, "?"), mark + 1);
    lab_text("ldap_host", "", host, sizeof host);
    if (host[0] == 0)
        return HRESULT_FROM_WIN32(ERROR_NO_SUCH_DOMAIN);
    wchar_t *whost = lab_wide(host);
    LDAP *ld = ldap_initW(whost, LDAP_PORT);
    free(whost);
    if (ld == NULL)
        return code_of(LDAP_SERVER_DOWN);
    ULONG rc = bind_ca(ld);
    if (rc == LDAP_SUCCESS)
        rc = replace(ld, dn, attribute, der, len);
    ldap_unbind(ld);
    return code_of(rc);
}
