/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "store/internal.h"

#include <string.h>

#include "base/str.h"
#include "base/when.h"

static enum err_code sql_code(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return ERR_DENIED;
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_CONSTRAINT:
        return ERR_EXISTS;
    case SQLITE_TOOBIG:
        return ERR_LIMIT;
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
        return ERR_INTERNAL;
    default:
        return ERR_IO; /* FULL, IOERR, CORRUPT, CANTOPEN, NOTADB ... */
    }
}

static const char *sql_advice(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return "; the disk is full: free space and repeat the command";
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return "; the file or its folder is read-only: give the service's account the right to "
               "write";
    case SQLITE_BUSY:
        return "; another process holds the file: only one service may run";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return "; the file is damaged: it is set aside when the service starts";
    default:
        return "";
    }
}

int store_sql_error(struct store *s, int rc, const char *what, struct err *err)
{
    int extended = s->db ? sqlite3_extended_errcode(s->db) : rc;
    const char *text = s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc);
    if ((extended & 0xff) != (rc & 0xff)) {
        extended = rc;
        text = sqlite3_errstr(rc);
    }
    return err_set_os(err, sql_code(rc), extended, "%s in '%s': %s%s", what, s->path, text,
                      sql_advice(rc));
}

int stmt_open(struct stmt *q, struct store *s, const char *what, const char *sql, struct err *err)
{
    *q = (struct stmt){.store = s, .what = what, .next = 1, .err = err};
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &q->st, NULL);
    if (rc != SQLITE_OK)
        q->rc = store_sql_error(s, rc, what, err);
    return q->rc;
}

static void bound(struct stmt *q, int rc)
{
    if (rc != SQLITE_OK && !q->rc)
        q->rc = store_sql_error(q->store, rc, q->what, q->err);
}

void stmt_int(struct stmt *q, int64_t v)
{
    if (!q->rc)
        bound(q, sqlite3_bind_int64(q->st, q->next++, v));
}

void stmt_when(struct stmt *q, int64_t v)
{
    if (q->rc)
        return;
    if (v == WHEN_NONE)
        bound(q, sqlite3_bind_null(q->st, q->next++));
    else
        stmt_int(q, v);
}

void stmt_text(struct stmt *q, const char *v)
{
    if (!q->rc)
        bound(q, sqlite3_bind_text(q->st, q->next++, v ? v : "", -1, SQLITE_TRANSIENT));
}

void stmt_blob(struct stmt *q, const void *data, size_t len)
{
    if (!q->rc)
        bound(q, sqlite3_bind_blob64(q->st, q->next++, data ? data : "", len, SQLITE_TRANSIENT));
}

int stmt_row(struct stmt *q)
{
    if (q->rc)
        return q->rc;
    int rc = sqlite3_step(q->st);
    q->next = 0;
    if (rc == SQLITE_ROW)
        return ERR_OK;
    if (rc == SQLITE_DONE)
        return ERR_NOT_FOUND;
    q->rc = store_sql_error(q->store, rc, q->what, q->err);
    return q->rc;
}

int stmt_rows(struct stmt *q, void (*read)(struct stmt *q, void *row), void *rows, size_t size,
              size_t max, size_t *ret_n)
{
    size_t n = 0;
    while (n < max && stmt_row(q) == ERR_OK)
        read(q, (char *)rows + n++ * size);
    if (!q->rc)
        *ret_n = n;
    return q->rc;
}

int64_t col_int(struct stmt *q)
{
    return sqlite3_column_int64(q->st, q->next++);
}

int64_t col_when(struct stmt *q)
{
    int i = q->next++;
    return sqlite3_column_type(q->st, i) == SQLITE_NULL ? WHEN_NONE
                                                        : sqlite3_column_int64(q->st, i);
}

void col_text(struct stmt *q, char *dst, size_t dst_size)
{
    const char *text = (const char *)sqlite3_column_text(q->st, q->next++);
    str_copy(dst, dst_size, text ? text : "");
}

int col_blob(struct stmt *q, struct buf *ret)
{
    int i = q->next++;
    const void *data = sqlite3_column_blob(q->st, i);
    int len = sqlite3_column_bytes(q->st, i);
    if (len > 0 && (!data || buf_add(ret, data, (size_t)len)))
        q->rc = err_nomem(q->err);
    return q->rc;
}

static int faulted(struct store *s, const char *what, struct err *err)
{
    int code = s->fault ? s->fault(s->fault_arg, what) : 0;
    return code ? err_set(err, (enum err_code)code, "%s in '%s': the disk is full", what, s->path)
                : ERR_OK;
}

int stmt_run(struct stmt *q)
{
    if (!q->rc)
        q->rc = faulted(q->store, q->what, q->err);
    if (q->rc)
        return q->rc;
    int rc = sqlite3_step(q->st);
    while (rc == SQLITE_ROW)
        rc = sqlite3_step(q->st);
    if (rc != SQLITE_DONE)
        q->rc = store_sql_error(q->store, rc, q->what, q->err);
    return q->rc;
}

void stmt_done(struct stmt *q)
{
    if (q->rc && q->store && q->store->depth)
        q->store->broken = true;
    sqlite3_finalize(q->st);
    q->st = NULL;
}

int store_exec(struct store *s, const char *what, const char *sql, struct err *err)
{
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? ERR_OK : store_sql_error(s, rc, what, err);
}

int store_begin(struct store *s, struct err *err)
{
    if (s->depth++ > 0)
        return ERR_OK;
    s->broken = false;
    int rc = s->mode == STORE_READ
                 ? err_set(err, ERR_DENIED, "'%s' was opened for reading", s->path)
                 : faulted(s, "beginning to write", err);
    if (!rc)
        rc = store_exec(s, "beginning to write", "BEGIN IMMEDIATE", err);
    if (rc)
        s->depth = 0;
    return rc;
}

int store_commit(struct store *s, struct err *err)
{
    if (s->depth > 1) {
        s->depth--;
        return s->broken ? err_set(err, ERR_STATE, "writing '%s': an earlier part failed", s->path)
                         : ERR_OK;
    }
    int rc = s->broken ? err_set(err, ERR_STATE, "writing '%s': an earlier part failed", s->path)
                       : faulted(s, "making the change durable", err);
    if (!rc)
        rc = store_exec(s, "making the change durable", "COMMIT", err);
    if (rc)
        store_rollback(s);
    s->depth = 0;
    return rc;
}

void store_rollback(struct store *s)
{
    if (s->depth > 1) {
        s->depth--;
        s->broken = true;
        return;
    }
    /* Some errors have rolled back already; then there is nothing to do. */
    if (s->depth && !sqlite3_get_autocommit(s->db))
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    s->depth = 0;
}

void store__set_fault(struct store *s, int (*fault)(void *arg, const char *what), void *arg)
{
    s->fault = fault;
    s->fault_arg = arg;
}

void store__no_sync(struct store *s)
{
    struct err ignored = ERR_INIT;
    int rc = store_exec(s, "switching the flush off", "PRAGMA synchronous = OFF", &ignored);
    (void)rc;
}
