/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Reserve CRLs and the places they were written to. */
#include "store/reserve.h"

#include "base/scope.h"
#include "base/when.h"
#include "store/internal.h"

#define COLUMNS                                                                                    \
    "maintenance, key_index, part, state, number, of_number, sha256, of_sha256, made, "            \
    "this_update, next_update, entries, released, ended, who, reason, note"

int store_reserve_save(struct store *s, struct store_reserve *r, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "writing down a reserve CRL",
                    "INSERT INTO reserve_crl (id, " COLUMNS ")"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT (id) DO UPDATE SET state = excluded.state,"
                    " number = excluded.number, sha256 = excluded.sha256,"
                    " this_update = excluded.this_update, next_update = excluded.next_update,"
                    " entries = excluded.entries, released = excluded.released,"
                    " ended = excluded.ended, who = excluded.who, reason = excluded.reason,"
                    " note = excluded.note",
                    err);
    stmt_when(&q, r->id ? r->id : WHEN_NONE);
    stmt_when(&q, r->maintenance ? r->maintenance : WHEN_NONE);
    stmt_int(&q, r->key_index);
    stmt_int(&q, r->partition);
    stmt_text(&q, r->state);
    stmt_text(&q, r->number);
    stmt_text(&q, r->of_number);
    stmt_text(&q, r->sha256);
    stmt_text(&q, r->of_sha256);
    stmt_int(&q, r->made);
    stmt_when(&q, r->this_update);
    stmt_when(&q, r->next_update);
    stmt_int(&q, (int64_t)r->entries);
    stmt_when(&q, r->released);
    stmt_when(&q, r->ended);
    stmt_text(&q, r->who);
    stmt_text(&q, r->reason);
    stmt_text(&q, r->note);
    int rc = stmt_run(&q);
    if (!rc && !r->id)
        r->id = sqlite3_last_insert_rowid(s->db);
    return rc;
}

static void read_row(struct stmt *q, void *row)
{
    struct store_reserve *r = row;
    r->id = col_int(q);
    int64_t maintenance = col_when(q);
    r->maintenance = maintenance == WHEN_NONE ? 0 : maintenance;
    r->key_index = (uint32_t)col_int(q);
    r->partition = (uint32_t)col_int(q);
    col_text(q, r->state, sizeof r->state);
    col_text(q, r->number, sizeof r->number);
    col_text(q, r->of_number, sizeof r->of_number);
    col_text(q, r->sha256, sizeof r->sha256);
    col_text(q, r->of_sha256, sizeof r->of_sha256);
    r->made = col_int(q);
    r->this_update = col_when(q);
    r->next_update = col_when(q);
    r->entries = (uint64_t)col_int(q);
    r->released = col_when(q);
    r->ended = col_when(q);
    col_text(q, r->who, sizeof r->who);
    col_text(q, r->reason, sizeof r->reason);
    col_text(q, r->note, sizeof r->note);
}

int store_reserve_list(struct store *s, bool living, struct store_reserve *ret, size_t max,
                       size_t *ret_n, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the reserve CRLs",
                    "SELECT id, " COLUMNS " FROM reserve_crl WHERE ?1 = 0 OR state IN"
                    " ('making','sealed','releasing','released','recalling','destroying')"
                    " ORDER BY id DESC LIMIT ?2",
                    err);
    stmt_int(&q, living);
    stmt_int(&q, (int64_t)max);
    return stmt_rows(&q, read_row, ret, sizeof *ret, max, ret_n);
}

int store_reserve_place_save(struct store *s, int64_t reserve, const struct store_reserve_place *p,
                             struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "writing down a place of a reserve CRL",
                    "INSERT OR REPLACE INTO reserve_place (reserve, seq, url, former_sha256,"
                    " written) VALUES (?, ?, ?, ?, ?)",
                    err);
    stmt_int(&q, reserve);
    stmt_int(&q, p->seq);
    stmt_text(&q, p->url);
    stmt_text(&q, p->former_sha256);
    stmt_int(&q, p->written);
    return stmt_run(&q);
}

static void read_place(struct stmt *q, void *row)
{
    struct store_reserve_place *p = row;
    p->seq = (uint32_t)col_int(q);
    col_text(q, p->url, sizeof p->url);
    col_text(q, p->former_sha256, sizeof p->former_sha256);
    p->written = col_int(q) != 0;
}

int store_reserve_place_list(struct store *s, int64_t reserve, struct store_reserve_place *ret,
                             size_t max, size_t *ret_n, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading the places of a reserve CRL",
                    "SELECT seq, url, former_sha256, written FROM reserve_place WHERE reserve = ?"
                    " ORDER BY seq",
                    err);
    stmt_int(&q, reserve);
    return stmt_rows(&q, read_place, ret, sizeof *ret, max, ret_n);
}
