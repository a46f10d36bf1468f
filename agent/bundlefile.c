/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/bundlefile.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "watch/bundle.h"
#include "win32/places.h"

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

static int path_of(const struct maint_answer *a, char *dst, size_t dst_size, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    char name[160];
    int rc = place_secure(PLACE_REPORTS, err);
    if (!rc)
        rc = place_path(PLACE_REPORTS, &path, err);
    if (!rc)
        buf_printf(&path, "\\%s", bundle_name(a->row.change, a->row.id, name, sizeof name));
    if (!rc)
        rc = buf_check(&path, "a path", err);
    if (!rc && !str_copy(dst, dst_size, buf_str(&path)))
        rc = err_set(err, ERR_LIMIT, "the path '%s' is too long", buf_str(&path));
    return rc;
}

static int write_it(struct store *store, const char *verb, const char *ca, const char *name,
                    const struct maint_answer *a, int64_t now, struct document_evidence *ret,
                    struct err *err)
{
    SCOPED(buf_free) struct buf verdict = BUF_INIT, bundle = BUF_INIT, note = BUF_INIT;
    struct document_evidence e = {"", ""};
    int rc = document_answer(verb, a, NULL, &verdict, err);
    if (!rc)
        rc = bundle_make(store, a->row.id, ca, buf_str(&verdict), now, &bundle, e.head, err);
    if (!rc)
        rc = path_of(a, e.path, sizeof e.path, err);
    if (!rc)
        rc = file_write_atomic(e.path, buf_str(&bundle), bundle.len, err);
    if (rc)
        return rc;
    buf_printf(&note, "%s %s", e.head, e.path);
    rc = store_value_set(store, name, buf_str(&note), err);
    if (!rc)
        *ret = e;
    return rc;
}

int bundlefile_settle(struct store *store, const char *verb, const char *ca,
                      const struct maint_answer *a, int64_t now, struct document_evidence *ret,
                      bool *ret_written, struct err *err)
{
    char name[64];
    *ret_written = false;
    *ret = (struct document_evidence){"", ""};
    if (!a->row.id || !maint_state_final(a->state))
        return ERR_OK;
    snprintf(name, sizeof name, "evidence.%lld", (long long)a->row.id);
    if (written_before(store, name, ret))
        return ERR_OK;
    int rc = write_it(store, verb, ca, name, a, now, ret, err);
    *ret_written = rc == ERR_OK;
    return rc;
}
