/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Rows and files of reserve CRLs.
 *
 *   making      the row is there, a file may be     -> destroyed at the next start
 *   sealed      the file is what the row says       -> stays as long as its maintenance
 *   releasing   some places may hold it             -> carried on
 *   released    the places hold it                  -> stays; a finding in every report
 *   recalling   some places may hold it             -> carried on
 *   destroying  the file may be there               -> destroyed at the next start
 *   recalled, destroyed, failed                     final; the row is kept
 */
#include "maint/reserve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "maint/engine.h"

void reserve_set_free(struct reserve_set *s)
{
    free(s->item);
    *s = (struct reserve_set){NULL, 0};
}

int reserve_load(struct work *w, bool living, struct reserve_set *ret, struct err *err)
{
    SCOPED(reserve_set_free) struct reserve_set s = {0};
    s.item = calloc(RUNWAY_LINES_MAX, sizeof *s.item);
    if (!s.item)
        return err_nomem(err);
    int rc = store_reserve_list(w->m->store, living, s.item, RUNWAY_LINES_MAX, &s.n, err);
    if (rc)
        return rc;
    reserve_set_free(ret);
    *ret = s;
    s = (struct reserve_set){0};
    return ERR_OK;
}

int reserve_enter(struct work *w, struct store_reserve *r, const char *state, const char *note,
                  struct err *err)
{
    struct store_reserve to = *r;
    str_copy(to.state, sizeof to.state, state);
    str_copy(to.note, sizeof to.note, note);
    if (strcmp(state, "recalled") == 0 || strcmp(state, "destroyed") == 0 ||
        strcmp(state, "failed") == 0)
        to.ended = clock_now(w->m->seams.clock);
    int rc = store_reserve_save(w->m->store, &to, err);
    if (!rc)
        *r = to;
    return rc;
}

const char *reserve_name(const struct store_reserve *r, char dst[64])
{
    if (r->partition)
        snprintf(dst, 64, "key %u, partition %u", r->key_index, r->partition);
    else
        snprintf(dst, 64, "key %u", r->key_index);
    return dst;
}

static const char *file_name(const struct store_reserve *r, char dst[48])
{
    snprintf(dst, 48, "reserve-%lld.crl", (long long)r->id);
    return dst;
}

static int tampered(struct work *w, const struct store_reserve *r, const char *found,
                    struct err *err)
{
    char name[64], text[700];
    snprintf(
        text, sizeof text,
        "the sealed reserve CRL %lld (%s) is not what was sealed: %.400s; it is not used. Find "
        "out who wrote to the reserve folder, then: crlagent reserve recall",
        (long long)r->id, reserve_name(r, name), found);
    work_event(w, FIND_RESERVE_TAMPERED, SEV_CRITICAL, text);
    return err_set(err, ERR_CRYPTO, "%s", text);
}

int reserve_fetch(struct work *w, const struct store_reserve *r, struct buf *ret,
                  struct crl_facts *facts, struct err *err)
{
    const struct reserve_files *f = &w->m->seams.files;
    SCOPED(scope_free) struct crl_facts *own = malloc(sizeof *own);
    enum crl_signature sig = CRL_SIG_NOT_CHECKED;
    struct err why = ERR_INIT;
    char name[48], hash[65], number[48];
    if (!own)
        return err_nomem(err);
    int rc = f->ops->fetch(f->self, file_name(r, name), ret, &why);
    if (rc == ERR_NOT_FOUND)
        return tampered(w, r, "the file is gone", err);
    if (rc) {
        if (err)
            *err = why;
        return rc;
    }
    if (crl_read_memory(name, ret->data, ret->len, w->view.issuers, own, &sig, &why))
        return tampered(w, r, why.text, err);
    str_hex(hash, own->sha256, sizeof own->sha256);
    if (strcmp(hash, r->sha256) != 0)
        return tampered(w, r, "another SHA-256", err);
    if (sig == CRL_SIG_BAD || own->next_update != r->next_update ||
        strcmp(crl_number_format(&own->number, number), r->number) != 0)
        return tampered(w, r, "another signature, number or end", err);
    if (facts)
        *facts = *own;
    return ERR_OK;
}

static int drop_file(struct work *w, void *arg, struct err *err)
{
    const struct reserve_files *f = &w->m->seams.files;
    char name[48];
    return f->ops ? f->ops->drop(f->self, file_name(arg, name), err) : ERR_OK;
}

int reserve_destroy(struct work *w, struct store_reserve *r, const char *why, struct err *err)
{
    char name[64], text[STORE_NOTE_MAX];
    snprintf(text, sizeof text, "reserve CRL %lld (%s, number %s): %.300s", (long long)r->id,
             reserve_name(r, name), r->number, why);
    int rc = reserve_enter(w, r, "destroying", why, err);
    if (!rc)
        rc = work_step(w, STEP_RESERVE_DESTROY, reserve_name(r, name), drop_file, r, err);
    if (!rc)
        rc = reserve_enter(w, r, "destroyed", why, err);
    if (!rc)
        rc = work_audit(w, "reserve-destroy", MAINT_DONE, text, err);
    if (!rc)
        work_event(w, FIND_RESERVE_DESTROYED, SEV_INFO, text);
    return rc;
}

void reserve_answer(struct work *w)
{
    SCOPED(reserve_set_free) struct reserve_set s = {0};
    struct err ignored = ERR_INIT;
    if (reserve_load(w, true, &s, &ignored))
        return;
    free(w->a->reserve);
    w->a->reserve = s.item;
    w->a->n_reserve = s.n;
    s = (struct reserve_set){0};
}

static bool half(const struct store_reserve *r)
{
    return reserve_is(r, "making") || reserve_is(r, "destroying");
}

void reserve_sweep(struct work *w)
{
    SCOPED(reserve_set_free) struct reserve_set s = {0};
    struct err why = ERR_INIT;
    int rc = reserve_load(w, true, &s, &why);
    for (size_t i = 0; i < s.n && !rc; i++) {
        struct store_reserve *r = &s.item[i];
        if (half(r) || (reserve_is(r, "sealed") && r->maintenance))
            rc = reserve_destroy(w, r, "the maintenance has ended, it is not needed", &why);
    }
    if (rc)
        work_event(w, FIND_RESERVE_NOT_DESTROYED, SEV_CRITICAL, why.text);
}

bool reserve_is_out(struct work *w)
{
    SCOPED(reserve_set_free) struct reserve_set s = {0};
    struct err ignored = ERR_INIT;
    if (reserve_load(w, true, &s, &ignored))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (reserve_in_use(&s.item[i]))
            return true;
    }
    return false;
}

bool reserve_ca_down(struct work *w)
{
    const struct svc_control *svc = &w->m->seams.svc;
    struct svc_info info;
    struct err ignored = ERR_INIT;
    return svc->ops->query(svc->self, w->m->policy.service, &info, &ignored) == ERR_OK &&
           info.state == SVC_STOPPED && info.trouble != SVC_ELSEWHERE;
}

int reserve_reconcile(struct work *w, struct err *err)
{
    SCOPED(reserve_set_free) struct reserve_set s = {0};
    bool releasing = false;
    int rc = reserve_load(w, true, &s, err);
    for (size_t i = 0; i < s.n && !rc; i++) {
        struct store_reserve *r = &s.item[i];
        if (half(r))
            rc = reserve_destroy(w, r, "interrupted by a restart", err);
        else if (reserve_is(r, "recalling"))
            rc = reserve_recall_one(w, r, err);
        else if (reserve_is(r, "releasing") && !reserve_ca_down(w))
            rc = reserve_enter(w, r, "released", "interrupted; the CA runs again", err);
        else
            releasing = releasing || reserve_is(r, "releasing");
    }
    return rc || !releasing ? rc : reserve_release_again(w, err);
}
