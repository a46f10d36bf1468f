/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/bundlefile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "store/maintenance.h"
#include "watch/bundle.h"
#include "win32/places.h"

#define PENDING "evidence.pending"
#define TIMER "evidence.retry"

/* "HEAD PATH" under "evidence.ID" in the store. */
static bool written_before(struct store *store, const char *name, struct document_evidence *ret)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err ignored = ERR_INIT;
    if (store_value_get(store, name, &text, &ignored) || text.len < 66)
        return false;
    const char *p = buf_str(&text);
    memcpy(ret->head, p, 64);
    ret->head[64] = '\0';
    (void)str_copy(ret->path, sizeof ret->path, p + 65);
    return true;
}

static int path_of(const struct store_maintenance *row, char *dst, size_t dst_size, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    char name[160];
    int rc = place_secure(PLACE_REPORTS, err);
    if (!rc)
        rc = place_path(PLACE_REPORTS, &path, err);
    if (!rc)
        buf_printf(&path, "\\%s", bundle_name(row->change, row->id, name, sizeof name));
    if (!rc)
        rc = buf_check(&path, "a path", err);
    if (!rc && !str_copy(dst, dst_size, buf_str(&path)))
        rc = err_set(err, ERR_LIMIT, "the path '%s' is too long", buf_str(&path));
    return rc;
}

static int write_it(struct store *store, const char *ca, const struct store_maintenance *row,
                    const char *verdict, int64_t now, struct document_evidence *ret,
                    struct err *err)
{
    SCOPED(buf_free) struct buf bundle = BUF_INIT, note = BUF_INIT;
    struct document_evidence e = {"", ""};
    char name[64];
    int rc = bundle_make(store, row->id, ca, verdict, now, &bundle, e.head, err);
    if (!rc)
        rc = path_of(row, e.path, sizeof e.path, err);
    if (!rc)
        rc = file_write_atomic(e.path, buf_str(&bundle), bundle.len, err);
    if (rc)
        return rc;
    snprintf(name, sizeof name, "evidence.%lld", (long long)row->id);
    buf_printf(&note, "%s %s", e.head, e.path);
    rc = store_value_set(store, name, buf_str(&note), err);
    if (!rc)
        *ret = e;
    return rc;
}

/* What is left of the one that could not be written: "ID VERDICT". Without it the timer is of no
 * use, so both are made and removed together. */
static int keep_for_later(struct store *store, int64_t id, const char *verdict, int64_t now,
                          struct err *err)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    buf_printf(&text, "%lld %s", (long long)id, verdict);
    int rc = buf_check(&text, "the verdict", err);
    if (!rc)
        rc = store_begin(store, err);
    if (rc)
        return rc;
    rc = store_value_set(store, PENDING, buf_str(&text), err);
    if (!rc)
        rc = store_timer_set(store, TIMER, now + BUNDLEFILE_RETRY_SECONDS, err);
    if (!rc)
        return store_commit(store, err);
    store_rollback(store);
    return rc;
}

int bundlefile_settle(struct store *store, const char *verb, const char *ca,
                      const struct maint_answer *a, int64_t now, struct document_evidence *ret,
                      bool *ret_written, struct err *err)
{
    SCOPED(buf_free) struct buf verdict = BUF_INIT;
    struct err ignored = ERR_INIT;
    char name[64];
    *ret_written = false;
    *ret = (struct document_evidence){"", ""};
    if (!a->row.id || !maint_state_final(a->state))
        return ERR_OK;
    snprintf(name, sizeof name, "evidence.%lld", (long long)a->row.id);
    if (written_before(store, name, ret))
        return ERR_OK;
    int rc = document_answer(verb, a, NULL, &verdict, err);
    if (rc)
        return rc;
    rc = write_it(store, ca, &a->row, buf_str(&verdict), now, ret, err);
    *ret_written = rc == ERR_OK;
    if (rc && keep_for_later(store, a->row.id, buf_str(&verdict), now, &ignored))
        err_context(err, "and it is not tried again (%.200s)", ignored.text);
    if (!rc)
        (void)!store_timer_clear(store, TIMER, &ignored);
    return rc;
}

int64_t bundlefile_next(struct store *store)
{
    int64_t due = WHEN_NONE;
    struct err ignored = ERR_INIT;
    return store_timer_get(store, TIMER, &due, &ignored) ? WHEN_NONE : due;
}

int bundlefile_retry(struct store *store, const char *ca, int64_t now, char *change,
                     size_t change_size, struct document_evidence *ret, bool *ret_written,
                     struct err *err)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct store_maintenance row;
    struct err ignored = ERR_INIT;
    char name[64], *verdict = NULL;
    *ret_written = false;
    int rc = store_value_get(store, PENDING, &text, err);
    int64_t id = rc ? 0 : strtoll(buf_str(&text), &verdict, 10);
    if (!rc)
        rc = store_maintenance_get(store, id, &row, err);
    if (rc) { /* nothing to write any more */
        (void)!store_timer_clear(store, TIMER, &ignored);
        return rc;
    }
    (void)str_copy(change, change_size, row.change);
    snprintf(name, sizeof name, "evidence.%lld", (long long)id);
    if (!written_before(store, name, ret)) {
        rc = write_it(store, ca, &row, verdict + (*verdict == ' '), now, ret, err);
        *ret_written = rc == ERR_OK;
    }
    if (rc)
        (void)!store_timer_set(store, TIMER, now + BUNDLEFILE_RETRY_SECONDS, &ignored);
    else
        (void)!store_timer_clear(store, TIMER, &ignored);
    return rc;
}
