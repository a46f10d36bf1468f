/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "cadb.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "base/str.h"

static sqlite3 *db;

static const char schema[] =
    "PRAGMA journal_mode=WAL;"
    "CREATE TABLE IF NOT EXISTS revoked(serial TEXT PRIMARY KEY, at INTEGER, reason INTEGER,"
    " expires INTEGER, since INTEGER);"
    "CREATE TABLE IF NOT EXISTS crl(id INTEGER PRIMARY KEY, delta INTEGER, key INTEGER, partition "
    "INTEGER, number "
    "INTEGER,"
    " min_base INTEGER, this_update INTEGER, next_update INTEGER, this_publish INTEGER,"
    " next_publish INTEGER, propagation INTEGER, flags INTEGER, status INTEGER, attempts INTEGER,"
    " error TEXT, raw BLOB);"
    "CREATE TABLE IF NOT EXISTS store(key INTEGER, partition INTEGER, delta INTEGER, thumb TEXT,"
    " PRIMARY KEY(key, partition, delta));"
    "CREATE TABLE IF NOT EXISTS issued(id INTEGER PRIMARY KEY, disposition INTEGER,"
    " not_before INTEGER, not_after INTEGER, raw BLOB);";

bool cadb_open(const char *path)
{
    return sqlite3_open(path, &db) == SQLITE_OK &&
           sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK;
}

/* A prepared statement with integers bound in order; NULL when the SQL is refused. */
static sqlite3_stmt *query(const char *sql, int n, ...)
{
    va_list args;
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        return NULL;
    va_start(args, n);
    for (int i = 1; i <= n; i++)
        sqlite3_bind_int64(st, i, va_arg(args, int64_t));
    va_end(args);
    return st;
}

static int64_t number_of(sqlite3_stmt *st, int64_t fallback)
{
    int64_t v = fallback;
    if (st && sqlite3_step(st) == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL)
        v = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return v;
}

int64_t cadb_next_number(void)
{
    return number_of(query("SELECT max(number) + 1 FROM crl", 0), 1);
}

bool cadb_insert(struct crl_row *r)
{
    sqlite3_stmt *st =
        query("INSERT INTO crl(delta, key, partition, number, min_base, this_update, next_update,"
              " this_publish, next_publish, propagation, flags, status, attempts, error, raw)"
              " VALUES(?,?,?,?,?,?,?,?,?,?,0,0,0,'',?11)",
              10, (int64_t)r->delta, (int64_t)r->key, (int64_t)r->partition, r->number, r->min_base,
              r->this_update, r->next_update, r->this_publish, r->next_publish, r->propagation);
    if (st == NULL)
        return false;
    sqlite3_bind_blob(st, 11, r->raw.data, (int)r->raw.len, SQLITE_STATIC);
    bool ok = sqlite3_step(st) == SQLITE_DONE;
    sqlite3_finalize(st);
    r->id = sqlite3_last_insert_rowid(db);
    return ok;
}

bool cadb_update(const struct crl_row *r)
{
    sqlite3_stmt *st = query("UPDATE crl SET flags=?, status=?, attempts=?, error=?5 WHERE id=?4",
                             4, (int64_t)r->flags, (int64_t)r->status, (int64_t)r->attempts, r->id);
    if (st == NULL)
        return false;
    sqlite3_bind_text(st, 5, r->error, -1, SQLITE_STATIC);
    bool ok = sqlite3_step(st) == SQLITE_DONE;
    sqlite3_finalize(st);
    return ok;
}

#define ROW_COLUMNS                                                                                \
    "id, delta, key, number, min_base, this_update, next_update, this_publish, next_publish,"      \
    " propagation, flags, status, attempts, error, partition"

static void read_row(sqlite3_stmt *st, struct crl_row *r)
{
    memset(r, 0, sizeof *r);
    r->id = sqlite3_column_int64(st, 0);
    r->delta = sqlite3_column_int(st, 1) != 0;
    r->key = (unsigned)sqlite3_column_int(st, 2);
    r->number = sqlite3_column_int64(st, 3);
    r->min_base = sqlite3_column_int64(st, 4);
    r->this_update = sqlite3_column_int64(st, 5);
    r->next_update = sqlite3_column_int64(st, 6);
    r->this_publish = sqlite3_column_int64(st, 7);
    r->next_publish = sqlite3_column_int64(st, 8);
    r->propagation = sqlite3_column_int64(st, 9);
    r->flags = (uint32_t)sqlite3_column_int64(st, 10);
    r->status = (uint32_t)sqlite3_column_int64(st, 11);
    r->attempts = (uint32_t)sqlite3_column_int64(st, 12);
    str_copy(r->error, sizeof r->error, (const char *)sqlite3_column_text(st, 13));
    r->partition = (unsigned)sqlite3_column_int(st, 14);
}

bool cadb_newest(unsigned key, unsigned partition, bool delta, struct crl_row *ret)
{
    bool found = false;
    sqlite3_stmt *st =
        query("SELECT " ROW_COLUMNS ", raw FROM crl WHERE key=? AND partition=? AND delta=?"
              " ORDER BY number DESC, id DESC LIMIT 1",
              3, (int64_t)key, (int64_t)partition, (int64_t)delta);
    if (st && sqlite3_step(st) == SQLITE_ROW) {
        read_row(st, ret);
        buf_add(&ret->raw, sqlite3_column_blob(st, 15), (size_t)sqlite3_column_bytes(st, 15));
        found = true;
    }
    sqlite3_finalize(st);
    return found;
}

int64_t cadb_delta_base(unsigned key, int64_t now, bool oldest)
{
    int64_t base = -1;
    if (!oldest)
        base = number_of(query("SELECT number FROM crl WHERE key=? AND delta=0 AND propagation<=?"
                               " ORDER BY number DESC LIMIT 1",
                               2, (int64_t)key, now),
                         -1);
    if (base < 0)
        base =
            number_of(query("SELECT min(number) FROM crl WHERE key=? AND delta=0 AND next_update>?",
                            2, (int64_t)key, now),
                      -1);
    return base;
}

bool cadb_revoke(const char *serial_hex, int64_t at, int reason, int64_t expires)
{
    sqlite3_stmt *st = query("INSERT OR REPLACE INTO revoked(at, reason, expires, since, serial)"
                             " VALUES(?,?,?,?,?5)",
                             4, at, (int64_t)reason, expires, cadb_next_number());
    if (st == NULL)
        return false;
    sqlite3_bind_text(st, 5, serial_hex, -1, SQLITE_STATIC);
    bool ok = sqlite3_step(st) == SQLITE_DONE;
    sqlite3_finalize(st);
    return ok;
}

bool cadb_revoke_many(int64_t count, int64_t at)
{
    int64_t first = number_of(query("SELECT count(*) FROM revoked", 0), 0);
    sqlite3_stmt *st =
        query("WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i+1 FROM n WHERE i+1 < ?1+?2)"
              " INSERT OR IGNORE INTO revoked SELECT printf('61%014x%08x', (i*2654435761) % "
              "281474976710656, i),"
              " ?3 - i % 86400, i % 6, ?3 + 31536000, ?4 FROM n",
              4, first, count, at, cadb_next_number());
    bool ok = st && sqlite3_step(st) == SQLITE_DONE;
    sqlite3_finalize(st);
    return ok;
}

static bool add_entry(X509_CRL *crl, const char *serial, int64_t at, int reason)
{
    BIGNUM *bn = NULL;
    X509_REVOKED *r = X509_REVOKED_new();
    ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)at);
    bool ok = r && t && BN_hex2bn(&bn, serial) > 0;
    ASN1_INTEGER *i = ok ? BN_to_ASN1_INTEGER(bn, NULL) : NULL;
    ok = i && X509_REVOKED_set_serialNumber(r, i) && X509_REVOKED_set_revocationDate(r, t);
    if (ok && reason > 0) { /* unspecified is left out, RFC 5280 5.3.1 */
        ASN1_ENUMERATED *e = ASN1_ENUMERATED_new();
        ok = e && ASN1_ENUMERATED_set(e, reason) &&
             X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, e, 0, 0);
        ASN1_ENUMERATED_free(e);
    }
    ok = ok && X509_CRL_add0_revoked(crl, r);
    if (!ok)
        X509_REVOKED_free(r);
    ASN1_TIME_free(t);
    ASN1_INTEGER_free(i);
    BN_free(bn);
    return ok;
}

bool cadb_fill(X509_CRL *crl, int64_t since, unsigned partition, unsigned partitions)
{
    bool ok = true;
    sqlite3_stmt *st = query("SELECT serial, at, reason FROM revoked WHERE since > ? AND"
                             " expires > CAST(strftime('%s','now') AS INTEGER) AND (?2=0 OR"
                             " instr('0123456789abcdef', lower(substr(serial,-1))) % ?3 + 1 = ?2)"
                             " ORDER BY at DESC, serial",
                             3, since, (int64_t)partition, (int64_t)(partitions ? partitions : 1));
    while (st && ok && sqlite3_step(st) == SQLITE_ROW)
        ok = add_entry(crl, (const char *)sqlite3_column_text(st, 0), sqlite3_column_int64(st, 1),
                       sqlite3_column_int(st, 2));
    sqlite3_finalize(st);
    return ok && st != NULL;
}

void cadb_each(void (*each)(void *arg, const struct crl_row *row), void *arg)
{
    sqlite3_stmt *st = query("SELECT " ROW_COLUMNS " FROM crl ORDER BY id", 0);
    struct crl_row row;
    while (st && sqlite3_step(st) == SQLITE_ROW) {
        read_row(st, &row);
        each(arg, &row);
    }
    sqlite3_finalize(st);
}

void cadb_store_swap(const struct crl_row *row, const char *thumb, char old[41])
{
    sqlite3_stmt *st = query("SELECT thumb FROM store WHERE key=? AND delta=? AND partition=?", 3,
                             (int64_t)row->key, (int64_t)row->delta, (int64_t)row->partition);
    old[0] = 0;
    if (st && sqlite3_step(st) == SQLITE_ROW)
        str_copy(old, 41, (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    st = query("INSERT OR REPLACE INTO store(key, delta, partition, thumb) VALUES(?,?,?,?4)", 3,
               (int64_t)row->key, (int64_t)row->delta, (int64_t)row->partition);
    if (st) {
        sqlite3_bind_text(st, 4, thumb, -1, SQLITE_STATIC);
        sqlite3_step(st);
        sqlite3_finalize(st);
    }
}

int64_t cadb_issue(int disposition, int64_t not_before, int64_t not_after, const struct buf *der)
{
    sqlite3_stmt *st = query("INSERT INTO issued(disposition, not_before, not_after, raw)"
                             " VALUES(?,?,?,?4)",
                             3, (int64_t)disposition, not_before, not_after);
    if (st == NULL)
        return 0;
    sqlite3_bind_blob(st, 4, der->data, (int)der->len, SQLITE_STATIC);
    bool ok = sqlite3_step(st) == SQLITE_DONE;
    sqlite3_finalize(st);
    return ok ? sqlite3_last_insert_rowid(db) : 0;
}

void cadb_each_issued(void (*each)(void *arg, const struct issued_row *row), void *arg)
{
    sqlite3_stmt *st =
        query("SELECT id, disposition, not_before, not_after, raw FROM issued ORDER BY id", 0);
    while (st && sqlite3_step(st) == SQLITE_ROW) {
        const struct issued_row row = {.id = sqlite3_column_int64(st, 0),
                                       .disposition = sqlite3_column_int(st, 1),
                                       .not_before = sqlite3_column_int64(st, 2),
                                       .not_after = sqlite3_column_int64(st, 3),
                                       .raw = sqlite3_column_blob(st, 4),
                                       .len = (size_t)sqlite3_column_bytes(st, 4)};
        each(arg, &row);
    }
    sqlite3_finalize(st);
}
