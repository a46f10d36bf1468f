/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The first line. It must never say more than was seen: runway that does not exist is no "OK", a
 * CRL that has expired has not "-2h left", and where no location was looked at nothing is known. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cdp/url.h"
#include "report/report_int.h"

static bool any_crl(const struct report *r)
{
    for (size_t i = 0; i < r->n; i++) {
        if (report_is_crl(r, i))
            return true;
    }
    return false;
}

bool report_known(const struct report *r)
{
    return any_crl(r) || report_worst(r) >= SEV_WARNING;
}

static enum severity worse(enum severity a, enum severity b)
{
    return a > b ? a : b;
}

enum severity report_worst(const struct report *r)
{
    enum severity worst = r->findings ? findings_worst(r->findings) : SEV_OK;
    bool usable = false;
    for (size_t i = 0; i < r->n; i++)
        usable = usable || report_left(r, i) > 0;
    if (any_crl(r) && !usable)
        return SEV_CRITICAL;
    if (!r->runway || !r->runway->n)
        return worst;
    if (r->runway->effective <= 0)
        return SEV_CRITICAL;
    return r->runway->weakest <= 0 ? worse(worst, SEV_WARNING) : worst;
}

int report_exit_code(const struct report *r, enum severity fail_on)
{
    enum severity worst = report_worst(r);
    if (!report_known(r))
        return 3;
    if (worst < fail_on || worst < SEV_WARNING)
        return worst == SEV_INFO && fail_on <= SEV_INFO ? 1 : 0;
    return worst == SEV_CRITICAL ? 2 : 1;
}

/* "expired 2h 10m ago (…)", or why what is left is of no use */
static void spent(const struct report *r, int64_t until, char dst[160])
{
    char when[WHEN_TEXT_MAX], span[WHEN_TEXT_MAX];
    when_format(until, when);
    if (until <= r->generated)
        snprintf(dst, 160, "expired %s ago (%s)", duration_format(r->generated - until, span),
                 when);
    else
        snprintf(dst, 160, "expires %s, within the %s that a new CRL takes to arrive", when,
                 duration_format(r->propagation, span));
}

static void weakest_words(const struct report *r, struct headline *h)
{
    const struct runway *rw = r->runway;
    char text[160];
    if (rw->weakest == INT64_MIN) {
        str_copy(h->weakest, sizeof h->weakest, "at the weakest location");
    } else if (rw->weakest <= 0) {
        str_copy(h->runway, sizeof h->runway, "none");
        spent(r, rw->weakest_until, text);
        snprintf(h->weakest, sizeof h->weakest, "at the weakest location, %.130s", text);
    } else {
        snprintf(h->weakest, sizeof h->weakest, "until %s at the weakest location",
                 when_format(rw->weakest_until, text));
    }
}

static const struct runway_line *least_effective(const struct runway *rw)
{
    const struct runway_line *least = &rw->line[0];
    for (size_t i = 1; i < rw->n; i++) {
        if (rw->line[i].effective < least->effective)
            least = &rw->line[i];
    }
    return least;
}

static void client_words(const struct report *r, struct headline *h)
{
    const struct runway_line *l = least_effective(r->runway);
    const char *kind = l->delta ? "delta" : "base";
    char text[160];
    if (l->effective == INT64_MIN) {
        snprintf(h->clients, sizeof h->clients, "clients find no usable %s CRL of key %u", kind,
                 l->key_index);
    } else if (l->effective <= 0) {
        spent(r, l->effective_until, text);
        snprintf(h->clients, sizeof h->clients, "the %s CRL of key %u that clients get %.110s",
                 kind, l->key_index, text);
    } else {
        snprintf(h->clients, sizeof h->clients, "%s for clients that try the URLs in order",
                 duration_format(l->effective, text));
    }
}

static enum severity runway_severity(const struct report *r)
{
    size_t i = report_weakest(r);
    if (r->runway->weakest <= 0)
        return SEV_CRITICAL;
    return i != SIZE_MAX && strcmp(report_state(r, i), "OK") != 0 ? SEV_WARNING : SEV_OK;
}

void report_headline(const struct report *r, struct headline *ret)
{
    static const char *const words[] = {"OK", "OK", "WARNING", "CRITICAL"};
    memset(ret, 0, sizeof *ret);
    ret->severity = report_worst(r);
    ret->word = words[ret->severity];
    if (!report_known(r)) {
        ret->word = "UNKNOWN";
        ret->severity = SEV_WARNING;
    }
    if (!r->runway || !r->runway->n) {
        ret->runway_severity = SEV_WARNING;
        str_copy(ret->runway, sizeof ret->runway, "unknown");
        str_copy(ret->weakest, sizeof ret->weakest, "(no CRL location of this CA was looked at)");
        return;
    }
    ret->runway_severity = runway_severity(r);
    report_left_text(r->runway->weakest, ret->runway);
    weakest_words(r, ret);
    client_words(r, ret);
}
