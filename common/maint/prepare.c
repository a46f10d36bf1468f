/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The way to READY. Nothing is touched here but, when the runway is short, one CRL is published. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "maint/engine.h"

static enum maint_outcome usage(struct work *w, const char *text)
{
    (void)err_set(&w->a->err, ERR_INVALID, "%s", text);
    return MAINT_USAGE;
}

static bool plain_text(const char *s, size_t max)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
            return false;
    }
    return n <= max && str_is_utf8(s, n);
}

static enum maint_outcome check_request(struct work *w)
{
    const struct maint_request *q = w->req;
    char text[160];
    if (!q->change || !*q->change)
        return usage(w, "a change id is needed, for example --change CHG0012345");
    if (!plain_text(q->change, LIMIT_CHANGE_ID_CHARS)) {
        snprintf(text, sizeof text,
                 "the change id must be at most %u bytes of printable text (UTF-8)",
                 LIMIT_CHANGE_ID_CHARS);
        return usage(w, text);
    }
    if (q->reason && !plain_text(q->reason, LIMIT_REASON_CHARS)) {
        snprintf(text, sizeof text, "the reason must be at most %u bytes of printable text (UTF-8)",
                 LIMIT_REASON_CHARS);
        return usage(w, text);
    }
    if (q->window <= 0 || q->window > LIMIT_WINDOW_SECONDS)
        return usage(w, "a window between one second and 30 days is needed, for example "
                        "--window 4h");
    if (q->reserve > LIMIT_WINDOW_SECONDS)
        return usage(w, "the reserve is longer than 30 days");
    return MAINT_DONE;
}

static void fill_row(struct work *w)
{
    const struct maint_request *q = w->req;
    const struct maint_policy *p = &w->m->policy;
    int action = q->deadline_action < 0 ? (int)p->deadline_action : q->deadline_action;
    w->row = (struct store_maintenance){.epoch = 1,
                                        .window = q->window,
                                        .reserve = q->reserve < 0 ? p->reserve : q->reserve,
                                        .created = clock_now(w->m->seams.clock),
                                        .paused = WHEN_NONE,
                                        .stopped = WHEN_NONE,
                                        .resumed = WHEN_NONE,
                                        .ended = WHEN_NONE,
                                        .runway_until = WHEN_NONE,
                                        .resume_by = WHEN_NONE,
                                        .deadline = WHEN_NONE,
                                        .outcome = -1};
    str_copy(w->row.state, sizeof w->row.state, maint_state_name(MAINT_PREPARING));
    str_copy(w->row.change, sizeof w->row.change, q->change);
    str_copy(w->row.reason, sizeof w->row.reason, q->reason ? q->reason : "");
    str_copy(w->row.owner_sid, sizeof w->row.owner_sid, q->sid ? q->sid : "");
    str_copy(w->row.owner_name, sizeof w->row.owner_name, q->name ? q->name : "");
    str_copy(w->row.deadline_action, sizeof w->row.deadline_action,
             action == DEADLINE_RESUME ? "resume" : "hold");
}

static int look(struct work *w, struct err *err)
{
    int rc = look_discover(w, err);
    if (!rc)
        rc = look_probe(w, err);
    return rc ? rc : look_gate(w, err);
}

/* The gate once more, over what is served now: used after a cover CRL. */
static int look_again(struct work *w, struct err *err)
{
    w->covered = true;
    for (size_t i = 0; i < w->n_lines; i++)
        w->cpf[i] = ca_line_status(&w->m->seams.admin, &w->line[i]);
    int rc = look_probe(w, err);
    return rc ? rc : look_gate(w, err);
}

static enum maint_outcome refuse_gate(struct work *w)
{
    char why[900];
    (void)err_set(&w->a->err, ERR_STATE, "the gate refuses: %s",
                  gate_refusal(&w->a->gate, why, sizeof why));
    return MAINT_GATE_REFUSED;
}

/* Before anything is asked of a CA that another node has: its database, its HSM connection and its
 * answers are there. Whatever else is wrong with the service is the gate's. */
static enum maint_outcome here_only(struct work *w)
{
    const struct svc_control *svc = &w->m->seams.svc;
    struct svc_info info;
    struct err ignored = ERR_INIT;
    char text[SVC_TEXT_MAX];
    if (svc->ops->query(svc->self, w->m->policy.service, &info, &ignored) ||
        info.trouble != SVC_ELSEWHERE)
        return MAINT_DONE;
    (void)err_set(&w->a->err, ERR_STATE,
                  "the CA is owned by node %s of the failover cluster ('%s' is %s); run the "
                  "maintenance there, or move the role to this node first (Failover Cluster "
                  "Manager, or Move-ClusterGroup)",
                  info.owner, w->m->policy.service, svc_info_text(&info, text));
    return MAINT_GATE_REFUSED;
}

static bool wants_reserve(const struct work *w)
{
    return w->m->policy.reserve_mode != RESERVE_OFF && w->m->seams.resign.resign &&
           w->m->seams.files.ops;
}

/* The runway alone would do; but a reserve is made of the base, and must hold every revocation. */
static int base_behind(struct work *w, bool *ret, struct err *err)
{
    *ret = false;
    return wants_reserve(w) && w->a->gate.verdict == GATE_PASSED ? reserve_base_behind(w, ret, err)
                                                                 : ERR_OK;
}

static enum maint_outcome pass_gate(struct work *w)
{
    struct err *err = &w->a->err;
    if (here_only(w) != MAINT_DONE)
        return MAINT_GATE_REFUSED;
    if (look(w, err) || (w->row.id && look_figures(w, PHASE_BEFORE, err)))
        return MAINT_FAILED;
    if (w->a->gate.cover && w->req->dry_run)
        return MAINT_DONE; /* as the call itself: it publishes the cover CRL and goes on */
    bool stale = false;
    if (w->m->policy.cover && w->view.asked && !w->req->dry_run && base_behind(w, &stale, err))
        return MAINT_FAILED;
    if (stale || w->a->gate.cover) {
        enum maint_outcome o = cover_publish(w, err);
        if (o != MAINT_DONE)
            return o;
        if (look_again(w, err) || look_figures(w, PHASE_COVER, err))
            return MAINT_FAILED;
    }
    return w->a->gate.verdict == GATE_PASSED ? MAINT_DONE : refuse_gate(w);
}

/* The judgement of the call itself, with the same outcome, as far as it can be known without
 * publishing. Leaves no maintenance behind; what the CA said goes to the cache. */
static enum maint_outcome dry_run(struct work *w)
{
    fill_row(w);
    enum maint_outcome o = pass_gate(w);
    memset(&w->row, 0, sizeof w->row);
    return o;
}

/* Nothing was touched: the maintenance ends here, whatever the reason. */
static enum maint_outcome end_prepare(struct work *w, enum maint_outcome o)
{
    struct err ignored = ERR_INIT;
    char note[STORE_NOTE_MAX];
    str_copy(note, sizeof note, w->a->err.text);
    w->row.outcome = (int32_t)o;
    enum maint_state end = w->state == MAINT_READY ? MAINT_ABORTED : MAINT_REFUSED;
    uint32_t event = end == MAINT_ABORTED ? FIND_MAINT_ABORTED : FIND_MAINT_REFUSED;
    if (work_enter(w, end, note, event, &ignored))
        work_event(w, FIND_STORE_FAILED, SEV_CRITICAL, ignored.text);
    return o;
}

static enum maint_outcome secure(struct work *w)
{
    char until[WHEN_TEXT_MAX], note[STORE_NOTE_MAX];
    enum maint_outcome o = pass_gate(w);
    if (o != MAINT_DONE)
        return end_prepare(w, o);
    w->row.runway_until = w->a->gate.weakest_until;
    w->row.resume_by = w->a->gate.resume_by;
    snprintf(note, sizeof note, "safe until %s, decided by %.700s",
             when_format(w->row.resume_by, until), w->a->gate.decides);
    if (work_enter(w, MAINT_READY, note, FIND_MAINT_READY, &w->a->err))
        return end_prepare(w, MAINT_FAILED);
    return w->req->prepare_only ? MAINT_DONE : pause_run(w);
}

/* READY was reached by an earlier call: locations are looked at again, for time has gone by. */
static enum maint_outcome go_on(struct work *w)
{
    if (w->req->prepare_only) {
        w->a->repeated = true;
        return MAINT_DONE;
    }
    if (here_only(w) != MAINT_DONE)
        return end_prepare(w, MAINT_GATE_REFUSED);
    if (look(w, &w->a->err))
        return end_prepare(w, MAINT_FAILED);
    if (w->a->gate.verdict != GATE_PASSED)
        return end_prepare(w, refuse_gate(w));
    w->row.runway_until = w->a->gate.weakest_until;
    w->row.resume_by = w->a->gate.resume_by;
    return pause_run(w);
}

static enum maint_outcome begin_new(struct work *w)
{
    fill_row(w);
    w->state = MAINT_PREPARING;
    if (work_save(w, &w->a->err)) {
        memset(&w->row, 0, sizeof w->row);
        return MAINT_FAILED;
    }
    work_event(w, FIND_MAINT_PREPARING, SEV_INFO, "a maintenance is being prepared");
    return secure(w);
}

static enum maint_outcome already_paused(struct work *w)
{
    char at[WHEN_TEXT_MAX];
    w->a->repeated = true;
    if (clock_now(w->m->seams.clock) < w->row.deadline)
        return MAINT_DONE;
    (void)err_set(&w->a->err, ERR_STATE,
                  "the CA is paused, but the deadline passed at %s; bring it back: crlagent hook "
                  "post-upgrade --change %s",
                  when_format(w->row.deadline, at), w->row.change);
    return MAINT_DEADLINE_PASSED;
}

/* The same change came before. */
static enum maint_outcome repeat(struct work *w)
{
    struct err *err = &w->a->err;
    switch (w->state) {
    case MAINT_PREPARING:
        return secure(w);
    case MAINT_READY:
        return go_on(w);
    case MAINT_PAUSED:
        return already_paused(w);
    case MAINT_PAUSING:
        (void)undo_run(w);
        if (w->state == MAINT_ABORTED)
            (void)err_set(err, ERR_STATE,
                          "an earlier pause was interrupted and is undone now; repeat the command");
        return w->state == MAINT_ABORTED ? MAINT_PAUSE_FAILED : MAINT_RESUME_HELD;
    default:
        w->a->repeated = true;
        (void)err_set(err, ERR_STATE,
                      "the maintenance is %s: %.600s; go on with: crlagent hook post-upgrade "
                      "--change %s",
                      maint_state_name(w->state), w->row.note, w->row.change);
        return w->row.outcome == MAINT_DEADLINE_PASSED ? MAINT_DEADLINE_PASSED : MAINT_RESUME_HELD;
    }
}

static enum maint_outcome prepare(struct work *w)
{
    char holder[900];
    struct err *err = &w->a->err;
    int rc = work_load(w, err);
    if (rc && rc != ERR_NOT_FOUND)
        return MAINT_FAILED;
    bool none = rc == ERR_NOT_FOUND;
    if (none)
        memset(&w->row, 0, sizeof w->row);
    err_clear(err);
    if (!none && strcmp(w->req->change, w->row.change) != 0) {
        (void)err_set(err, ERR_BUSY, "%s; see: crlagent maintenance",
                      work_holder(w, holder, sizeof holder));
        return MAINT_BUSY;
    }
    if (!none && work_claim(w, err))
        return MAINT_BUSY;
    if (none && w->req->token.id) {
        (void)err_set(err, ERR_BUSY, "the token %lld.%lld is of a maintenance that has ended",
                      (long long)w->req->token.id, (long long)w->req->token.epoch);
        return MAINT_BUSY;
    }
    /* The intent of the verb, before anything else: who asked for what. */
    if (work_audit(w, "prepare", -1, "begun", err))
        return MAINT_FAILED;
    return none ? begin_new(w) : repeat(w);
}

enum maint_outcome maint_prepare(struct maint *m, const struct maint_request *req,
                                 struct maint_answer *ret)
{
    SCOPED(work_free) struct work *w = work_new(m, req, ret);
    if (!w)
        return ret->outcome;
    enum maint_outcome o = check_request(w);
    if (o == MAINT_DONE)
        o = req->dry_run ? dry_run(w) : prepare(w);
    return work_answer(w, req->dry_run ? "dry-run" : "prepare", o);
}
