/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The verbs that act: each is one call of the engine on the conductor's thread. */
#include <stdlib.h>
#include <string.h>

#include "agent/conductor_int.h"
#include "agent/bundlefile.h"
#include "agent/document.h"
#include "base/str.h"

static enum maint_outcome run_prepare(struct maint *m, const struct maint_request *req,
                                      const struct protocol_request *from, struct maint_answer *ret)
{
    (void)from;
    return maint_prepare(m, req, ret);
}

static enum maint_outcome run_finish(struct maint *m, const struct maint_request *req,
                                     const struct protocol_request *from, struct maint_answer *ret)
{
    (void)from;
    return maint_finish(m, req, ret);
}

static enum maint_outcome run_abort(struct maint *m, const struct maint_request *req,
                                    const struct protocol_request *from, struct maint_answer *ret)
{
    (void)from;
    return maint_abort(m, req, ret);
}

static enum maint_outcome run_extend(struct maint *m, const struct maint_request *req,
                                     const struct protocol_request *from, struct maint_answer *ret)
{
    (void)from;
    return maint_extend(m, req, ret);
}

static enum maint_outcome run_publish(struct maint *m, const struct maint_request *req,
                                      const struct protocol_request *from, struct maint_answer *ret)
{
    return maint_publish(m, req, from->until < 0 ? 0 : from->until, ret);
}

static enum maint_outcome run_reserve_make(struct maint *m, const struct maint_request *req,
                                           const struct protocol_request *from,
                                           struct maint_answer *ret)
{
    (void)from;
    return maint_reserve_make(m, req, ret);
}

static enum maint_outcome run_reserve_verify(struct maint *m, const struct maint_request *req,
                                             const struct protocol_request *from,
                                             struct maint_answer *ret)
{
    (void)from;
    return maint_reserve_verify(m, req, ret);
}

static enum maint_outcome run_reserve_release(struct maint *m, const struct maint_request *req,
                                              const struct protocol_request *from,
                                              struct maint_answer *ret)
{
    (void)from;
    return maint_reserve_release(m, req, ret);
}

static enum maint_outcome run_reserve_recall(struct maint *m, const struct maint_request *req,
                                             const struct protocol_request *from,
                                             struct maint_answer *ret)
{
    (void)from;
    return maint_reserve_recall(m, req, ret);
}

static const struct act acts[] = {
    {"pre-upgrade", PIPE_RIGHT_OPERATE, true, false, run_prepare},
    {"pause", PIPE_RIGHT_OPERATE, true, false, run_prepare},
    {"post-upgrade", PIPE_RIGHT_OPERATE, true, false, run_finish},
    {"resume", PIPE_RIGHT_OPERATE, true, false, run_finish},
    {"abort", PIPE_RIGHT_OPERATE, false, true, run_abort},
    {"extend", PIPE_RIGHT_OPERATE, false, false, run_extend},
    {"publish", PIPE_RIGHT_OPERATE, false, false, run_publish},
    {"reserve-make", PIPE_RIGHT_OPERATE, false, false, run_reserve_make},
    {"reserve-verify", PIPE_RIGHT_OPERATE, false, false, run_reserve_verify},
    {"reserve-release", PIPE_RIGHT_OPERATE, false, false, run_reserve_release},
    {"reserve-recall", PIPE_RIGHT_OPERATE, false, false, run_reserve_recall},
};

const struct act *act_find(const char *verb)
{
    for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
        if (strcmp(acts[i].verb, verb) == 0)
            return &acts[i];
    }
    return NULL;
}

static struct maint_request engine_request(const struct job *job)
{
    const struct protocol_request *r = &job->req;
    struct maint_request req = {
        .sid = job->peer.sid,
        .name = job->peer.account,
        .change = r->change,
        .reason = *r->reason ? r->reason : NULL,
        .window = r->window < 0 ? 0 : r->window,
        .reserve = r->reserve,
        .deadline_action = -1,
        .token = {r->token_id, r->token_epoch},
        .dry_run = r->dry_run,
        .prepare_only = r->prepare_only,
        .take_over = r->take_over,
    };
    if (strcmp(r->deadline, "hold") == 0)
        req.deadline_action = DEADLINE_HOLD;
    else if (strcmp(r->deadline, "resume") == 0)
        req.deadline_action = DEADLINE_RESUME;
    return req;
}

static void say_written(struct conductor *c, const char *change, const struct document_evidence *e)
{
    conductor_event(c, FIND_MAINT_EVIDENCE, SEV_INFO,
                    "the evidence bundle of change %s is '%s', last hash %s", change, e->path,
                    e->head);
}

static void ca_name(struct conductor *c, char *dst, size_t size)
{
    SCOPED(ca_settings_free) struct ca_settings s = {0};
    struct err ignored = ERR_INIT;
    (void)!c->seams.settings.read(c->seams.settings.self, &s, &ignored);
    (void)str_copy(dst, size, s.common_name ? s.common_name : "");
}

void act_settle(struct conductor *c, const char *verb, const struct maint_answer *a,
                struct document_evidence *ret)
{
    struct err err = ERR_INIT;
    char ca[128];
    bool written = false;
    ca_name(c, ca, sizeof ca);
    if (bundlefile_settle(c->store, verb, ca, a, clock_now(clock_system()), ret, &written, &err))
        conductor_event(c, FIND_REPORT_NOT_WRITTEN, SEV_WARNING,
                        "the evidence bundle, tried again every %d min: %s",
                        BUNDLEFILE_RETRY_SECONDS / 60, err.text);
    if (written)
        say_written(c, a->row.change, ret);
    /* The runway that status shows is that of the last look: of a CRL that is gone. Not sooner:
     * while the services go down nobody may ask the CA. */
    if (a->prove.n_lines || maint_state_final(a->state) || strcmp(verb, "tick") != 0)
        watcher_refresh(conductor_watcher(c));
}

void act_export(struct conductor *c, bool at_once)
{
    struct document_evidence e = {"", ""};
    struct err err = ERR_INIT;
    char ca[128], change[160];
    bool written = false;
    int64_t now = clock_now(clock_system()), due = bundlefile_next(c->store);
    if (due == WHEN_NONE || (!at_once && (due > now || c->export_after > now)))
        return;
    c->export_after = now + BUNDLEFILE_RETRY_SECONDS;
    ca_name(c, ca, sizeof ca);
    /* The first failure was told; what follows changes nothing. */
    if (bundlefile_retry(c->store, ca, now, change, sizeof change, &e, &written, &err))
        return;
    if (written)
        say_written(c, change, &e);
}

void act_run(struct conductor *c, struct job *job)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    struct maint_answer *a = calloc(1, sizeof *a);
    if (!a) {
        call_answer(job->call, EXIT_FAILED, "no memory", "", 0);
        return;
    }
    const struct maint_request req = engine_request(job);
    enum maint_outcome outcome = job->act->run(c->maint, &req, &job->req, a);
    struct document_evidence evidence;
    act_settle(c, job->act->verb, a, &evidence);
    if (document_answer(job->act->verb, a, &evidence, &text, &err))
        call_answer(job->call, EXIT_FAILED, err.text, "", 0);
    else
        call_answer(job->call, (int)outcome, outcome == MAINT_DONE ? "" : a->err.text,
                    buf_str(&text), text.len);
    maint_answer_free(a);
    free(a);
}
