/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Opening. What a crash leaves: SQLite's WAL is replayed at the next open, so the file holds every
 * commit that was answered and no half of one. A file that is damaged nevertheless (disk fault,
 * copied while in use) is renamed together with its WAL, never repaired and never overwritten. */
#include "store/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/scope.h"
#include "base/str.h"
#include "base/when.h"

#define APPLICATION_ID 0x43524c41 /* "CRLA" */
#define BUSY_MS 5000

static int pragma_int(struct store *s, const char *sql, int64_t *ret, struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    int rc = stmt_open(&q, s, "opening the state", sql, err);
    if (!rc)
        rc = stmt_row(&q);
    if (!rc)
        *ret = col_int(&q);
    return rc;
}

static int pragma_text(struct store *s, const char *sql, char *dst, size_t dst_size,
                       struct err *err)
{
    SCOPED(stmt_done) struct stmt q = {0};
    dst[0] = '\0';
    int rc = stmt_open(&q, s, "opening the state", sql, err);
    if (!rc)
        rc = stmt_row(&q);
    if (!rc)
        col_text(&q, dst, dst_size);
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

/* Damage, as opposed to an environment that does not let us in. */
static bool is_damage(const struct err *err)
{
    int primary = (int)(err->os_code & 0xff);
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

static int damaged(struct store *s, const char *found, struct err *err)
{
    return err_set_os(err, ERR_IO, SQLITE_CORRUPT, "checking '%s': %s", s->path, found);
}

static int check_integrity(struct store *s, struct err *err)
{
    char found[200];
    int rc = pragma_text(s, "PRAGMA integrity_check(1)", found, sizeof found, err);
    if (!rc && strcmp(found, "ok") != 0)
        return damaged(s, found, err);
    if (!rc)
        rc = pragma_text(s, "PRAGMA foreign_key_check", found, sizeof found, err);
    if (!rc && found[0]) {
        char text[256];
        snprintf(text, sizeof text, "rows of table '%s' refer to rows that are not there", found);
        return damaged(s, text, err);
    }
    return rc;
}

/* Somebody else's database is neither used nor moved. */
static int check_ours(struct store *s, bool fresh, struct err *err)
{
    int64_t id = 0;
    int rc = pragma_int(s, "PRAGMA application_id", &id, err);
    if (rc || id == APPLICATION_ID)
        return rc;
    if (!fresh)
        return err_set(err, ERR_INVALID,
                       "'%s' is a database, but none of crlagent (application id %lld, expected "
                       "%d); name another file in the configuration",
                       s->path, (long long)id, APPLICATION_ID);
    return store_exec(s, "marking the new state", "PRAGMA application_id = 1129466945", err);
}

static int set_up_writer(struct store *s, struct err *err)
{
    char mode[16];
    if (sqlite3_db_readonly(s->db, "main") == 1)
        return err_set_os(err, ERR_DENIED, SQLITE_READONLY,
                          "opening '%s': the file or its folder is read-only; give the service's "
                          "account the right to write",
                          s->path);
    int rc = pragma_text(s, "PRAGMA journal_mode = WAL", mode, sizeof mode, err);
    if (!rc && strcmp(mode, "wal") != 0)
        rc = err_set(err, ERR_UNSUPPORTED,
                     "opening '%s': the journal is '%s', expected 'wal'; the state must be on a "
                     "local disk",
                     s->path, mode);
    if (!rc)
        rc = store_exec(s, "opening the state", "PRAGMA synchronous = FULL", err);
    return rc;
}

static int set_up(struct store *s, bool fresh, int *ret_schema, struct err *err)
{
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_timeout(s->db, BUSY_MS);
    int rc = store_exec(s, "opening the state",
                        "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
                        "PRAGMA cell_size_check = ON",
                        err);
    if (!rc && s->mode == STORE_WRITE)
        rc = check_integrity(s, err);
    if (!rc)
        rc = check_ours(s, fresh, err);
    if (!rc && s->mode == STORE_WRITE)
        rc = set_up_writer(s, err);
    if (!rc)
        rc = store_migrate(s, ret_schema, err);
    if (!rc && s->mode == STORE_READ)
        rc = store_exec(s, "opening the state", "PRAGMA query_only = ON", err);
    return rc;
}

static int open_once(struct store *s, bool fresh, int *ret_schema, struct err *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX;
    if (s->mode == STORE_WRITE)
        flags |= SQLITE_OPEN_CREATE;
    int rc = sqlite3_open_v2(s->path, &s->db, flags, NULL);
    rc = rc == SQLITE_OK ? set_up(s, fresh, ret_schema, err)
                         : store_sql_error(s, rc, "opening the state", err);
    if (rc) {
        sqlite3_close_v2(s->db);
        s->db = NULL;
    }
    return rc;
}

static int set_aside(struct store *s, int64_t now, struct store_opened *info, struct err *err)
{
    struct when_civil c = when_to_civil(now);
    char tail[64];
    snprintf(tail, sizeof tail, ".damaged-%04d%02d%02dT%02d%02d%02dZ", (int)c.year, c.month, c.day,
             c.hour, c.minute, c.second);
    static const char *const parts[] = {"-wal", "-shm", ""};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        char from[STORE_PATH_MAX + 8], to[STORE_PATH_MAX + 80];
        struct file_info there;
        snprintf(from, sizeof from, "%s%s", s->path, parts[i]);
        snprintf(to, sizeof to, "%s%s%s", s->path, tail, parts[i]);
        int rc = ERR_OK;
        if (file_stat(to, &there, NULL) == ERR_OK)
            rc = err_set(err, ERR_EXISTS, "'%s' exists already", to);
        else if (file_stat(from, &there, NULL) == ERR_OK)
            rc = file_rename(from, to, err);
        if (rc) {
            err_context(err, "setting the damaged state '%s' aside", s->path);
            return rc;
        }
        if (!*parts[i])
            str_copy(info->set_aside, sizeof info->set_aside, to);
    }
    return ERR_OK;
}

/* Opens, and once more after a damaged file was set aside. */
static int open_or_replace(struct store *s, int64_t now, struct store_opened *info, struct err *err)
{
    struct file_info there = {0};
    struct err first = ERR_INIT;
    int rc = file_stat(s->path, &there, &first);
    info->created = rc == ERR_NOT_FOUND;
    if (rc && rc != ERR_NOT_FOUND) {
        if (err)
            *err = first;
        return rc;
    }
    if (info->created && s->mode == STORE_READ)
        return err_set(err, ERR_NOT_FOUND, "there is no state file '%s' yet", s->path);
    if (!info->created && there.size == 0)
        rc = damaged(s, "the file is empty", &first);
    else
        rc = open_once(s, info->created, &info->schema, &first);
    if (rc && s->mode == STORE_WRITE && is_damage(&first)) {
        str_copy(info->why, sizeof info->why, first.text);
        rc = set_aside(s, now, info, err);
        return rc ? rc : open_once(s, true, &info->schema, err);
    }
    if (rc && err)
        *err = first;
    return rc;
}

int store_open(const char *path, enum store_mode mode, int64_t now, struct store **ret,
               struct store_opened *ret_opened, struct err *err)
{
    struct store_opened info = {0};
    if (!path || !*path)
        return err_set(err, ERR_INVALID, "the path of the state file is empty");
    struct store *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(err);
    s->mode = mode;
    if (!str_copy(s->path, sizeof s->path, path)) {
        free(s);
        return err_set(err, ERR_LIMIT, "the path of the state file is longer than %d bytes",
                       STORE_PATH_MAX - 1);
    }
    int rc = open_or_replace(s, now, &info, err);
    if (rc) {
        free(s);
        return rc;
    }
    *ret = s;
    if (ret_opened)
        *ret_opened = info;
    return ERR_OK;
}

void store_close(struct store **s)
{
    if (!*s)
        return;
    store_rollback(*s);
    sqlite3_close_v2((*s)->db);
    free(*s);
    *s = NULL;
}

const char *store_path(const struct store *s)
{
    return s->path;
}
