/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/reservefiles_win32.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/scope.h"
#include "cdp/url.h"
#include "win32/places.h"

struct reserve_folder {
    struct buf path;
};

static int path_of(const struct reserve_folder *f, const char *name, struct buf *ret,
                   struct err *err)
{
    buf_printf(ret, "%s\\%s", buf_str(&f->path), name);
    int rc = buf_check(ret, "a path", err);
    return rc ? rc : place_secure(PLACE_RESERVE, err);
}

static int keep(void *self, const char *name, const void *data, size_t len, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    int rc = path_of(self, name, &path, err);
    return rc ? rc : file_write_atomic(buf_str(&path), data, len, err);
}

static int fetch(void *self, const char *name, struct buf *ret, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    struct file_info info;
    int rc = path_of(self, name, &path, err);
    if (!rc)
        rc = file_stat(buf_str(&path), &info, err);
    if (!rc)
        rc = place_verify(buf_str(&path), err);
    return rc ? rc : file_read(buf_str(&path), LIMIT_CRL_BYTES, ret, err);
}

static int drop(void *self, const char *name, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    int rc = path_of(self, name, &path, err);
    return rc ? rc : file_remove(buf_str(&path), err);
}

static int location(const char *text, struct url *ret, struct err *err)
{
    int rc = url_parse(text, ret, err);
    if (!rc && ret->kind != LOC_FILE)
        rc = err_set(err, ERR_UNSUPPORTED, "'%.300s' is no file", text);
    return rc;
}

static int read_location(void *self, const char *text, struct buf *ret, struct err *err)
{
    struct url u;
    (void)self;
    int rc = location(text, &u, err);
    return rc ? rc : file_read(u.path, LIMIT_CRL_BYTES, ret, err);
}

static int write_location(void *self, const char *text, const void *data, size_t len,
                          struct err *err)
{
    struct url u;
    (void)self;
    int rc = location(text, &u, err);
    return rc ? rc : file_write_atomic(u.path, data, len, err);
}

struct reserve_files reserve_folder_seam(struct reserve_folder *f)
{
    static const struct reserve_files_ops ops = {keep, fetch, drop, read_location, write_location};
    return (struct reserve_files){&ops, f};
}

const char *reserve_folder_path(const struct reserve_folder *f)
{
    return buf_str(&f->path);
}

int reserve_folder_new(struct reserve_folder **ret, struct err *err)
{
    SCOPED(reserve_folder_free) struct reserve_folder *f = calloc(1, sizeof *f);
    int rc = f ? place_path(PLACE_RESERVE, &f->path, err) : err_nomem(err);
    if (!rc)
        *ret = steal_ptr(f);
    return rc;
}

void reserve_folder_free(struct reserve_folder **f)
{
    if (!*f)
        return;
    buf_free(&(*f)->path);
    free(*f);
    *f = NULL;
}
