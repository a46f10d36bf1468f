/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The verbs that only look: answered at once, through a reading store of their own, whatever the
 * conductor is busy with. */
#include <stdlib.h>
#include <string.h>

#include "agent/conductor_int.h"
#include "agent/document.h"
#include "base/str.h"

#define ROWS_DEFAULT 20

static void describe(struct conductor *c, char *running, size_t size, struct watcher_last *round)
{
    watcher_last(c->watcher, round);
    AcquireSRWLockShared(&c->lock);
    *running = '\0';
    if (c->running)
        snprintf(running, size, "%s%s%s for %s: %s", c->running->act->verb,
                 *c->running->req.change ? " of change " : "", c->running->req.change,
                 c->running->peer.account, *c->step ? c->step : "beginning");
    ReleaseSRWLockShared(&c->lock);
}

/* "running", "stopped" ... of the CA's service; what went wrong otherwise. */
static void ca_service_text(struct conductor *c, char *dst, size_t size)
{
    struct svc_info info;
    struct err err = ERR_INIT;
    char text[SVC_TEXT_MAX];
    const struct svc_control *svc = &c->setup.seams->svc;
    if (svc->ops->query(svc->self, c->setup.policy->service, &info, &err))
        snprintf(dst, size, "unknown: %.200s", err.text);
    else if (info.resource[0])
        snprintf(dst, size, "%s: %s", info.name, svc_info_text(&info, text));
    else
        snprintf(dst, size, "%s: %s, %s", info.name, svc_state_name(info.state),
                 svc_start_name(info.start, info.delayed_auto));
}

static int answer_status(struct conductor *c, struct store *store,
                         const struct protocol_request *req, struct buf *out, struct err *err)
{
    struct maint_status *m = calloc(1, sizeof *m);
    struct watcher_last *round = calloc(1, sizeof *round);
    char running[PROTOCOL_TEXT_MAX + 512], service[512];
    int rc =
        m && round ? maint_status_read(store, clock_now(clock_system()), m, err) : err_nomem(err);
    if (!rc) {
        describe(c, running, sizeof running, round);
        ca_service_text(c, service, sizeof service);
        const struct document_status s = {
            .ca = round->ca,
            .ca_service = service,
            .running = running,
            .runway = round->known ? &round->runway : NULL,
            .runway_when = round->when,
            .maint = m,
            .muted = round->muted,
            .steps = strcmp(req->verb, "maintenance") == 0,
        };
        rc = document_status(&s, out, err);
    }
    free(m);
    free(round);
    return rc;
}

static int answer_history(struct conductor *c, struct store *store,
                          const struct protocol_request *req, struct buf *out, struct err *err)
{
    (void)c;
    size_t limit = req->limit ? (size_t)req->limit : ROWS_DEFAULT, n = 0, n_audit = 0;
    struct store_maintenance *m = calloc(limit, sizeof *m);
    struct store_audit *audit = calloc(limit, sizeof *audit);
    int rc = m && audit ? store_maintenance_list(store, m, limit, &n, err) : err_nomem(err);
    if (!rc)
        rc = store_audit_list(store, 0, audit, limit, &n_audit, err);
    if (!rc)
        rc = document_history(m, n, audit, n_audit, out, err);
    free(m);
    free(audit);
    return rc;
}

static int answer_reserve(struct conductor *c, struct store *store,
                          const struct protocol_request *req, struct buf *out, struct err *err)
{
    size_t limit = req->limit ? (size_t)req->limit : ROWS_DEFAULT, n = 0;
    struct store_reserve *r = calloc(limit, sizeof *r);
    (void)c;
    int rc = r ? store_reserve_list(store, false, r, limit, &n, err) : err_nomem(err);
    if (!rc)
        rc = document_reserve(r, n, out, err);
    free(r);
    return rc;
}

static const struct {
    const char *verb;
    int (*answer)(struct conductor *c, struct store *store, const struct protocol_request *req,
                  struct buf *out, struct err *err);
} looks[] = {
    {"status", answer_status},
    {"maintenance", answer_status},
    {"history", answer_history},
    {"reserve-list", answer_reserve},
};

bool look_answer(struct conductor *c, struct pipe_call *call, const struct pipe_peer *peer,
                 const struct protocol_request *req)
{
    size_t i = 0;
    while (i < ARRAY_LEN(looks) && strcmp(looks[i].verb, req->verb) != 0)
        i++;
    if (i == ARRAY_LEN(looks))
        return false;
    if (peer->right < PIPE_RIGHT_READ) {
        call_answer(call, EXIT_NOT_PERMITTED,
                    "this account may not read the status; ask for membership in the readers group "
                    "of the configuration",
                    "", 0);
        return true;
    }
    SCOPED(store_close) struct store *store = NULL;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    int rc =
        store_open(c->setup.store_path, STORE_READ, clock_now(clock_system()), &store, NULL, &err);
    if (!rc)
        rc = looks[i].answer(c, store, req, &text, &err);
    if (rc)
        call_answer(call, EXIT_FAILED, err.text, "", 0);
    else
        call_answer(call, EXIT_DONE, "", buf_str(&text), text.len);
    return true;
}
