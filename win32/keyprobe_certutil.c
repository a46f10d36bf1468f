/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "win32/keyprobe_certutil.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/process.h"
#include "base/str.h"
#include "ca/admin.h"
#include "win32/utf.h"
#include "win32/werr.h"

/* %windir%\System32\certutil.exe, malloc'ed: never a search path. */
static int certutil_path(char **ret, struct err *err)
{
    wchar_t folder[MAX_PATH];
    SCOPED(scope_free) char *utf = NULL;
    UINT n = GetSystemDirectoryW(folder, MAX_PATH);
    if (n == 0 || n >= MAX_PATH)
        return err_set_win32(err, GetLastError(), "looking for System32");
    int rc = utf_from_wide(folder, &utf, err);
    if (rc)
        return rc;
    struct buf path = BUF_INIT;
    buf_printf(&path, "%s\\certutil.exe", utf);
    *ret = buf_steal(&path);
    return *ret ? ERR_OK : err_nomem(err);
}

static int judge(uint32_t exit_code, struct err *err)
{
    if (exit_code == 0)
        return ERR_OK;
    const struct ca_hresult_hint hint = ca_hresult_explain(exit_code);
    enum err_code code = ERR_UNAVAILABLE;
    if (exit_code == 0x80090016u || exit_code == 0x80090011u)
        code = ERR_NOT_FOUND; /* NTE_BAD_KEYSET, NTE_NOT_FOUND */
    else if (exit_code == 0x80090006u || exit_code == 0x80090015u)
        code = ERR_CRYPTO; /* NTE_BAD_SIGNATURE, NTE_BAD_PUBLIC_KEY */
    return err_set_os(err, code, (long)exit_code, "certutil -verifykeys: 0x%08x (%s)",
                      (unsigned)exit_code, hint.text);
}

static int probe(void *self, const uint8_t *cert_der, size_t cert_len, int64_t timeout_ms,
                 struct key_probe_result *ret, struct err *err)
{
    (void)self;
    (void)cert_der; /* it tests all CA certificates at once */
    (void)cert_len;
    SCOPED(scope_free) char *program = NULL;
    int rc = certutil_path(&program, err);
    if (rc)
        return rc;
    const char *const argv[] = {program, "-verifykeys", NULL};
    struct process_result r = {.exit_code = 0};
    rc = process_run(argv, NULL, timeout_ms, &r, err);
    if (!rc)
        rc = judge(r.exit_code, err);
    buf_free(&r.out);
    if (rc)
        return rc;
    *ret = (struct key_probe_result){.sign_ms = (uint32_t)r.ms};
    (void)str_copy(ret->provider, sizeof ret->provider, "certutil");
    (void)str_copy(ret->detail, sizeof ret->detail,
                   "certutil -verifykeys; the time includes its start");
    return ERR_OK;
}

static int probe_nothing(void *self, const uint8_t *cert_der, size_t cert_len, int64_t timeout_ms,
                         struct key_probe_result *ret, struct err *err)
{
    (void)self;
    (void)cert_der;
    (void)cert_len;
    (void)timeout_ms;
    (void)err;
    *ret = (struct key_probe_result){.sign_ms = 0};
    (void)str_copy(ret->detail, sizeof ret->detail, "not tested: the configuration says off");
    return ERR_OK;
}

const struct key_probe *key_probe_certutil(void)
{
    static const struct key_probe p = {probe, NULL};
    return &p;
}

const struct key_probe *key_probe_off(void)
{
    static const struct key_probe p = {probe_nothing, NULL};
    return &p;
}
