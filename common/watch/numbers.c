/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "watch/numbers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* The highest number of one line, and the CRL that has it. */
struct highest {
    struct crl_number number;
    char sha256[65], aki[129];
    int64_t next_update;
};

struct judged {
    const struct crl_line *line;
    const struct own_crl *own; /* NULL = what a location serves */
    struct highest now, kept;
    bool known; /* kept is */
};

static const char *value_name(const struct crl_line *line, char dst[64])
{
    snprintf(dst, 64, "number.%u.%u.%s", line->key_index, line->partition,
             line->delta ? "delta" : "base");
    return dst;
}

static bool load(struct store *store, const struct crl_line *line, struct highest *ret)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err ignored = ERR_INIT;
    char name[64], number[48];
    return store_value_get(store, value_name(line, name), &text, &ignored) == ERR_OK &&
           sscanf(buf_str(&text), "%47s %64s %128s %" SCNd64, number, ret->sha256, ret->aki,
                  &ret->next_update) == 4 &&
           crl_number_parse(number, &ret->number) && ret->number.len;
}

/* Of a full disk the whole look tells. */
static void save(struct store *store, const struct crl_line *line, const struct highest *h)
{
    struct err ignored = ERR_INIT;
    char name[64], number[48], text[320];
    snprintf(text, sizeof text, "%s %s %s %" PRId64, crl_number_format(&h->number, number),
             h->sha256, h->aki, h->next_update);
    if (store_value_set(store, value_name(line, name), text, &ignored))
        err_clear(&ignored);
}

static void fill(struct highest *h, const struct crl_number *number, const uint8_t *sha256,
                 const uint8_t *aki, size_t aki_len, int64_t next_update)
{
    h->number = *number;
    str_hex(h->sha256, sha256, 32);
    str_hex(h->aki, aki, aki_len);
    if (!aki_len)
        (void)str_copy(h->aki, sizeof h->aki, "-");
    h->next_update = next_update;
}

/* False: nothing is known of this line now. */
static bool look_at(struct store *store, const struct crl_line *line,
                    const struct probe_round *round, const struct own_list *own, struct judged *j)
{
    const struct health_input in = {
        .targets = round->target, .results = round->result, .n = round->n};
    *j = (struct judged){.line = line};
    for (size_t i = 0; i < own->n_crl && !j->own; i++) {
        const struct own_crl *c = &own->crl[i];
        if (c->key_index == line->key_index && c->partition == line->partition &&
            c->delta == line->delta)
            j->own = c;
    }
    const struct crl_facts *f =
        j->own ? NULL : health_newest(&in, line->key_index, line->partition, line->delta, 0);
    if (j->own)
        fill(&j->now, &j->own->number, j->own->sha256, j->own->aki, j->own->aki_len,
             j->own->next_update);
    else if (f)
        fill(&j->now, &f->number, f->sha256, f->aki, f->aki_len, f->next_update);
    if (!j->now.number.len)
        return false;
    j->known = load(store, line, &j->kept) && strcmp(j->kept.aki, j->now.aki) == 0;
    return true;
}

/* Lower, or used a second time for another CRL. */
static bool has_gone_back(const struct judged *j)
{
    int order = crl_number_compare(&j->now.number, &j->kept.number);
    return j->known && (order < 0 || (!order && strcmp(j->now.sha256, j->kept.sha256) != 0));
}

static const char *where(const struct probe_round *round, const struct judged *j)
{
    for (size_t i = 0; !j->own && i < round->n; i++) {
        if (crl_line_at(j->line, &round->target[i]))
            return round->target[i].url;
    }
    return "";
}

static struct finding *add(struct findings *list, uint32_t id, const char *ca, uint32_t key)
{
    struct finding *f = findings_add(list, id);
    if (f) {
        f->key_index = key;
        (void)str_copy(f->ca, sizeof f->ca, ca);
    }
    return f;
}

static void append(char *dst, size_t size, const char *text)
{
    size_t used = strlen(dst);
    snprintf(dst + used, size - used, "%s%s", used ? "; " : "", text);
}

/* All lines of a key that have gone back are one finding: the numbers go back together. */
static int tell_back(const struct judged *j, size_t n, const struct probe_round *round,
                     const char *ca, struct findings *list, struct err *err)
{
    struct finding *f = NULL;
    bool held = false; /* by a client that may still use it */
    for (size_t i = 0; i < n; i++) {
        char name[64], a[48], text[256];
        if (!has_gone_back(&j[i]))
            continue;
        if (!f && !(f = add(list, FIND_CRL_NUMBER_REGRESS, ca, j[i].line->key_index)))
            return err_nomem(err);
        if (!f->url[0])
            (void)str_copy(f->url, sizeof f->url, where(round, &j[i]));
        crl_line_name(j[i].line, name);
        snprintf(text, sizeof text, "%s: a CRL number above %s", name,
                 crl_number_format(&j[i].kept.number, a));
        append(f->expected, sizeof f->expected, text);
        snprintf(text, sizeof text, "%s: CRL number %s%s", name,
                 crl_number_format(&j[i].now.number, a), j[i].own ? " at the CA itself" : "");
        append(f->found, sizeof f->found, text);
        held = held || j[i].kept.next_update == WHEN_NONE || j[i].kept.next_update > round->when;
    }
    if (f && !held)
        f->severity = SEV_WARNING;
    if (f)
        finding_fill_remedy(f);
    return ERR_OK;
}

static const struct crl_number *greatest(const struct judged *j, size_t n, bool now)
{
    const struct crl_number *best = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct crl_number *x = now ? &j[i].now.number : &j[i].kept.number;
        if (j[i].known && (!best || crl_number_compare(x, best) > 0))
            best = x;
    }
    return best;
}

static int tell_gap(const struct judged *j, size_t n, const char *ca, struct findings *list,
                    struct err *err)
{
    const struct crl_number *was = greatest(j, n, false), *is = greatest(j, n, true);
    struct crl_number next;
    char a[48], b[48];
    if (!was || !crl_number_next(was, &next) || crl_number_compare(is, &next) <= 0)
        return ERR_OK;
    struct finding *f = add(list, FIND_CRL_NUMBER_GAP, ca, j->line->key_index);
    if (!f)
        return err_nomem(err);
    snprintf(f->expected, sizeof f->expected, "CRL number %s or %s, base or delta",
             crl_number_format(was, a), crl_number_format(&next, b));
    snprintf(f->found, sizeof f->found, "CRL number %s", crl_number_format(is, a));
    finding_fill_remedy(f);
    return ERR_OK;
}

static void keep(struct store *store, const struct judged *j)
{
    if (!j->known || crl_number_compare(&j->now.number, &j->kept.number) > 0)
        save(store, j->line, &j->now);
}

int numbers_judge(struct store *store, const struct ca_view *view, const struct probe_round *round,
                  const struct own_list *own, struct findings *findings, struct err *err)
{
    SCOPED(scope_free) struct crl_line *line = calloc(RUNWAY_LINES_MAX, sizeof *line);
    SCOPED(scope_free) struct judged *j = calloc(RUNWAY_LINES_MAX, sizeof *j);
    const char *ca = view->settings.common_name ? view->settings.common_name : "";
    if (!line || !j)
        return err_nomem(err);
    size_t n = ca_view_lines(view, line, RUNWAY_LINES_MAX), at = 0;
    n = n < RUNWAY_LINES_MAX ? n : RUNWAY_LINES_MAX;
    int rc = ERR_OK;
    /* Lines come key by key. */
    for (size_t i = 0, of_key = 0; i < n && !rc; i++) {
        of_key += look_at(store, &line[i], round, own, &j[at + of_key]);
        if (i + 1 < n && line[i + 1].key_index == line[i].key_index)
            continue;
        rc = tell_back(j + at, of_key, round, ca, findings, err);
        if (!rc)
            rc = tell_gap(j + at, of_key, ca, findings, err);
        at += of_key;
        of_key = 0;
    }
    for (size_t i = 0; i < at && !rc; i++)
        keep(store, &j[i]);
    return rc;
}
