/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "crl/print.h"

#include <string.h>

#include "base/str.h"

static void line(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%-22s %s\n", name, value);
}

static void time_line(struct buf *out, const char *name, int64_t when, int64_t now)
{
    char at[WHEN_TEXT_MAX], left[WHEN_TEXT_MAX];
    if (when == WHEN_NONE)
        return;
    when_format(when, at);
    if (now == WHEN_NONE)
        buf_printf(out, "%-22s %s\n", name, at);
    else if (when >= now)
        buf_printf(out, "%-22s %s  (in %s)\n", name, at, duration_format(when - now, left));
    else
        buf_printf(out, "%-22s %s  (%s ago)\n", name, at, duration_format(now - when, left));
}

static void number_line(struct buf *out, const char *name, const struct crl_number *n)
{
    char text[48];
    if (n->len)
        line(out, name, crl_number_format(n, text));
}

static void url_lines(struct buf *out, const char *name, const struct crl_url_list *l)
{
    for (uint32_t i = 0; i < l->count && i < CRL_URLS_MAX; i++)
        line(out, i ? "" : name, l->url[i]);
    if (l->count > CRL_URLS_MAX)
        buf_printf(out, "%-22s and %u more\n", "", l->count - CRL_URLS_MAX);
}

static void hex_line(struct buf *out, const char *name, const uint8_t *p, size_t len)
{
    char hex[2 * 64 + 1] = "";
    if (!len || len > 64)
        return;
    str_hex(hex, p, len);
    line(out, name, hex);
}

static void scope_line(struct buf *out, const struct crl_facts *f)
{
    static const char *const names[] = {" user-certificates", " ca-certificates", " attributes",
                                        " indirect", " some-reasons"};
    if (!f->has_idp)
        return;
    buf_printf(out, "%-22s", "Scope (IDP)");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (f->idp_scope & 1u << i)
            buf_puts(out, names[i]);
    }
    buf_puts(out, f->idp_scope ? "\n" : " all certificates\n");
}

static void entry_lines(struct buf *out, const struct crl_facts *f)
{
    buf_printf(out, "%-22s %llu\n", "Entries", (unsigned long long)f->entries);
    if (!f->entries)
        return;
    time_line(out, "Earliest revocation", f->earliest_revocation, WHEN_NONE);
    time_line(out, "Latest revocation", f->latest_revocation, WHEN_NONE);
    for (int i = 0; i < CRL_REASONS; i++) {
        uint64_t n = f->reason[i] - (i == 0 ? f->entries_without_reason : 0);
        if (n)
            buf_printf(out, "  %-20s %llu\n", crl_reason_name(i), (unsigned long long)n);
    }
    if (f->entries_without_reason)
        buf_printf(out, "  %-20s %llu\n", "no reason given",
                   (unsigned long long)f->entries_without_reason);
}

static void warning_lines(struct buf *out, const struct crl_facts *f)
{
    for (unsigned i = 0; i < CRL_WARN_COUNT; i++) {
        enum crl_warning bit = (enum crl_warning)(1u << i);
        if (f->warnings & bit)
            buf_printf(out, "%-22s %s\n", "Warning", crl_warning_text(bit));
    }
    for (size_t i = 0; i < CRL_OIDS_MAX && f->unknown_critical_oid[i][0]; i++)
        line(out, "  unknown, critical", f->unknown_critical_oid[i]);
}

void crl_print_facts(const struct crl_facts *f, int64_t now, struct buf *out)
{
    line(out, "Type", crl_is_delta(f) ? "delta CRL" : "base CRL");
    line(out, "Issuer", f->issuer);
    hex_line(out, "Authority key id", f->aki, f->aki_len);
    number_line(out, "CRL number", &f->number);
    number_line(out, "Delta to base number", &f->delta_base);
    number_line(out, "Virtual base", &f->virtual_base);
    time_line(out, "This update", f->this_update, now);
    time_line(out, "Next CRL publish", f->next_publish, now);
    time_line(out, "Next update", f->next_update, now);
    if (f->has_ca_version)
        buf_printf(out, "%-22s certificate %u, key %u\n", "CA version", f->ca_version & 0xFFFF,
                   f->ca_version >> 16);
    scope_line(out, f);
    url_lines(out, "  distribution point", &f->idp);
    url_lines(out, "Freshest CRL", &f->freshest);
    url_lines(out, "Published at", &f->published);
    entry_lines(out, f);
    line(out, "Signature algorithm", f->signature_name);
    buf_printf(out, "%-22s %llu bytes, version %d\n", "Size", (unsigned long long)f->bytes,
               (int)f->version);
    hex_line(out, "SHA-256", f->sha256, sizeof f->sha256);
    warning_lines(out, f);
}

void crl_print_verdicts(uint32_t verdicts, struct buf *out)
{
    const char *sep = "";
    for (unsigned i = 0; i < CRL_V_COUNT; i++) {
        if (!(verdicts & 1u << i))
            continue;
        buf_printf(out, "%s%s", sep, crl_verdict_name((enum crl_verdict)(1u << i)));
        sep = ", ";
    }
    if (!*sep)
        buf_puts(out, "ok");
}

void crl_print_diff(const struct crl_diff *d, struct buf *out)
{
    static const char *const text[CRL_CHANGES] = {
        [CRL_ADDED] = "added",
        [CRL_LOST] = "lost: vanished though the certificate cannot have expired",
        [CRL_EARLY] = "vanished within the life of a certificate: check that they had expired",
        [CRL_DROPPED] = "vanished, older than that",
        [CRL_RELEASED] = "vanished, were on hold",
        [CRL_REASON] = "reason changed",
        [CRL_DATE] = "revocation date changed",
    };
    char a[48], b[48];
    buf_printf(out, "%-12s %s -> %s%s\n", "CRL number", crl_number_format(&d->old_facts.number, a),
               crl_number_format(&d->new_facts.number, b),
               d->number_order < 0 ? "  REGRESS: the newer one has the lower number" : "");
    if (d->number_gap)
        buf_printf(out, "%-12s %llu numbers between the two were not seen\n", "",
                   (unsigned long long)d->number_gap);
    buf_printf(out, "%-12s %llu -> %llu\n", "entries", (unsigned long long)d->old_facts.entries,
               (unsigned long long)d->new_facts.entries);
    buf_printf(out, "%12llu unchanged\n", (unsigned long long)d->same);
    for (int i = 0; i < CRL_CHANGES; i++) {
        if (d->count[i])
            buf_printf(out, "%12llu %s\n", (unsigned long long)d->count[i], text[i]);
    }
    if (d->old_twice || d->new_twice)
        buf_printf(out, "%12llu serial numbers stand more than once in one CRL\n",
                   (unsigned long long)(d->old_twice + d->new_twice));
}
