/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Signing, judging, sealing. Written first: the row 'making'; last: the row 'sealed'. A crash
 * between the two leaves a row and perhaps a file that the next start destroys. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "crl/certend.h"
#include "crl/compare.h"
#include "maint/engine.h"

#define HOUR 3600

struct making {
    const struct crl_line *line;
    struct buf of, made; /* bytes */
    struct crl_facts *of_facts, *facts;
    struct store_reserve row;
    struct reserve_want want;
};

static void making_free(struct making **k)
{
    if (!*k)
        return;
    buf_free(&(*k)->of);
    buf_free(&(*k)->made);
    free((*k)->of_facts);
    free((*k)->facts);
    free(*k);
    *k = NULL;
}

static struct making *making_new(const struct crl_line *line, struct err *err)
{
    struct making *k = calloc(1, sizeof *k);
    if (k) {
        k->line = line;
        k->of_facts = malloc(sizeof *k->of_facts);
        k->facts = malloc(sizeof *k->facts);
    }
    if (!k || !k->of_facts || !k->facts) {
        (void)err_nomem(err);
        making_free(&k);
    }
    return k;
}

static bool delta_of(const struct crl_line *delta, const struct crl_line *base)
{
    return delta->delta && delta->key_index == base->key_index &&
           delta->partition == base->partition;
}

/* The newest delta of a base CRL; its number is 0 bytes long when there is none. */
static int read_delta(struct work *w, const struct crl_line *base, struct crl_facts *f,
                      struct err *err)
{
    struct err why = ERR_INIT;
    memset(f, 0, sizeof *f);
    for (size_t i = 0; i < w->n_lines; i++) {
        if (!delta_of(&w->line[i], base))
            continue;
        int rc = ca_line_read(&w->m->seams.admin, &w->view, &w->line[i], NULL,
                              clock_now(w->m->seams.clock), f, &why);
        if (rc == ERR_NOT_FOUND)
            memset(f, 0, sizeof *f);
        else if (rc && err)
            *err = why;
        return rc == ERR_NOT_FOUND ? ERR_OK : rc;
    }
    return ERR_OK;
}

static bool behind(const struct crl_facts *base, const struct crl_facts *delta)
{
    return delta->entries && crl_number_compare(&delta->number, &base->number) > 0;
}

int reserve_base_behind(struct work *w, bool *ret, struct err *err)
{
    SCOPED(scope_free) struct crl_facts *base = malloc(sizeof *base);
    SCOPED(scope_free) struct crl_facts *delta = malloc(sizeof *delta);
    int rc = base && delta ? ERR_OK : err_nomem(err);
    bool any = false;
    for (size_t i = 0; i < w->n_lines && !rc; i++) {
        if (w->line[i].delta)
            continue;
        rc = ca_line_read(&w->m->seams.admin, &w->view, &w->line[i], NULL,
                          clock_now(w->m->seams.clock), base, err);
        if (!rc)
            rc = read_delta(w, &w->line[i], delta, err);
        any = any || (!rc && behind(base, delta));
    }
    if (!rc)
        *ret = any;
    return rc;
}

/* What there is to be signed, and the number it gets: one above all that the CA has given. */
static int read_original(struct work *w, struct making *k, struct err *err)
{
    struct crl_facts *delta = k->facts; /* borrowed until the reserve itself is read */
    struct crl_number *n = &k->want.number;
    char base[48], newer[48];
    int rc = ca_line_fetch(&w->m->seams.admin, &w->view, k->line, &k->of, k->of_facts, err);
    if (!rc)
        rc = read_delta(w, k->line, delta, err);
    if (rc)
        return rc;
    if (behind(k->of_facts, delta))
        return err_set(
            err, ERR_STATE,
            "the delta CRL %s has %llu entries that its base CRL %s lacks; publish first: "
            "crlagent publish",
            crl_number_format(&delta->number, newer), (unsigned long long)delta->entries,
            crl_number_format(&k->of_facts->number, base));
    *n = k->of_facts->number;
    if (w->m->policy.reserve_same_number)
        return ERR_OK;
    if (crl_number_compare(&delta->number, n) > 0)
        *n = delta->number;
    return crl_number_next(n, n)
               ? ERR_OK
               : err_set(err, ERR_STATE, "the CRL has no number to count on from");
}

/* As long as configured, never beyond the CA certificate, always beyond the outage. */
static int choose_life(struct work *w, struct making *k, struct err *err)
{
    const struct maint_policy *p = &w->m->policy;
    char need[WHEN_TEXT_MAX], end[WHEN_TEXT_MAX];
    int64_t now = clock_now(w->m->seams.clock), until = INT64_MAX;
    for (size_t i = 0; i < w->view.n_keys; i++) {
        const struct ca_key *c = &w->view.key[i];
        if (c->cert_index != k->line->cert_index)
            continue;
        int rc = crl_cert_end(c->cert.data, c->cert.len, &until, err);
        if (rc)
            return rc;
    }
    int64_t life = p->reserve_life < until - now ? p->reserve_life : until - now;
    k->want.now = now;
    k->want.life = life / HOUR * HOUR;
    k->want.at_most = until;
    k->want.skew = p->skew;
    k->want.need_until = now + (w->row.id ? w->row.window + w->row.reserve + p->propagation : HOUR);
    if (now + k->want.life > k->want.need_until)
        return ERR_OK;
    return err_set(err, ERR_LIMIT,
                   "it would end at %s, the outage needs %s; raise reserve-crl-life, or ask for a "
                   "shorter window (the CA certificate ends at %s)",
                   when_format(now + k->want.life, end), when_format(k->want.need_until, need),
                   until == INT64_MAX ? "?" : when_format(until, (char[WHEN_TEXT_MAX]){0}));
}

/* Counts what the second CRL lacks; the reserve must hold all of the first. */
static int compare(struct work *w, struct making *k, struct err *err)
{
    SCOPED(scope_free) struct crl_diff *d = calloc(1, sizeof *d);
    const struct crl_source older = {crl_source_buffer, &k->of};
    const struct crl_source newer = {crl_source_buffer, &k->made};
    const struct crl_diff_options opt = {.issuers = w->view.issuers};
    if (!d)
        return err_nomem(err);
    int rc = crl_compare(&older, &newer, &opt, d, err);
    if (rc)
        return rc;
    k->want.missing =
        d->count[CRL_LOST] + d->count[CRL_EARLY] + d->count[CRL_DROPPED] + d->count[CRL_RELEASED];
    k->want.changed = d->count[CRL_REASON] + d->count[CRL_DATE];
    return ERR_OK;
}

static int sign_and_judge(struct work *w, struct making *k, struct err *err)
{
    const struct ca_resigner *s = &w->m->seams.resign;
    enum crl_signature sig = CRL_SIG_NOT_CHECKED;
    const struct ca_resign what = {
        .crl = k->of.data,
        .len = k->of.len,
        .life = k->want.life,
        .number = w->m->policy.reserve_same_number ? (struct crl_number){0} : k->want.number,
        .drop_freshest = k->of_facts->freshest.count > 0,
        .drop_next_publish = k->of_facts->next_publish != WHEN_NONE,
    };
    int rc = s->resign(s->self, &what, &k->made, err);
    if (!rc)
        rc = crl_read_memory("the reserve CRL", k->made.data, k->made.len, w->view.issuers,
                             k->facts, &sig, err);
    if (!rc)
        rc = compare(w, k, err);
    if (rc)
        return rc;
    k->want.of = k->of_facts;
    k->want.signature_good = sig == CRL_SIG_GOOD;
    k->want.signature_why = crl_signature_name(sig);
    k->want.now = clock_now(w->m->seams.clock);
    return reserve_judge(&k->want, k->facts, err);
}

static int begin_row(struct work *w, struct making *k, struct err *err)
{
    struct store_reserve *r = &k->row;
    *r = (struct store_reserve){.maintenance = w->row.id,
                                .key_index = k->line->key_index,
                                .partition = k->line->partition,
                                .number = "-",
                                .made = clock_now(w->m->seams.clock),
                                .this_update = WHEN_NONE,
                                .next_update = WHEN_NONE,
                                .released = WHEN_NONE,
                                .ended = WHEN_NONE};
    crl_number_format(&k->of_facts->number, r->of_number);
    str_hex(r->of_sha256, k->of_facts->sha256, sizeof k->of_facts->sha256);
    return reserve_enter(w, r, "making", "", err);
}

static int seal(struct work *w, struct making *k, struct err *err)
{
    const struct reserve_files *f = &w->m->seams.files;
    struct store_reserve *r = &k->row;
    char name[48], note[200], until[WHEN_TEXT_MAX];
    snprintf(name, sizeof name, "reserve-%lld.crl", (long long)r->id);
    int rc = f->ops->keep(f->self, name, k->made.data, k->made.len, err);
    if (rc)
        return rc;
    crl_number_format(&k->facts->number, r->number);
    str_hex(r->sha256, k->facts->sha256, sizeof k->facts->sha256);
    r->this_update = k->facts->this_update;
    r->next_update = k->facts->next_update;
    r->entries = k->facts->entries;
    snprintf(note, sizeof note, "sealed; it would serve until %s",
             when_format(r->next_update, until));
    return reserve_enter(w, r, "sealed", note, err);
}

/* At most one for each CRL: what it replaces is destroyed. */
static int destroy_older(struct work *w, const struct making *k, struct err *err)
{
    SCOPED(reserve_set_free) struct reserve_set s = {0};
    int rc = reserve_load(w, true, &s, err);
    for (size_t i = 0; i < s.n && !rc; i++) {
        struct store_reserve *r = &s.item[i];
        if (r->id != k->row.id && reserve_is(r, "sealed") && r->key_index == k->row.key_index &&
            r->partition == k->row.partition)
            rc = reserve_destroy(w, r, "a newer one was sealed", err);
    }
    return rc;
}

/* Is there one of the same CRL that lasts long enough and is what was sealed? */
static bool have(struct work *w, const struct making *k)
{
    SCOPED(reserve_set_free) struct reserve_set s = {0};
    struct err ignored = ERR_INIT;
    char hash[65];
    str_hex(hash, k->of_facts->sha256, sizeof k->of_facts->sha256);
    if (reserve_load(w, true, &s, &ignored))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        SCOPED(buf_free) struct buf b = BUF_INIT;
        const struct store_reserve *r = &s.item[i];
        if (reserve_is(r, "sealed") && r->maintenance == w->row.id &&
            strcmp(r->of_sha256, hash) == 0 && r->key_index == k->line->key_index &&
            r->partition == k->line->partition && r->next_update >= k->want.need_until &&
            reserve_fetch(w, r, &b, NULL, &ignored) == ERR_OK)
            return true;
    }
    return false;
}

static void give_up(struct work *w, struct making *k, const struct err *why)
{
    struct err ignored = ERR_INIT;
    const struct reserve_files *f = &w->m->seams.files;
    char name[48];
    snprintf(name, sizeof name, "reserve-%lld.crl", (long long)k->row.id);
    /* What cannot be written now is seen at the next start: the row is still 'making'. */
    if (f->ops->drop(f->self, name, &ignored) == ERR_OK &&
        reserve_enter(w, &k->row, "failed", why->text, &ignored))
        err_clear(&ignored);
}

static int make_one(struct work *w, const struct crl_line *line, struct err *err)
{
    SCOPED(making_free) struct making *k = making_new(line, err);
    struct err why = ERR_INIT;
    char name[64], text[300], until[WHEN_TEXT_MAX];
    if (!k)
        return ERR_NOMEM;
    int rc = read_original(w, k, &why);
    if (!rc)
        rc = choose_life(w, k, &why);
    if (!rc && have(w, k))
        return ERR_OK;
    if (!rc)
        rc = begin_row(w, k, &why);
    if (!rc)
        rc = sign_and_judge(w, k, &why);
    if (!rc)
        rc = seal(w, k, &why);
    if (rc) {
        if (k->row.id)
            give_up(w, k, &why);
        err_context(&why, "reserve CRL of %s", crl_line_name(line, name));
        if (err)
            *err = why;
        return rc;
    }
    snprintf(text, sizeof text, "reserve CRL %lld of %s is sealed: number %s, until %s",
             (long long)k->row.id, crl_line_name(line, name), k->row.number,
             when_format(k->row.next_update, until));
    work_event(w, FIND_RESERVE_SEALED, SEV_INFO, text);
    rc = work_audit(w, "reserve-seal", MAINT_DONE, text, err);
    return rc ? rc : destroy_older(w, k, err);
}

static int make_all(struct work *w, void *arg, struct err *err)
{
    (void)arg;
    int rc = ERR_OK;
    size_t n = 0;
    for (size_t i = 0; i < w->n_lines && !rc; i++) {
        if (w->line[i].delta)
            continue;
        rc = work_stopping(w, err);
        if (!rc)
            rc = make_one(w, &w->line[i], err);
        n++;
    }
    return rc || n ? rc : err_set(err, ERR_NOT_FOUND, "the CA issues no base CRL");
}

int reserve_make(struct work *w, struct err *err)
{
    const struct maint_seams *s = &w->m->seams;
    if (!s->resign.resign || !s->files.ops)
        return err_set(err, ERR_UNSUPPORTED, "this program cannot sign or keep reserve CRLs");
    if (!w->view.asked)
        return err_set(err, ERR_UNAVAILABLE,
                       "the CA does not run: the CRL to be signed cannot be asked for");
    return work_step(w, STEP_RESERVE_MAKE, "", make_all, NULL, err);
}
