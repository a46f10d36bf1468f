/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The lab's certadm.dll: CLSID_CCertAdmin with ICertAdmin and ICertAdmin2 (CCertView is in
 * labview.c), in the vtable order of certadm.h. Like the real one it is a client object: the work
 * is done by CertSvc. */
#include <windows.h>
#include <oleauto.h>
#include <certadm.h>
#include <wincrypt.h>

#include <stdlib.h>
#include <string.h>

#include "labview.h"
#include "labwin.h"
#include "rpc.h"

static const GUID clsid_cert_admin = {
    0x37EABAF0, 0x7FB6, 0x11D0, {0x88, 0x17, 0x00, 0xA0, 0xC9, 0x03, 0xB8, 0x3C}};
static const GUID iid_cert_admin = {
    0x34DF6950, 0x7FB6, 0x11D0, {0x88, 0x17, 0x00, 0xA0, 0xC9, 0x03, 0xB8, 0x3C}};
static const GUID iid_cert_admin2 = {
    0xF7C3AC41, 0xB8CE, 0x4FB4, {0xAA, 0x58, 0x3D, 0x1D, 0xC0, 0xE3, 0x6B, 0x39}};

static LONG objects;

struct admin {
    ICertAdmin2 iface;
    LONG refs;
};

static HRESULT WINAPI admin_QueryInterface(ICertAdmin2 *iface, REFIID iid, void **ret)
{
    *ret = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_IDispatch) &&
        !IsEqualGUID(iid, &iid_cert_admin) && !IsEqualGUID(iid, &iid_cert_admin2))
        return E_NOINTERFACE;
    *ret = iface;
    ICertAdmin2_AddRef(iface);
    return S_OK;
}

static ULONG WINAPI admin_AddRef(ICertAdmin2 *iface)
{
    return (ULONG)InterlockedIncrement(&((struct admin *)iface)->refs);
}

static ULONG WINAPI admin_Release(ICertAdmin2 *iface)
{
    LONG refs = InterlockedDecrement(&((struct admin *)iface)->refs);
    if (refs == 0) {
        free(iface);
        InterlockedDecrement(&objects);
    }
    return (ULONG)refs;
}

static HRESULT WINAPI admin_GetTypeInfoCount(ICertAdmin2 *iface, UINT *ret)
{
    (void)iface;
    *ret = 0;
    return S_OK;
}

static HRESULT WINAPI admin_GetTypeInfo(ICertAdmin2 *iface, UINT i, LCID lcid, ITypeInfo **ret)
{
    (void)iface, (void)i, (void)lcid, (void)ret;
    return E_NOTIMPL;
}

static HRESULT WINAPI admin_GetIDsOfNames(ICertAdmin2 *iface, REFIID iid, LPOLESTR *names, UINT n,
                                          LCID lcid, DISPID *ids)
{
    (void)iface, (void)iid, (void)names, (void)n, (void)lcid, (void)ids;
    return E_NOTIMPL;
}

static HRESULT WINAPI admin_Invoke(ICertAdmin2 *iface, DISPID id, REFIID iid, LCID lcid, WORD flags,
                                   DISPPARAMS *params, VARIANT *result, EXCEPINFO *info, UINT *arg)
{
    (void)iface, (void)id, (void)iid, (void)lcid, (void)flags, (void)params, (void)result,
        (void)info, (void)arg;
    return E_NOTIMPL;
}

/* "HOST\CA": the host as DNS or NetBIOS name, the CA by common or sanitized name. */
HRESULT certadm_check_config(BSTR config)
{
    wchar_t netbios[64] = L"";
    DWORD n = ARRAY_LEN(netbios);
    char *text = lab_utf8(config ? config : L""), *slash = strchr(text, '\\');
    HRESULT hr = E_INVALIDARG;
    if (slash != NULL) {
        *slash = 0;
        struct buf key = BUF_INIT;
        char *active = reg_text(LAB_CONFIG_KEY, "Active");
        buf_printf(&key, LAB_CONFIG_KEY "\\%s", active ? active : "");
        char *server = reg_text(buf_str(&key), "CAServerName"),
             *name = reg_text(buf_str(&key), "CommonName");
        GetComputerNameW(netbios, &n);
        char *host = lab_utf8(netbios);
        bool here = (server && str_eq_nocase(text, server)) || str_eq_nocase(text, host);
        bool ca = (name && str_eq_nocase(slash + 1, name)) ||
                  (active && str_eq_nocase(slash + 1, active));
        hr = !here ? RPC_UNAVAILABLE : ca ? S_OK : E_INVALIDARG;
        if (SUCCEEDED(hr) && (reg_dword(buf_str(&key), "InterfaceFlags", 0) & 0x20))
            hr = E_ACCESSDENIED; /* IF_NOLOCALICERTADMIN */
        free(active), free(server), free(name), free(host);
        buf_free(&key);
    }
    free(text);
    return hr;
}

static HRESULT call(const BSTR config, json_t *request, json_t **answer, struct buf *bytes)
{
    HRESULT hr = certadm_check_config(config);
    while (lab_number("com_hang", 0))
        Sleep(200);
    if (FAILED(hr)) {
        json_decref(request);
        return hr;
    }
    return rpc_call(request, answer, bytes);
}

static json_t *request_with_caller(const char *op)
{
    wchar_t user[128] = L"?", host[64] = L"?";
    DWORD n = ARRAY_LEN(user), m = ARRAY_LEN(host);
    GetUserNameW(user, &n);
    GetComputerNameW(host, &m);
    char *u = lab_utf8(user), *h = lab_utf8(host);
    json_t *o = json_pack("{s:s,s:s+++}", "op", op, "caller", h, "\\", u, "");
    free(u), free(h);
    return o;
}

static int64_t date_to_unix(DATE date)
{
    return date <= 0.0 ? 0 : (int64_t)((date - 25569.0) * 86400.0 + 0.5);
}

static HRESULT WINAPI admin_PublishCRLs(ICertAdmin2 *iface, const BSTR config, DATE date,
                                        LONG flags)
{
    (void)iface;
    json_t *r = request_with_caller("publish");
    json_object_set_new(r, "flags", json_integer(flags));
    json_object_set_new(r, "until", json_integer(date_to_unix(date)));
    return call(config, r, NULL, NULL);
}

static HRESULT WINAPI admin_PublishCRL(ICertAdmin2 *iface, const BSTR config, DATE date)
{
    return admin_PublishCRLs(iface, config, date, 1);
}

/* CV_OUT_*: 0 base64 with headers, 1 base64, 2 binary, 9 base64 with a CRL header. */
static HRESULT bytes_to_bstr(const struct buf *b, LONG flags, LONG prop, BSTR *ret)
{
    DWORD form = flags == 1 ? CRYPT_STRING_BASE64
                 : flags == 9 || prop == 0x11 || prop == 0x12 || prop == 0
                     ? CRYPT_STRING_BASE64X509CRLHEADER
                     : CRYPT_STRING_BASE64HEADER;
    DWORD n = 0;
    if (flags == 2) {
        *ret = SysAllocStringByteLen(b->data, (UINT)b->len);
        return *ret ? S_OK : E_OUTOFMEMORY;
    }
    if (!CryptBinaryToStringW((const BYTE *)b->data, (DWORD)b->len, form, NULL, &n))
        return HRESULT_FROM_WIN32(GetLastError());
    wchar_t *text = calloc(n + 1, sizeof *text);
    if (text == NULL ||
        !CryptBinaryToStringW((const BYTE *)b->data, (DWORD)b->len, form, text, &n)) {
        free(text);
        return E_FAIL;
    }
    *ret = SysAllocString(text);
    free(text);
    return *ret ? S_OK : E_OUTOFMEMORY;
}

static HRESULT prop_to_variant(LONG id, LONG type, LONG flags, json_t *answer,
                               const struct buf *bytes, VARIANT *ret)
{
    VariantInit(ret);
    if (type == 1) {
        V_VT(ret) = VT_I4;
        V_I4(ret) = (LONG)json_integer_value(json_object_get(answer, "number"));
        return S_OK;
    }
    V_VT(ret) = VT_BSTR;
    if (type != 4)
        return bytes_to_bstr(bytes, flags, id, &V_BSTR(ret));
    wchar_t *w = lab_wide(buf_str(bytes));
    V_BSTR(ret) = SysAllocString(w);
    free(w);
    return V_BSTR(ret) ? S_OK : E_OUTOFMEMORY;
}

static HRESULT WINAPI admin_GetCAProperty(ICertAdmin2 *iface, const BSTR config, LONG id,
                                          LONG index, LONG type, LONG flags, VARIANT *ret)
{
    (void)iface;
    struct buf bytes = BUF_INIT;
    json_t *answer = NULL;
    json_t *r = json_pack("{s:s,s:i,s:i,s:i}", "op", "prop", "id", (int)id, "index", (int)index,
                          "type", (int)type);
    HRESULT hr = ret ? call(config, r, &answer, &bytes) : E_POINTER;
    if (SUCCEEDED(hr))
        hr = prop_to_variant(id, type, flags, answer, &bytes, ret);
    json_decref(answer);
    buf_free(&bytes);
    return hr;
}

static HRESULT WINAPI admin_GetCRL(ICertAdmin2 *iface, const BSTR config, LONG flags, BSTR *ret)
{
    (void)iface;
    struct buf bytes = BUF_INIT;
    json_t *r = json_pack("{s:s,s:i,s:i,s:i}", "op", "prop", "id", 0x11, "index", -1, "type", 3);
    HRESULT hr = call(config, r, NULL, &bytes);
    if (hr == (HRESULT)0x80094004)
        hr = HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND);
    if (SUCCEEDED(hr))
        hr = bytes_to_bstr(&bytes, flags, 0, ret);
    buf_free(&bytes);
    return hr;
}

static HRESULT WINAPI admin_RevokeCertificate(ICertAdmin2 *iface, const BSTR config,
                                              const BSTR serial, LONG reason, DATE date)
{
    (void)iface;
    char *text = lab_utf8(serial ? serial : L"");
    json_t *r = json_pack("{s:s,s:s,s:i,s:I}", "op", "revoke", "serial", text, "reason",
                          (int)reason, "at", (json_int_t)date_to_unix(date));
    free(text);
    return call(config, r, NULL, NULL);
}

static HRESULT WINAPI admin_GetMyRoles(ICertAdmin2 *iface, const BSTR config, LONG *ret)
{
    (void)iface;
    json_t *answer = NULL;
    HRESULT hr = call(config, json_pack("{s:s}", "op", "roles"), &answer, NULL);
    if (SUCCEEDED(hr))
        *ret = (LONG)json_integer_value(json_object_get(answer, "number"));
    json_decref(answer);
    return hr;
}

static HRESULT entry_multi(const char *key, const char *name, VARIANT *ret)
{
    char **list = reg_multi(key, name);
    ULONG n = 0;
    if (list == NULL)
        return HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND);
    while (list[n])
        n++;
    V_VT(ret) = VT_ARRAY | VT_BSTR;
    V_ARRAY(ret) = SafeArrayCreateVector(VT_BSTR, 0, n);
    for (LONG i = 0; i < (LONG)n; i++) {
        wchar_t *w = lab_wide(list[i]);
        BSTR s = SysAllocString(w);
        SafeArrayPutElement(V_ARRAY(ret), &i, s);
        SysFreeString(s);
        free(w);
    }
    reg_multi_free(list);
    return S_OK;
}

static HRESULT entry_binary(const char *key, const char *name, VARIANT *ret)
{
    int64_t when = reg_filetime(key, name); /* the binary values that are read are FILETIMEs */
    uint64_t ticks = (uint64_t)(when + 11644473600LL) * 10000000u;
    void *data = NULL;
    if (when == WHEN_NONE)
        return entry_multi(key, name, ret);
    V_VT(ret) = VT_ARRAY | VT_UI1;
    V_ARRAY(ret) = SafeArrayCreateVector(VT_UI1, 0, sizeof ticks);
    SafeArrayAccessData(V_ARRAY(ret), &data);
    memcpy(data, &ticks, sizeof ticks);
    SafeArrayUnaccessData(V_ARRAY(ret));
    return S_OK;
}

static HRESULT WINAPI admin_GetConfigEntry(ICertAdmin2 *iface, const BSTR config, const BSTR node,
                                           const BSTR entry, VARIANT *ret)
{
    (void)iface;
    HRESULT hr = call(config, json_pack("{s:s}", "op", "ping"), NULL, NULL);
    if (FAILED(hr))
        return hr;
    struct buf key = BUF_INIT;
    char *active = reg_text(LAB_CONFIG_KEY, "Active"), *path = lab_utf8(node ? node : L""),
         *name = lab_utf8(entry);
    buf_printf(&key, LAB_CONFIG_KEY "\\%s%s%s", active ? active : "", *path ? "\\" : "", path);
    char *text = reg_text(buf_str(&key), name);
    VariantInit(ret);
    if (text != NULL) {
        wchar_t *w = lab_wide(text);
        V_VT(ret) = VT_BSTR;
        V_BSTR(ret) = SysAllocString(w);
        free(w);
    } else if (reg_dword(buf_str(&key), name, 1) == reg_dword(buf_str(&key), name, 0)) {
        V_VT(ret) = VT_I4;
        V_I4(ret) = (LONG)reg_dword(buf_str(&key), name, 0);
    } else {
        hr = entry_binary(buf_str(&key), name, ret);
    }
    free(active), free(path), free(name), free(text);
    buf_free(&key);
    return hr;
}

/* ---- what the product has no use for ---- */
static HRESULT WINAPI admin_IsValidCertificate(ICertAdmin2 *i, const BSTR c, const BSTR s, LONG *r)
{
    (void)i, (void)c, (void)s, (void)r;
    return E_NOTIMPL;
}
static HRESULT WINAPI admin_GetRevocationReason(ICertAdmin2 *i, LONG *r)
{
    (void)i, (void)r;
    return E_NOTIMPL;
}
static HRESULT WINAPI admin_SetRequestAttributes(ICertAdmin2 *i, const BSTR c, LONG id,
                                                 const BSTR a)
{
    (void)i, (void)c, (void)id, (void)a;
    return E_NOTIMPL;
}
static HRESULT WINAPI admin_SetCertificateExtension(ICertAdmin2 *i, const BSTR c, LONG id,
                                                    const BSTR n, LONG t, LONG f, const VARIANT *v)
{
    (void)i, (void)c, (void)id, (void)n, (void)t, (void)f, (void)v;
    return E_NOTIMPL;
}
static HRESULT WINAPI admin_DenyRequest(ICertAdmin2 *i, const BSTR c, LONG id)
{
    (void)i, (void)c, (void)id;
    return E_NOTIMPL;
}
static HRESULT WINAPI admin_ResubmitRequest(ICertAdmin2 *i, const BSTR c, LONG id, LONG *r)
{
    (void)i, (void)c, (void)id, (void)r;
    return E_NOTIMPL;
}
static HRESULT WINAPI admin_ImportCertificate(ICertAdmin2 *i, const BSTR c, const BSTR d, LONG f,
                                              LONG *r)
{
    (void)i, (void)c, (void)d, (void)f, (void)r;
    return E_NOTIMPL;
}
static HRESULT WINAPI admin_SetCAProperty(ICertAdmin2 *i, const BSTR c, LONG id, LONG x, LONG t,
                                          VARIANT *v)
{
    (void)i, (void)c, (void)id, (void)x, (void)t, (void)v;
    return E_NOTIMPL;
}
static HRESULT WINAPI admin_GetCAPropertyFlags(ICertAdmin2 *i, const BSTR c, LONG id, LONG *r)
{
    (void)i, (void)c, (void)id, (void)r;
    return E_NOTIMPL;
}
static HRESULT WINAPI admin_GetCAPropertyDisplayName(ICertAdmin2 *i, const BSTR c, LONG id, BSTR *r)
{
    (void)i, (void)c, (void)id, (void)r;
    return E_NOTIMPL;
}
static HRESULT WINAPI admin_GetArchivedKey(ICertAdmin2 *i, const BSTR c, LONG id, LONG f, BSTR *r)
{
    (void)i, (void)c, (void)id, (void)f, (void)r;
    return E_NOTIMPL;
}
static HRESULT WINAPI admin_SetConfigEntry(ICertAdmin2 *i, const BSTR c, const BSTR n, const BSTR e,
                                           VARIANT *v)
{
    (void)i, (void)c, (void)n, (void)e, (void)v;
    return E_NOTIMPL;
}
static HRESULT WINAPI admin_ImportKey(ICertAdmin2 *i, const BSTR c, LONG id, const BSTR h, LONG f,
                                      const BSTR k)
{
    (void)i, (void)c, (void)id, (void)h, (void)f, (void)k;
    return E_NOTIMPL;
}
static HRESULT WINAPI admin_DeleteRow(ICertAdmin2 *i, const BSTR c, LONG f, DATE d, LONG t, LONG id,
                                      LONG *r)
{
    (void)i, (void)c, (void)f, (void)d, (void)t, (void)id, (void)r;
    return E_NOTIMPL;
}

static ICertAdmin2Vtbl admin_vtbl = {
    admin_QueryInterface,
    admin_AddRef,
    admin_Release,
    admin_GetTypeInfoCount,
    admin_GetTypeInfo,
    admin_GetIDsOfNames,
    admin_Invoke,
    admin_IsValidCertificate,
    admin_GetRevocationReason,
    admin_RevokeCertificate,
    admin_SetRequestAttributes,
    admin_SetCertificateExtension,
    admin_DenyRequest,
    admin_ResubmitRequest,
    admin_PublishCRL,
    admin_GetCRL,
    admin_ImportCertificate,
    admin_PublishCRLs,
    admin_GetCAProperty,
    admin_SetCAProperty,
    admin_GetCAPropertyFlags,
    admin_GetCAPropertyDisplayName,
    admin_GetArchivedKey,
    admin_GetConfigEntry,
    admin_SetConfigEntry,
    admin_ImportKey,
    admin_GetMyRoles,
    admin_DeleteRow,
};

static HRESULT WINAPI factory_QueryInterface(IClassFactory *iface, REFIID iid, void **ret)
{
    *ret = IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_IClassFactory) ? iface : NULL;
    return *ret ? S_OK : E_NOINTERFACE;
}

static ULONG WINAPI factory_AddRef(IClassFactory *iface)
{
    (void)iface;
    return 2; /* static */
}

static HRESULT WINAPI factory_CreateInstance(IClassFactory *iface, IUnknown *outer, REFIID iid,
                                             void **ret)
{
    (void)iface;
    *ret = NULL;
    if (outer != NULL)
        return CLASS_E_NOAGGREGATION;
    struct admin *a = calloc(1, sizeof *a);
    if (a == NULL)
        return E_OUTOFMEMORY;
    a->iface.lpVtbl = &admin_vtbl;
    a->refs = 1;
    InterlockedIncrement(&objects);
    HRESULT hr = admin_QueryInterface(&a->iface, iid, ret);
    admin_Release(&a->iface);
    return hr;
}

static HRESULT WINAPI factory_LockServer(IClassFactory *iface, BOOL lock)
{
    (void)iface;
    lock ? InterlockedIncrement(&objects) : InterlockedDecrement(&objects);
    return S_OK;
}

static IClassFactoryVtbl factory_vtbl = {factory_QueryInterface, factory_AddRef, factory_AddRef,
                                         factory_CreateInstance, factory_LockServer};
static IClassFactory factory = {&factory_vtbl};

static HRESULT WINAPI view_CreateInstance(IClassFactory *iface, IUnknown *outer, REFIID iid,
                                          void **ret)
{
    (void)iface;
    *ret = NULL;
    return outer ? CLASS_E_NOAGGREGATION : certview_create(iid, ret);
}

static IClassFactoryVtbl view_factory_vtbl = {factory_QueryInterface, factory_AddRef,
                                              factory_AddRef, view_CreateInstance,
                                              factory_LockServer};
static IClassFactory view_factory = {&view_factory_vtbl};

HRESULT WINAPI DllGetClassObject(REFCLSID clsid, REFIID iid, LPVOID *ret)
{
    if (IsEqualGUID(clsid, &clsid_cert_admin))
        return factory_QueryInterface(&factory, iid, ret);
    if (IsEqualGUID(clsid, &clsid_cert_view))
        return factory_QueryInterface(&view_factory, iid, ret);
    *ret = NULL;
    return CLASS_E_CLASSNOTAVAILABLE;
}

HRESULT WINAPI DllCanUnloadNow(void)
{
    return objects == 0 ? S_OK : S_FALSE;
}
