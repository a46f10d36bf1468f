/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Shared by the files of store/: the handle, and statements with typed binding. */
#ifndef CRLAGENT_STORE_INTERNAL_H
#define CRLAGENT_STORE_INTERNAL_H

#include <sqlite3.h>

#include "store/store.h"

struct store {
    sqlite3 *db;
    enum store_mode mode;
    int depth;   /* of store_begin */
    bool broken; /* an inner call failed: the outermost commit must roll back */
    char path[STORE_PATH_MAX];
    int (*fault)(void *arg, const char *what);
    void *fault_arg;
};

/* One prepared statement with the first error it met. */
struct stmt {
    struct store *store;
    sqlite3_stmt *st;
    const char *what; /* "saving the maintenance", for messages */
    int next;         /* next parameter or column */
    int rc;           /* enum err_code of the first failure */
    struct err *err;
};

/* The one place where SQLite's codes become ours. */
int store_sql_error(struct store *s, int rc, const char *what, struct err *err);

/* Always ends with stmt_done, also after a failure of stmt_open. */
int stmt_open(struct stmt *q, struct store *s, const char *what, const char *sql, struct err *err);
void stmt_int(struct stmt *q, int64_t v);
void stmt_when(struct stmt *q, int64_t v); /* WHEN_NONE = NULL */
void stmt_text(struct stmt *q, const char *v);
void stmt_blob(struct stmt *q, const void *data, size_t len);
/* ERR_OK = a row is there; ERR_NOT_FOUND = no (more) row (err untouched). */
int stmt_row(struct stmt *q);
/* Reads at most max rows of size bytes each; *ret_n is set only when all of them could be read. */
int stmt_rows(struct stmt *q, void (*read)(struct stmt *q, void *row), void *rows, size_t size,
              size_t max, size_t *ret_n);
int64_t col_int(struct stmt *q);
int64_t col_when(struct stmt *q);
void col_text(struct stmt *q, char *dst, size_t dst_size);
int col_blob(struct stmt *q, struct buf *ret);
/* Runs a writing statement to its end. */
int stmt_run(struct stmt *q);
void stmt_done(struct stmt *q); /* for SCOPED() */

/* A writing statement without parameters. */
int store_exec(struct store *s, const char *what, const char *sql, struct err *err);

/* The schema (schema.c). */
int store_migrate(struct store *s, int *ret_found, struct err *err);

#endif
