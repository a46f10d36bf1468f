/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* An object is made for each call: it is an in-process client object and cheap, and one that
 * outlived a restart of CertSvc would answer with a dead connection. */
#include "win32/comadmin.h"

#include <windows.h>
#include <oleauto.h>
#include <certadm.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "win32/comview.h"
#include "win32/utf.h"
#include "win32/werr.h"

/* mingw-w64 declares these without defining them. Source: certadm.h; pkix.net certadm.il. */
static const CLSID clsid_cert_admin = {
    0x37EABAF0, 0x7FB6, 0x11D0, {0x88, 0x17, 0x00, 0xA0, 0xC9, 0x03, 0xB8, 0x3C}};
static const IID iid_cert_admin2 = {
    0xF7C3AC41, 0xB8CE, 0x4FB4, {0xAA, 0x58, 0x3D, 0x1D, 0xC0, 0xE3, 0x6B, 0x39}};

enum { TYPE_LONG = 1, TYPE_BINARY = 3, TYPE_STRING = 4 }; /* PROPTYPE_* of certsrv.h */
#define OUT_BINARY 2                                      /* CR_OUT_BINARY: raw bytes */

struct com_admin {
    BSTR config;
};

struct com_call {
    ICertAdmin2 *admin;
    bool entered;
};

static void com_leave(struct com_call *c)
{
    if (c->admin)
        ICertAdmin2_Release(c->admin);
    if (c->entered)
        CoUninitialize();
}

/* Any thread: joins the multi-threaded apartment for the length of the call. */
static int com_enter(struct com_call *c, struct err *err)
{
    HRESULT hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    if (FAILED(hr))
        return err_set_hresult(err, hr, "initialising COM on this thread");
    c->entered = true;
    hr = CoCreateInstance(&clsid_cert_admin, NULL, CLSCTX_INPROC_SERVER, &iid_cert_admin2,
                          (void **)&c->admin);
    if (FAILED(hr))
        return err_set_hresult(
            err, hr,
            "making the CA administration object (ICertAdmin2; it comes with the "
            "role or with the remote server administration tools)");
    return ERR_OK;
}

/* The system's text and number, and what it means for a CA. */
static int com_failed(HRESULT hr, const char *doing, struct err *err)
{
    struct ca_hresult_hint hint = ca_hresult_explain((uint32_t)hr);
    if (strcmp(hint.side, "other") == 0)
        return err_set_hresult(err, hr, "%s", doing);
    return err_set_hresult(err, hr, "%s: %s", doing, hint.text);
}

double com_date(int64_t when)
{
    /* 25569 days lie between 1899-12-30 and 1970-01-01. */
    return when ? (double)when / 86400.0 + 25569.0 : 0.0;
}

static int com_publish(void *self, unsigned what, int64_t until, struct err *err)
{
    struct com_admin *a = self;
    SCOPED(com_leave) struct com_call call = {0};
    int rc = com_enter(&call, err);
    if (rc)
        return rc;
    HRESULT hr = ICertAdmin2_PublishCRLs(call.admin, a->config, com_date(until), (LONG)what);
    return FAILED(hr) ? com_failed(hr, "publishing CRLs (PublishCRLs)", err) : ERR_OK;
}

static const char *prop_failed_text(enum ca_prop id, int32_t index, char dst[64])
{
    snprintf(dst, 64, "reading CA property 0x%02x, index %d", (unsigned)id, (int)index);
    return dst;
}

/* E_INVALIDARG means that this CA version does not know the property, or not that index. */
static int com_property(struct com_admin *a, enum ca_prop id, int32_t index, LONG type,
                        VARIANT *ret, struct err *err)
{
    SCOPED(com_leave) struct com_call call = {0};
    char doing[64];
    int rc = com_enter(&call, err);
    if (rc)
        return rc;
    HRESULT hr = ICertAdmin2_GetCAProperty(call.admin, a->config, (LONG)id, index, type,
                                           type == TYPE_BINARY ? OUT_BINARY : 0, ret);
    if (SUCCEEDED(hr))
        return ERR_OK;
    rc = com_failed(hr, prop_failed_text(id, index, doing), err);
    if (hr == E_INVALIDARG || hr == HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND)) {
        if (err)
            err->code = ERR_NOT_FOUND;
        return ERR_NOT_FOUND;
    }
    return rc;
}

static int wrong_kind(enum ca_prop id, const VARIANT *v, const char *want, struct err *err)
{
    return err_set(err, ERR_PARSE, "CA property 0x%02x has the variant type %u; expected %s",
                   (unsigned)id, (unsigned)V_VT(v), want);
}

static void variant_free(VARIANT *v)
{
    VariantClear(v);
}

static int com_prop_long(void *self, enum ca_prop id, int32_t index, int32_t *ret, struct err *err)
{
    SCOPED(variant_free) VARIANT v;
    VariantInit(&v);
    int rc = com_property(self, id, index, TYPE_LONG, &v, err);
    if (!rc && V_VT(&v) != VT_I4)
        rc = wrong_kind(id, &v, "VT_I4", err);
    if (!rc)
        *ret = V_I4(&v);
    return rc;
}

static int com_prop_text(void *self, enum ca_prop id, int32_t index, struct buf *ret,
                         struct err *err)
{
    SCOPED(variant_free) VARIANT v;
    SCOPED(scope_free) char *text = NULL;
    VariantInit(&v);
    int rc = com_property(self, id, index, TYPE_STRING, &v, err);
    if (!rc && V_VT(&v) != VT_BSTR)
        rc = wrong_kind(id, &v, "VT_BSTR", err);
    if (!rc)
        rc = utf_from_wide(V_BSTR(&v) ? V_BSTR(&v) : L"", &text, err);
    if (!rc && buf_puts(ret, text))
        rc = buf_check(ret, "a CA property", err);
    return rc;
}

/* Raw bytes come in a BSTR that is counted in bytes. */
static int com_prop_blob(void *self, enum ca_prop id, int32_t index, struct buf *ret,
                         struct err *err)
{
    SCOPED(variant_free) VARIANT v;
    VariantInit(&v);
    int rc = com_property(self, id, index, TYPE_BINARY, &v, err);
    if (!rc && V_VT(&v) != VT_BSTR)
        rc = wrong_kind(id, &v, "VT_BSTR", err);
    if (!rc && buf_add(ret, V_BSTR(&v), SysStringByteLen(V_BSTR(&v))))
        rc = buf_check(ret, "a CA property", err);
    return rc;
}

static int com_ping(void *self, struct err *err)
{
    int32_t n;
    return com_prop_long(self, CA_PROP_CERT_COUNT, 0, &n, err);
}

static int com_roles(void *self, uint32_t *ret, struct err *err)
{
    struct com_admin *a = self;
    SCOPED(com_leave) struct com_call call = {0};
    LONG roles = 0;
    int rc = com_enter(&call, err);
    if (rc)
        return rc;
    HRESULT hr = ICertAdmin2_GetMyRoles(call.admin, a->config, &roles);
    if (FAILED(hr))
        return com_failed(hr, "asking for the roles of this account (GetMyRoles)", err);
    *ret = (uint32_t)roles;
    return ERR_OK;
}

static int com_issued(void *self, const struct ca_issued_query *query, struct buf *ret,
                      struct err *err)
{
    struct com_admin *a = self;
    SCOPED(com_leave) struct com_call call = {0};
    int rc = com_enter(&call, err);
    return rc ? rc : com_view_issued(a->config, query, ret, err);
}

static BOOL CALLBACK init_once(INIT_ONCE *once, void *result, void **context)
{
    static CO_MTA_USAGE_COOKIE keep; /* for the life of the process: no reload per call */
    HRESULT *hr = result;
    (void)once;
    (void)context;
    *hr = CoIncrementMTAUsage(&keep);
    if (FAILED(*hr))
        return FALSE;
    *hr = CoInitializeSecurity(NULL, -1, NULL, NULL, RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
                               RPC_C_IMP_LEVEL_IMPERSONATE, NULL, EOAC_NONE, NULL);
    /* Somebody was first (a console host, a test): its choice stands. */
    return SUCCEEDED(*hr) || *hr == RPC_E_TOO_LATE;
}

int com_admin_init(struct err *err)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    HRESULT hr = S_OK;
    if (!InitOnceExecuteOnce(&once, init_once, &hr, NULL))
        return err_set_hresult(err, hr, "setting up COM security");
    return ERR_OK;
}

int com_admin_open(const char *config_string, struct ca_admin *ret, struct err *err)
{
    static const struct ca_admin_ops ops = {
        .name = "ICertAdmin2",
        .publish = com_publish,
        .prop_long = com_prop_long,
        .prop_text = com_prop_text,
        .prop_blob = com_prop_blob,
        .ping = com_ping,
        .roles = com_roles,
        .issued = com_issued,
    };
    SCOPED(com_leave) struct com_call probe = {0};
    SCOPED(scope_free) wchar_t *wide = NULL;
    int rc = com_admin_init(err);
    if (!rc)
        rc = com_enter(&probe, err);
    if (!rc)
        rc = utf_to_wide(config_string, &wide, err);
    if (rc)
        return rc;
    struct com_admin *a = calloc(1, sizeof *a);
    if (!a)
        return err_nomem(err);
    a->config = SysAllocString(wide);
    if (!a->config) {
        free(a);
        return err_nomem(err);
    }
    *ret = (struct ca_admin){&ops, a};
    return ERR_OK;
}

void com_admin_close(struct ca_admin *admin)
{
    struct com_admin *a = admin->self;
    if (a) {
        SysFreeString(a->config);
        free(a);
    }
    *admin = (struct ca_admin){NULL, NULL};
}
