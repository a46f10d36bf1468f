/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Timers, cache, values, pruning. */
#include "store/internal.h"

#include "base/scope.h"
#include "base/when.h"

int store_value_set(struct store *s, const char *name, const char *value, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "saving a value",
                    "INSERT INTO value (name, text) VALUES (?, ?)"
                    " ON CONFLICT (name) DO UPDATE SET text = excluded.text",
                    err);
    stmt_text(&q, name);
    stmt_text(&q, value);
    return stmt_run(&q);
}

int store_value_get(struct store *s, const char *name, struct buf *ret, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading a value", "SELECT text FROM value WHERE name = ?", err);
    stmt_text(&q, name);
    int rc = stmt_row(&q);
    if (rc == ERR_NOT_FOUND)
        return err_set(err, rc, "there is no value '%s' in '%s'", name, s->path);
    return rc ? rc : col_blob(&q, ret);
}

int store_timer_set(struct store *s, const char *name, int64_t due, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "setting a timer",
                    "INSERT INTO timer (name, due) VALUES (?, ?)"
                    " ON CONFLICT (name) DO UPDATE SET due = excluded.due",
                    err);
    stmt_text(&q, name);
    stmt_int(&q, due);
    return stmt_run(&q);
}

int store_timer_clear(struct store *s, const char *name, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "clearing a timer", "DELETE FROM timer WHERE name = ?", err);
    stmt_text(&q, name);
    return stmt_run(&q);
}

int store_timer_get(struct store *s, const char *name, int64_t *ret_due, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading a timer", "SELECT due FROM timer WHERE name = ?", err);
    stmt_text(&q, name);
    int rc = stmt_row(&q);
    if (rc && rc != ERR_NOT_FOUND)
        return rc;
    *ret_due = rc ? WHEN_NONE : col_int(&q);
    return ERR_OK;
}

int store_cache_put(struct store *s, const char *kind, uint32_t key_index, uint32_t part,
                    const void *data, size_t len, int64_t now, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "filling the cache",
                    "INSERT INTO cache (kind, key_index, part, at, data) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (kind, key_index, part)"
                    " DO UPDATE SET at = excluded.at, data = excluded.data",
                    err);
    stmt_text(&q, kind);
    stmt_int(&q, key_index);
    stmt_int(&q, part);
    stmt_int(&q, now);
    stmt_blob(&q, data, len);
    return stmt_run(&q);
}

int store_cache_get(struct store *s, const char *kind, uint32_t key_index, uint32_t part,
                    struct buf *ret, int64_t *ret_when, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the cache",
                    "SELECT at, data FROM cache WHERE kind = ? AND key_index = ? AND part = ?",
                    err);
    stmt_text(&q, kind);
    stmt_int(&q, key_index);
    stmt_int(&q, part);
    int rc = stmt_row(&q);
    if (rc == ERR_NOT_FOUND)
        return err_set(err, rc, "'%s' of key %u is not in the cache: the CA was never asked", kind,
                       key_index);
    if (rc)
        return rc;
    int64_t when = col_int(&q);
    rc = col_blob(&q, ret);
    if (!rc && ret_when)
        *ret_when = when;
    return rc;
}

static int remove_before(struct store *s, const char *sql, int64_t before, struct err *err)
{
    if (before == WHEN_NONE)
        return ERR_OK;
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "removing old rows", sql, err);
    stmt_int(&q, before);
    return stmt_run(&q);
}

int store_prune(struct store *s, int64_t history_before, int64_t notices_before, struct err *err)
{
    int rc = remove_before(s, "DELETE FROM probe WHERE at < ?", history_before, err);
    if (!rc)
        rc = remove_before(s, "DELETE FROM round WHERE at < ?", history_before, err);
    if (!rc)
        rc = remove_before(s, "DELETE FROM snapshot WHERE at < ?", history_before, err);
    if (!rc)
        rc = remove_before(s, "DELETE FROM keytest WHERE at < ?", history_before, err);
    return rc ? rc
              : remove_before(s, "DELETE FROM notice WHERE ifnull(sent, created) < ?",
                              notices_before, err);
}
