/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Reserve CRLs by hand: make, verify, release, recall. */
#include <stdio.h>
#include <string.h>

#include "maint/engine.h"

/* The open maintenance, if any; none is fine. */
static int load_any(struct work *w)
{
    struct err *err = &w->a->err;
    int rc = work_load(w, err);
    if (rc != ERR_NOT_FOUND)
        return rc;
    memset(&w->row, 0, sizeof w->row);
    err_clear(err);
    return ERR_OK;
}

static int load_view(struct work *w)
{
    const struct maint_seams *s = &w->m->seams;
    return ca_view_read(&s->settings, &s->admin, w->m->store, false, clock_now(s->clock), &w->view,
                        &w->a->err);
}

static enum maint_outcome usage(struct work *w, const char *text)
{
    (void)err_set(&w->a->err, ERR_INVALID, "%s", text);
    return MAINT_USAGE;
}

static enum maint_outcome call(struct maint *m, const struct maint_request *req, const char *verb,
                               enum maint_outcome (*run)(struct work *w), struct maint_answer *ret)
{
    SCOPED(work_free) struct work *w = work_new(m, req, ret);
    enum maint_outcome o = MAINT_FAILED;
    if (!w)
        return ret->outcome;
    if (m->seams.files.ops)
        o = run(w);
    else
        (void)err_set(&ret->err, ERR_UNSUPPORTED, "this program keeps no reserve CRLs");
    /* What a maintenance has come to is not the business of these verbs. */
    w->keep_outcome = true;
    reserve_answer(w);
    return work_answer(w, verb, o);
}

/* ---- make ---- */

static enum maint_outcome make(struct work *w)
{
    struct err *err = &w->a->err;
    if (w->m->policy.reserve_mode == RESERVE_OFF)
        return usage(w, "reserve CRLs are switched off: set reserve-crl in the configuration");
    if (load_any(w) || work_audit(w, "reserve-make", -1, "begun", err) || look_discover(w, err))
        return MAINT_FAILED;
    if (!w->view.asked)
        return usage(w, "the CA does not run: a reserve CRL is signed while it does, before the "
                        "pause");
    return reserve_make(w, err) ? MAINT_FAILED : MAINT_DONE;
}

enum maint_outcome maint_reserve_make(struct maint *m, const struct maint_request *req,
                                      struct maint_answer *ret)
{
    return call(m, req, "reserve-make", make, ret);
}

/* ---- verify ---- */

static enum maint_outcome verify(struct work *w)
{
    struct err *err = &w->a->err;
    SCOPED(reserve_set_free) struct reserve_set s = {0};
    int rc = load_any(w);
    if (!rc)
        rc = reserve_load(w, true, &s, err);
    if (!rc && s.n)
        rc = load_view(w);
    for (size_t i = 0; i < s.n && !rc; i++) {
        SCOPED(buf_free) struct buf b = BUF_INIT;
        rc = reserve_fetch(w, &s.item[i], &b, NULL, err);
    }
    if (rc)
        return MAINT_FAILED;
    return s.n ? MAINT_DONE : usage(w, "there is no reserve CRL");
}

enum maint_outcome maint_reserve_verify(struct maint *m, const struct maint_request *req,
                                        struct maint_answer *ret)
{
    return call(m, req, "reserve-verify", verify, ret);
}

/* ---- release ---- */

/* A CA that runs and signs publishes a better CRL than any reserve. */
static enum maint_outcome check_need(struct work *w)
{
    const struct svc_control *svc = &w->m->seams.svc;
    struct svc_info info;
    struct err why = ERR_INIT;
    if (svc->ops->query(svc->self, w->m->policy.service, &info, &w->a->err))
        return MAINT_FAILED;
    if (info.trouble == SVC_ELSEWHERE)
        return usage(w, "another node of the failover cluster has the CA: look there first");
    if (info.state != SVC_RUNNING)
        return MAINT_DONE;
    int rc = look_keys(w, &why);
    if (rc == ERR_CANCELLED) {
        w->a->err = why;
        return MAINT_FAILED;
    }
    return rc ? MAINT_DONE
              : usage(w, "the CA runs and its keys sign: a normal CRL is the better one: crlagent "
                         "publish");
}

static enum maint_outcome release(struct work *w)
{
    const char *reason = w->req->reason;
    if (!reason || !*reason)
        return usage(w, "a reason is needed, for the record: --reason TEXT");
    if (load_any(w) || load_view(w))
        return MAINT_FAILED;
    enum maint_outcome o = check_need(w);
    return o == MAINT_DONE ? reserve_release_run(w, reason) : o;
}

enum maint_outcome maint_reserve_release(struct maint *m, const struct maint_request *req,
                                         struct maint_answer *ret)
{
    return call(m, req, "reserve-release", release, ret);
}

/* ---- recall ---- */

static enum maint_outcome recall(struct work *w)
{
    struct err *err = &w->a->err;
    SCOPED(reserve_set_free) struct reserve_set s = {0};
    size_t left = 0;
    int rc = load_any(w);
    if (!rc)
        rc = work_audit(w, "reserve-recall", -1, "begun", err);
    if (!rc)
        rc = reserve_load(w, true, &s, err);
    if (!rc && s.n)
        rc = load_view(w);
    for (size_t i = 0; i < s.n && !rc; i++) {
        struct store_reserve *r = &s.item[i];
        rc = reserve_in_use(r) ? reserve_recall_one(w, r, err)
                               : reserve_destroy(w, r, "taken back on request", err);
        if (!rc && reserve_in_use(r)) {
            left++;
            (void)err_set(err, ERR_STATE, "%s", r->note);
        }
    }
    if (rc)
        return MAINT_FAILED;
    if (!s.n)
        return usage(w, "there is no reserve CRL");
    return left ? MAINT_NOT_PROVEN : MAINT_DONE;
}

enum maint_outcome maint_reserve_recall(struct maint *m, const struct maint_request *req,
                                        struct maint_answer *ret)
{
    return call(m, req, "reserve-recall", recall, ret);
}
