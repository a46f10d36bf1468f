/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Steps, figures and the audit trail of a maintenance. */
#include "base/scope.h"
#include "base/str.h"
#include "base/when.h"
#include "store/internal.h"
#include "store/maintenance.h"

int store_step_begin(struct store *s, int64_t maintenance, struct store_step *step, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "writing down a step",
                    "INSERT INTO step (maintenance, epoch, name, subject, began, outcome, detail)"
                    " VALUES (?, ?, ?, ?, ?, '', '')",
                    err);
    stmt_int(&q, maintenance);
    stmt_int(&q, step->epoch);
    stmt_text(&q, step->name);
    stmt_text(&q, step->subject);
    stmt_int(&q, step->began);
    int rc = stmt_run(&q);
    if (!rc)
        step->id = sqlite3_last_insert_rowid(s->db);
    return rc;
}

int store_step_end(struct store *s, const struct store_step *step, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "writing down the outcome of a step",
                    "UPDATE step SET ended = ?, outcome = ?, detail = ? WHERE id = ?", err);
    stmt_when(&q, step->ended);
    stmt_text(&q, step->outcome);
    stmt_text(&q, step->detail);
    stmt_int(&q, step->id);
    return stmt_run(&q);
}

static void read_step(struct stmt *q, void *row)
{
    struct store_step *t = row;
    t->id = col_int(q);
    t->epoch = col_int(q);
    col_text(q, t->name, sizeof t->name);
    col_text(q, t->subject, sizeof t->subject);
    t->began = col_int(q);
    t->ended = col_when(q);
    col_text(q, t->outcome, sizeof t->outcome);
    col_text(q, t->detail, sizeof t->detail);
}

int store_step_list(struct store *s, int64_t maintenance, struct store_step *ret, size_t max,
                    size_t *ret_n, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    /* The newest max of them, oldest first. */
    (void)stmt_open(&q, s, "reading the steps",
                    "SELECT * FROM (SELECT id, epoch, name, subject, began, ended, outcome, detail"
                    " FROM step WHERE maintenance = ? ORDER BY id DESC LIMIT ?) ORDER BY id",
                    err);
    stmt_int(&q, maintenance);
    stmt_int(&q, (int64_t)max);
    return stmt_rows(&q, read_step, ret, sizeof *ret, max, ret_n);
}

int store_step_interrupt(struct store *s, int64_t maintenance, int64_t now, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "closing interrupted steps",
                    "UPDATE step SET ended = ?, outcome = 'interrupted',"
                    " detail = 'the service ended during this step'"
                    " WHERE maintenance = ? AND ended IS NULL",
                    err);
    stmt_int(&q, now);
    stmt_int(&q, maintenance);
    return stmt_run(&q);
}

int store_figure_put(struct store *s, int64_t maintenance, const struct store_figure *f,
                     struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "keeping a figure",
                    "INSERT OR REPLACE INTO figure (maintenance, phase, key_index, part, delta,"
                    " number, this_update, next_update, sha256, entries, weakest, effective,"
                    " weakest_url, weakest_address, publish_status, sign_ms, at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    err);
    stmt_int(&q, maintenance);
    stmt_int(&q, f->phase);
    stmt_int(&q, f->key_index);
    stmt_int(&q, f->partition);
    stmt_int(&q, f->delta);
    stmt_text(&q, f->number);
    stmt_when(&q, f->this_update);
    stmt_when(&q, f->next_update);
    stmt_text(&q, f->sha256);
    stmt_int(&q, (int64_t)f->entries);
    stmt_when(&q, f->weakest);
    stmt_when(&q, f->effective);
    stmt_text(&q, f->weakest_url);
    stmt_text(&q, f->weakest_address);
    stmt_int(&q, f->publish_status);
    stmt_int(&q, f->sign_ms);
    stmt_int(&q, f->when);
    return stmt_run(&q);
}

static void read_figure(struct stmt *q, void *row)
{
    struct store_figure *f = row;
    f->phase = (enum store_phase)col_int(q);
    f->key_index = (uint32_t)col_int(q);
    f->partition = (uint32_t)col_int(q);
    f->delta = col_int(q) != 0;
    col_text(q, f->number, sizeof f->number);
    f->this_update = col_when(q);
    f->next_update = col_when(q);
    col_text(q, f->sha256, sizeof f->sha256);
    f->entries = (uint64_t)col_int(q);
    f->weakest = col_when(q);
    f->effective = col_when(q);
    col_text(q, f->weakest_url, sizeof f->weakest_url);
    col_text(q, f->weakest_address, sizeof f->weakest_address);
    f->publish_status = (int32_t)col_int(q);
    f->sign_ms = (int32_t)col_int(q);
    f->when = col_int(q);
}

int store_figure_list(struct store *s, int64_t maintenance, struct store_figure *ret, size_t max,
                      size_t *ret_n, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the figures",
                    "SELECT phase, key_index, part, delta, number, this_update, next_update,"
                    " sha256, entries, weakest, effective, weakest_url, weakest_address,"
                    " publish_status, sign_ms, at FROM figure WHERE maintenance = ?"
                    " ORDER BY key_index, part, delta, phase",
                    err);
    stmt_int(&q, maintenance);
    return stmt_rows(&q, read_figure, ret, sizeof *ret, max, ret_n);
}

int store_audit_add(struct store *s, const struct store_audit *a, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "writing the audit trail",
                    "INSERT INTO audit (at, sid, name, verb, change_id, maintenance, outcome,"
                    " detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    err);
    stmt_int(&q, a->when);
    stmt_text(&q, a->sid);
    stmt_text(&q, a->name);
    stmt_text(&q, a->verb);
    stmt_text(&q, a->change);
    stmt_when(&q, a->maintenance ? a->maintenance : WHEN_NONE);
    stmt_int(&q, a->outcome);
    stmt_text(&q, a->detail);
    return stmt_run(&q);
}

static void read_audit(struct stmt *q, void *row)
{
    struct store_audit *a = row;
    a->id = col_int(q);
    a->when = col_int(q);
    col_text(q, a->sid, sizeof a->sid);
    col_text(q, a->name, sizeof a->name);
    col_text(q, a->verb, sizeof a->verb);
    col_text(q, a->change, sizeof a->change);
    a->maintenance = col_int(q);
    a->outcome = (int32_t)col_int(q);
    col_text(q, a->detail, sizeof a->detail);
}

int store_audit_list(struct store *s, int64_t maintenance, struct store_audit *ret, size_t max,
                     size_t *ret_n, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the audit trail",
                    "SELECT id, at, sid, name, verb, change_id, ifnull(maintenance, 0), outcome,"
                    " detail FROM audit WHERE ?1 = 0 OR maintenance = ?1"
                    " ORDER BY id DESC LIMIT ?2",
                    err);
    stmt_int(&q, maintenance);
    stmt_int(&q, (int64_t)max);
    return stmt_rows(&q, read_audit, ret, sizeof *ret, max, ret_n);
}
