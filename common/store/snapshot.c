/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "store/snapshot.h"

#include "base/scope.h"
#include "base/str.h"
#include "store/internal.h"

int store_snapshot_put(struct store *s, const struct store_snapshot *p, const void *body,
                       size_t len, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "keeping a snapshot",
                    "INSERT OR REPLACE INTO snapshot (maintenance, phase, at, weight, body)"
                    " VALUES (?, ?, ?, ?, ?)",
                    err);
    stmt_int(&q, p->maintenance);
    stmt_text(&q, p->phase);
    stmt_int(&q, p->when);
    stmt_int(&q, p->weight);
    stmt_blob(&q, body, len);
    return stmt_run(&q);
}

int store_snapshot_get(struct store *s, int64_t maintenance, const char *phase,
                       struct store_snapshot *ret, struct buf *ret_body, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    (void)stmt_open(&q, s, "reading a snapshot",
                    "SELECT at, weight, body FROM snapshot WHERE maintenance = ? AND phase = ?",
                    err);
    stmt_int(&q, maintenance);
    stmt_text(&q, phase);
    int rc = stmt_row(&q);
    if (rc == ERR_NOT_FOUND)
        return err_set(err, rc, "maintenance %lld has no snapshot '%s'", (long long)maintenance,
                       phase);
    if (rc)
        return rc;
    struct store_snapshot p = {.maintenance = maintenance};
    (void)str_copy(p.phase, sizeof p.phase, phase);
    p.when = col_int(&q);
    p.weight = (int32_t)col_int(&q);
    rc = ret_body ? col_blob(&q, ret_body) : ERR_OK;
    if (!rc)
        *ret = p;
    return rc;
}
