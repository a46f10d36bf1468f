/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Order of one run: number, create and sign every CRL (each is in the database before anything is
 * written anywhere), write to the local store and to each location, publish status, and last the
 * next-publish times in the registry. */
#include "publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ossl.h"

#include "cadb.h"
#include "crlmake.h"
#include "labwin.h"
#include "ldapput.h"

#define ERROR_MASK 0x3FB0u
#define STORE_KEY "SOFTWARE\\Microsoft\\SystemCertificates\\CA\\CRLs"

static bool retry_wanted;

struct run {
    const struct ca *ca;
    const char *caller;
    HRESULT first; /* first failed location of the whole run */
    bool shadow;   /* deltas were just turned off: a last, empty one follows */
};

const char *publish_error_text(HRESULT hr, char *dst, size_t size)
{
    wchar_t text[256] = L"";
    DWORD code = ((DWORD)hr & 0xFFFF0000u) == 0x80070000u ? (DWORD)hr & 0xFFFF : (DWORD)hr;
    FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, code, 0, text,
                   ARRAY_LEN(text), NULL);
    text[wcscspn(text, L"\r\n")] = 0;
    char *utf = lab_utf8(text);
    snprintf(dst, size, "%s 0x%lx (%s: %lu)", utf, (unsigned long)hr,
             code < 0x10000 ? "WIN32" : "HRESULT", (unsigned long)code);
    free(utf);
    return dst;
}

/* [MS-CSRA] 3.1.4.1.6: the CA keeps one CRL per key and kind in its own store. */
static HRESULT store_put(const struct crl_row *row)
{
    uint8_t thumb[20];
    char hex[41], old[41], key[256];
    struct buf blob = BUF_INIT;
    uint32_t len = (uint32_t)row->raw.len;
    HRESULT hr = (HRESULT)lab_number("castore_error", 0);
    if (FAILED(hr))
        return hr;
    SHA1((const uint8_t *)row->raw.data, row->raw.len, thumb);
    str_hex(hex, thumb, sizeof thumb);
    for (char *p = hex; *p; p++)
        *p = (char)(*p >= 'a' ? *p - 32 : *p);
    buf_add(&blob, "\x03\0\0\0\x01\0\0\0\x14\0\0\0", 12);
    buf_add(&blob, thumb, sizeof thumb);
    buf_add(&blob, "\x21\0\0\0\x01\0\0\0", 8); /* CERT_CRL_PROP: the element itself */
    buf_add(&blob, &len, sizeof len);
    buf_add(&blob, row->raw.data, row->raw.len);
    snprintf(key, sizeof key, STORE_KEY "\\%s", hex);
    hr = reg_put(key, "Blob", REG_BINARY, blob.data, blob.len) ? S_OK : E_ACCESSDENIED;
    buf_free(&blob);
    cadb_store_swap(row, hex, old);
    if (old[0] && strcmp(old, hex) != 0) {
        snprintf(key, sizeof key, STORE_KEY "\\%s", old);
        wchar_t *w = lab_wide(key);
        RegDeleteKeyW(HKEY_LOCAL_MACHINE, w);
        free(w);
    }
    return hr;
}

/* What a location is, by its prefix: the publish-status bit that its failure sets. */
static uint32_t location_class(const char *url)
{
    if (str_starts_nocase(url, "ldap:"))
        return 0x100;
    if (str_starts_nocase(url, "ftp:"))
        return 0x400 | 0x20;
    if (str_starts_nocase(url, "http:") || str_starts_nocase(url, "https:"))
        return 0x800 | 0x20;
    size_t scheme = strcspn(url, ":");
    if (url[scheme] == ':' && scheme >= 2 && scheme <= 4 && !str_starts_nocase(url, "file:"))
        return 0x20;
    return 0x200;
}

static const char *file_path(const char *url)
{
    if (!str_starts_nocase(url, "file:"))
        return url;
    return url[7] == '/' ? url + 8 : url + 7; /* file:///C:/x; file://C:\x; file://\\server\share */
}

/* Misbehaviour on request: fail.N = HRESULT, slow.N = milliseconds, partial.N = 1 (half the bytes
 * arrive, then the disk is full); N is the position in CRLPublicationURLs. */
static HRESULT write_location(const char *url, size_t index, const struct crl_row *row)
{
    char key[32];
    snprintf(key, sizeof key, "slow.%zu", index);
    lab_delay(key);
    snprintf(key, sizeof key, "fail.%zu", index);
    HRESULT hr = (HRESULT)lab_number(key, 0);
    if (FAILED(hr))
        return hr;
    uint32_t kind = location_class(url);
    if (kind & 0x20)
        return HRESULT_FROM_WIN32(ERROR_BAD_PATHNAME);
    if (kind == 0x100)
        return ldap_put(url, row->raw.data, row->raw.len);
    snprintf(key, sizeof key, "partial.%zu", index);
    bool partial = lab_number(key, 0) != 0;
    DWORD rc =
        lab_write_file(file_path(url), row->raw.data, partial ? row->raw.len / 2 : row->raw.len);
    return HRESULT_FROM_WIN32(partial && rc == 0 ? ERROR_DISK_FULL : rc);
}

static void event_location(const struct crl_row *row, const char *url, uint32_t kind, HRESULT hr)
{
    char key_id[16], text[512], host[64];
    snprintf(key_id, sizeof key_id, "%u", row->key);
    bool ldap = kind == 0x100;
    lab_text("ldap_host", "", host, sizeof host);
    const char *strings[] = {key_id, url, publish_error_text(hr, text, sizeof text),
                             ldap ? host : ""};
    lab_event(EVENTLOG_ERROR_TYPE, (ldap ? 74u : 65u) + (row->delta ? 1u : 0u), strings,
              ldap ? 4 : 3);
}

static void note_failure(struct run *run, struct crl_row *row, const char *url, HRESULT hr)
{
    size_t used = strlen(row->error);
    snprintf(row->error + used, sizeof row->error - used, "%s%s", used ? "\n" : "", url);
    if (row->status == 0)
        row->status = (uint32_t)hr;
    if (SUCCEEDED(run->first))
        run->first = hr;
}

/* One location of one CRL. base_errors: status bits of the base of the same key in this run; a
 * delta does not go where its base did not arrive. */
static void deliver_one(struct run *run, struct crl_row *row, const struct ca_location *loc,
                        size_t index, uint32_t base_errors)
{
    struct buf url = BUF_INIT;
    ca_expand(run->ca, loc->url, &(struct ca_scope){row->key, row->key, row->partition, row->delta},
              false, &url);
    uint32_t kind = location_class(buf_str(&url));
    HRESULT hr = S_OK;
    if (row->delta && (base_errors & kind & 0x300)) {
        hr = E_ABORT;
        row->flags |= kind == 0x100 ? 0x1000u : 0x2000u;
    } else {
        hr = write_location(buf_str(&url), index, row);
        if (FAILED(hr)) {
            row->flags |= kind;
            event_location(row, buf_str(&url), kind, hr);
        }
    }
    if (FAILED(hr))
        note_failure(run, row, buf_str(&url), hr);
    buf_free(&url);
}

static void deliver(struct run *run, struct crl_row *row, uint32_t base_errors)
{
    struct ca_location list[CA_URLS_MAX];
    size_t n = ca_locations(run->ca, "CRLPublicationURLs", list, CA_URLS_MAX);
    row->flags = (row->flags & CRL_SHADOW) | (row->delta ? 0x2u : 0x1u);
    row->status = 0;
    row->attempts++;
    if (run->caller)
        row->flags |= 0x40; /* CPF_MANUAL */
    snprintf(row->error, sizeof row->error, "%s%s", run->caller ? "Published by " : "-",
             run->caller ? run->caller : "");
    HRESULT hr = store_put(row);
    if (FAILED(hr)) {
        row->flags |= 0x10;
        note_failure(run, row, "HKLM\\" STORE_KEY, hr);
    }
    for (size_t i = 0; i < n; i++)
        if (list[i].flags & (row->delta ? 0x40u : 0x01u))
            deliver_one(run, row, &list[i], i, base_errors);
    ca_locations_free(list, n);
    if (!(row->flags & ERROR_MASK))
        row->flags |= 0x4; /* CPF_COMPLETE */
    else
        retry_wanted = true;
    cadb_update(row);
}

/* Overlap as the domain text has it: configured, or 10 % of the period with its floors and caps. */
static int64_t overlap(const struct ca *ca, bool delta, int64_t period, int64_t base_period,
                       int64_t skew)
{
    int64_t v = delta ? ca_period(ca, "CRLDeltaOverlapPeriod", "CRLDeltaOverlapUnits", "Minutes", 0)
                      : ca_period(ca, "CRLOverlapPeriod", "CRLOverlapUnits", "Hours", 0);
    int64_t cap = delta ? base_period : period;
    if (v > 0)
        return v < cap ? v : cap;
    v = delta ? period : period / 10;
    v = v < 43200 ? v : 43200;
    v = v > skew * 3 / 2 ? v : skew * 3 / 2;
    return v < cap ? v : cap;
}

static int64_t not_before(const struct ca_cert *cert)
{
    struct tm tm;
    if (cert == NULL || !ASN1_TIME_to_tm(X509_get0_notBefore(cert->x509), &tm))
        return 0;
    struct when_civil c = {tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                           tm.tm_hour,        tm.tm_min,     tm.tm_sec};
    return when_from_civil(&c);
}

static void set_times(const struct ca *ca, struct crl_row *row, int64_t now, int64_t until)
{
    int64_t skew = 60 * (int64_t)reg_dword(ca->key, "ClockSkewMinutes", 10);
    int64_t base = ca_period(ca, "CRLPeriod", "CRLPeriodUnits", "Weeks", 1);
    int64_t period =
        row->delta ? ca_period(ca, "CRLDeltaPeriod", "CRLDeltaPeriodUnits", "Days", 0) : base;
    if (row->flags & CRL_SHADOW)
        period = base;
    int64_t over = overlap(ca, row->delta, period, base, skew);
    int64_t born = not_before(ca_key_cert(ca, row->key));
    row->this_publish = now;
    row->this_update = now - skew > born ? now - skew : born;
    /* The next publication is planned by the period whatever Date is. */
    row->next_publish = period ? now + period : 0;
    row->next_update = (until ? until : now + (period ? period : 604800)) + over + skew;
    row->propagation = now + over;
}

static void event_not_created(const struct crl_row *row, HRESULT hr)
{
    char key_id[16], text[512];
    snprintf(key_id, sizeof key_id, "%u", row->key);
    const char *strings[] = {key_id, publish_error_text(hr, text, sizeof text)};
    lab_event(EVENTLOG_ERROR_TYPE, 130, strings, 2);
}

static HRESULT create(struct run *run, struct hsm *hsm, struct crl_row *row, int64_t until)
{
    int64_t now = lab_now();
    set_times(run->ca, row, now, until);
    if (row->delta) {
        bool oldest = reg_dword(run->ca->key, "CRLFlags", 0) & 1;
        row->min_base = cadb_delta_base(row->key, now, oldest);
        if (row->min_base < 0)
            return S_FALSE; /* nothing to be a delta of */
    }
    HRESULT hr = hsm ? crl_make(run->ca, hsm, row) : NTE_DEVICE_NOT_READY;
    if (FAILED(hr)) {
        event_not_created(row, hr);
        if (hr == NTE_BAD_SIGNATURE && cadb_insert(row)) {
            row->flags = (row->delta ? 0x2u : 0x1u) | 0x80u;
            row->status = (uint32_t)hr;
            cadb_update(row);
        }
        return hr;
    }
    return cadb_insert(row) ? S_OK : E_FAIL;
}

/* Base and delta of one key and partition. */
static HRESULT run_partition(struct run *run, struct hsm *hsm, unsigned key, unsigned partition,
                             unsigned flags, int64_t number, int64_t until)
{
    uint32_t base_errors = 0;
    HRESULT hr = S_OK;
    for (int delta = 0; delta <= 1 && SUCCEEDED(hr); delta++) {
        struct crl_row row = {
            .key = key, .partition = partition, .delta = delta != 0, .number = number};
        row.flags = delta && run->shadow ? CRL_SHADOW : 0;
        if (!(flags & (delta ? PUBLISH_DELTA : PUBLISH_BASE)))
            continue;
        if (flags & PUBLISH_REPUBLISH)
            hr = cadb_newest(key, partition, delta != 0, &row) ? S_OK : S_FALSE;
        else
            hr = create(run, hsm, &row, until);
        if (hr == S_OK)
            deliver(run, &row, base_errors);
        if (!delta)
            base_errors = row.flags;
        buf_free(&row.raw);
    }
    return hr;
}

static HRESULT run_key(struct run *run, struct hsm *hsm, unsigned key, unsigned flags,
                       int64_t number, int64_t until)
{
    HRESULT hr = S_OK;
    for (unsigned p = 0; p <= ca_partitions(run->ca) && SUCCEEDED(hr); p++)
        hr = run_partition(run, hsm, key, p, flags, number, until);
    return hr;
}

static void plan_next(const struct ca *ca, unsigned flags)
{
    int64_t now = lab_now();
    int64_t base = ca_period(ca, "CRLPeriod", "CRLPeriodUnits", "Weeks", 1);
    int64_t delta = ca_period(ca, "CRLDeltaPeriod", "CRLDeltaPeriodUnits", "Days", 0);
    if (flags & PUBLISH_REPUBLISH)
        return;
    if ((flags & PUBLISH_BASE) && base)
        reg_put_filetime(ca->key, "CRLNextPublish", now + base);
    if ((flags & PUBLISH_DELTA) && delta)
        reg_put_filetime(ca->key, "CRLDeltaNextPublish", now + delta);
    reg_put_dword(ca->key, "CRLAttemptRepublish", 0);
}

/* Is the newest delta a real one? */
static bool shadow_due(void)
{
    struct crl_row newest = {0};
    bool due = cadb_newest(0, 0, true, &newest) && !(newest.flags & CRL_SHADOW);
    buf_free(&newest.raw);
    return due;
}

HRESULT publish_run(const struct ca *ca, struct hsm *hsm, unsigned flags, int64_t until,
                    const char *caller)
{
    struct run run = {ca, caller, S_OK, false};
    bool deltas = ca_period(ca, "CRLDeltaPeriod", "CRLDeltaPeriodUnits", "Days", 0) > 0;
    if (!(flags & 3) || (flags & ~0x13u) ||
        (!(flags & PUBLISH_REPUBLISH) && until && until < lab_now()))
        return E_INVALIDARG;
    if ((flags & PUBLISH_DELTA) && !deltas)
        return E_INVALIDARG;
    if (flags == PUBLISH_BASE)
        run.shadow = !deltas && shadow_due();
    if (flags == PUBLISH_BASE && (deltas || run.shadow))
        flags |= PUBLISH_DELTA;
    lab_delay("publish_delay_ms");
    HRESULT hr = S_OK;
    int64_t number = cadb_next_number();
    retry_wanted = false;
    for (size_t i = 0; i < ca->n_certs; i++) {
        unsigned key = ca->certs[i].key;
        if (key != ca->certs[i].index || ca_key_cert(ca, key) == NULL)
            continue; /* not the first certificate of its key, or none of them is valid now */
        HRESULT one = run_key(&run, hsm, key, flags, number, until);
        hr = SUCCEEDED(hr) && FAILED(one) ? one : hr;
    }
    if (SUCCEEDED(hr))
        plan_next(ca, flags);
    return FAILED(hr) ? hr : run.first;
}

bool publish_retry_wanted(void)
{
    return retry_wanted;
}

static void retry_row(struct run *run, unsigned key, unsigned partition, bool delta,
                      uint32_t *base_errors)
{
    struct crl_row row = {0};
    if (cadb_newest(key, partition, delta, &row) && row.raw.len && !(row.flags & 0x84))
        deliver(run, &row, *base_errors);
    if (!delta)
        *base_errors = row.flags;
    buf_free(&row.raw);
}

void publish_retry(const struct ca *ca)
{
    struct run run = {ca, NULL, S_OK, false};
    DWORD tries = reg_dword(ca->key, "CRLAttemptRepublish", 0) + 1;
    retry_wanted = false;
    for (size_t i = 0; i < ca->n_certs; i++) {
        for (unsigned p = 0; p <= ca_partitions(ca) && ca->certs[i].key == ca->certs[i].index;
             p++) {
            uint32_t base_errors = 0;
            retry_row(&run, ca->certs[i].key, p, false, &base_errors);
            retry_row(&run, ca->certs[i].key, p, true, &base_errors);
        }
    }
    reg_put_dword(ca->key, "CRLAttemptRepublish", retry_wanted ? tries : 0);
    if (retry_wanted && tries >= reg_dword(ca->key, "CRLPublishRetryCount", 10)) {
        char text[16];
        const char *strings[] = {text};
        snprintf(text, sizeof text, "%lu", tries);
        lab_event(EVENTLOG_ERROR_TYPE, 67, strings, 1);
        retry_wanted = false;
    }
}
