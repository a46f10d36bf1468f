/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* OpenMetrics text for the textfile collectors of windows_exporter and node_exporter, and the one
 * line of a monitoring plug-in. Absolute times, base units, few label values; the x509_crl_* names
 * are those of existing exporters, so that dashboards carry over. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cdp/url.h"
#include "crl/judge.h"
#include "report/report_int.h"

static void label(struct buf *out, const char *name, const char *value, bool first)
{
    buf_printf(out, "%s%s=\"", first ? "" : ",", name);
    for (const char *p = value; *p; p++) {
        if (*p == '\\' || *p == '"')
            buf_putc(out, '\\');
        if (*p == '\n')
            buf_puts(out, "\\n");
        else
            buf_putc(out, *p);
    }
    buf_putc(out, '"');
}

static void head(struct buf *out, const char *name, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void crl_labels(struct buf *out, const struct report *r, size_t i)
{
    const struct probe_target *t = &r->targets[i];
    char key[32];
    snprintf(key, sizeof key, t->partition ? "%u_%05u" : "%u", t->key_index, t->partition);
    buf_putc(out, '{');
    label(out, "ca", r->ca, true);
    label(out, "key", key, false);
    label(out, "type", location_role_name(t->role), false);
    label(out, "cdp", t->url, false);
    label(out, "server", t->address[0] ? t->address : r->results[i].address, false);
    label(out, "scope",
          t->parent               ? t->as_client ? "parent_cached" : "parent"
          : t->as_client          ? "cached"
          : probe_carried_only(t) ? "issued"
                                  : "own",
          false);
    buf_putc(out, '}');
}

enum value_kind {
    V_NEXT_UPDATE,
    V_THIS_UPDATE,
    V_NEXT_PUBLISH,
    V_NUMBER,
    V_BYTES,
    V_ENTRIES,
    V_UP,
    V_SECONDS,
    V_MATCHES,
    V_STALE
};

static const struct {
    const char *name, *help;
    enum value_kind kind;
} series[] = {
    {"crlagent_cdp_up", "1 when the location served a CRL.", V_UP},
    {"crlagent_cdp_fetch_duration_seconds", "Time to fetch and read the CRL.", V_SECONDS},
    {"crlagent_cdp_matches_ca", "1 when number and bytes are those of the reference.", V_MATCHES},
    {"crlagent_crl_next_update_timestamp_seconds", "nextUpdate of the CRL served.", V_NEXT_UPDATE},
    {"crlagent_crl_this_update_timestamp_seconds", "thisUpdate of the CRL served.", V_THIS_UPDATE},
    {"crlagent_crl_next_publish_timestamp_seconds", "Next CRL Publish of the CRL served.",
     V_NEXT_PUBLISH},
    {"crlagent_crl_number", "CRL number.", V_NUMBER},
    {"crlagent_crl_size_bytes", "Size of the CRL.", V_BYTES},
    {"crlagent_crl_entries", "Revoked certificates in the CRL.", V_ENTRIES},
    {"x509_crl_next_update", "nextUpdate of the CRL served.", V_NEXT_UPDATE},
    {"x509_crl_this_update", "thisUpdate of the CRL served.", V_THIS_UPDATE},
    {"x509_crl_number", "CRL number.", V_NUMBER},
    {"x509_crl_stale", "1 when nextUpdate has passed.", V_STALE},
};

static double number_value(const struct crl_number *n)
{
    double v = 0;
    for (uint8_t i = 0; i < n->len; i++)
        v = v * 256 + n->bytes[i];
    return v;
}

/* False: there is no such value at this location. */
static bool value_of(const struct report *r, size_t i, enum value_kind kind, double *ret)
{
    const struct probe_result *a = &r->results[i];
    const struct crl_facts *f = &a->facts;
    uint32_t v = r->verdicts ? r->verdicts[i] : 0;
    bool has = report_has_crl(r, i);
    int64_t when = WHEN_NONE;
    switch (kind) {
    case V_UP:
        *ret = has;
        return true;
    case V_SECONDS:
        *ret = (double)a->total_ms / 1000;
        return true;
    case V_MATCHES:
        *ret = !(v & (CRL_V_STALE | CRL_V_MISMATCH));
        return has && r->verdicts;
    case V_STALE:
        *ret = f->next_update != WHEN_NONE && f->next_update <= r->generated;
        return has;
    case V_NUMBER:
        *ret = number_value(&f->number);
        return has && f->number.len;
    case V_BYTES:
        *ret = (double)f->bytes;
        return has;
    case V_ENTRIES:
        *ret = (double)f->entries;
        return has;
    case V_NEXT_UPDATE:
        when = f->next_update;
        break;
    case V_THIS_UPDATE:
        when = f->this_update;
        break;
    case V_NEXT_PUBLISH:
        when = f->next_publish;
        break;
    }
    *ret = (double)when;
    return has && when != WHEN_NONE;
}

static void crl_series(struct buf *out, const struct report *r)
{
    for (size_t s = 0; s < ARRAY_LEN(series); s++) {
        bool headed = false;
        for (size_t i = 0; i < r->n; i++) {
            double v = 0;
            if (!report_is_crl(r, i) || !value_of(r, i, series[s].kind, &v))
                continue;
            if (!headed)
                head(out, series[s].name, series[s].help);
            headed = true;
            buf_puts(out, series[s].name);
            crl_labels(out, r, i);
            buf_printf(out, " %.15g\n", v);
        }
    }
}

static void runway_series(struct buf *out, const struct report *r)
{
    if (!r->runway || !r->runway->n)
        return;
    head(out, "crlagent_runway_seconds",
         "Seconds until clients fail when nothing is signed any more; -Inf = nothing usable.");
    for (size_t i = 0; i < r->runway->n; i++) {
        const struct runway_line *l = &r->runway->line[i];
        const int64_t value[] = {l->weakest, l->effective};
        static const char *const figure[] = {"weakest", "effective"};
        for (size_t k = 0; k < 2; k++) {
            buf_puts(out, "crlagent_runway_seconds{");
            label(out, "ca", r->ca, true);
            buf_printf(out, ",key=\"%u\",partition=\"%u\",type=\"%s\",figure=\"%s\"}", l->key_index,
                       l->partition, l->delta ? "delta" : "base", figure[k]);
            if (value[k] == INT64_MIN)
                buf_puts(out, " -Inf\n");
            else
                buf_printf(out, " %" PRId64 "\n", value[k]);
        }
    }
}

static void finding_series(struct buf *out, const struct report *r)
{
    size_t n = 0;
    const struct finding_kind *kinds = finding_kinds(&n);
    head(out, "crlagent_findings", "Findings of the last run, by kind.");
    for (size_t k = 0; k < n; k++) {
        size_t count = 0;
        enum severity worst = SEV_OK;
        for (size_t i = 0; r->findings && i < r->findings->n; i++) {
            if (r->findings->item[i].id != kinds[k].id)
                continue;
            count++;
            worst = r->findings->item[i].severity > worst ? r->findings->item[i].severity : worst;
        }
        if (!count)
            continue;
        char symbol[64];
        str_copy(symbol, sizeof symbol, kinds[k].symbol);
        for (char *p = symbol; *p; p++)
            *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
        buf_puts(out, "crlagent_findings{");
        label(out, "ca", r->ca, true);
        buf_printf(out, ",id=\"%u\",kind=\"%s\",severity=\"%s\"} %zu\n", kinds[k].id, symbol,
                   severity_name(worst), count);
    }
}

static void single(struct buf *out, const struct report *r, const char *name, const char *help,
                   double value)
{
    head(out, name, help);
    buf_printf(out, "%s{", name);
    label(out, "ca", r->ca, true);
    buf_printf(out, "} %.15g\n", value);
}

static void maintenance_series(struct buf *out, const struct report *r)
{
    static const char *const states[] = {"preparing", "ready",     "pausing", "paused",
                                         "resuming",  "verifying", "held"};
    head(out, "crlagent_maintenance_state", "1 for the state of the open maintenance.");
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        buf_puts(out, "crlagent_maintenance_state{");
        label(out, "ca", r->ca, true);
        buf_printf(out, ",state=\"%s\"} %d\n", states[i],
                   r->maintenance && strcmp(r->maintenance->state, states[i]) == 0);
    }
    if (r->maintenance && r->maintenance->resume_by != WHEN_NONE)
        single(out, r, "crlagent_pause_deadline_timestamp_seconds", "Resume by this time.",
               (double)r->maintenance->resume_by);
}

static void reserve_series(struct buf *out, const struct report *r)
{
    const struct {
        const char *state;
        uint32_t n;
    } rows[] = {{"sealed", r->reserve->sealed}, {"in_use", r->reserve->in_use}};
    head(out, "crlagent_reserve_crls", "Reserve CRLs that exist; in_use: released to locations.");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_puts(out, "crlagent_reserve_crls{");
        label(out, "ca", r->ca, true);
        buf_printf(out, ",state=\"%s\"} %u\n", rows[i].state, rows[i].n);
    }
    if (r->reserve->end != WHEN_NONE)
        single(out, r, "crlagent_reserve_crl_end_timestamp_seconds",
               "nextUpdate of the reserve CRL that ends first.", (double)r->reserve->end);
}

int report_metrics(const struct report *r, struct buf *out, struct err *err)
{
    (void)err;
    head(out, "crlagent_build_info", "The program that wrote this file.");
    buf_puts(out, "crlagent_build_info{version=\"" CRLAGENT_VERSION "\"} 1\n");
    single(out, r, "crlagent_last_run_timestamp_seconds", "When the locations were probed.",
           (double)r->generated);
    runway_series(out, r);
    crl_series(out, r);
    finding_series(out, r);
    maintenance_series(out, r);
    if (r->reserve)
        reserve_series(out, r);
    if (r->hsm && r->hsm->known) {
        single(out, r, "crlagent_hsm_sign_duration_seconds", "Last test signature.",
               (double)r->hsm->latency_ms / 1000);
        single(out, r, "crlagent_hsm_up", "1 when the last test signature succeeded.",
               r->hsm->good);
    }
    for (size_t i = r->n_history; i-- > 0;) {
        if (r->history[i].visible_seconds >= 0) {
            single(out, r, "crlagent_publish_visible_seconds",
                   "From the last publication until every location served it.",
                   (double)r->history[i].visible_seconds);
            break;
        }
    }
    return ERR_OK;
}

/* "CRL CRITICAL - text | 'runway'=..." The bar would end the text: it is replaced. */
int report_nagios(const struct report *r, struct buf *out, struct err *err)
{
    struct headline h;
    char left[WHEN_TEXT_MAX];
    const struct finding *first = NULL;
    size_t up = 0, crls = 0;
    report_headline(r, &h);
    for (size_t i = 0; r->findings && i < r->findings->n; i++) {
        const struct finding *f = &r->findings->item[i];
        if (f->severity >= SEV_WARNING && (!first || f->severity > first->severity))
            first = f;
    }
    for (size_t i = 0; i < r->n; i++) {
        crls += report_is_crl(r, i);
        up += report_has_crl(r, i);
    }
    int64_t runway = r->runway && r->runway->n ? r->runway->weakest : INT64_MIN;
    SCOPED(buf_free) struct buf line = BUF_INIT;
    buf_printf(&line, "CRL %s - runway %s, %zu of %zu locations serve a CRL", h.word,
               report_left_text(runway, left), up, crls);
    if (first) {
        const struct finding_kind *k = finding_kind_by_id(first->id);
        buf_printf(&line, "; %u %s: %s%s%s", first->id, k ? k->title : "", first->url,
                   first->url[0] ? " " : "", first->found);
    }
    for (size_t i = 0; i < line.len; i++)
        line.data[i] = line.data[i] == '|' || line.data[i] == '\n' ? '/' : line.data[i];
    buf_printf(out, "%s | 'runway'=", buf_str(&line));
    if (runway == INT64_MIN)
        buf_puts(out, "U");
    else
        buf_printf(out, "%" PRId64 "s", runway);
    buf_printf(out, ";;;0 'locations_up'=%zu;;;0;%zu 'critical'=%zu;;;0 'warning'=%zu;;;0\n", up,
               crls, report_count(r, SEV_CRITICAL), report_count(r, SEV_WARNING));
    return buf_check(&line, "the monitoring line", err);
}
