/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "store/maintenance.h"

#include <string.h>

#include "base/scope.h"
#include "base/str.h"
#include "base/when.h"
#include "store/internal.h"

#define COLUMNS                                                                                    \
    "epoch, state, change_id, reason, owner_sid, owner_name, window, reserve, deadline_action,"    \
    " created, paused, stopped, resumed, ended, runway_until, resume_by, deadline, burn, outcome," \
    " undo, cover, note"

static void bind_maintenance(struct stmt *q, const struct store_maintenance *m)
{
    stmt_int(q, m->epoch);
    stmt_text(q, m->state);
    stmt_text(q, m->change);
    stmt_text(q, m->reason);
    stmt_text(q, m->owner_sid);
    stmt_text(q, m->owner_name);
    stmt_int(q, m->window);
    stmt_int(q, m->reserve);
    stmt_text(q, m->deadline_action);
    stmt_int(q, m->created);
    stmt_when(q, m->paused);
    stmt_when(q, m->stopped);
    stmt_when(q, m->resumed);
    stmt_when(q, m->ended);
    stmt_when(q, m->runway_until);
    stmt_when(q, m->resume_by);
    stmt_when(q, m->deadline);
    stmt_int(q, m->burn);
    stmt_int(q, m->outcome);
    stmt_int(q, m->undo);
    stmt_int(q, m->cover);
    stmt_text(q, m->note);
}

static void read_maintenance(struct stmt *q, struct store_maintenance *m)
{
    m->id = col_int(q);
    m->epoch = col_int(q);
    col_text(q, m->state, sizeof m->state);
    col_text(q, m->change, sizeof m->change);
    col_text(q, m->reason, sizeof m->reason);
    col_text(q, m->owner_sid, sizeof m->owner_sid);
    col_text(q, m->owner_name, sizeof m->owner_name);
    m->window = col_int(q);
    m->reserve = col_int(q);
    col_text(q, m->deadline_action, sizeof m->deadline_action);
    m->created = col_int(q);
    m->paused = col_when(q);
    m->stopped = col_when(q);
    m->resumed = col_when(q);
    m->ended = col_when(q);
    m->runway_until = col_when(q);
    m->resume_by = col_when(q);
    m->deadline = col_when(q);
    m->burn = (int32_t)col_int(q);
    m->outcome = (int32_t)col_int(q);
    m->undo = col_int(q) != 0;
    m->cover = col_int(q) != 0;
    col_text(q, m->note, sizeof m->note);
}

static int save_new(struct store *s, struct store_maintenance *m, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    struct err why = ERR_INIT;
    (void)stmt_open(&q, s, "saving the maintenance",
                    "INSERT INTO maintenance (" COLUMNS ") VALUES"
                    " (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                    &why);
    bind_maintenance(&q, m);
    int rc = stmt_run(&q);
    if (!rc)
        m->id = sqlite3_last_insert_rowid(s->db);
    else if (rc == ERR_EXISTS && why.os_code == SQLITE_CONSTRAINT_UNIQUE)
        rc = err_set(err, ERR_BUSY, "another maintenance is open");
    else if (err)
        *err = why;
    return rc;
}

int store_maintenance_save(struct store *s, struct store_maintenance *m, struct err *err)
{
    if (!m->id)
        return save_new(s, m, err);
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "saving the maintenance",
                    "UPDATE maintenance SET (" COLUMNS ") ="
                    " (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) WHERE id = ?",
                    err);
    bind_maintenance(&q, m);
    stmt_int(&q, m->id);
    int rc = stmt_run(&q);
    if (!rc && sqlite3_changes(s->db) != 1)
        return err_set(err, ERR_NOT_FOUND, "maintenance %lld is not in '%s'", (long long)m->id,
                       s->path);
    return rc;
}

static int one_maintenance(struct stmt *q, struct store_maintenance *ret)
{
    int rc = stmt_row(q);
    if (!rc)
        read_maintenance(q, ret);
    return rc;
}

int store_maintenance_active(struct store *s, struct store_maintenance *ret, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the maintenance",
                    "SELECT id, " COLUMNS " FROM maintenance"
                    " WHERE state NOT IN ('closed','refused','aborted')",
                    err);
    int rc = one_maintenance(&q, ret);
    return rc == ERR_NOT_FOUND ? err_set(err, rc, "no maintenance is open") : rc;
}

int store_maintenance_get(struct store *s, int64_t id, struct store_maintenance *ret,
                          struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the maintenance",
                    "SELECT id, " COLUMNS " FROM maintenance WHERE id = ?", err);
    stmt_int(&q, id);
    int rc = one_maintenance(&q, ret);
    return rc == ERR_NOT_FOUND ? err_set(err, rc, "there is no maintenance %lld", (long long)id)
                               : rc;
}

int store_maintenance_by_change(struct store *s, const char *change, struct store_maintenance *ret,
                                struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the maintenance",
                    "SELECT id, " COLUMNS " FROM maintenance WHERE change_id = ?"
                    " ORDER BY id DESC LIMIT 1",
                    err);
    stmt_text(&q, change);
    int rc = one_maintenance(&q, ret);
    return rc == ERR_NOT_FOUND ? err_set(err, rc, "there is no maintenance of change '%s'", change)
                               : rc;
}

int store_maintenance_list(struct store *s, struct store_maintenance *ret, size_t max,
                           size_t *ret_n, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the maintenances",
                    "SELECT id, " COLUMNS " FROM maintenance ORDER BY id DESC LIMIT ?", err);
    stmt_int(&q, (int64_t)max);
    size_t n = 0;
    while (n < max && one_maintenance(&q, &ret[n]) == ERR_OK)
        n++;
    if (q.rc)
        return q.rc;
    *ret_n = n;
    return ERR_OK;
}

int store_service_save(struct store *s, int64_t maintenance, const struct store_service *v,
                       struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "saving the state of a service",
                    "INSERT INTO service (maintenance, seq, name, former, former_start,"
                    " former_delayed, start_changed, stopped, restored)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                    /* What was found first is the former state, whatever comes later. */
                    " ON CONFLICT (maintenance, name) DO UPDATE SET"
                    " start_changed = excluded.start_changed, stopped = excluded.stopped,"
                    " restored = excluded.restored",
                    err);
    stmt_int(&q, maintenance);
    stmt_int(&q, v->seq);
    stmt_text(&q, v->name);
    stmt_int(&q, v->former);
    stmt_int(&q, v->former_start);
    stmt_int(&q, v->former_delayed);
    stmt_int(&q, v->start_changed);
    stmt_int(&q, v->stopped);
    stmt_int(&q, v->restored);
    return stmt_run(&q);
}

static void read_service(struct stmt *q, void *row)
{
    struct store_service *v = row;
    v->seq = (uint32_t)col_int(q);
    col_text(q, v->name, sizeof v->name);
    v->former = (enum svc_state)col_int(q);
    v->former_start = (enum svc_start)col_int(q);
    v->former_delayed = col_int(q) != 0;
    v->start_changed = col_int(q) != 0;
    v->stopped = col_int(q) != 0;
    v->restored = col_int(q) != 0;
}

int store_service_list(struct store *s, int64_t maintenance, struct store_service *ret, size_t max,
                       size_t *ret_n, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the state of the services",
                    "SELECT seq, name, former, former_start, former_delayed, start_changed,"
                    " stopped, restored FROM service WHERE maintenance = ? ORDER BY seq",
                    err);
    stmt_int(&q, maintenance);
    return stmt_rows(&q, read_service, ret, sizeof *ret, max, ret_n);
}
