/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Durability: WAL with synchronous=FULL, so a returned journal_set survives a power cut. The locks
 * are SQLite's own exclusive locks on small databases beside the journal: the system releases them
 * when the process ends, however it ends. */
#include "driver/journal.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/file.h"
#include "base/str.h"
#include "base/when.h"

#define LOCKS_MAX 40

struct journal {
    sqlite3 *db;
    sqlite3 *lock[LOCKS_MAX];
    size_t n_locks;
    char dir[512];
    journal_cleaner *clean;
    const void *clean_self;
};

static const char *const state_names[] = {"new", "begun", "done", "skipped", "failed", "held"};

const char *step_state_name(enum step_state s)
{
    return (size_t)s < ARRAY_LEN(state_names) ? state_names[s] : "?";
}

static int sql_error(sqlite3 *db, const char *doing, struct err *err)
{
    int code = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
    int base = code & 0xFF;
    return err_set_os(err, base == SQLITE_BUSY || base == SQLITE_LOCKED ? ERR_BUSY : ERR_IO, code,
                      "%s the journal: %s", doing, db ? sqlite3_errmsg(db) : "no memory");
}

static int execute(sqlite3 *db, const char *sql, struct err *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? ERR_OK
                                                                : sql_error(db, "writing", err);
}

static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "CREATE TABLE IF NOT EXISTS step(seq INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL,"
    " name TEXT NOT NULL, state INTEGER NOT NULL, begun INTEGER, ended INTEGER,"
    " tries INTEGER NOT NULL DEFAULT 0, detail TEXT NOT NULL DEFAULT '', UNIQUE(owner, name));"
    "CREATE TABLE IF NOT EXISTS fact(owner TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(owner, key));"
    "CREATE TABLE IF NOT EXISTS event(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
    " owner TEXT NOT NULL, text TEXT NOT NULL);";

int journal_open(const char *dir, const char *change, bool read_only, struct journal **ret,
                 struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    SCOPED(journal_close) struct journal *j = calloc(1, sizeof *j);
    if (!j)
        return err_nomem(err);
    int rc = read_only ? ERR_OK : file_make_dirs(dir, err);
    buf_printf(&path, "%s/%s.journal", dir, change);
    if (!rc)
        rc = buf_check(&path, "path", err);
    if (rc)
        return rc;
    str_copy(j->dir, sizeof j->dir, dir);
    int flags = read_only ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(path.data, &j->db, flags, NULL) != SQLITE_OK)
        return read_only ? err_set(err, ERR_NOT_FOUND, "no run of change '%s' is recorded in '%s'",
                                   change, dir)
                         : sql_error(j->db, "opening", err);
    sqlite3_busy_timeout(j->db, 5000);
    rc = execute(j->db, schema, err);
    if (!rc)
        *ret = steal_ptr(j);
    return rc;
}

void journal_close(struct journal **slot)
{
    struct journal *j = *slot;
    if (!j)
        return;
    sqlite3_close(j->db);
    for (size_t i = 0; i < j->n_locks; i++)
        sqlite3_close(j->lock[i]);
    free(j);
    *slot = NULL;
}

void journal_clean_with(struct journal *j, journal_cleaner *clean, const void *self)
{
    j->clean = clean;
    j->clean_self = self;
}

/* Bound as a copy. */
static int bind_text(struct journal *j, sqlite3_stmt *s, int at, const char *text, struct err *err)
{
    SCOPED(buf_free) struct buf clean = BUF_INIT;
    if (j->clean && text)
        j->clean(j->clean_self, text, &clean);
    else
        buf_puts(&clean, text ? text : "");
    int rc = buf_check(&clean, "detail", err);
    if (!rc)
        sqlite3_bind_text(s, at, buf_str(&clean), -1, SQLITE_TRANSIENT);
    return rc;
}

int journal_lock(struct journal *j, const char *name, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    sqlite3 *db = NULL;
    if (j->n_locks == LOCKS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d locks", LOCKS_MAX);
    buf_printf(&path, "%s/lock-", j->dir);
    for (const char *p = name; *p; p++)
        buf_putc(&path, strchr("/\\:*?\"<>| ", *p) ? '_' : *p);
    int rc = buf_check(&path, "path", err);
    if (rc)
        return rc;
    if (sqlite3_open_v2(path.data, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) ==
        SQLITE_OK)
        rc = execute(db, "BEGIN EXCLUSIVE", err);
    else
        rc = sql_error(db, "locking beside", err);
    if (rc) {
        sqlite3_close(db);
        return rc == ERR_BUSY
                   ? err_set(err, ERR_BUSY, "another hsmupgrade is working on '%s'", name)
                   : rc;
    }
    j->lock[j->n_locks++] = db;
    return ERR_OK;
}

static void statement_end(sqlite3_stmt **s)
{
    sqlite3_finalize(*s);
}

static int prepare(struct journal *j, const char *sql, const char *a, const char *b,
                   sqlite3_stmt **ret, struct err *err)
{
    if (sqlite3_prepare_v2(j->db, sql, -1, ret, NULL) != SQLITE_OK)
        return sql_error(j->db, "reading", err);
    if (a)
        sqlite3_bind_text(*ret, 1, a, -1, SQLITE_TRANSIENT);
    if (b)
        sqlite3_bind_text(*ret, 2, b, -1, SQLITE_TRANSIENT);
    return ERR_OK;
}

static int64_t time_column(sqlite3_stmt *s, int i)
{
    return sqlite3_column_type(s, i) == SQLITE_NULL ? WHEN_NONE : sqlite3_column_int64(s, i);
}

static void read_step(sqlite3_stmt *s, struct journal_step *ret)
{
    memset(ret, 0, sizeof *ret);
    str_copy(ret->owner, sizeof ret->owner, (const char *)sqlite3_column_text(s, 0));
    str_copy(ret->name, sizeof ret->name, (const char *)sqlite3_column_text(s, 1));
    ret->state = (enum step_state)sqlite3_column_int(s, 2);
    ret->begun = time_column(s, 3);
    ret->ended = time_column(s, 4);
    ret->tries = sqlite3_column_int64(s, 5);
    str_copy(ret->detail, sizeof ret->detail, (const char *)sqlite3_column_text(s, 6));
}

#define STEP_COLUMNS "owner, name, state, begun, ended, tries, detail"

int journal_step(struct journal *j, const char *owner, const char *name, struct journal_step *ret,
                 struct err *err)
{
    SCOPED(statement_end) sqlite3_stmt *s = NULL;
    int rc = prepare(j, "SELECT " STEP_COLUMNS " FROM step WHERE owner=?1 AND name=?2", owner, name,
                     &s, err);
    if (rc)
        return rc;
    memset(ret, 0, sizeof *ret);
    str_copy(ret->owner, sizeof ret->owner, owner);
    str_copy(ret->name, sizeof ret->name, name);
    ret->begun = ret->ended = WHEN_NONE;
    int e = sqlite3_step(s);
    if (e == SQLITE_ROW)
        read_step(s, ret);
    return e == SQLITE_ROW || e == SQLITE_DONE ? ERR_OK : sql_error(j->db, "reading", err);
}

int journal_set(struct journal *j, int64_t now, const char *owner, const char *name,
                enum step_state state, const char *detail, struct err *err)
{
    static const char begin[] =
        "INSERT INTO step(owner, name, state, begun, tries, detail) VALUES(?1, ?2, ?3, ?4, 1, ?5) "
        "ON CONFLICT(owner, name) DO UPDATE SET state=?3, begun=?4, ended=NULL, tries=tries+1, "
        "detail=?5";
    static const char finish[] =
        "INSERT INTO step(owner, name, state, ended, detail) VALUES(?1, ?2, ?3, ?4, ?5) "
        "ON CONFLICT(owner, name) DO UPDATE SET state=?3, ended=?4, detail=?5";
    SCOPED(statement_end) sqlite3_stmt *s = NULL;
    int rc = prepare(j, state == STEP_BEGUN ? begin : finish, owner, name, &s, err);
    if (rc)
        return rc;
    sqlite3_bind_int(s, 3, (int)state);
    sqlite3_bind_int64(s, 4, now);
    rc = bind_text(j, s, 5, detail, err);
    if (rc)
        return rc;
    return sqlite3_step(s) == SQLITE_DONE ? ERR_OK : sql_error(j->db, "writing", err);
}

int journal_forget_run(struct journal *j, struct err *err)
{
    static const char sql[] =
        "BEGIN;"
        "UPDATE step SET state=0, begun=NULL, ended=NULL, tries=0, detail='' WHERE NOT"
        " (name='so-login' AND state IN (1, 4));"
        "DELETE FROM fact WHERE key <> 'host-key' AND key NOT LIKE 'check.%';"
        "COMMIT";
    _Static_assert(STEP_NEW == 0 && STEP_BEGUN == 1 && STEP_FAILED == 4, "numbers in the SQL");
    int rc = execute(j->db, sql, err);
    if (rc)
        (void)sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

int journal_each(struct journal *j, int (*each)(void *arg, const struct journal_step *s), void *arg,
                 struct err *err)
{
    SCOPED(statement_end) sqlite3_stmt *s = NULL;
    int rc = prepare(j, "SELECT " STEP_COLUMNS " FROM step ORDER BY seq", NULL, NULL, &s, err);
    if (rc)
        return rc;
    int e;
    while ((e = sqlite3_step(s)) == SQLITE_ROW) {
        struct journal_step step;
        read_step(s, &step);
        if (each(arg, &step))
            return ERR_OK;
    }
    return e == SQLITE_DONE ? ERR_OK : sql_error(j->db, "reading", err);
}

int journal_fact(struct journal *j, const char *owner, const char *key, struct buf *ret,
                 struct err *err)
{
    SCOPED(statement_end) sqlite3_stmt *s = NULL;
    int rc = prepare(j, "SELECT value FROM fact WHERE owner=?1 AND key=?2", owner, key, &s, err);
    if (rc)
        return rc;
    int e = sqlite3_step(s);
    if (e == SQLITE_ROW)
        buf_puts(ret, (const char *)sqlite3_column_text(s, 0));
    return e == SQLITE_ROW || e == SQLITE_DONE ? buf_check(ret, key, err)
                                               : sql_error(j->db, "reading", err);
}

int journal_set_fact(struct journal *j, const char *owner, const char *key, const char *value,
                     struct err *err)
{
    SCOPED(statement_end) sqlite3_stmt *s = NULL;
    int rc = prepare(j,
                     "INSERT INTO fact(owner, key, value) VALUES(?1, ?2, ?3) "
                     "ON CONFLICT(owner, key) DO UPDATE SET value=?3",
                     owner, key, &s, err);
    if (rc)
        return rc;
    sqlite3_bind_text(s, 3, value, -1, SQLITE_TRANSIENT);
    return sqlite3_step(s) == SQLITE_DONE ? ERR_OK : sql_error(j->db, "writing", err);
}

int journal_each_fact(struct journal *j, const char *key,
                      int (*each)(void *arg, const char *owner, const char *value), void *arg,
                      struct err *err)
{
    SCOPED(statement_end) sqlite3_stmt *s = NULL;
    int e, rc = prepare(j, "SELECT owner, value FROM fact WHERE key=?1 ORDER BY owner", key, NULL,
                        &s, err);
    if (rc)
        return rc;
    while ((e = sqlite3_step(s)) == SQLITE_ROW) {
        if (each(arg, (const char *)sqlite3_column_text(s, 0),
                 (const char *)sqlite3_column_text(s, 1)))
            return ERR_OK;
    }
    return e == SQLITE_DONE ? ERR_OK : sql_error(j->db, "reading", err);
}

int journal_event(struct journal *j, int64_t now, const char *owner, const char *text,
                  struct err *err)
{
    SCOPED(statement_end) sqlite3_stmt *s = NULL;
    int rc =
        prepare(j, "INSERT INTO event(owner, text, at) VALUES(?1, ?2, ?3)", owner, NULL, &s, err);
    if (!rc)
        rc = bind_text(j, s, 2, text, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(s, 3, now);
    return sqlite3_step(s) == SQLITE_DONE ? ERR_OK : sql_error(j->db, "writing", err);
}
