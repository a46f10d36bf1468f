/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "store/history.h"

#include "base/scope.h"
#include "base/when.h"
#include "store/internal.h"

int store_probe_add(struct store *s, const struct store_probe *p, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "keeping a probe",
                    "INSERT INTO probe (at, url, address, key_index, part, delta, status, number,"
                    " this_update, next_update, sha256, bytes, total_ms, visible)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    err);
    stmt_int(&q, p->when);
    stmt_text(&q, p->url);
    stmt_text(&q, p->address);
    stmt_int(&q, p->key_index);
    stmt_int(&q, p->partition);
    stmt_int(&q, p->delta);
    stmt_int(&q, p->status);
    stmt_text(&q, p->number);
    stmt_when(&q, p->this_update);
    stmt_when(&q, p->next_update);
    stmt_text(&q, p->sha256);
    stmt_int(&q, (int64_t)p->bytes);
    stmt_int(&q, p->total_ms);
    stmt_when(&q, p->visible_seconds);
    return stmt_run(&q);
}

static void read_probe(struct stmt *q, void *row)
{
    struct store_probe *p = row;
    p->when = col_int(q);
    col_text(q, p->url, sizeof p->url);
    col_text(q, p->address, sizeof p->address);
    p->key_index = (uint32_t)col_int(q);
    p->partition = (uint32_t)col_int(q);
    p->delta = col_int(q) != 0;
    p->status = (int32_t)col_int(q);
    col_text(q, p->number, sizeof p->number);
    p->this_update = col_when(q);
    p->next_update = col_when(q);
    col_text(q, p->sha256, sizeof p->sha256);
    p->bytes = (uint64_t)col_int(q);
    p->total_ms = col_int(q);
    p->visible_seconds = col_when(q);
}

int store_probe_list(struct store *s, const char *url, int64_t since, struct store_probe *ret,
                     size_t max, size_t *ret_n, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the probe history",
                    "SELECT at, url, address, key_index, part, delta, status, number, this_update,"
                    " next_update, sha256, bytes, total_ms, visible FROM probe"
                    " WHERE (?1 = '' OR url = ?1) AND at >= ?2 ORDER BY at DESC, rowid DESC"
                    " LIMIT ?3",
                    err);
    stmt_text(&q, url);
    stmt_int(&q, since);
    stmt_int(&q, (int64_t)max);
    return stmt_rows(&q, read_probe, ret, sizeof *ret, max, ret_n);
}

int store_probe_newest(struct store *s, int64_t from, int64_t until, struct store_probe *ret,
                       size_t max, size_t *ret_n, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    /* SQLite takes the other columns from the row that has the maximum. */
    (void)stmt_open(&q, s, "reading the probe history",
                    "SELECT max(at), url, address, key_index, part, delta, status, number,"
                    " this_update, next_update, sha256, bytes, total_ms, visible FROM probe"
                    " WHERE at BETWEEN ? AND ? GROUP BY url, address ORDER BY url, address LIMIT ?",
                    err);
    stmt_int(&q, from);
    stmt_int(&q, until);
    stmt_int(&q, (int64_t)max);
    return stmt_rows(&q, read_probe, ret, sizeof *ret, max, ret_n);
}

int store_notice_add(struct store *s, const char *channel, const char *key, const void *body,
                     size_t len, int64_t now, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "queueing a notice",
                    "INSERT INTO notice (created, channel, key, body, next_try, tries, last_error)"
                    " VALUES (?1, ?2, ?3, ?4, ?1, 0, '')"
                    " ON CONFLICT (channel, key) WHERE sent IS NULL"
                    " DO UPDATE SET body = excluded.body",
                    err);
    stmt_int(&q, now);
    stmt_text(&q, channel);
    stmt_text(&q, key);
    stmt_blob(&q, body, len);
    return stmt_run(&q);
}

static void read_notice(struct stmt *q, void *row)
{
    struct store_notice *o = row;
    o->id = col_int(q);
    o->created = col_int(q);
    col_text(q, o->channel, sizeof o->channel);
    col_text(q, o->key, sizeof o->key);
    o->next_try = col_int(q);
    o->tries = (int32_t)col_int(q);
    col_text(q, o->last_error, sizeof o->last_error);
}

int store_notice_due(struct store *s, const char *channel, int64_t now, struct store_notice *ret,
                     size_t max, size_t *ret_n, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the notices",
                    "SELECT id, created, channel, key, next_try, tries, last_error FROM notice"
                    " WHERE sent IS NULL AND (?1 = '' OR channel = ?1) AND next_try <= ?2"
                    " ORDER BY id LIMIT ?3",
                    err);
    stmt_text(&q, channel);
    stmt_int(&q, now);
    stmt_int(&q, (int64_t)max);
    return stmt_rows(&q, read_notice, ret, sizeof *ret, max, ret_n);
}

int store_notice_body(struct store *s, int64_t id, struct buf *ret, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading a notice", "SELECT body FROM notice WHERE id = ?", err);
    stmt_int(&q, id);
    int rc = stmt_row(&q);
    if (rc == ERR_NOT_FOUND)
        return err_set(err, rc, "there is no notice %lld", (long long)id);
    return rc ? rc : col_blob(&q, ret);
}

/* One row must change, else the id is wrong. */
static int run_one(struct stmt *q, int64_t id, struct err *err)
{
    int rc = stmt_run(q);
    if (!rc && sqlite3_changes(q->store->db) != 1)
        return err_set(err, ERR_NOT_FOUND, "there is no waiting notice %lld", (long long)id);
    return rc;
}

int store_notice_sent(struct store *s, int64_t id, int64_t now, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "closing a notice",
                    "UPDATE notice SET sent = ?, tries = tries + 1, last_error = '', body = x''"
                    " WHERE id = ? AND sent IS NULL",
                    err);
    stmt_int(&q, now);
    stmt_int(&q, id);
    return run_one(&q, id, err);
}

int store_notice_failed(struct store *s, int64_t id, int64_t next_try, const char *why,
                        struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "postponing a notice",
                    "UPDATE notice SET next_try = ?, tries = tries + 1, last_error = ?"
                    " WHERE id = ? AND sent IS NULL",
                    err);
    stmt_int(&q, next_try);
    stmt_text(&q, why);
    stmt_int(&q, id);
    return run_one(&q, id, err);
}

int store_notice_postpone(struct store *s, const char *channel, int64_t next_try, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "postponing notices",
                    "UPDATE notice SET next_try = ?1"
                    " WHERE sent IS NULL AND channel = ?2 AND next_try < ?1",
                    err);
    stmt_int(&q, next_try);
    stmt_text(&q, channel);
    return stmt_run(&q);
}

int store_notice_failing(struct store *s, const char *channel, int64_t id, int64_t horizon,
                         bool *ret, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the notices",
                    "SELECT count(*) FROM notice"
                    " WHERE sent IS NULL AND channel = ? AND id <> ? AND tries > 0"
                    " AND next_try <= ?",
                    err);
    stmt_text(&q, channel);
    stmt_int(&q, id);
    stmt_int(&q, horizon);
    int rc = stmt_row(&q);
    if (!rc)
        *ret = col_int(&q) > 0;
    return rc;
}

int store_notice_retry_all(struct store *s, int64_t now, int64_t horizon, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "trying notices again",
                    "UPDATE notice SET next_try = ?1"
                    " WHERE sent IS NULL AND next_try > ?1 AND next_try <= ?2",
                    err);
    stmt_int(&q, now);
    stmt_int(&q, horizon);
    return stmt_run(&q);
}

int store_notice_drop_others(struct store *s, const char *const *keep, size_t n, int64_t horizon,
                             int64_t given_up, const char *why, int64_t *ret_count, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "giving up notices",
                    "UPDATE notice SET next_try = ?1, tries = tries + 1, last_error = ?2"
                    " WHERE sent IS NULL AND channel <> ?3 AND channel <> ?4 AND next_try <= ?5",
                    err);
    stmt_int(&q, given_up);
    stmt_text(&q, why);
    stmt_text(&q, keep[0]);
    stmt_text(&q, keep[n - 1]);
    stmt_int(&q, horizon);
    int rc = stmt_run(&q);
    if (!rc)
        *ret_count = sqlite3_changes(s->db);
    return rc;
}

int store_notice_next(struct store *s, const char *channel, int64_t *ret_due, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the notices",
                    "SELECT min(next_try) FROM notice"
                    " WHERE sent IS NULL AND (?1 = '' OR channel = ?1)",
                    err);
    stmt_text(&q, channel);
    int rc = stmt_row(&q);
    if (!rc)
        *ret_due = col_when(&q);
    return rc;
}
