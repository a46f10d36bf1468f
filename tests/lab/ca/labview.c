/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The lab's CCertView: ICertView and its two enumerators, in the vtable order of certview.h, over
 * the rows that CertSvc hands out. It holds to the rules that the real one documents: a connection
 * first, an order only on an indexed column, one result column before OpenView. */
#include "labview.h"

#include <oleauto.h>
#include <certview.h>

#include <stdlib.h>
#include <string.h>

#include "labwin.h"
#include "rpc.h"

static const GUID iid_cert_view = {
    0xC3FAC344, 0x1E84, 0x11D1, {0x9B, 0xD6, 0x00, 0xC0, 0x4F, 0xB6, 0x83, 0xFA}};

enum { COL_REQUEST_ID, COL_DISPOSITION, COL_NOT_BEFORE, COL_NOT_AFTER, COL_RAW, COLUMNS };
enum { RESTRICTIONS_MAX = 8 };

static const struct {
    const wchar_t *name;
    const char *field; /* in the answer of CertSvc */
    bool indexed, date;
} columns[COLUMNS] = {
    [COL_REQUEST_ID] = {L"RequestID", "id", true, false},
    [COL_DISPOSITION] = {L"Disposition", "disposition", true, false},
    [COL_NOT_BEFORE] = {L"NotBefore", "not_before", false, true},
    [COL_NOT_AFTER] = {L"NotAfter", "not_after", true, true},
    [COL_RAW] = {L"RawCertificate", NULL, false, false},
};

struct restriction {
    LONG column, seek;
    int64_t value;
};

struct rows {
    json_t *list; /* of objects with the fields above, "at" and "len" in bytes */
    struct buf bytes;
};

struct view {
    ICertView iface;
    LONG refs;
    bool connected, descend;
    LONG wanted, n_results, result;
    struct restriction r[RESTRICTIONS_MAX];
    size_t n_r;
};

struct row_enum {
    IEnumCERTVIEWROW iface;
    LONG refs;
    struct rows rows;
    size_t at; /* index + 1 of the current row */
};

struct col_enum {
    IEnumCERTVIEWCOLUMN iface;
    LONG refs;
    struct row_enum *row;
    bool begun;
};

/* ---- what all three share ---- */

static HRESULT WINAPI no_count(void *iface, UINT *ret)
{
    (void)iface;
    *ret = 0;
    return S_OK;
}
static HRESULT WINAPI no_info(void *iface, UINT i, LCID lcid, ITypeInfo **ret)
{
    (void)iface, (void)i, (void)lcid, (void)ret;
    return E_NOTIMPL;
}
static HRESULT WINAPI no_ids(void *iface, REFIID iid, LPOLESTR *names, UINT n, LCID lcid,
                             DISPID *ids)
{
    (void)iface, (void)iid, (void)names, (void)n, (void)lcid, (void)ids;
    return E_NOTIMPL;
}
static HRESULT WINAPI no_invoke(void *iface, DISPID id, REFIID iid, LCID lcid, WORD flags,
                                DISPPARAMS *params, VARIANT *result, EXCEPINFO *info, UINT *arg)
{
    (void)iface, (void)id, (void)iid, (void)lcid, (void)flags, (void)params, (void)result,
        (void)info, (void)arg;
    return E_NOTIMPL;
}
static HRESULT WINAPI no_query(void *iface, REFIID iid, void **ret)
{
    (void)iid;
    *ret = iface; /* nobody asks the enumerators for more than they are */
    ((IUnknown *)iface)->lpVtbl->AddRef(iface);
    return S_OK;
}
/* The first four entries of a dispatch interface; each vtable has its own pointer types. */
#define DISPATCH_ENTRIES                                                                           \
    .GetTypeInfoCount = (void *)no_count, .GetTypeInfo = (void *)no_info,                          \
    .GetIDsOfNames = (void *)no_ids, .Invoke = (void *)no_invoke

/* ---- columns of one row: the one that was asked for ---- */

static ULONG WINAPI col_AddRef(IEnumCERTVIEWCOLUMN *iface)
{
    return (ULONG)InterlockedIncrement(&((struct col_enum *)iface)->refs);
}
static ULONG WINAPI col_Release(IEnumCERTVIEWCOLUMN *iface)
{
    struct col_enum *c = (struct col_enum *)iface;
    LONG refs = InterlockedDecrement(&c->refs);
    if (refs == 0) {
        IEnumCERTVIEWROW_Release(&c->row->iface);
        free(c);
    }
    return (ULONG)refs;
}
static HRESULT WINAPI col_Next(IEnumCERTVIEWCOLUMN *iface, LONG *ret)
{
    struct col_enum *c = (struct col_enum *)iface;
    *ret = c->begun ? -1 : 0;
    if (c->begun)
        return S_FALSE;
    c->begun = true;
    return S_OK;
}
static HRESULT WINAPI col_GetValue(IEnumCERTVIEWCOLUMN *iface, LONG flags, VARIANT *ret)
{
    struct col_enum *c = (struct col_enum *)iface;
    const json_t *row = json_array_get(c->row->rows.list, c->row->at - 1);
    json_int_t at = json_integer_value(json_object_get(row, "at"));
    json_int_t len = json_integer_value(json_object_get(row, "len"));
    if (!c->begun || row == NULL)
        return E_UNEXPECTED;
    if (flags != CV_OUT_BINARY)
        return E_NOTIMPL;
    VariantInit(ret);
    V_VT(ret) = VT_BSTR;
    V_BSTR(ret) = SysAllocStringByteLen(c->row->rows.bytes.data + at, (UINT)len);
    return V_BSTR(ret) ? S_OK : E_OUTOFMEMORY;
}

static IEnumCERTVIEWCOLUMNVtbl col_vtbl = {
    .QueryInterface = (void *)no_query,
    .AddRef = col_AddRef,
    .Release = col_Release,
    DISPATCH_ENTRIES,
    .Next = col_Next,
    .GetValue = col_GetValue,
};

/* ---- rows ---- */

static ULONG WINAPI row_AddRef(IEnumCERTVIEWROW *iface)
{
    return (ULONG)InterlockedIncrement(&((struct row_enum *)iface)->refs);
}
static ULONG WINAPI row_Release(IEnumCERTVIEWROW *iface)
{
    struct row_enum *e = (struct row_enum *)iface;
    LONG refs = InterlockedDecrement(&e->refs);
    if (refs == 0) {
        json_decref(e->rows.list);
        buf_free(&e->rows.bytes);
        free(e);
    }
    return (ULONG)refs;
}
static HRESULT WINAPI row_Next(IEnumCERTVIEWROW *iface, LONG *ret)
{
    struct row_enum *e = (struct row_enum *)iface;
    if (e->at >= json_array_size(e->rows.list)) {
        *ret = -1;
        return S_FALSE;
    }
    *ret = (LONG)e->at++;
    return S_OK;
}
static HRESULT WINAPI row_EnumCertViewColumn(IEnumCERTVIEWROW *iface, IEnumCERTVIEWCOLUMN **ret)
{
    struct row_enum *e = (struct row_enum *)iface;
    struct col_enum *c = e->at ? calloc(1, sizeof *c) : NULL;
    if (c == NULL)
        return e->at ? E_OUTOFMEMORY : E_UNEXPECTED;
    c->iface.lpVtbl = &col_vtbl;
    c->refs = 1;
    c->row = e;
    IEnumCERTVIEWROW_AddRef(iface);
    *ret = &c->iface;
    return S_OK;
}

static IEnumCERTVIEWROWVtbl row_vtbl = {
    .QueryInterface = (void *)no_query,
    .AddRef = row_AddRef,
    .Release = row_Release,
    DISPATCH_ENTRIES,
    .Next = row_Next,
    .EnumCertViewColumn = row_EnumCertViewColumn,
};

/* ---- the view ---- */

static HRESULT WINAPI view_QueryInterface(ICertView *iface, REFIID iid, void **ret)
{
    bool known = IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_IDispatch) ||
                 IsEqualGUID(iid, &iid_cert_view);
    *ret = known ? iface : NULL;
    if (known)
        ICertView_AddRef(iface);
    return known ? S_OK : E_NOINTERFACE;
}
static ULONG WINAPI view_AddRef(ICertView *iface)
{
    return (ULONG)InterlockedIncrement(&((struct view *)iface)->refs);
}
static ULONG WINAPI view_Release(ICertView *iface)
{
    LONG refs = InterlockedDecrement(&((struct view *)iface)->refs);
    if (refs == 0)
        free(iface);
    return (ULONG)refs;
}
static HRESULT WINAPI view_OpenConnection(ICertView *iface, const BSTR config)
{
    struct view *v = (struct view *)iface;
    HRESULT hr = certadm_check_config(config);
    while (lab_number("com_hang", 0))
        Sleep(200);
    if (SUCCEEDED(hr))
        hr = rpc_call(json_pack("{s:s}", "op", "ping"), NULL, NULL);
    v->connected = SUCCEEDED(hr);
    return hr;
}
static HRESULT WINAPI view_GetColumnIndex(ICertView *iface, LONG result, const BSTR name, LONG *ret)
{
    if (!((struct view *)iface)->connected)
        return E_UNEXPECTED;
    for (LONG i = 0; result == CVRC_COLUMN_SCHEMA && i < COLUMNS; i++) {
        if (_wcsicmp(columns[i].name, name) == 0) {
            *ret = i;
            return S_OK;
        }
    }
    return E_INVALIDARG;
}
static HRESULT WINAPI view_SetResultColumnCount(ICertView *iface, LONG n)
{
    ((struct view *)iface)->wanted = n;
    return n > 0 ? S_OK : E_INVALIDARG;
}
static HRESULT WINAPI view_SetResultColumn(ICertView *iface, LONG column)
{
    struct view *v = (struct view *)iface;
    if (v->n_results >= v->wanted || column != COL_RAW)
        return E_INVALIDARG;
    v->result = column;
    v->n_results++;
    return S_OK;
}
static HRESULT WINAPI view_SetRestriction(ICertView *iface, LONG column, LONG seek, LONG sort,
                                          const VARIANT *value)
{
    struct view *v = (struct view *)iface;
    if (column < 0 || column >= COL_RAW || v->n_r == RESTRICTIONS_MAX ||
        V_VT(value) != (columns[column].date ? VT_DATE : VT_I4) ||
        (sort != CVR_SORT_NONE && !columns[column].indexed))
        return E_INVALIDARG;
    v->descend = v->descend || (column == COL_REQUEST_ID && sort == CVR_SORT_DESCEND);
    v->r[v->n_r++] = (struct restriction){
        column, seek,
        columns[column].date ? (int64_t)((V_DATE(value) - 25569.0) * 86400.0 + 0.5) : V_I4(value)};
    return S_OK;
}

static bool holds(const struct restriction *r, const json_t *row)
{
    int64_t is = json_integer_value(json_object_get(row, columns[r->column].field));
    switch (r->seek) {
    case CVR_SEEK_EQ:
        return is == r->value;
    case CVR_SEEK_LT:
        return is < r->value;
    case CVR_SEEK_LE:
        return is <= r->value;
    case CVR_SEEK_GE:
        return is >= r->value;
    case CVR_SEEK_GT:
        return is > r->value;
    default:
        return false;
    }
}

/* CertSvc hands the rows out by rising RequestID. */
static json_t *choose(const struct view *v, json_t *all)
{
    json_t *list = json_array();
    size_t n = json_array_size(all);
    for (size_t k = 0; k < n; k++) {
        json_t *row = json_array_get(all, v->descend ? n - 1 - k : k);
        bool in = true;
        for (size_t i = 0; i < v->n_r; i++)
            in = in && holds(&v->r[i], row);
        if (in)
            json_array_append(list, row);
    }
    return list;
}

static HRESULT WINAPI view_OpenView(ICertView *iface, IEnumCERTVIEWROW **ret)
{
    struct view *v = (struct view *)iface;
    struct row_enum *e = calloc(1, sizeof *e);
    json_t *answer = NULL;
    if (e == NULL)
        return E_OUTOFMEMORY;
    e->iface.lpVtbl = &row_vtbl;
    e->refs = 1;
    HRESULT hr = !v->connected || v->n_results != v->wanted || !v->wanted ? E_UNEXPECTED : S_OK;
    if (SUCCEEDED(hr))
        hr = rpc_call(json_pack("{s:s}", "op", "issued"), &answer, &e->rows.bytes);
    if (SUCCEEDED(hr))
        e->rows.list = choose(v, json_object_get(answer, "rows"));
    json_decref(answer);
    if (FAILED(hr))
        IEnumCERTVIEWROW_Release(&e->iface);
    else
        *ret = &e->iface;
    return hr;
}

static ICertViewVtbl view_vtbl = {
    .QueryInterface = view_QueryInterface,
    .AddRef = view_AddRef,
    .Release = view_Release,
    DISPATCH_ENTRIES,
    .OpenConnection = view_OpenConnection,
    .GetColumnIndex = view_GetColumnIndex,
    .SetResultColumnCount = view_SetResultColumnCount,
    .SetResultColumn = view_SetResultColumn,
    .SetRestriction = view_SetRestriction,
    .OpenView = view_OpenView,
};

HRESULT certview_create(REFIID iid, void **ret)
{
    struct view *v = calloc(1, sizeof *v);
    *ret = NULL;
    if (v == NULL)
        return E_OUTOFMEMORY;
    v->iface.lpVtbl = &view_vtbl;
    v->refs = 1;
    HRESULT hr = view_QueryInterface(&v->iface, iid, ret);
    view_Release(&v->iface);
    return hr;
}
