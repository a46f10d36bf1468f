/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "store/carried.h"

#include "base/scope.h"
#include "store/internal.h"

int store_carried_put(struct store *s, const struct store_carried *c, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "keeping a location of issued certificates",
                    "INSERT INTO carried (url, role, key_index, until, seen) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (url, role, key_index) DO UPDATE SET"
                    " until = max(until, excluded.until), seen = excluded.seen",
                    err);
    stmt_text(&q, c->url);
    stmt_int(&q, c->role);
    stmt_int(&q, c->key_index);
    stmt_int(&q, c->until);
    stmt_int(&q, c->seen);
    return stmt_run(&q);
}

static void read_carried(struct stmt *q, void *row)
{
    struct store_carried *c = row;
    col_text(q, c->url, sizeof c->url);
    c->role = (uint32_t)col_int(q);
    c->key_index = (uint32_t)col_int(q);
    c->until = col_int(q);
    c->seen = col_int(q);
}

int store_carried_list(struct store *s, int64_t now, struct store_carried *ret, size_t max,
                       size_t *ret_n, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the locations of issued certificates",
                    "SELECT url, role, key_index, until, seen FROM carried WHERE until > ?"
                    " ORDER BY key_index, role, url LIMIT ?",
                    err);
    stmt_int(&q, now);
    stmt_int(&q, (int64_t)max);
    return stmt_rows(&q, read_carried, ret, sizeof *ret, max, ret_n);
}

int store_carried_prune(struct store *s, int64_t now, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "removing locations of expired certificates",
                    "DELETE FROM carried WHERE until <= ?", err);
    stmt_int(&q, now);
    return stmt_run(&q);
}
