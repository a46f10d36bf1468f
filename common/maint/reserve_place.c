/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The files and shares the CA writes its base CRLs to. Everything here may be repeated: what is
 * there is looked at first, and only our own former state or the reserve itself is ever replaced. A
 * CRL that is newer than the one the reserve was made of is never touched. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "maint/engine.h"

#define PLACES_MAX 64u

struct places {
    struct store_reserve_place *item;
    size_t n;
};

static void places_free(struct places *p)
{
    free(p->item);
    p->item = NULL;
}

static int places_load(struct work *w, const struct store_reserve *r, struct places *p,
                       struct err *err)
{
    p->item = calloc(PLACES_MAX, sizeof *p->item);
    return p->item ? store_reserve_place_list(w->m->store, r->id, p->item, PLACES_MAX, &p->n, err)
                   : err_nomem(err);
}

/* Those of an interrupted release first, then what the CA's configuration names and is not among
 * them. */
static int places_find(struct work *w, const struct store_reserve *r, struct places *p,
                       struct err *err)
{
    SCOPED(scope_free) struct probe_target *t = NULL;
    const struct maint_locate *l = &w->m->seams.locate;
    size_t n = 0;
    int rc = places_load(w, r, p, err);
    if (!rc)
        rc = l->locate(l->self, &w->view, &t, &n, err);
    for (size_t i = 0; i < n && !rc; i++) {
        if (t[i].kind != LOC_FILE || t[i].role != ROLE_CRL_BASE || t[i].parent ||
            !(t[i].origin & FROM_CA_PUBLISH) || t[i].key_index != r->key_index ||
            t[i].partition != r->partition)
            continue;
        size_t k = 0;
        while (k < p->n && strcmp(p->item[k].url, t[i].url) != 0)
            k++;
        if (k < p->n)
            continue;
        if (p->n == PLACES_MAX)
            return err_set(err, ERR_LIMIT, "more than %u files to write", PLACES_MAX);
        p->item[p->n] = (struct store_reserve_place){.seq = (uint32_t)p->n};
        str_copy(p->item[p->n++].url, sizeof p->item[0].url, t[i].url);
    }
    return rc;
}

static const char *former_name(const struct store_reserve *r, const struct store_reserve_place *p,
                               char dst[64])
{
    snprintf(dst, 64, "former-%lld-%u.crl", (long long)r->id, p->seq);
    return dst;
}

/* What a file holds. readable = a CRL of this CA. */
struct found {
    struct buf bytes;
    bool there, readable;
    char hash[65];
    struct crl_facts *facts;
};

static void found_free(struct found *f)
{
    buf_free(&f->bytes);
    free(f->facts);
    f->facts = NULL;
}

static void judge_found(struct work *w, const char *label, struct found *f)
{
    enum crl_signature sig = CRL_SIG_NOT_CHECKED;
    struct err ignored = ERR_INIT;
    f->readable = crl_read_memory(label, f->bytes.data, f->bytes.len, w->view.issuers, f->facts,
                                  &sig, &ignored) == ERR_OK &&
                  (sig == CRL_SIG_GOOD || sig == CRL_SIG_NOT_CHECKED);
    str_copy(f->hash, sizeof f->hash, "?");
    if (f->readable)
        str_hex(f->hash, f->facts->sha256, sizeof f->facts->sha256);
}

static int look_at(struct work *w, const char *url, struct found *f, struct err *err)
{
    const struct reserve_files *files = &w->m->seams.files;
    struct err why = ERR_INIT;
    f->facts = malloc(sizeof *f->facts);
    if (!f->facts)
        return err_nomem(err);
    int rc = files->ops->read(files->self, url, &f->bytes, &why);
    if (rc == ERR_NOT_FOUND)
        return ERR_OK;
    if (rc) {
        if (err)
            *err = why;
        return rc;
    }
    f->there = true;
    judge_found(w, url, f);
    return ERR_OK;
}

static int save(struct work *w, const struct store_reserve *r, struct store_reserve_place *p,
                bool written, struct err *err)
{
    struct store_reserve_place to = *p;
    to.written = written;
    int rc = store_reserve_place_save(w->m->store, r->id, &to, err);
    if (!rc)
        *p = to;
    return rc;
}

/* Has the CA published since the reserve was made? Then the reserve would hide revocations. */
static int check_older(const struct store_reserve *r, const struct store_reserve_place *p,
                       const struct found *f, struct err *err)
{
    struct crl_number of;
    char number[48];
    if (!f->readable || !crl_number_parse(r->of_number, &of) ||
        crl_number_compare(&f->facts->number, &of) <= 0)
        return ERR_OK;
    return err_set(
        err, ERR_STATE,
        "'%.300s' holds CRL number %s, the reserve was made of number %s: it is older and "
        "is not written there",
        p->url, crl_number_format(&f->facts->number, number), r->of_number);
}

static int write_one(struct work *w, const struct store_reserve *r, const struct buf *bytes,
                     struct store_reserve_place *p, struct err *err)
{
    const struct reserve_files *files = &w->m->seams.files;
    SCOPED(found_free) struct found f = {.bytes = BUF_INIT};
    char name[64];
    int rc = look_at(w, p->url, &f, err);
    if (rc)
        return rc;
    if (f.readable && strcmp(f.hash, r->sha256) == 0)
        return save(w, r, p, true, err);
    rc = check_older(r, p, &f, err);
    if (!rc && f.there) {
        rc = files->ops->keep(files->self, former_name(r, p, name), f.bytes.data, f.bytes.len, err);
        str_copy(p->former_sha256, sizeof p->former_sha256, f.hash);
    }
    if (!rc)
        rc = save(w, r, p, false, err);
    if (!rc)
        rc = files->ops->write(files->self, p->url, bytes->data, bytes->len, err);
    return rc ? rc : save(w, r, p, true, err);
}

int reserve_place_write(struct work *w, struct store_reserve *r, size_t *ret_written, size_t *ret_n,
                        struct err *why, struct err *err)
{
    SCOPED(places_free) struct places p = {NULL, 0};
    SCOPED(buf_free) struct buf bytes = BUF_INIT;
    int rc = reserve_fetch(w, r, &bytes, NULL, err);
    if (!rc)
        rc = places_find(w, r, &p, err);
    for (size_t i = 0; i < p.n && !rc; i++) {
        struct err one = ERR_INIT;
        rc = work_stopping(w, err);
        /* One place that cannot be written must not keep the others from it. */
        if (!rc && write_one(w, r, &bytes, &p.item[i], &one)) {
            if (!why->code)
                *why = one;
        } else if (!rc) {
            ++*ret_written;
        }
        ++*ret_n;
    }
    return rc;
}

/* Only a former CRL that still serves is better than the reserve. */
static int restore_one(struct work *w, const struct store_reserve *r, struct store_reserve_place *p,
                       struct err *err)
{
    const struct reserve_files *files = &w->m->seams.files;
    SCOPED(found_free) struct found now = {.bytes = BUF_INIT};
    SCOPED(found_free) struct found former = {.bytes = BUF_INIT};
    char name[64], end[WHEN_TEXT_MAX];
    int rc = look_at(w, p->url, &now, err);
    if (rc)
        return rc;
    if (!now.readable || strcmp(now.hash, r->sha256) != 0)
        return save(w, r, p, false, err); /* somebody, most likely the CA, has replaced it */
    former.facts = malloc(sizeof *former.facts);
    if (!former.facts)
        return err_nomem(err);
    if (!p->former_sha256[0])
        return err_set(
            err, ERR_NOT_FOUND,
            "'%.300s' was not there before the release: delete it by hand, or let the CA "
            "publish",
            p->url);
    rc = files->ops->fetch(files->self, former_name(r, p, name), &former.bytes, err);
    if (rc)
        return rc;
    judge_found(w, name, &former);
    if (!former.readable || strcmp(former.hash, p->former_sha256) != 0)
        return err_set(err, ERR_CRYPTO, "the kept former file of '%.300s' is not what was kept",
                       p->url);
    if (former.facts->next_update <= clock_now(w->m->seams.clock))
        return err_set(
            err, ERR_STATE,
            "the CRL that was at '%.300s' before ended at %s: putting it back would leave "
            "clients with nothing; bring the CA back, its next publication replaces the "
            "reserve",
            p->url, when_format(former.facts->next_update, end));
    rc = files->ops->write(files->self, p->url, former.bytes.data, former.bytes.len, err);
    return rc ? rc : save(w, r, p, false, err);
}

int reserve_place_restore(struct work *w, struct store_reserve *r, size_t *ret_left,
                          struct err *why, struct err *err)
{
    SCOPED(places_free) struct places p = {NULL, 0};
    int rc = places_load(w, r, &p, err);
    for (size_t i = 0; i < p.n && !rc; i++) {
        struct err one = ERR_INIT;
        rc = work_stopping(w, err);
        if (!rc && restore_one(w, r, &p.item[i], &one)) {
            if (!why->code)
                *why = one;
            ++*ret_left;
        }
    }
    return rc;
}

int reserve_place_left(struct work *w, const struct store_reserve *r, size_t *ret_left, char *url,
                       struct err *err)
{
    SCOPED(places_free) struct places p = {NULL, 0};
    int rc = places_load(w, r, &p, err);
    for (size_t i = 0; i < p.n && !rc; i++) {
        SCOPED(found_free) struct found f = {.bytes = BUF_INIT};
        struct err ignored = ERR_INIT;
        /* What cannot be read may still hold it. */
        bool gone = look_at(w, p.item[i].url, &f, &ignored) == ERR_OK &&
                    (!f.readable || strcmp(f.hash, r->sha256) != 0);
        if (gone)
            continue;
        if (++*ret_left == 1)
            str_copy(url, LIMIT_URL_CHARS + 1, p.item[i].url);
    }
    return rc;
}

int reserve_place_forget(struct work *w, const struct store_reserve *r, struct err *err)
{
    const struct reserve_files *files = &w->m->seams.files;
    SCOPED(places_free) struct places p = {NULL, 0};
    char name[64];
    int rc = places_load(w, r, &p, err);
    for (size_t i = 0; i < p.n && !rc; i++) {
        if (p.item[i].former_sha256[0])
            rc = files->ops->drop(files->self, former_name(r, &p.item[i], name), err);
    }
    return rc;
}
