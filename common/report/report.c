/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "health/rules.h"
#include "report/report_int.h"

static const struct {
    const char *name;
    enum report_format format;
} formats[] = {
    {"text", REPORT_TEXT}, {"json", REPORT_JSON},       {"xml", REPORT_XML},
    {"html", REPORT_HTML}, {"metrics", REPORT_METRICS}, {"nagios", REPORT_NAGIOS},
};

int report_format_parse(const char *text, enum report_format *ret, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (str_eq_nocase(text, formats[i].name)) {
            *ret = formats[i].format;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_INVALID,
                   "'%.40s' is no report format; expected text, json, xml, html, metrics or nagios",
                   text);
}

int report_render(const struct report *r, enum report_format format,
                  const struct report_style *style, struct buf *ret, struct err *err)
{
    int rc = ERR_OK;
    switch (format) {
    case REPORT_TEXT:
        rc = report_text(r, style, ret, err);
        break;
    case REPORT_JSON:
        rc = report_json(r, ret, err);
        break;
    case REPORT_XML:
        rc = report_xml(r, ret, err);
        break;
    case REPORT_HTML:
        rc = report_html(r, ret, err);
        break;
    case REPORT_METRICS:
        rc = report_metrics(r, ret, err);
        break;
    case REPORT_NAGIOS:
        rc = report_nagios(r, ret, err);
        break;
    }
    return rc ? rc : buf_check(ret, "the report", err);
}

const char *report_origin_name(size_t i)
{
    static const char *const names[REPORT_ORIGINS] = {
        "ca-cdp", "ca-publish", "certificate", "config", "command-line", "freshest", "parent"};
    return names[i];
}

const char *report_nonce_name(size_t nonce)
{
    static const char *const names[] = {"not-asked", "absent", "same", "other"};
    return names[nonce & 3];
}

bool report_is_crl(const struct report *r, size_t i)
{
    return r->targets[i].role == ROLE_CRL_BASE || r->targets[i].role == ROLE_CRL_DELTA;
}

bool report_has_crl(const struct report *r, size_t i)
{
    enum probe_status s = r->results[i].status;
    return report_is_crl(r, i) && (s == PROBE_OK || s == PROBE_NOT_MODIFIED);
}

const char *report_state(const struct report *r, size_t i)
{
    return health_state(&r->targets[i], &r->results[i], r->verdicts ? r->verdicts[i] : 0);
}

int64_t report_left(const struct report *r, size_t i)
{
    const struct probe_result *p = &r->results[i];
    if (!report_has_crl(r, i) || p->signature == CRL_SIG_BAD || p->signature == CRL_SIG_NO_ISSUER ||
        p->facts.next_update == WHEN_NONE)
        return INT64_MIN;
    return p->facts.next_update - r->generated - r->propagation;
}

const char *report_left_text(int64_t seconds, char dst[WHEN_TEXT_MAX])
{
    if (seconds == INT64_MIN)
        str_copy(dst, WHEN_TEXT_MAX, "none");
    else
        duration_format(seconds, dst);
    return dst;
}

size_t report_weakest(const struct report *r)
{
    if (!r->runway || r->runway->n == 0)
        return SIZE_MAX;
    size_t i = r->runway->line[r->runway->weakest_line].weakest_probe;
    return i < r->n ? i : SIZE_MAX;
}

size_t report_count(const struct report *r, enum severity s)
{
    size_t n = 0;
    for (size_t i = 0; r->findings && i < r->findings->n; i++)
        n += r->findings->item[i].severity == s;
    return n;
}

const char *report_title(const struct report *r)
{
    return r->ca[0] ? r->ca : r->config[0] ? r->config : "CRL locations";
}

static bool same_url(const struct report *r, size_t i, const struct report *of, size_t k)
{
    const struct probe_target *a = &r->targets[i], *b = &of->targets[k];
    return a->role == b->role && a->key_index == b->key_index && a->partition == b->partition &&
           a->as_client == b->as_client && strcmp(a->url, b->url) == 0;
}

/* Who was asked, or who answered: a report that was kept has only the latter. */
static const char *server_of(const struct report *r, size_t i)
{
    return r->results[i].address[0] ? r->results[i].address : r->targets[i].address;
}

static bool same_location(const struct report *r, size_t i, const struct report *of, size_t k)
{
    return same_url(r, i, of, k) && strcmp(server_of(r, i), server_of(of, k)) == 0;
}

/* The one row of that URL; SIZE_MAX when there is none or several. */
static size_t only_row(const struct report *r, const struct report *of, size_t k)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < r->n; i++) {
        if (!same_url(r, i, of, k))
            continue;
        if (found != SIZE_MAX)
            return SIZE_MAX;
        found = i;
    }
    return found;
}

/* Where r has what row k of the other report is about. Lists seldom differ much: the same place is
 * looked at first. A name that was asked once may have been answered by another server. */
static size_t find_same(const struct report *r, const struct report *of, size_t k)
{
    if (k < r->n && same_location(r, k, of, k))
        return k;
    for (size_t i = 0; i < r->n; i++) {
        if (same_location(r, i, of, k))
            return i;
    }
    return only_row(of, of, k) == k ? only_row(r, of, k) : SIZE_MAX;
}

/* Larger is worse. */
static int rank(const char *state)
{
    static const char *const order[] = {"OK", "Expiring", "Error", "Unable to Download", "Expired"};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        if (strcmp(order[i], state) == 0)
            return (int)i;
    }
    return 2;
}

static bool describe_change(const struct report *r, size_t i, size_t b, struct report_change *c)
{
    const struct report *old = r->before;
    const char *was = report_state(old, b);
    const char *is = report_state(r, i);
    char n1[48] = "-", n2[48] = "-", u1[WHEN_TEXT_MAX] = "-", u2[WHEN_TEXT_MAX] = "-";
    bool has1 = report_has_crl(old, b), has2 = report_has_crl(r, i);
    int number = 0;
    if (has1) {
        crl_number_format(&old->results[b].facts.number, n1);
        when_format(old->results[b].facts.next_update, u1);
    }
    if (has2) {
        crl_number_format(&r->results[i].facts.number, n2);
        when_format(r->results[i].facts.next_update, u2);
    }
    if (has1 && has2)
        number = crl_number_compare(&r->results[i].facts.number, &old->results[b].facts.number);
    bool same_bytes =
        has1 && has2 && memcmp(r->results[i].facts.sha256, old->results[b].facts.sha256, 32) == 0;
    c->worse = rank(is) > rank(was) || (has1 && !has2) || number < 0;
    snprintf(c->text, sizeof c->text, "%s, number %s, until %s -> %s, number %s, until %s%s", was,
             n1, u1, is, n2, u2, number == 0 && has1 && has2 && !same_bytes ? ", other bytes" : "");
    return strcmp(was, is) != 0 || has1 != has2 || (has1 && has2 && !same_bytes);
}

size_t report_compare(const struct report *r,
                      void (*each)(void *arg, const struct report_change *c), void *arg)
{
    size_t worse = 0;
    for (size_t i = 0; r->before && i < r->n; i++) {
        struct report_change c = {false, i, find_same(r->before, r, i), ""};
        bool told = true;
        if (c.before == SIZE_MAX) {
            snprintf(c.text, sizeof c.text, "new location: %s", report_state(r, i));
            c.worse = rank(report_state(r, i)) > 1;
        } else {
            told = describe_change(r, i, c.before, &c);
        }
        worse += told && c.worse;
        if (told)
            each(arg, &c);
    }
    for (size_t b = 0; r->before && b < r->before->n; b++) {
        struct report_change c = {true, SIZE_MAX, b, "no longer among the locations"};
        if (find_same(r, r->before, b) == SIZE_MAX) {
            worse++;
            each(arg, &c);
        }
    }
    return worse;
}
