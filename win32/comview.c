/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* One column, restricted and ordered by the server: rows come one by one, newest first, and are
 * left when there are enough. Only an indexed column may carry the order
 * (ICertView::SetRestriction): RequestID is one. Needs the right to read on the CA; no private key
 * is touched. */
#include "win32/comview.h"

#include <windows.h>
#include <oleauto.h>
#include <certview.h>

#include "base/limits.h"
#include "win32/comadmin.h"
#include "win32/werr.h"

/* mingw-w64 declares these without defining them. Source: certview.h; pkix.net CertAdminLib. */
static const CLSID clsid_cert_view = {
    0xA12D0F7A, 0x1E84, 0x11D1, {0x9B, 0xD6, 0x00, 0xC0, 0x4F, 0xB6, 0x83, 0xFA}};
static const IID iid_cert_view = {
    0xC3FAC344, 0x1E84, 0x11D1, {0x9B, 0xD6, 0x00, 0xC0, 0x4F, 0xB6, 0x83, 0xFA}};

#define DISPOSITION_ISSUED 20 /* DB_DISP_ISSUED of certsrv.h */

struct view {
    ICertView *view;
    IEnumCERTVIEWROW *rows;
};

static void view_close(struct view *v)
{
    if (v->rows)
        IEnumCERTVIEWROW_Release(v->rows);
    if (v->view)
        ICertView_Release(v->view);
}

static int failed(HRESULT hr, const char *doing, struct err *err)
{
    return err_set_hresult(err, hr, "reading the CA's database (ICertView): %s", doing);
}

static HRESULT column(struct view *v, const wchar_t *name, LONG *ret)
{
    BSTR text = SysAllocString(name);
    HRESULT hr =
        text ? ICertView_GetColumnIndex(v->view, CVRC_COLUMN_SCHEMA, text, ret) : E_OUTOFMEMORY;
    SysFreeString(text);
    return hr;
}

static int restrict_to(struct view *v, const wchar_t *name, LONG seek, LONG sort,
                       const VARIANT *value, struct err *err)
{
    LONG index = 0;
    HRESULT hr = column(v, name, &index);
    if (SUCCEEDED(hr))
        hr = ICertView_SetRestriction(v->view, index, seek, sort, value);
    return FAILED(hr) ? failed(hr, "setting a restriction", err) : ERR_OK;
}

static int restrict_number(struct view *v, const wchar_t *name, LONG seek, LONG sort, LONG value,
                           struct err *err)
{
    VARIANT var;
    VariantInit(&var);
    V_VT(&var) = VT_I4;
    V_I4(&var) = value;
    return restrict_to(v, name, seek, sort, &var, err);
}

/* Dates of the database are UTC. */
static int restrict_date(struct view *v, const wchar_t *name, LONG seek, int64_t when,
                         struct err *err)
{
    VARIANT var;
    VariantInit(&var);
    V_VT(&var) = VT_DATE;
    V_DATE(&var) = com_date(when);
    return restrict_to(v, name, seek, CVR_SORT_NONE, &var, err);
}

static int open_connection(struct view *v, const wchar_t *config_string, struct err *err)
{
    HRESULT hr = CoCreateInstance(&clsid_cert_view, NULL, CLSCTX_INPROC_SERVER, &iid_cert_view,
                                  (void **)&v->view);
    if (FAILED(hr))
        return err_set_hresult(err, hr, "making the object for the CA's database (ICertView)");
    BSTR config = SysAllocString(config_string);
    hr = config ? ICertView_OpenConnection(v->view, config) : E_OUTOFMEMORY;
    SysFreeString(config);
    return FAILED(hr) ? failed(hr, "connecting", err) : ERR_OK;
}

static int open_rows(struct view *v, const struct ca_issued_query *q, struct err *err)
{
    LONG raw = 0;
    HRESULT hr = column(v, L"RawCertificate", &raw);
    if (SUCCEEDED(hr))
        hr = ICertView_SetResultColumnCount(v->view, 1);
    if (SUCCEEDED(hr))
        hr = ICertView_SetResultColumn(v->view, raw);
    if (FAILED(hr))
        return failed(hr, "choosing the column RawCertificate", err);
    int rc = restrict_number(v, L"RequestID", CVR_SEEK_GT, CVR_SORT_DESCEND, 0, err);
    if (!rc)
        rc =
            restrict_number(v, L"Disposition", CVR_SEEK_EQ, CVR_SORT_NONE, DISPOSITION_ISSUED, err);
    if (!rc)
        rc = restrict_date(v, L"NotAfter", CVR_SEEK_GT, q->now, err);
    if (!rc && q->since)
        rc = restrict_date(v, L"NotBefore", CVR_SEEK_GE, q->since, err);
    if (rc)
        return rc;
    hr = ICertView_OpenView(v->view, &v->rows);
    return FAILED(hr) ? failed(hr, "opening the view", err) : ERR_OK;
}

/* Raw bytes come in a BSTR that is counted in bytes. A row without a certificate is left out. */
static int add_row(struct view *v, struct buf *ret, struct err *err)
{
    IEnumCERTVIEWCOLUMN *columns = NULL;
    LONG index = 0;
    VARIANT value;
    VariantInit(&value);
    HRESULT hr = IEnumCERTVIEWROW_EnumCertViewColumn(v->rows, &columns);
    if (SUCCEEDED(hr))
        hr = IEnumCERTVIEWCOLUMN_Next(columns, &index);
    if (SUCCEEDED(hr))
        hr = IEnumCERTVIEWCOLUMN_GetValue(columns, CV_OUT_BINARY, &value);
    int rc = FAILED(hr) ? failed(hr, "reading a certificate", err) : ERR_OK;
    if (!rc && V_VT(&value) == VT_BSTR && V_BSTR(&value) &&
        SysStringByteLen(V_BSTR(&value)) <= LIMIT_CERT_BYTES &&
        buf_add(ret, V_BSTR(&value), SysStringByteLen(V_BSTR(&value))))
        rc = buf_check(ret, "issued certificates", err);
    VariantClear(&value);
    if (columns)
        IEnumCERTVIEWCOLUMN_Release(columns);
    return rc;
}

int com_view_issued(const wchar_t *config_string, const struct ca_issued_query *query,
                    struct buf *ret, struct err *err)
{
    SCOPED(view_close) struct view v = {0};
    int rc = open_connection(&v, config_string, err);
    if (!rc)
        rc = open_rows(&v, query, err);
    for (uint32_t n = 0; !rc && n < query->max && ret->len < LIMIT_ISSUED_BYTES; n++) {
        LONG index = -1;
        HRESULT hr = IEnumCERTVIEWROW_Next(v.rows, &index);
        if (FAILED(hr))
            rc = failed(hr, "the next row", err);
        else if (hr == S_FALSE || index < 0)
            break;
        else
            rc = add_row(&v, ret, err);
    }
    return rc;
}
