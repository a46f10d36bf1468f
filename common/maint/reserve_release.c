/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Release, recall, and the end when the CA has published again. Written first: every row
 * 'releasing' with who and why, in one commit; then each place (maint/reserve_place.c); last:
 * 'released'. An interrupted release is carried on, for a person (or the configuration) has decided
 * it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "maint/engine.h"

#define LEAST_LIFE 3600 /* a reserve that ends sooner helps nobody */

struct release {
    struct reserve_set set;
    size_t written, places;
    struct err why; /* what failed first */
};

static bool chosen(const struct store_reserve *r)
{
    return reserve_is(r, "sealed") || reserve_is(r, "releasing");
}

static enum maint_outcome refuse(struct work *w, enum maint_outcome o, enum err_code code,
                                 const char *text)
{
    (void)err_set(&w->a->err, code, "%s", text);
    return o;
}

/* All of them are looked at before the first is used. */
static int check_all(struct work *w, const struct reserve_set *s, struct err *err)
{
    char name[64], end[WHEN_TEXT_MAX];
    int rc = ERR_OK;
    for (size_t i = 0; i < s->n && !rc; i++) {
        const struct store_reserve *r = &s->item[i];
        SCOPED(buf_free) struct buf b = BUF_INIT;
        if (!chosen(r))
            continue;
        rc = reserve_fetch(w, r, &b, NULL, err);
        if (!rc && r->next_update < clock_now(w->m->seams.clock) + LEAST_LIFE)
            rc = err_set(err, ERR_STATE, "the reserve CRL of %s ends at %s: it helps nobody",
                         reserve_name(r, name), when_format(r->next_update, end));
    }
    return rc;
}

static int decide(struct work *w, struct reserve_set *s, const char *reason, struct err *err)
{
    struct store *store = w->m->store;
    int64_t now = clock_now(w->m->seams.clock);
    int rc = store_begin(store, err);
    bool begun = !rc;
    for (size_t i = 0; i < s->n && !rc; i++) {
        struct store_reserve *r = &s->item[i];
        if (!reserve_is(r, "sealed"))
            continue;
        r->released = now;
        str_copy(r->who, sizeof r->who, w->req->name && *w->req->name ? w->req->name : "crlagent");
        str_copy(r->reason, sizeof r->reason, reason);
        rc = reserve_enter(w, r, "releasing", reason, err);
    }
    if (!rc)
        rc = work_audit(w, "reserve-release", -1, reason, err);
    if (rc && begun)
        store_rollback(store);
    return rc ? rc : store_commit(store, err);
}

static int write_all(struct work *w, void *arg, struct err *err)
{
    struct release *k = arg;
    int rc = ERR_OK;
    for (size_t i = 0; i < k->set.n && !rc; i++) {
        if (reserve_is(&k->set.item[i], "releasing"))
            rc = reserve_place_write(w, &k->set.item[i], &k->written, &k->places, &k->why, err);
    }
    return rc;
}

static int32_t cert_of(const struct work *w, uint32_t key_index)
{
    for (size_t i = 0; i < w->view.n_keys; i++) {
        if (w->view.key[i].key_index == key_index && w->view.key[i].living)
            return w->view.key[i].cert_index;
    }
    return 0;
}

/* The proof's report, filled with what must be served from now on. */
static int expect_served(struct work *w, const struct reserve_set *s, struct err *err)
{
    struct prove_report *p = &w->a->prove;
    size_t n = 0, len = 0;
    prove_report_free(p);
    p->line = calloc(s->n ? s->n : 1, sizeof *p->line);
    if (!p->line)
        return err_nomem(err);
    for (size_t i = 0; i < s->n; i++) {
        const struct store_reserve *r = &s->item[i];
        struct prove_line *l = &p->line[n];
        if (!reserve_is(r, "releasing"))
            continue;
        l->line = (struct crl_line){cert_of(w, r->key_index), r->key_index, r->partition, false};
        l->cpf = -1;
        l->this_update = r->this_update;
        l->next_update = r->next_update;
        l->entries = r->entries;
        l->verdict = PROVE_PROVEN;
        if (!crl_number_parse(r->of_number, &l->before) ||
            !crl_number_parse(r->number, &l->after) ||
            str_unhex(r->sha256, l->sha256, sizeof l->sha256, &len, err))
            return ERR_PARSE;
        n++;
    }
    p->n_lines = n;
    p->published = clock_now(w->m->seams.clock);
    return ERR_OK;
}

static int see_it(struct work *w, const struct reserve_set *s, struct err *err)
{
    struct prove_input in = work_prove_input(w);
    int rc = expect_served(w, s, err);
    return rc ? rc : prove_served(&in, &w->a->prove, err);
}

/* With everything served the runway is that of the reserve. */
static int move_runway(struct work *w, const struct reserve_set *s, struct err *err)
{
    int64_t until = WHEN_NONE;
    for (size_t i = 0; i < s->n; i++) {
        const struct store_reserve *r = &s->item[i];
        if (reserve_is(r, "released") && (until == WHEN_NONE || r->next_update < until))
            until = r->next_update;
    }
    if (!w->row.id || w->row.paused == WHEN_NONE || until == WHEN_NONE)
        return ERR_OK;
    w->row.runway_until = until;
    w->row.resume_by = until - w->m->policy.propagation - w->row.reserve;
    w->row.burn = 0;
    return work_save(w, err);
}

static int finish_release(struct work *w, struct release *k, struct err *err)
{
    char text[900], since[WHEN_TEXT_MAX];
    int64_t from = WHEN_NONE;
    int rc = ERR_OK;
    for (size_t i = 0; i < k->set.n; i++) {
        const struct store_reserve *r = &k->set.item[i];
        if (reserve_is(r, "releasing") && (from == WHEN_NONE || r->this_update < from))
            from = r->this_update;
    }
    snprintf(
        text, sizeof text,
        "reserve CRL in use: revocations after %s are not in it; %zu of %zu files written; %.500s",
        when_format(from, since), k->written, k->places,
        k->why.code ? k->why.text : w->a->prove.text);
    for (size_t i = 0; i < k->set.n && !rc; i++) {
        if (reserve_is(&k->set.item[i], "releasing"))
            rc = reserve_enter(w, &k->set.item[i], "released", text, err);
    }
    work_event(w, FIND_RESERVE_RELEASED, SEV_CRITICAL, text);
    return rc;
}

/* Nothing was written anywhere: nothing has happened. */
static enum maint_outcome take_back(struct work *w, struct release *k)
{
    struct err why = k->why, ignored = ERR_INIT;
    for (size_t i = 0; i < k->set.n; i++) {
        struct store_reserve *r = &k->set.item[i];
        if (reserve_is(r, "releasing") &&
            reserve_enter(w, r, "sealed", "a release wrote no file", &ignored))
            work_event(w, FIND_STORE_FAILED, SEV_CRITICAL, ignored.text);
    }
    w->a->err = why;
    if (!why.code)
        (void)err_set(
            &w->a->err, ERR_NOT_FOUND,
            "the CA writes its base CRLs to no file or share, and crlagent does not write "
            "to a directory: as an administrator, certutil -f -dspublish with the file of "
            "the reserve folder");
    err_context(&w->a->err, "the reserve CRL was written nowhere");
    return MAINT_FAILED;
}

static enum maint_outcome carry_out(struct work *w, struct release *k)
{
    struct err *err = &w->a->err;
    int rc = work_step(w, STEP_RESERVE_RELEASE, "", write_all, k, err);
    if (!rc && !k->written)
        return take_back(w, k);
    if (!rc)
        rc = see_it(w, &k->set, err);
    if (!rc)
        rc = finish_release(w, k, err);
    if (rc)
        return MAINT_FAILED;
    if (k->why.code || w->a->prove.verdict != PROVE_PROVEN) {
        (void)err_set(err, ERR_STATE, "the reserve CRL is released, but not everywhere: %.600s",
                      k->why.code ? k->why.text : w->a->prove.text);
        return MAINT_NOT_PROVEN;
    }
    return move_runway(w, &k->set, err) ? MAINT_FAILED : MAINT_DONE;
}

enum maint_outcome reserve_release_run(struct work *w, const char *reason)
{
    struct release k = {.why = ERR_INIT};
    size_t n = 0;
    bool out = false;
    enum maint_outcome o = MAINT_FAILED;
    int rc = reserve_load(w, true, &k.set, &w->a->err);
    for (size_t i = 0; i < k.set.n; i++) {
        n += chosen(&k.set.item[i]);
        out = out || reserve_is(&k.set.item[i], "released");
    }
    if (!rc && !n) {
        w->a->repeated = out;
        o = out ? MAINT_DONE
                : refuse(w, MAINT_USAGE, ERR_NOT_FOUND,
                         "there is no reserve CRL: it is made before a pause when reserve-crl is "
                         "switched on, or while the HSM works with: crlagent reserve make");
    } else if (!rc) {
        rc = check_all(w, &k.set, &w->a->err);
        if (!rc)
            rc = decide(w, &k.set, reason, &w->a->err);
        if (!rc)
            o = carry_out(w, &k);
    }
    reserve_set_free(&k.set);
    return o;
}

/* The view from the cache: a CA whose HSM is away is not asked. */
static int view_from_cache(struct work *w, struct err *err)
{
    const struct maint_seams *s = &w->m->seams;
    ca_view_free(&w->view);
    return ca_view_read(&s->settings, &s->admin, w->m->store, false, clock_now(s->clock), &w->view,
                        err);
}

int reserve_release_again(struct work *w, struct err *err)
{
    int rc = view_from_cache(w, err);
    if (rc)
        return rc;
    enum maint_outcome o = reserve_release_run(w, "interrupted; carried on");
    if (o == MAINT_DONE || o == MAINT_NOT_PROVEN) {
        err_clear(&w->a->err);
        return ERR_OK;
    }
    return w->a->err.code ? (int)w->a->err.code : ERR_STATE;
}

/* ---- by the clock ---- */

int64_t reserve_release_at(const struct maint_policy *p, const struct store_maintenance *m)
{
    if (!p->reserve_auto || m->paused == WHEN_NONE || m->resumed != WHEN_NONE ||
        m->runway_until == WHEN_NONE)
        return WHEN_NONE;
    /* Every client must have it before the runway is over. */
    return m->runway_until - p->propagation - p->propagation_timeout;
}

int reserve_release_by_clock(struct work *w, struct err *err)
{
    struct err why = ERR_INIT;
    char reason[400], text[600];
    int rc = view_from_cache(w, err);
    if (!rc && !reserve_ca_down(w))
        return ERR_OK; /* it is on its way back, or somebody started it */
    if (!rc && look_keys(w, &why) == ERR_OK) {
        work_event(w, FIND_RESERVE_NOT_RELEASED, SEV_CRITICAL,
                   "the runway ends, and the HSM answers: no reserve CRL is released; bring the CA "
                   "back now with post-upgrade");
        return ERR_OK;
    }
    if (rc || why.code == ERR_CANCELLED) {
        if (!rc && err)
            *err = why;
        return rc ? rc : ERR_CANCELLED;
    }
    snprintf(reason, sizeof reason, "the runway ends with the HSM away: %.300s", why.text);
    enum maint_outcome o = reserve_release_run(w, reason);
    if (o == MAINT_DONE)
        return ERR_OK;
    rc = w->a->err.code == ERR_CANCELLED ? ERR_CANCELLED : ERR_OK;
    snprintf(text, sizeof text, "the reserve CRL: %.500s", w->a->err.text);
    work_event(w, FIND_RESERVE_NOT_RELEASED, SEV_CRITICAL, text);
    if (rc && err)
        *err = w->a->err;
    err_clear(&w->a->err);
    return rc;
}

/* ---- the CA publishes again ---- */

bool reserve_outnumbers(struct work *w)
{
    SCOPED(reserve_set_free) struct reserve_set s = {0};
    struct err ignored = ERR_INIT;
    if (reserve_load(w, true, &s, &ignored))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        struct crl_number n;
        if (!reserve_in_use(&s.item[i]) || !crl_number_parse(s.item[i].number, &n))
            continue;
        for (size_t k = 0; k < w->a->prove.n_lines; k++) {
            const struct prove_line *l = &w->a->prove.line[k];
            if (!l->line.delta && l->line.key_index == s.item[i].key_index &&
                l->line.partition == s.item[i].partition && crl_number_compare(&l->after, &n) <= 0)
                return true;
        }
    }
    return false;
}

/* Over: the files and kept former files go with it. */
static int end_one(struct work *w, struct store_reserve *r, const char *note, struct err *err)
{
    const struct reserve_files *f = &w->m->seams.files;
    char name[64], file[48];
    int rc = reserve_place_forget(w, r, err);
    snprintf(file, sizeof file, "reserve-%lld.crl", (long long)r->id);
    if (!rc)
        rc = f->ops->drop(f->self, file, err);
    if (!rc)
        rc = reserve_enter(w, r, "recalled", note, err);
    if (!rc)
        rc = work_audit(w, "reserve-recalled", MAINT_DONE, note, err);
    if (!rc)
        work_event(w, FIND_RESERVE_RECALLED, SEV_WARNING, reserve_name(r, name));
    return rc;
}

static int settle_one(struct work *w, struct store_reserve *r, struct err *err)
{
    char url[LIMIT_URL_CHARS + 1] = "", text[800], name[64];
    size_t left = 0;
    if (!reserve_in_use(r))
        return reserve_destroy(w, r, "the CA has published again", err);
    int rc = reserve_place_left(w, r, &left, url, err);
    if (rc)
        return rc;
    if (!left)
        return end_one(w, r, "the normal CRL has replaced it", err);
    snprintf(text, sizeof text,
             "the CA has published again, but the reserve CRL of %s is still at %zu files, first "
             "%.400s; replace it there, then: crlagent reserve recall",
             reserve_name(r, name), left, url);
    work_event(w, FIND_RESERVE_STILL_SEEN, SEV_CRITICAL, text);
    return reserve_enter(w, r, "released", text, err);
}

void reserve_settle(struct work *w)
{
    SCOPED(reserve_set_free) struct reserve_set s = {0};
    struct err why = ERR_INIT;
    int rc = reserve_load(w, true, &s, &why);
    for (size_t i = 0; i < s.n && !rc; i++)
        rc = settle_one(w, &s.item[i], &why);
    if (rc)
        work_event(w, FIND_RESERVE_NOT_DESTROYED, SEV_CRITICAL, why.text);
}

/* ---- recall ---- */

struct recall {
    struct store_reserve *row;
    size_t left;
    struct err why;
};

static int restore_all(struct work *w, void *arg, struct err *err)
{
    struct recall *k = arg;
    return reserve_place_restore(w, k->row, &k->left, &k->why, err);
}

int reserve_recall_one(struct work *w, struct store_reserve *r, struct err *err)
{
    struct recall k = {r, 0, ERR_INIT};
    char name[64];
    int rc = w->view.issuers ? ERR_OK : view_from_cache(w, err);
    if (!rc)
        rc = reserve_enter(w, r, "recalling", "the former files are being put back", err);
    if (!rc)
        rc = work_step(w, STEP_RESERVE_RECALL, reserve_name(r, name), restore_all, &k, err);
    if (rc)
        return rc;
    if (!k.left)
        return end_one(w, r, "taken back on request", err);
    rc = reserve_enter(w, r, "released", k.why.text, err);
    if (!rc)
        work_event(w, FIND_RESERVE_STILL_SEEN, SEV_CRITICAL, k.why.text);
    return rc;
}
