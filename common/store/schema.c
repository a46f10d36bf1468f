/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The schema, one text per version: version n is reached from n-1 by running row n-1. A row is
 * never changed after a release; a new version is a new row. The version found is PRAGMA
 * user_version. */
#include "store/internal.h"

#include "base/scope.h"

static const char schema_1[] =
    "CREATE TABLE maintenance ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " epoch INTEGER NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN ('preparing','ready','pausing','paused','resuming',"
    "  'verifying','held','closed','refused','aborted')),"
    " change_id TEXT NOT NULL, reason TEXT NOT NULL,"
    " owner_sid TEXT NOT NULL, owner_name TEXT NOT NULL,"
    " window INTEGER NOT NULL, reserve INTEGER NOT NULL, deadline_action TEXT NOT NULL,"
    " created INTEGER NOT NULL, paused INTEGER, stopped INTEGER, resumed INTEGER, ended INTEGER,"
    " runway_until INTEGER, resume_by INTEGER, deadline INTEGER,"
    " burn INTEGER NOT NULL, outcome INTEGER NOT NULL, undo INTEGER NOT NULL,"
    " cover INTEGER NOT NULL, note TEXT NOT NULL,"
    " CHECK (state <> 'paused' OR deadline IS NOT NULL));"
    /* One maintenance at a time: the database itself holds to it. */
    "CREATE UNIQUE INDEX maintenance_active ON maintenance ((1))"
    " WHERE state NOT IN ('closed','refused','aborted');"
    "CREATE INDEX maintenance_change ON maintenance (change_id, id);"
    "CREATE TABLE service ("
    " maintenance INTEGER NOT NULL REFERENCES maintenance (id),"
    " seq INTEGER NOT NULL, name TEXT NOT NULL, former INTEGER NOT NULL,"
    " former_start INTEGER NOT NULL, former_delayed INTEGER NOT NULL,"
    " start_changed INTEGER NOT NULL, stopped INTEGER NOT NULL, restored INTEGER NOT NULL,"
    " PRIMARY KEY (maintenance, name)) WITHOUT ROWID;"
    "CREATE TABLE step ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " maintenance INTEGER NOT NULL REFERENCES maintenance (id),"
    " epoch INTEGER NOT NULL, name TEXT NOT NULL, subject TEXT NOT NULL,"
    " began INTEGER NOT NULL, ended INTEGER, outcome TEXT NOT NULL, detail TEXT NOT NULL);"
    "CREATE INDEX step_maintenance ON step (maintenance, id);"
    "CREATE TABLE figure ("
    " maintenance INTEGER NOT NULL REFERENCES maintenance (id),"
    " phase INTEGER NOT NULL, key_index INTEGER NOT NULL, part INTEGER NOT NULL,"
    " delta INTEGER NOT NULL, number TEXT NOT NULL, this_update INTEGER, next_update INTEGER,"
    " sha256 TEXT NOT NULL, entries INTEGER NOT NULL, weakest INTEGER, effective INTEGER,"
    " weakest_url TEXT NOT NULL, weakest_address TEXT NOT NULL, publish_status INTEGER NOT NULL,"
    " sign_ms INTEGER NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY (maintenance, phase, key_index, part, delta)) WITHOUT ROWID;"
    "CREATE TABLE audit ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, sid TEXT NOT NULL,"
    " name TEXT NOT NULL, verb TEXT NOT NULL, change_id TEXT NOT NULL,"
    " maintenance INTEGER REFERENCES maintenance (id), outcome INTEGER NOT NULL,"
    " detail TEXT NOT NULL);"
    "CREATE TRIGGER audit_fixed BEFORE UPDATE ON audit BEGIN"
    " SELECT RAISE(ABORT, 'audit rows are never changed'); END;"
    "CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN"
    " SELECT RAISE(ABORT, 'audit rows are never removed'); END;"
    "CREATE TABLE probe ("
    " at INTEGER NOT NULL, url TEXT NOT NULL, address TEXT NOT NULL, key_index INTEGER NOT NULL,"
    " part INTEGER NOT NULL, delta INTEGER NOT NULL, status INTEGER NOT NULL,"
    " number TEXT NOT NULL, this_update INTEGER, next_update INTEGER, sha256 TEXT NOT NULL,"
    " bytes INTEGER NOT NULL, total_ms INTEGER NOT NULL, visible INTEGER);"
    "CREATE INDEX probe_at ON probe (at);"
    "CREATE INDEX probe_url ON probe (url, at);"
    "CREATE TABLE cache ("
    " kind TEXT NOT NULL, key_index INTEGER NOT NULL, part INTEGER NOT NULL,"
    " at INTEGER NOT NULL, data BLOB NOT NULL,"
    " PRIMARY KEY (kind, key_index, part)) WITHOUT ROWID;"
    "CREATE TABLE timer (name TEXT PRIMARY KEY, due INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE value (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE notice ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, created INTEGER NOT NULL, channel TEXT NOT NULL,"
    " key TEXT NOT NULL, body BLOB NOT NULL, next_try INTEGER NOT NULL, tries INTEGER NOT NULL,"
    " last_error TEXT NOT NULL, sent INTEGER);"
    "CREATE UNIQUE INDEX notice_waiting ON notice (channel, key) WHERE sent IS NULL;"
    "CREATE INDEX notice_due ON notice (next_try) WHERE sent IS NULL;";

/* What the continuous watch keeps: one row per look at all locations, one per test of a key. */
static const char schema_2[] =
    "CREATE TABLE round ("
    " at INTEGER PRIMARY KEY, weakest INTEGER, effective INTEGER, findings INTEGER NOT NULL,"
    " visible INTEGER);"
    "CREATE TABLE keytest ("
    " at INTEGER NOT NULL, key_index INTEGER NOT NULL, good INTEGER NOT NULL, ms INTEGER NOT NULL,"
    " detail TEXT NOT NULL);"
    "CREATE INDEX keytest_at ON keytest (at);";

/* Locations that living certificates carry (store/carried.h). */
static const char schema_3[] =
    "CREATE TABLE carried ("
    " url TEXT NOT NULL, role INTEGER NOT NULL, key_index INTEGER NOT NULL,"
    " until INTEGER NOT NULL, seen INTEGER NOT NULL,"
    " PRIMARY KEY (url, role, key_index)) WITHOUT ROWID;";

/* What people saw before, during and after a maintenance. */
static const char schema_4[] =
    "CREATE TABLE snapshot ("
    " maintenance INTEGER NOT NULL REFERENCES maintenance (id), phase TEXT NOT NULL,"
    " at INTEGER NOT NULL, weight INTEGER NOT NULL, body BLOB NOT NULL,"
    " PRIMARY KEY (maintenance, phase));";

/* Reserve CRLs and the places one was written to: intent before the action, as with steps. A life
 * of theirs can be longer than a maintenance, so they are rows of their own. */
static const char schema_5[] =
    "CREATE TABLE reserve_crl ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " maintenance INTEGER REFERENCES maintenance (id),"
    " key_index INTEGER NOT NULL, part INTEGER NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN ('making','sealed','releasing','released','recalling',"
    "  'recalled','destroying','destroyed','failed')),"
    " number TEXT NOT NULL, of_number TEXT NOT NULL, sha256 TEXT NOT NULL, of_sha256 TEXT NOT NULL,"
    " made INTEGER NOT NULL, this_update INTEGER, next_update INTEGER, entries INTEGER NOT NULL,"
    " released INTEGER, ended INTEGER, who TEXT NOT NULL, reason TEXT NOT NULL,"
    " note TEXT NOT NULL);"
    "CREATE INDEX reserve_crl_state ON reserve_crl (state);"
    "CREATE TABLE reserve_place ("
    " reserve INTEGER NOT NULL REFERENCES reserve_crl (id), seq INTEGER NOT NULL,"
    " url TEXT NOT NULL, former_sha256 TEXT NOT NULL, written INTEGER NOT NULL,"
    " PRIMARY KEY (reserve, seq)) WITHOUT ROWID;";

static const char *const migrations[STORE_SCHEMA] = {schema_1, schema_2, schema_3, schema_4,
                                                     schema_5};

static int read_version(struct store *s, int *ret, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    int rc = stmt_open(&q, s, "reading the schema version", "PRAGMA user_version", err);
    if (!rc)
        rc = stmt_row(&q);
    if (!rc)
        *ret = (int)col_int(&q);
    return rc;
}

static int step_up(struct store *s, int from, struct err *err)
{
    char version[64];
    sqlite3_snprintf(sizeof version, version, "PRAGMA user_version = %d", from + 1);
    int rc = store_begin(s, err);
    if (rc)
        return rc;
    rc = store_exec(s, "changing the schema", migrations[from], err);
    if (!rc)
        rc = store_exec(s, "changing the schema", version, err);
    if (rc) {
        store_rollback(s);
        return rc;
    }
    return store_commit(s, err);
}

int store_migrate(struct store *s, int *ret_found, struct err *err)
{
    int version = 0;
    int rc = read_version(s, &version, err);
    if (rc)
        return rc;
    *ret_found = version;
    if (version > STORE_SCHEMA || version < 0)
        return err_set(err, ERR_UNSUPPORTED,
                       "'%s' has schema version %d; this crlagent knows versions up to %d: it was "
                       "written by a newer version. Install that version, or move the file away "
                       "when no maintenance is open",
                       s->path, version, STORE_SCHEMA);
    if (s->mode == STORE_READ && version < STORE_SCHEMA)
        return err_set(err, ERR_UNSUPPORTED,
                       "'%s' has schema version %d, expected %d: it is migrated when the service "
                       "starts",
                       s->path, version, STORE_SCHEMA);
    for (; version < STORE_SCHEMA && !rc; version++)
        rc = step_up(s, version, err);
    return rc;
}
