/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "watch/lost.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ca/settings.h"
#include "health/rules.h"
#include "watch/watch.h"

/* In the cache: the CRL that the next one is compared with. Its number and the verdict on it stand
 * in a value, so that a look at an unchanged CRL costs one small row. */
static const char *const kind_kept = "base-crl-compared";
static const char *const kind_fresh = "base-crl"; /* what ca_line_read leaves */

static const char *value_name(const struct crl_line *line, char dst[64])
{
    snprintf(dst, 64, "lost.%u.%u", line->key_index, line->partition);
    return dst;
}

/* Number of the CRL kept, severity, and what its comparison found ("" = nothing). */
struct verdict {
    char number[48];
    enum severity severity;
    char found[400];
};

static bool read_verdict(const struct lost_input *in, const struct crl_line *line,
                         struct verdict *ret)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err ignored = ERR_INIT;
    char name[64];
    int at = 0;
    if (store_value_get(in->store, value_name(line, name), &text, &ignored) ||
        sscanf(buf_str(&text), "%47s %u %n", ret->number, (unsigned *)&ret->severity, &at) != 2)
        return false;
    (void)str_copy(ret->found, sizeof ret->found, buf_str(&text) + at);
    return true;
}

static int write_verdict(const struct lost_input *in, const struct crl_line *line,
                         const struct verdict *v, struct err *err)
{
    char name[64], text[sizeof v->number + sizeof v->found + 16];
    snprintf(text, sizeof text, "%s %u %s", v->number, (unsigned)v->severity, v->found);
    return store_value_set(in->store, value_name(line, name), text, err);
}

struct samples {
    size_t n;
    char text[200];
};

static int take_sample(void *arg, enum crl_change what, const struct crl_entry *e)
{
    struct samples *s = arg;
    char hex[2 * LIMIT_SERIAL_BYTES + 1];
    if ((what != CRL_LOST && what != CRL_EARLY) || s->n >= 3 || e->serial_len > LIMIT_SERIAL_BYTES)
        return 0;
    str_hex(hex, e->serial, e->serial_len);
    size_t used = strlen(s->text);
    snprintf(s->text + used, sizeof s->text - used, "%s%s", s->n ? ", " : "", hex);
    s->n++;
    return 0;
}

static struct finding *find(struct findings *list, const struct crl_line *line)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->item[i].id == FIND_CRL_ENTRIES_LOST && list->item[i].key_index == line->key_index)
            return &list->item[i];
    }
    return NULL;
}

static int tell(const struct lost_input *in, const struct crl_line *line, const struct verdict *v,
                struct findings *list, struct err *err)
{
    struct finding *f = find(list, line);
    if (!v->found[0])
        return ERR_OK;
    if (!f)
        f = findings_add(list, FIND_CRL_ENTRIES_LOST);
    if (!f)
        return err_nomem(err);
    f->severity = v->severity;
    f->key_index = line->key_index;
    const char *ca = in->view->settings.common_name;
    (void)str_copy(f->ca, sizeof f->ca, ca ? ca : "");
    (void)str_copy(f->expected, sizeof f->expected,
                   "no entry leaves the base CRL before its certificate can have expired");
    (void)str_copy(f->found, sizeof f->found, v->found);
    finding_fill_remedy(f);
    return ERR_OK;
}

/* A certificate is dead for certain when even the longest life ends before the newer CRL. Without a
 * known life only an entry that was revoked after the older CRL is certain. */
static void conclude(const struct crl_diff *d, const struct samples *s, bool first_sign,
                     bool life_known, struct verdict *v)
{
    uint64_t early = d->count[CRL_LOST] + d->count[CRL_EARLY];
    char a[48], b[48];
    if (!early && !(first_sign && life_known))
        return;
    /* A CRL between the two that was not seen may have been the last one an entry had to be on. */
    bool certain = d->count[CRL_LOST] && d->number_gap == 0;
    v->severity = certain ? SEV_CRITICAL : early ? SEV_WARNING : SEV_INFO;
    snprintf(v->found, sizeof v->found,
             "number %s compared with %s entry by entry: %" PRIu64 " left, %" PRIu64
             " of them too early for certain, %" PRIu64 " whose certificate may still live%s%s",
             crl_number_format(&d->new_facts.number, a), crl_number_format(&d->old_facts.number, b),
             early + d->count[CRL_DROPPED] + d->count[CRL_RELEASED], d->count[CRL_LOST],
             d->count[CRL_EARLY], s->n ? "; serial numbers " : "", s->text);
}

static int compare(const struct lost_input *in, struct buf *older, struct buf *newer,
                   bool first_sign, struct verdict *v, struct err *err)
{
    struct samples s = {0, ""};
    struct err why = ERR_INIT;
    int64_t life = 0;
    if (ca_period_seconds(&in->view->settings.validity, &life, &why))
        life = 0;
    const struct crl_diff_options opt = {
        .certificate_life = life, .on_change = take_sample, .arg = &s};
    SCOPED(scope_free) struct crl_diff *d = calloc(1, sizeof *d);
    if (!d)
        return err_nomem(err);
    /* Of another key, or damaged: nothing can be said about the two. */
    if (!in->compare(older, newer, &opt, d, &why))
        conclude(d, &s, first_sign, life > 0, v);
    return ERR_OK;
}

static int keep(const struct lost_input *in, const struct crl_line *line, const struct buf *crl,
                const struct verdict *v, struct err *err)
{
    bool fits = crl->len <= LOST_CRL_BYTES;
    int rc = store_cache_put(in->store, kind_kept, line->key_index, line->partition, crl->data,
                             fits ? crl->len : 0, in->now, err);
    return rc ? rc : write_verdict(in, line, v, err);
}

int lost_look(const struct lost_input *in, const struct crl_line *line,
              const struct crl_facts *newest, struct findings *findings, struct err *err)
{
    SCOPED(buf_free) struct buf older = BUF_INIT;
    SCOPED(buf_free) struct buf newer = BUF_INIT;
    SCOPED(scope_free) struct crl_facts *facts = calloc(1, sizeof *facts);
    struct err why = ERR_INIT;
    struct verdict v = {"", SEV_OK, ""};
    char number[48];
    if (!facts)
        return err_nomem(err);
    if (newest->bytes > LOST_CRL_BYTES)
        return ERR_OK;
    if (read_verdict(in, line, &v) &&
        strcmp(v.number, crl_number_format(&newest->number, number)) == 0)
        return tell(in, line, &v, findings, err);
    if (ca_line_read(in->admin, in->view, line, in->store, in->now, facts, &why) ||
        store_cache_get(in->store, kind_fresh, line->key_index, line->partition, &newer, NULL,
                        &why))
        return ERR_OK;
    v = (struct verdict){"", SEV_OK, ""};
    crl_number_format(&facts->number, v.number);
    int rc = ERR_OK;
    if (store_cache_get(in->store, kind_kept, line->key_index, line->partition, &older, NULL,
                        &why) == ERR_OK &&
        older.len)
        rc = compare(in, &older, &newer, find(findings, line) != NULL, &v, err);
    if (!rc)
        rc = keep(in, line, &newer, &v, err);
    return rc ? rc : tell(in, line, &v, findings, err);
}

int lost_find(const struct watch_setup *s, struct look *l, struct err *err)
{
    const struct lost_input in = {&s->seams.admin, s->store, &l->view, l->round.when,
                                  s->seams.compare};
    const struct health_input served = {
        .targets = l->round.target, .results = l->round.result, .n = l->round.n};
    SCOPED(scope_free) struct crl_line *line = calloc(RUNWAY_LINES_MAX, sizeof *line);
    if (!line)
        return err_nomem(err);
    size_t n = ca_view_lines(&l->view, line, RUNWAY_LINES_MAX);
    int rc = ERR_OK;
    for (size_t i = 0; i < n && i < RUNWAY_LINES_MAX && !rc; i++) {
        const struct crl_facts *f =
            line[i].delta ? NULL
                          : health_newest(&served, line[i].key_index, line[i].partition, false, 0);
        if (f)
            rc = lost_look(&in, &line[i], f, &l->findings, err);
    }
    return rc;
}
