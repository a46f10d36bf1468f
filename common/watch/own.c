/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "watch/own.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "maint/reserve.h"

#define STAGES_MAX 8
#define RESERVES_MAX 64

/* Cache rows, one per line of the CA. */
static const char *const kind_base = "own-base-crl";
static const char *const kind_delta = "own-delta-crl";

struct stage {
    struct crl_number number;
    uint8_t sha256[32];
    int64_t this_update, published;
};

/* As it lies in the cache. Stages from the oldest to the newest; the first is the one that every
 * location has to serve at least, as soon as its propagation time is over. */
struct row {
    uint32_t n;
    struct stage stage[STAGES_MAX];
    int64_t read, next_update, next_publish;
    uint64_t bytes;
    uint8_t issuer_der[LIMIT_CRL_NAME_BYTES], aki[64];
    uint16_t issuer_der_len;
    uint8_t aki_len;
};

void own_free(struct own_list *l)
{
    free(l->known);
    free(l->crl);
    memset(l, 0, sizeof *l);
}

static const char *kind_of(const struct crl_line *line)
{
    return line->delta ? kind_delta : kind_base;
}

static bool load(const struct own_input *in, const struct crl_line *line, struct row *ret)
{
    SCOPED(buf_free) struct buf b = BUF_INIT;
    struct err ignored = ERR_INIT;
    if (store_cache_get(in->store, kind_of(line), line->key_index, line->partition, &b, NULL,
                        &ignored) ||
        b.len != sizeof *ret)
        return false;
    memcpy(ret, b.data, sizeof *ret);
    return ret->n > 0 && ret->n <= STAGES_MAX && ret->issuer_der_len <= sizeof ret->issuer_der &&
           ret->aki_len <= sizeof ret->aki;
}

/* Of a full disk the whole look tells; here only a restart would know less. */
static void save(const struct own_input *in, const struct crl_line *line, const struct row *row)
{
    struct err ignored = ERR_INIT;
    if (store_cache_put(in->store, kind_of(line), line->key_index, line->partition, row,
                        sizeof *row, in->round->when, &ignored))
        err_clear(&ignored);
}

static struct stage *newest(struct row *r)
{
    return &r->stage[r->n - 1];
}

/* AD CS dates thisUpdate back by its clock skew. */
static int64_t published_at(const struct own_input *in, const struct crl_facts *f)
{
    int64_t at = f->this_update + 60ll * in->view->settings.clock_skew_minutes;
    return at < in->round->when ? at : in->round->when;
}

static bool same_key(const struct row *r, const struct crl_facts *f)
{
    return r->issuer_der_len == f->issuer_der_len && r->aki_len == f->aki_len &&
           memcmp(r->issuer_der, f->issuer_der, f->issuer_der_len) == 0 &&
           memcmp(r->aki, f->aki, f->aki_len) == 0;
}

/* True when this is another CRL than the newest kept. */
static bool take(const struct own_input *in, const struct crl_facts *f, struct row *r)
{
    struct stage s = {f->number, {0}, f->this_update, published_at(in, f)};
    memcpy(s.sha256, f->sha256, sizeof s.sha256);
    r->read = in->round->when;
    if (r->n && same_key(r, f) && memcmp(newest(r)->sha256, s.sha256, sizeof s.sha256) == 0)
        return false;
    /* Another CA, or its numbers have gone back: what was before counts no more. */
    if (r->n && (!same_key(r, f) || crl_number_compare(&s.number, &newest(r)->number) < 0))
        r->n = 0;
    /* Published faster than copied: the newest replaces the one before it, so that the older ones
     * come of age. */
    r->n += r->n < STAGES_MAX;
    *newest(r) = s;
    r->next_update = f->next_update;
    r->next_publish = f->next_publish;
    r->bytes = f->bytes;
    r->issuer_der_len = f->issuer_der_len;
    r->aki_len = f->aki_len;
    memcpy(r->issuer_der, f->issuer_der, sizeof r->issuer_der);
    memcpy(r->aki, f->aki, sizeof r->aki);
    return true;
}

static const struct crl_facts *served(const struct own_input *in, const struct crl_line *line)
{
    const struct health_input seen = {
        .targets = in->round->target, .results = in->round->result, .n = in->round->n};
    return health_newest(&seen, line->key_index, line->partition, line->delta, 0);
}

static bool worth_reading(const struct own_input *in, const struct crl_line *line, struct row *r)
{
    int64_t now = in->round->when;
    if (!r->n || r->bytes <= OWN_LARGE_BYTES || now < r->read || now - r->read >= OWN_LARGE_SECONDS)
        return true;
    const struct crl_facts *s = served(in, line);
    return (r->next_publish != WHEN_NONE && now >= r->next_publish) ||
           (s && crl_number_compare(&s->number, &newest(r)->number) != 0);
}

/* True when the CA has told it now, or a moment ago. */
static bool refresh(const struct own_input *in, const struct crl_line *line,
                    struct crl_facts *scratch, struct row *r)
{
    struct err ignored = ERR_INIT;
    if (!in->view->asked || !in->admin)
        return false;
    if (!worth_reading(in, line, r))
        return true;
    if (ca_line_read(in->admin, in->view, line, NULL, in->round->when, scratch, &ignored))
        return false;
    if (take(in, scratch, r) || r->bytes > OWN_LARGE_BYTES)
        save(in, line, r);
    return true;
}

static bool of_age(const struct own_input *in, const struct stage *s)
{
    return in->round->when >= s->published + in->propagation;
}

/* Leaves out what a younger one that is of age has replaced. */
static void settle(const struct own_input *in, struct row *r)
{
    while (r->n > 1 && of_age(in, &r->stage[1]))
        memmove(&r->stage[0], &r->stage[1], --r->n * sizeof r->stage[0]);
}

static void fill_known(const struct crl_line *line, struct row *r, struct health_known *k)
{
    const struct stage *least = &r->stage[0];
    memset(k, 0, sizeof *k);
    k->key_index = line->key_index;
    k->partition = line->partition;
    k->delta = line->delta;
    k->facts.number = least->number;
    memcpy(k->facts.sha256, least->sha256, sizeof k->facts.sha256);
    k->facts.this_update = least->this_update;
    k->facts.next_update = WHEN_NONE;
    k->facts.next_publish = WHEN_NONE;
    k->facts.issuer_der_len = r->issuer_der_len;
    k->facts.aki_len = r->aki_len;
    memcpy(k->facts.issuer_der, r->issuer_der, sizeof r->issuer_der);
    memcpy(k->facts.aki, r->aki, sizeof r->aki);
    if (r->n > 1) {
        k->coming = newest(r)->number;
        memcpy(k->coming_sha256, newest(r)->sha256, sizeof k->coming_sha256);
    }
}

static void fill_crl(const struct crl_line *line, struct row *r, struct own_crl *c)
{
    *c = (struct own_crl){.key_index = line->key_index,
                          .partition = line->partition,
                          .delta = line->delta,
                          .number = newest(r)->number,
                          .next_update = r->next_update,
                          .aki_len = r->aki_len};
    memcpy(c->sha256, newest(r)->sha256, sizeof c->sha256);
    memcpy(c->aki, r->aki, sizeof c->aki);
}

/* A reserve CRL is at the locations on purpose, and is not the CA's. */
static bool has_reserve(const struct store_reserve *rows, size_t n, const struct crl_line *line)
{
    for (size_t i = 0; i < n && !line->delta; i++) {
        if (rows[i].key_index == line->key_index && rows[i].partition == line->partition &&
            reserve_in_use(&rows[i]))
            return true;
    }
    return false;
}

static bool is_reference(const struct own_input *in, const struct crl_line *line, bool told_now,
                         struct row *r)
{
    const struct crl_facts *s = told_now ? NULL : served(in, line);
    return of_age(in, &r->stage[0]) &&
           !(s && crl_number_compare(&s->number, &newest(r)->number) > 0);
}

int own_read(const struct own_input *in, struct own_list *ret, struct err *err)
{
    SCOPED(scope_free) struct crl_line *line = calloc(RUNWAY_LINES_MAX, sizeof *line);
    SCOPED(scope_free) struct store_reserve *reserve = calloc(RESERVES_MAX, sizeof *reserve);
    SCOPED(scope_free) struct crl_facts *scratch = calloc(1, sizeof *scratch);
    struct err ignored = ERR_INIT;
    size_t n_reserve = 0;
    if (!line || !reserve || !scratch)
        return err_nomem(err);
    if (store_reserve_list(in->store, false, reserve, RESERVES_MAX, &n_reserve, &ignored))
        n_reserve = 0;
    size_t n = ca_view_lines(in->view, line, RUNWAY_LINES_MAX);
    n = n < RUNWAY_LINES_MAX ? n : RUNWAY_LINES_MAX;
    SCOPED(own_free)
    struct own_list l = {.known = calloc(n + 1, sizeof *l.known),
                         .crl = calloc(n + 1, sizeof *l.crl)};
    if (!l.known || !l.crl)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        struct row r = {0};
        if (!load(in, &line[i], &r))
            r = (struct row){0};
        settle(in, &r);
        bool told_now = refresh(in, &line[i], scratch, &r);
        if (!r.n)
            continue;
        fill_crl(&line[i], &r, &l.crl[l.n_crl++]);
        settle(in, &r);
        if (is_reference(in, &line[i], told_now, &r) && !has_reserve(reserve, n_reserve, &line[i]))
            fill_known(&line[i], &r, &l.known[l.n_known++]);
    }
    *ret = l;
    l = (struct own_list){0};
    return ERR_OK;
}
