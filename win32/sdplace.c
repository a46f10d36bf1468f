/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/sdplace.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "win32/regread.h"
#include "win32/scm.h"
#include "win32/token.h"
#include "win32/utf.h"
#include "win32/werr.h"

#define SECURITY_VALUE L"Security"
#define VIRTUAL_DOMAIN "NT SERVICE\\"
#define SYSTEM_SID "S-1-5-18"

static int open_service(const char *name, DWORD rights, SC_HANDLE *scm, SC_HANDLE *service,
                        struct err *err)
{
    int rc = scm_open(SC_MANAGER_CONNECT, scm, err);
    return rc ? rc : scm_open_service(*scm, name, rights, service, err);
}

static int service_read(void *self, struct buf *ret, struct err *err)
{
    const char *name = self;
    SCOPED(scm_close) SC_HANDLE scm = NULL;
    SCOPED(scm_close) SC_HANDLE service = NULL;
    DWORD need = 0;
    int rc = open_service(name, READ_CONTROL, &scm, &service, err);
    if (rc)
        return rc;
    unsigned char none;
    QueryServiceObjectSecurity(service, DACL_SECURITY_INFORMATION, &none, 0, &need);
    if (!need || need > SD_MAX_BYTES * 4)
        return err_set_win32(err, GetLastError(), "reading the access list of '%s'", name);
    SCOPED(scope_free) void *sd = calloc(1, need);
    if (!sd)
        return err_nomem(err);
    if (!QueryServiceObjectSecurity(service, DACL_SECURITY_INFORMATION, sd, need, &need))
        return err_set_win32(err, GetLastError(), "reading the access list of '%s'", name);
    return buf_add(ret, sd, GetSecurityDescriptorLength(sd)) ? err_nomem(err) : ERR_OK;
}

static int service_write(void *self, const void *sd, size_t len, struct err *err)
{
    const char *name = self;
    SCOPED(scm_close) SC_HANDLE scm = NULL;
    SCOPED(scm_close) SC_HANDLE service = NULL;
    SCOPED(scope_free) void *copy = malloc(len);
    int rc = open_service(name, READ_CONTROL | WRITE_DAC, &scm, &service, err);
    if (rc)
        return rc;
    if (!copy)
        return err_nomem(err);
    memcpy(copy, sd, len); /* the call wants it writable and aligned */
    if (!SetServiceObjectSecurity(service, DACL_SECURITY_INFORMATION, copy))
        return err_set_win32(err, GetLastError(), "changing the access list of '%s'", name);
    return ERR_OK;
}

struct sd_place sd_place_service(const char *name)
{
    return (struct sd_place){service_read, service_write, (void *)(uintptr_t)name, false};
}

static int ca_read(void *self, struct buf *ret, struct err *err)
{
    const char *path = self;
    SCOPED(reg_close) struct reg_key key = {0};
    size_t before = ret->len;
    int rc = reg_open(path, &key, err);
    if (!rc)
        rc = reg_bytes(&key, "Security", ret, err);
    if (!rc && ret->len == before)
        rc = err_set(err, ERR_NOT_FOUND, "'HKLM\\%s' has no value 'Security'", path);
    return rc;
}

static int ca_write(void *self, const void *sd, size_t len, struct err *err)
{
    const char *path = self;
    SCOPED(buf_free) struct buf there = BUF_INIT;
    SCOPED(reg_close) struct reg_key key = {0};
    SCOPED(scope_free) wchar_t *wide = NULL;
    int rc = ca_read(self, &there, err);
    if (!rc)
        rc = utf_to_wide(path, &wide, err);
    if (rc)
        return rc;
    LSTATUS e =
        RegOpenKeyExW(HKEY_LOCAL_MACHINE, wide, 0, KEY_SET_VALUE | KEY_WOW64_64KEY, &key.handle);
    if (e)
        return err_set_win32(err, (unsigned long)e, "opening 'HKLM\\%s' for writing", path);
    e = RegSetValueExW(key.handle, SECURITY_VALUE, 0, REG_BINARY, sd, (DWORD)len);
    if (!e)
        e = RegFlushKey(key.handle);
    if (e)
        return err_set_win32(err, (unsigned long)e, "writing 'HKLM\\%s', value 'Security'", path);
    return ERR_OK;
}

struct sd_place sd_place_ca(const char *key)
{
    return (struct sd_place){ca_read, ca_write, (void *)(uintptr_t)key, true};
}

int sd_read_key(const char *path, struct buf *ret, struct err *err)
{
    SCOPED(reg_close) struct reg_key key = {0};
    DWORD len = 0;
    int rc = reg_open(path, &key, err);
    if (rc)
        return rc;
    RegGetKeySecurity(key.handle, DACL_SECURITY_INFORMATION, NULL, &len);
    SCOPED(scope_free) void *sd = calloc(1, (size_t)len + 1);
    if (!sd)
        return err_nomem(err);
    LSTATUS e = RegGetKeySecurity(key.handle, DACL_SECURITY_INFORMATION, sd, &len);
    if (e)
        return err_set_win32(err, (unsigned long)e, "reading the access list of 'HKLM\\%s'", path);
    return buf_add(ret, sd, len) ? err_nomem(err) : ERR_OK;
}

int svc_account(const char *service, char **ret, struct err *err)
{
    SCOPED(scm_close) SC_HANDLE scm = NULL;
    SCOPED(scm_close) SC_HANDLE handle = NULL;
    SCOPED(scope_free) QUERY_SERVICE_CONFIGW *config = NULL;
    int rc = open_service(service, SERVICE_QUERY_CONFIG, &scm, &handle, err);
    if (!rc)
        rc = scm_config(handle, service, &config, err);
    if (rc)
        return rc;
    const wchar_t *name = config->lpServiceStartName;
    return utf_from_wide(name && *name ? name : L"LocalSystem", ret, err);
}

int sid_text_of(const char *account, char *dst, size_t dst_size, struct err *err)
{
    SCOPED(local_free) PSID sid = NULL;
    int rc;
    if (str_eq_nocase(account, "LocalSystem") || str_eq_nocase(account, "NT AUTHORITY\\SYSTEM"))
        rc = sid_of(SYSTEM_SID, &sid, err);
    else if (str_starts_nocase(account, VIRTUAL_DOMAIN))
        rc = sid_of_service(account + strlen(VIRTUAL_DOMAIN), &sid, err);
    else
        rc = sid_of(account, &sid, err);
    return rc ? rc : sid_format(sid, dst, dst_size, err);
}
