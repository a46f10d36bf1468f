/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "maint/prove.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/str.h"

/* How often the CA is read again when its new CRL is not there at once. */
#define CREATED_TRIES 3

const char *prove_verdict_name(enum prove_verdict v)
{
    static const char *const names[] = {
        [PROVE_UNKNOWN] = "unknown",
        [PROVE_PROVEN] = "proven",
        [PROVE_NOT_DELIVERED] = "created-not-delivered",
        [PROVE_NOT_CREATED] = "not-created",
    };
    return (size_t)v < ARRAY_LEN(names) ? names[v] : "unknown";
}

void prove_report_free(struct prove_report *r)
{
    free(r->line);
    free(r->location);
    memset(r, 0, sizeof *r);
}

static void say(const struct prove_input *in, const char *text)
{
    if (in->progress)
        in->progress(in->arg, text);
}

static bool stopping(const struct prove_input *in)
{
    return in->stopping && in->stopping(in->arg);
}

int prove_before(const struct prove_input *in, struct prove_report *ret, struct err *err)
{
    struct prove_report r = {.published = clock_now(in->clock)};
    struct crl_line lines[RUNWAY_LINES_MAX];
    struct crl_facts *f = malloc(sizeof *f);
    size_t n = ca_view_lines(in->view, lines, RUNWAY_LINES_MAX);
    int rc = ERR_OK;
    r.line = calloc(n ? n : 1, sizeof *r.line);
    if (!f || !r.line)
        rc = err_nomem(err);
    else if (n == 0 || n > RUNWAY_LINES_MAX)
        rc = err_set(err, ERR_LIMIT, "the CA issues %zu CRLs, expected 1 to %d", n,
                     RUNWAY_LINES_MAX);
    for (size_t i = 0; i < n && !rc; i++) {
        struct err why = ERR_INIT;
        r.line[i].line = lines[i];
        r.line[i].cpf = -1;
        int got = ca_line_read(in->admin, in->view, &lines[i], NULL, r.published, f, &why);
        if (!got)
            r.line[i].before = f->number;
        else if (got != ERR_NOT_FOUND && err)
            *err = why;
        rc = got == ERR_NOT_FOUND ? ERR_OK : got;
    }
    free(f);
    r.n_lines = n;
    if (rc) {
        prove_report_free(&r);
        err_context(err, "reading the CRL numbers before publishing");
        return rc;
    }
    prove_report_free(ret);
    *ret = r;
    return ERR_OK;
}

/* BASE alone makes a delta too when deltas are enabled; asking for the delta while they are not is
 * an error ([MS-CSRA] 3.1.4.1.6). */
static unsigned what_to_publish(const struct ca_view *v)
{
    return v->deltas ? CA_CRL_BASE | CA_CRL_DELTA : CA_CRL_BASE;
}

void prove_publish(const struct prove_input *in, int64_t until, struct prove_report *ret)
{
    err_clear(&ret->publish_err);
    ret->asked = true;
    (void)in->admin->ops->publish(in->admin->self, what_to_publish(in->view), until,
                                  &ret->publish_err);
    ret->published = clock_now(in->clock);
}

/* thisUpdate is set back by the CA's clock skew, so a CRL of this minute can look ten minutes old.
 */
static int64_t backdated(const struct prove_input *in)
{
    return (int64_t)in->view->settings.clock_skew_minutes * 60 + in->policy->skew;
}

static void judge_times(const struct prove_input *in, struct prove_line *l)
{
    char a[WHEN_TEXT_MAX], b[WHEN_TEXT_MAX];
    int64_t now = clock_now(in->clock);
    if (l->this_update > now + in->policy->skew) {
        l->verdict = PROVE_UNKNOWN;
        snprintf(l->why, sizeof l->why, "thisUpdate %s lies after now (%s): a clock is wrong",
                 when_format(l->this_update, a), when_format(now, b));
    } else if (in->since != WHEN_NONE && l->this_update < in->since - backdated(in)) {
        l->verdict = PROVE_NOT_CREATED;
        snprintf(l->why, sizeof l->why, "thisUpdate %s is before %s: it was made earlier",
                 when_format(l->this_update, a), when_format(in->since, b));
    } else if (l->next_update == WHEN_NONE ||
               (in->need_until != WHEN_NONE && l->next_update < in->need_until)) {
        l->verdict = PROVE_NOT_CREATED;
        snprintf(l->why, sizeof l->why, "nextUpdate is %s, needed at least %s",
                 when_format(l->next_update, a), when_format(in->need_until, b));
    }
}

static void judge_status(const struct prove_input *in, struct prove_line *l)
{
    char bits[256];
    enum ca_publish_verdict v = l->cpf < 0 ? CA_PUBLISH_UNKNOWN : ca_cpf_verdict((uint32_t)l->cpf);
    if (v == CA_PUBLISH_COMPLETE || (v == CA_PUBLISH_UNKNOWN && in->policy->accept_unknown_status))
        return;
    l->verdict = v == CA_PUBLISH_FAILED    ? PROVE_NOT_CREATED
                 : v == CA_PUBLISH_PARTIAL ? PROVE_NOT_DELIVERED
                                           : PROVE_UNKNOWN;
    snprintf(l->why, sizeof l->why, "publish status of the CA: %s",
             l->cpf < 0 ? "not readable" : ca_cpf_format((uint32_t)l->cpf, bits, sizeof bits));
}

/* What the CA itself holds now, for one line. */
static void read_line(const struct prove_input *in, struct prove_line *l, struct crl_facts *f)
{
    struct err why = ERR_INIT;
    char was[48], is[48];
    int rc = ca_line_read(in->admin, in->view, &l->line, in->store, clock_now(in->clock), f, &why);
    l->cpf = ca_line_status(in->admin, &l->line);
    if (rc) {
        l->verdict = rc == ERR_NOT_FOUND || rc == ERR_CRYPTO ? PROVE_NOT_CREATED : PROVE_UNKNOWN;
        str_copy(l->why, sizeof l->why, why.text);
        return;
    }
    l->after = f->number;
    l->this_update = f->this_update;
    l->next_update = f->next_update;
    l->entries = f->entries;
    memcpy(l->sha256, f->sha256, sizeof l->sha256);
    l->why[0] = '\0';
    l->verdict = PROVE_PROVEN;
    if (crl_number_compare(&l->after, &l->before) <= 0) {
        l->verdict = PROVE_NOT_CREATED;
        snprintf(l->why, sizeof l->why, "the CRL number of the CA is %s, was %s before",
                 crl_number_format(&l->after, is), crl_number_format(&l->before, was));
        return;
    }
    judge_times(in, l);
    if (l->verdict == PROVE_PROVEN)
        judge_status(in, l);
}

static void read_lines(const struct prove_input *in, struct prove_report *r, struct crl_facts *f)
{
    for (int tries = 0; tries < CREATED_TRIES; tries++) {
        bool again = false;
        for (size_t i = 0; i < r->n_lines; i++) {
            read_line(in, &r->line[i], f);
            again = again || r->line[i].verdict == PROVE_NOT_CREATED;
        }
        if (!again || stopping(in) || clock_sleep_ms(in->clock, in->policy->probe_retry_ms))
            return;
    }
}

/* A location is proven when it serves exactly the bytes the CA holds. */
static void judge_location(struct prove_location *o, const struct prove_line *l,
                           const struct probe_result *p, int64_t published, int64_t now)
{
    char number[48], want[48];
    if (p->status != PROBE_OK) {
        snprintf(o->why, sizeof o->why, "%s: %.450s", probe_status_name(p->status), p->detail);
        return;
    }
    if (memcmp(p->facts.sha256, l->sha256, sizeof l->sha256) == 0) {
        o->proven = true;
        o->visible = now > published ? now - published : 0;
        o->why[0] = '\0';
        return;
    }
    crl_number_format(&p->facts.number, number);
    crl_number_format(&l->after, want);
    snprintf(o->why, sizeof o->why,
             strcmp(number, want) == 0 ? "serves CRL number %s with other bytes than the CA's"
                                       : "serves CRL number %s, the CA's is %s",
             number, want);
}

static int list_locations(const struct prove_input *in, struct prove_report *r,
                          struct probe_target **ret, size_t *ret_n, struct err *err)
{
    struct probe_target *all = NULL;
    size_t n = 0, kept = 0;
    int rc = in->locate->locate(in->locate->self, in->view, &all, &n, err);
    if (rc)
        return rc;
    r->location = calloc(n ? n : 1, sizeof *r->location);
    if (!r->location) {
        free(all);
        return err_nomem(err);
    }
    for (size_t i = 0; i < n; i++) {
        size_t l = 0;
        while (l < r->n_lines && !crl_line_at(&r->line[l].line, &all[i]))
            l++;
        /* The CA does not publish to what only earlier certificates name. */
        if (l == r->n_lines || probe_carried_only(&all[i]))
            continue;
        struct prove_location *o = &r->location[kept];
        str_copy(o->url, sizeof o->url, all[i].url);
        str_copy(o->address, sizeof o->address, all[i].address);
        o->line = l;
        o->visible = -1;
        if (kept != i)
            all[kept] = all[i];
        kept++;
    }
    r->n_locations = kept;
    *ret = all;
    *ret_n = kept;
    return ERR_OK;
}

/* Asks those that are still behind. Their number is returned. */
static size_t look(const struct prove_input *in, struct prove_report *r,
                   const struct probe_target *all, struct probe_target *some,
                   struct probe_result *results, bool *ret_ahead)
{
    size_t n = 0, behind = 0;
    for (size_t i = 0; i < r->n_locations; i++) {
        if (!r->location[i].proven)
            some[n++] = all[i];
    }
    err_clear(&r->probe_err);
    if (n == 0 ||
        in->prober->run(in->prober->self, some, n, in->view->issuers, results, &r->probe_err))
        return n;
    int64_t now = clock_now(in->clock);
    n = 0;
    for (size_t i = 0; i < r->n_locations; i++) {
        struct prove_location *o = &r->location[i];
        if (o->proven)
            continue;
        const struct probe_result *p = &results[n++];
        if (!o->address[0])
            str_copy(o->address, sizeof o->address, p->address);
        judge_location(o, &r->line[o->line], p, r->published, now);
        if (in->store)
            probe_keep(in->store, &all[i], p, o->proven ? o->visible : WHEN_NONE, now);
        behind += !o->proven;
        *ret_ahead =
            *ret_ahead || (p->status == PROBE_OK && p->signature != CRL_SIG_BAD &&
                           crl_number_compare(&p->facts.number, &r->line[o->line].after) > 0);
    }
    return behind;
}

static bool partial(const struct prove_report *r)
{
    for (size_t i = 0; i < r->n_lines; i++) {
        if (r->line[i].verdict == PROVE_NOT_DELIVERED)
            return true;
    }
    return false;
}

/* The CA itself tries again only after ten minutes; copying again signs nothing. */
static void copy_again(const struct prove_input *in, struct prove_report *r, struct crl_facts *f)
{
    struct err ignored = ERR_INIT;
    say(in, "a location was not written: asking the CA to copy the CRLs again");
    (void)in->admin->ops->publish(in->admin->self, what_to_publish(in->view) | CA_CRL_REPUBLISH, 0,
                                  &ignored);
    for (size_t i = 0; i < r->n_lines; i++)
        read_line(in, &r->line[i], f);
}

/* A location serves a higher number than the CA held: the CA has published once more meanwhile. */
static void follow(const struct prove_input *in, struct prove_report *r, struct crl_facts *f)
{
    for (size_t i = 0; i < r->n_lines; i++) {
        struct crl_number was = r->line[i].after;
        read_line(in, &r->line[i], f);
        if (crl_number_compare(&r->line[i].after, &was) == 0)
            continue;
        for (size_t o = 0; o < r->n_locations; o++)
            r->location[o].proven = r->location[o].proven && r->location[o].line != i;
    }
}

/* The CA's own retry can complete what was partial. */
static void refresh_status(const struct prove_input *in, struct prove_report *r)
{
    for (size_t i = 0; i < r->n_lines; i++) {
        struct prove_line *l = &r->line[i];
        if (l->verdict != PROVE_NOT_DELIVERED)
            continue;
        l->cpf = ca_line_status(in->admin, &l->line);
        l->verdict = PROVE_PROVEN;
        l->why[0] = '\0';
        judge_status(in, l);
    }
}

static int wait_everywhere(const struct prove_input *in, struct prove_report *r,
                           const struct probe_target *all, size_t n, struct crl_facts *f,
                           struct err *err)
{
    struct probe_target *some = calloc(n ? n : 1, sizeof *some);
    struct probe_result *results = calloc(n ? n : 1, sizeof *results);
    int64_t begin = clock_mono_ms(in->clock), limit = in->policy->propagation_timeout * 1000;
    bool copied = false;
    int rc = some && results ? ERR_OK : err_nomem(err);
    while (!rc) {
        char text[128];
        bool ahead = false;
        size_t behind = look(in, r, all, some, results, &ahead);
        if ((behind == 0 && !partial(r)) || clock_mono_ms(in->clock) - begin >= limit)
            break;
        if (partial(r) && !copied) {
            copy_again(in, r, f);
            copied = true;
            continue;
        }
        if (ahead)
            follow(in, r, f);
        else
            refresh_status(in, r);
        snprintf(text, sizeof text, "%zu of %zu locations are behind", behind, r->n_locations);
        say(in, text);
        if (stopping(in) || clock_sleep_ms(in->clock, in->policy->probe_retry_ms))
            rc = err_set(err, ERR_CANCELLED, "the proof was interrupted");
    }
    free(some);
    free(results);
    return rc;
}

static enum prove_verdict overall(const struct prove_report *r)
{
    bool unknown = false, missing = r->n_locations == 0;
    for (size_t i = 0; i < r->n_lines; i++) {
        if (r->line[i].verdict == PROVE_NOT_CREATED)
            return PROVE_NOT_CREATED;
        unknown = unknown || r->line[i].verdict == PROVE_UNKNOWN;
        missing = missing || r->line[i].verdict == PROVE_NOT_DELIVERED;
    }
    for (size_t i = 0; i < r->n_locations; i++)
        missing = missing || !r->location[i].proven;
    if (r->probe_err.code)
        return PROVE_UNKNOWN;
    return missing ? PROVE_NOT_DELIVERED : unknown ? PROVE_UNKNOWN : PROVE_PROVEN;
}

static size_t describe_line(const struct prove_report *r, char *dst, size_t size)
{
    char name[64];
    for (size_t i = 0; i < r->n_lines; i++) {
        if (r->line[i].verdict == r->verdict && r->line[i].why[0])
            return (size_t)snprintf(dst, size, "%s: %s", crl_line_name(&r->line[i].line, name),
                                    r->line[i].why);
    }
    return 0;
}

static void describe_missing(const struct prove_report *r, char *dst, size_t size)
{
    size_t missing = 0, first = 0;
    for (size_t i = r->n_locations; i-- > 0;) {
        if (!r->location[i].proven) {
            missing++;
            first = i;
        }
    }
    const struct prove_location *o = missing ? &r->location[first] : NULL;
    if (o)
        snprintf(dst, size, "%zu of %zu locations do not serve it, first %.360s (%.64s): %.240s",
                 missing, r->n_locations, o->url, o->address, o->why);
    else if (!r->n_locations)
        snprintf(dst, size, "no location is known where it could be seen");
    else if (!describe_line(r, dst, size))
        snprintf(dst, size, "the CA reports a location that was not written");
}

static void describe(struct prove_report *r)
{
    char what[800] = "";
    char number[48] = "-";
    struct ca_hresult_hint hint = ca_hresult_explain((uint32_t)r->publish_err.os_code);
    if (r->n_lines)
        crl_number_format(&r->line[0].after, number);
    switch (r->verdict) {
    case PROVE_PROVEN:
        snprintf(r->text, sizeof r->text, "CRL number %s is served by all %zu locations", number,
                 r->n_locations);
        return;
    case PROVE_NOT_DELIVERED:
        describe_missing(r, what, sizeof what);
        snprintf(r->text, sizeof r->text, "CRL number %s was created but not delivered: %s", number,
                 what);
        return;
    case PROVE_NOT_CREATED:
        (void)describe_line(r, what, sizeof what);
        if (r->publish_err.code)
            snprintf(r->text, sizeof r->text, "no new CRL was created: %.300s; %.400s (%s)", what,
                     r->publish_err.text, hint.text);
        else
            snprintf(r->text, sizeof r->text, "no new CRL was created: %s", what);
        return;
    case PROVE_UNKNOWN:
        if (!describe_line(r, what, sizeof what))
            str_copy(what, sizeof what, r->probe_err.text);
        snprintf(r->text, sizeof r->text, "it cannot be said whether the CRL was published: %s",
                 what);
        return;
    }
}

int prove_finish(const struct prove_input *in, struct prove_report *ret, struct err *err)
{
    struct probe_target *all = NULL;
    size_t n = 0;
    struct crl_facts *f = malloc(sizeof *f);
    int rc = f ? ERR_OK : err_nomem(err);
    if (!rc)
        read_lines(in, ret, f);
    if (!rc && stopping(in))
        rc = err_set(err, ERR_CANCELLED, "the proof was interrupted");
    if (!rc && overall(ret) != PROVE_NOT_CREATED)
        rc = list_locations(in, ret, &all, &n, err);
    if (!rc && all)
        rc = wait_everywhere(in, ret, all, n, f, err);
    if (!rc) {
        ret->verdict = overall(ret);
        describe(ret);
    }
    free(f);
    free(all);
    return rc;
}

/* Looks again until everybody serves it or the time is up. */
static int wait_served(const struct prove_input *in, struct prove_report *r,
                       const struct probe_target *all, size_t n, struct err *err)
{
    SCOPED(scope_free) struct probe_target *some = calloc(n ? n : 1, sizeof *some);
    SCOPED(scope_free) struct probe_result *results = calloc(n ? n : 1, sizeof *results);
    int64_t begin = clock_mono_ms(in->clock), limit = in->policy->propagation_timeout * 1000;
    if (!some || !results)
        return err_nomem(err);
    for (;;) {
        char text[128];
        bool ahead = false;
        size_t behind = look(in, r, all, some, results, &ahead);
        if (behind == 0 || clock_mono_ms(in->clock) - begin >= limit)
            return ERR_OK;
        snprintf(text, sizeof text, "%zu of %zu locations are behind", behind, r->n_locations);
        say(in, text);
        if (stopping(in) || clock_sleep_ms(in->clock, in->policy->probe_retry_ms))
            return err_set(err, ERR_CANCELLED, "the proof was interrupted");
    }
}

int prove_served(const struct prove_input *in, struct prove_report *ret, struct err *err)
{
    SCOPED(scope_free) struct probe_target *all = NULL;
    size_t n = 0, kept = 0;
    int rc = list_locations(in, ret, &all, &n, err);
    for (size_t i = 0; i < n && !rc; i++) {
        if (all[i].kind == LOC_LDAP)
            continue;
        all[kept] = all[i];
        ret->location[kept++] = ret->location[i];
    }
    if (rc)
        return rc;
    ret->n_locations = kept;
    rc = wait_served(in, ret, all, kept, err);
    if (rc)
        return rc;
    ret->verdict = overall(ret);
    describe(ret);
    return ERR_OK;
}

int prove_unchanged(const struct prove_input *in, const struct prove_report *proven,
                    struct err *err)
{
    char name[64], was[48], is[48];
    struct crl_facts *f = malloc(sizeof *f);
    int rc = f ? ERR_OK : err_nomem(err);
    for (size_t i = 0; i < proven->n_lines && !rc; i++) {
        const struct prove_line *l = &proven->line[i];
        rc = ca_line_read(in->admin, in->view, &l->line, NULL, clock_now(in->clock), f, err);
        if (!rc && crl_number_compare(&f->number, &l->after) != 0)
            rc = err_set(err, ERR_STATE,
                         "%s: the CA has published number %s after the proven %s; prepare again",
                         crl_line_name(&l->line, name), crl_number_format(&f->number, is),
                         crl_number_format(&l->after, was));
    }
    free(f);
    return rc;
}
