/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Looks at all locations, tests of keys, and the newest row per location. */
#include "base/scope.h"
#include "base/when.h"
#include "store/history.h"
#include "store/internal.h"

int store_round_add(struct store *s, const struct store_round *r, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    /* The slowest location of what was published and proven since the look before this one. */
    (void)stmt_open(&q, s, "keeping a look",
                    "INSERT OR REPLACE INTO round (at, weakest, effective, findings, visible)"
                    " VALUES (?1, ?2, ?3, ?4, (SELECT max(visible) FROM probe WHERE at <= ?1 AND"
                    " at > ifnull((SELECT max(at) FROM round WHERE at < ?1), 0)))",
                    err);
    stmt_int(&q, r->when);
    stmt_when(&q, r->weakest);
    stmt_when(&q, r->effective);
    stmt_int(&q, r->findings);
    return stmt_run(&q);
}

static void read_round(struct stmt *q, void *row)
{
    struct store_round *r = row;
    r->when = col_int(q);
    r->weakest = col_when(q);
    r->effective = col_when(q);
    r->findings = col_int(q);
    r->visible = col_when(q);
}

int store_round_list(struct store *s, int64_t since, struct store_round *ret, size_t max,
                     size_t *ret_n, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the looks",
                    "SELECT at, weakest, effective, findings, visible FROM round WHERE at >= ?"
                    " ORDER BY at DESC LIMIT ?",
                    err);
    stmt_int(&q, since);
    stmt_int(&q, (int64_t)max);
    return stmt_rows(&q, read_round, ret, sizeof *ret, max, ret_n);
}

int store_keytest_add(struct store *s, const struct store_keytest *t, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "keeping a key test",
                    "INSERT INTO keytest (at, key_index, good, ms, detail) VALUES (?, ?, ?, ?, ?)",
                    err);
    stmt_int(&q, t->when);
    stmt_int(&q, t->key_index);
    stmt_int(&q, t->good);
    stmt_int(&q, t->ms);
    stmt_text(&q, t->detail);
    return stmt_run(&q);
}

static void read_keytest(struct stmt *q, void *row)
{
    struct store_keytest *t = row;
    t->when = col_int(q);
    t->key_index = (uint32_t)col_int(q);
    t->good = col_int(q) != 0;
    t->ms = col_int(q);
    col_text(q, t->detail, sizeof t->detail);
}

int store_keytest_list(struct store *s, int64_t since, struct store_keytest *ret, size_t max,
                       size_t *ret_n, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the key tests",
                    "SELECT at, key_index, good, ms, detail FROM keytest WHERE at >= ?"
                    " ORDER BY at DESC, rowid DESC LIMIT ?",
                    err);
    stmt_int(&q, since);
    stmt_int(&q, (int64_t)max);
    return stmt_rows(&q, read_keytest, ret, sizeof *ret, max, ret_n);
}
