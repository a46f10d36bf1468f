/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The directory through wldap32. A bind with Negotiate and a TLS handshake have no time-out of
 * their own: who must go on sends the whole fetch as an errand (cdp/ldap.h).
 * Signing and sealing are asked for: a foreign server gets nothing that it could use elsewhere. */
#include "cdp/ldap.h"

#include <winsock2.h>
#include <windows.h>
#include <dsgetdc.h>
#include <windns.h>
#include <lm.h>
#include <winldap.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/when.h"
#include "win32/utf.h"

struct value {
    void *data;
    size_t len;
};

struct fetch {
    wchar_t *server, *dn, *attribute, *filter; /* server NULL = hostless */
    uint16_t port;
    bool tls;
    int scope;
    int64_t deadline; /* mono ms */
    uint64_t max_bytes;
    char shown_dn[300];
    char *full_dn;
    struct ldap_answer answer;
    struct value *values;
    size_t n_values;
};

static ULONG left_seconds(const struct fetch *f)
{
    int64_t left = f->deadline - clock_mono_ms(clock_system());
    return left < 1000 ? 1 : (ULONG)((left + 999) / 1000);
}

/* Result codes become states in this one place; the number stays in os_code. */
static bool ldap_failed(struct fetch *f, ULONG code, const char *doing)
{
    static const struct {
        ULONG code;
        enum probe_status status;
    } table[] = {
        {LDAP_SERVER_DOWN, PROBE_CONNECT},
        {LDAP_UNAVAILABLE, PROBE_CONNECT},
        {LDAP_CONNECT_ERROR, PROBE_TLS},
        {LDAP_TIMEOUT, PROBE_TIMEOUT},
        {LDAP_TIMELIMIT_EXCEEDED, PROBE_TIMEOUT},
        {LDAP_NO_SUCH_OBJECT, PROBE_NOT_FOUND},
        {LDAP_NO_SUCH_ATTRIBUTE, PROBE_NO_ATTRIBUTE},
        {LDAP_REFERRAL, PROBE_REDIRECT},
        {LDAP_REFERRAL_V2, PROBE_REDIRECT},
        {LDAP_INSUFFICIENT_RIGHTS, PROBE_DENIED},
        {LDAP_INAPPROPRIATE_AUTH, PROBE_DENIED},
        {LDAP_INVALID_CREDENTIALS, PROBE_DENIED},
        {LDAP_STRONG_AUTH_REQUIRED, PROBE_DENIED},
        {LDAP_OPERATIONS_ERROR, PROBE_DENIED}, /* AD: "a successful bind must be completed" */
        {LDAP_SIZELIMIT_EXCEEDED, PROBE_TOO_LARGE},
    };
    SCOPED(scope_free) char *text = NULL;
    f->answer.status = PROBE_INTERNAL;
    f->answer.os_code = (long)code;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].code == code)
            f->answer.status = table[i].status;
    }
    const wchar_t *wide = ldap_err2stringW(code);
    if (!wide || utf_from_wide(wide, &text, NULL))
        text = str_dup("");
    snprintf(f->answer.detail, sizeof f->answer.detail, "%s, entry '%s': %.200s (LDAP %lu)", doing,
             f->shown_dn, text ? text : "", (unsigned long)code);
    return false;
}

static bool said(struct fetch *f, enum probe_status status, const char *text)
{
    f->answer.status = status;
    snprintf(f->answer.detail, sizeof f->answer.detail, "entry '%s': %s", f->shown_dn, text);
    return false;
}

/* "CN=...,DC=corp,DC=example" lies in the domain corp.example. */
static void domain_of(const char *dn, char *dst, size_t dst_size)
{
    size_t used = 0;
    dst[0] = '\0';
    for (const char *at = dn; at && *at; at = strchr(at, ',')) {
        at += *at == ',';
        if (!str_starts_nocase(at, "DC="))
            continue;
        size_t n = strcspn(at + 3, ",");
        if (used + n + 2 > dst_size)
            return;
        used += (size_t)snprintf(dst + used, dst_size - used, "%s%.*s", used ? "." : "", (int)n,
                                 at + 3);
    }
}

/* The DNS record that domain controllers register; what DsGetDcName looks at too. */
static wchar_t *server_from_dns(const char *domain)
{
    char query[300];
    DNS_RECORDW *records = NULL;
    wchar_t *found = NULL;
    SCOPED(scope_free) wchar_t *wide = NULL;
    if (!*domain)
        return NULL;
    snprintf(query, sizeof query, "_ldap._tcp.dc._msdcs.%s", domain);
    if (utf_to_wide(query, &wide, NULL) ||
        DnsQuery_W(wide, DNS_TYPE_SRV, DNS_QUERY_STANDARD, NULL, (PDNS_RECORD *)&records, NULL))
        return NULL;
    for (DNS_RECORDW *r = records; r && !found; r = r->pNext) {
        if (r->wType == DNS_TYPE_SRV && r->Data.SRV.pNameTarget)
            found = _wcsdup(r->Data.SRV.pNameTarget);
    }
    DnsRecordListFree((PDNS_RECORD)records, DnsFreeRecordList);
    return found;
}

/* A DC of our own domain for a hostless URL, as clients find it; on a machine that is in no domain,
 * one of the domain that the entry's name ends with. */
static bool find_server(struct fetch *f)
{
    DOMAIN_CONTROLLER_INFOW *dc = NULL;
    SCOPED(scope_free) char *name = NULL;
    char domain[200];
    if (!f->server) {
        DWORD e = DsGetDcNameW(NULL, NULL, NULL, NULL,
                               DS_DIRECTORY_SERVICE_REQUIRED | DS_RETURN_DNS_NAME, &dc);
        if (e == ERROR_SUCCESS) {
            const wchar_t *found = dc->DomainControllerName;
            f->server = _wcsdup(found + (wcsncmp(found, L"\\\\", 2) == 0 ? 2 : 0));
            NetApiBufferFree(dc);
        } else {
            domain_of(f->full_dn, domain, sizeof domain);
            f->server = server_from_dns(domain);
            f->answer.os_code = (long)e;
        }
        if (!f->server)
            return said(f, PROBE_DNS,
                        "no domain controller was found for a URL without a host (DsGetDcName, "
                        "DNS); is this machine in a domain?");
    }
    f->answer.os_code = 0;
    if (!utf_from_wide(f->server, &name, NULL))
        str_copy(f->answer.address, sizeof f->answer.address, name);
    return true;
}

static void set_options(LDAP *ld, const struct fetch *f)
{
    ULONG version = LDAP_VERSION3, seconds = left_seconds(f);
    void *off = LDAP_OPT_OFF, *on = LDAP_OPT_ON;
    ldap_set_optionW(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
    ldap_set_optionW(ld, LDAP_OPT_REFERRALS, &off);
    ldap_set_optionW(ld, LDAP_OPT_TIMELIMIT, &seconds);
    /* The name is a host, not a domain whose other DCs would do as well. */
    ldap_set_optionW(ld, LDAP_OPT_AREC_EXCLUSIVE, &on);
}

/* Wine's wldap32 (seen with 8.0) reads through the NULL that stands for "our own account" and ends
 * the process; there would be no account of a domain anyhow. */
static bool has_own_account(void)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") == NULL;
}

static void protect(LDAP *ld, const struct fetch *f, void *on_or_off)
{
    if (f->tls)
        return;
    ldap_set_optionW(ld, LDAP_OPT_SIGN, &on_or_off);
    ldap_set_optionW(ld, LDAP_OPT_ENCRYPT, &on_or_off);
}

/* As the process's own account; where the server or the platform has no such method, without one.
 */
static ULONG sign_in(LDAP *ld, const struct fetch *f)
{
    if (has_own_account()) {
        protect(ld, f, LDAP_OPT_ON);
        ULONG e = ldap_bind_sW(ld, NULL, NULL, LDAP_AUTH_NEGOTIATE);
        if (e != LDAP_NOT_SUPPORTED && e != LDAP_AUTH_METHOD_NOT_SUPPORTED &&
            e != LDAP_AUTH_UNKNOWN)
            return e;
        protect(ld, f, LDAP_OPT_OFF);
    }
    return ldap_bind_sW(ld, NULL, NULL, LDAP_AUTH_SIMPLE);
}

static void unbind(LDAP **ld)
{
    if (*ld)
        ldap_unbind(*ld);
}

static void free_message(LDAPMessage **m)
{
    if (*m)
        ldap_msgfree(*m);
}

static bool take_values(struct fetch *f, struct berval **values)
{
    uint64_t total = 0;
    size_t n = values ? ldap_count_values_len(values) : 0;
    if (!n)
        return said(f, PROBE_NO_ATTRIBUTE, "the entry is there, the attribute is not");
    f->values = calloc(n, sizeof *f->values);
    if (!f->values)
        return said(f, PROBE_INTERNAL, "no memory");
    for (size_t i = 0; i < n; i++) {
        size_t len = values[i]->bv_len;
        total += len;
        if (total > f->max_bytes) {
            f->answer.os_code = 0;
            return said(f, PROBE_TOO_LARGE, "the values are larger than the limit");
        }
        f->values[i].data = malloc(len + 1);
        if (!f->values[i].data)
            return said(f, PROBE_INTERNAL, "no memory");
        memcpy(f->values[i].data, values[i]->bv_val, len);
        f->values[i].len = len;
        f->n_values = i + 1;
    }
    return true;
}

static bool search(struct fetch *f, LDAP *ld)
{
    SCOPED(free_message) LDAPMessage *found = NULL;
    wchar_t *attributes[] = {f->attribute, NULL};
    struct l_timeval limit = {(LONG)left_seconds(f), 0};
    ULONG e = ldap_search_ext_sW(ld, f->dn, (ULONG)f->scope, f->filter, attributes, 0, NULL, NULL,
                                 &limit, 1, &found);
    if (e)
        return ldap_failed(f, e, "searching");
    LDAPMessage *entry = ldap_first_entry(ld, found);
    if (!entry)
        return said(f, PROBE_NOT_FOUND, "the server has no such entry, or does not show it to us");
    struct berval **values = ldap_get_values_lenW(ld, entry, f->attribute);
    bool ok = take_values(f, values);
    if (values)
        ldap_value_free_len(values);
    return ok;
}

static void fetch_run(struct fetch *f)
{
    SCOPED(unbind) LDAP *ld = NULL;
    if (!find_server(f))
        return;
    ULONG port = f->port ? f->port : f->tls ? LDAP_SSL_PORT : LDAP_PORT;
    int64_t start = clock_mono_ms(clock_system());
    ld = f->tls ? ldap_sslinitW(f->server, port, 1) : ldap_initW(f->server, port);
    if (!ld) {
        said(f, PROBE_INTERNAL, "no memory for a connection");
        return;
    }
    set_options(ld, f);
    struct l_timeval limit = {(LONG)left_seconds(f), 0};
    ULONG e = ldap_connect(ld, &limit);
    if (!e)
        e = sign_in(ld, f);
    if (e) {
        ldap_failed(f, e, "connecting");
        return;
    }
    f->answer.connect_ms = clock_mono_ms(clock_system()) - start;
    if (search(f, ld))
        f->answer.status = PROBE_OK;
}

static void fetch_drop(struct fetch *f)
{
    for (size_t i = 0; i < f->n_values; i++)
        free(f->values[i].data);
    free(f->values);
    free(f->server);
    free(f->dn);
    free(f->full_dn);
    free(f->attribute);
    free(f->filter);
    free(f);
}

static struct fetch *fetch_make(const struct ldap_request *rq, struct err *err)
{
    struct fetch *f = calloc(1, sizeof *f);
    if (!f) {
        err_nomem(err);
        return NULL;
    }
    f->port = rq->port;
    f->tls = rq->tls;
    f->scope = rq->scope;
    f->deadline = clock_mono_ms(clock_system()) + rq->timeout_ms;
    f->max_bytes = rq->max_bytes;
    f->answer.connect_ms = -1;
    f->answer.status = PROBE_INTERNAL;
    str_copy(f->shown_dn, sizeof f->shown_dn, rq->dn);
    str_copy(f->answer.address, sizeof f->answer.address, rq->server);
    f->full_dn = str_dup(rq->dn);
    int rc = f->full_dn ? ERR_OK : err_nomem(err);
    if (!rc && rq->server[0])
        rc = utf_to_wide(rq->server, &f->server, err);
    if (!rc)
        rc = utf_to_wide(rq->dn, &f->dn, err);
    if (!rc)
        rc = utf_to_wide(rq->attribute, &f->attribute, err);
    if (!rc)
        rc = utf_to_wide(rq->filter && *rq->filter ? rq->filter : "(objectClass=*)", &f->filter,
                         err);
    if (rc) {
        fetch_drop(f);
        return NULL;
    }
    return f;
}

static void ldap_fetch(void *self, const struct ldap_request *request,
                       int (*on_value)(void *arg, const void *data, size_t len), void *arg,
                       struct ldap_answer *ret)
{
    struct err err = ERR_INIT;
    (void)self;
    memset(ret, 0, sizeof *ret);
    ret->status = PROBE_INTERNAL;
    ret->connect_ms = -1;
    str_copy(ret->address, sizeof ret->address, request->server);
    struct fetch *f = fetch_make(request, &err);
    if (!f) {
        str_copy(ret->detail, sizeof ret->detail, err.text);
        return;
    }
    fetch_run(f);
    *ret = f->answer;
    for (size_t i = 0; ret->status == PROBE_OK && i < f->n_values; i++) {
        ret->values++;
        if (on_value(arg, f->values[i].data, f->values[i].len))
            break;
    }
    fetch_drop(f);
}

/* Found at run time: not every netapi32 has them. */
typedef DWORD(WINAPI *ds_open_fn)(LPCWSTR, ULONG, LPCWSTR, GUID *, LPCWSTR, ULONG, HANDLE *);
typedef DWORD(WINAPI *ds_next_fn)(HANDLE, ULONG *, void *, LPWSTR *, ULONG *);
typedef void(WINAPI *ds_close_fn)(HANDLE);

static FARPROC netapi(const char *name)
{
    HMODULE dll = GetModuleHandleW(L"netapi32.dll");
    return dll ? GetProcAddress(dll, name) : NULL;
}

static void list_servers(HANDLE list, ds_next_fn next, char (*ret)[80], size_t max, size_t *n)
{
    wchar_t *wide = NULL;
    while (*n < max && next(list, NULL, NULL, &wide, NULL) == ERROR_SUCCESS) {
        SCOPED(scope_free) char *name = NULL;
        if (!utf_from_wide(wide, &name, NULL))
            str_copy(ret[(*n)++], 80, name);
        NetApiBufferFree(wide);
    }
}

static int ldap_servers(void *self, char (*ret)[80], size_t max, size_t *ret_n, struct err *err)
{
    (void)self;
    ds_open_fn open = (ds_open_fn)(void *)netapi("DsGetDcOpenW");
    ds_next_fn next = (ds_next_fn)(void *)netapi("DsGetDcNextW");
    ds_close_fn close = (ds_close_fn)(void *)netapi("DsGetDcCloseW");
    DOMAIN_CONTROLLER_INFOW *dc = NULL;
    HANDLE list = NULL;
    size_t n = 0;
    DWORD e = DsGetDcNameW(NULL, NULL, NULL, NULL,
                           DS_DIRECTORY_SERVICE_REQUIRED | DS_RETURN_DNS_NAME, &dc);
    if (e || !open || !next || !close)
        return err_set_os(err, ERR_UNSUPPORTED, (long)e,
                          "this machine finds no domain controllers of its own domain");
    e = open(dc->DomainName, 0, NULL, NULL, dc->DnsForestName, 0, &list);
    NetApiBufferFree(dc);
    if (e)
        return err_set_os(err, ERR_UNAVAILABLE, (long)e,
                          "listing the domain controllers (DsGetDcOpen): error %lu",
                          (unsigned long)e);
    list_servers(list, next, ret, max, &n);
    close(list);
    *ret_n = n;
    return ERR_OK;
}

const struct ldap_fetcher *ldap_system(void)
{
    static const struct ldap_fetcher fetcher = {ldap_fetch, ldap_servers, NULL};
    return &fetcher;
}
