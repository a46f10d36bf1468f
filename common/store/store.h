/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The state on disk: one SQLite file in WAL mode with synchronous=FULL, so that what a function
 * here returned ERR_OK for survives a power cut. One struct store belongs to one thread; a second
 * thread (status, history, reports) opens its own with STORE_READ. All times are UTC seconds,
 * WHEN_NONE = absent. Tables and their meaning: docs/maintenance.md. */
#ifndef CRLAGENT_STORE_STORE_H
#define CRLAGENT_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define STORE_SCHEMA 5 /* the schema this build writes */
#define STORE_PATH_MAX 1024

struct store;

enum store_mode { STORE_WRITE, STORE_READ };

/* What opening found. set_aside is not empty when the file was damaged: it was renamed to that name
 * and a fresh, empty store stands in its place. The caller must tell people (finding 1101). */
struct store_opened {
    bool created; /* there was no file */
    int schema;   /* schema found before migration; 0 = new */
    char set_aside[STORE_PATH_MAX];
    char why[256]; /* what was damaged */
};

/* Opens, checks integrity and foreign keys, migrates. now names a file set aside
 * ("state.db.damaged-20261123T041000Z"). Nothing is ever overwritten.
 * STORE_READ: ERR_NOT_FOUND without a file; damage is ERR_IO and nothing is moved; no writes.
 * ERR_UNSUPPORTED: written by a newer crlagent. ERR_DENIED: read-only. ERR_IO: disk full and the
 * like. ERR_BUSY: another process writes to it. ret_opened may be NULL. */
MUST_CHECK int store_open(const char *path, enum store_mode mode, int64_t now, struct store **ret,
                          struct store_opened *ret_opened, struct err *err);
void store_close(struct store **s); /* for SCOPED(); takes NULL */

const char *store_path(const struct store *s);

/* Several calls as one: all or none. Calls nest; only the outermost commits. store_commit that
 * fails has rolled back. */
MUST_CHECK int store_begin(struct store *s, struct err *err);
MUST_CHECK int store_commit(struct store *s, struct err *err);
void store_rollback(struct store *s);

/* Removes probe history, finished notifications and progress older than the times given (WHEN_NONE
 * = keep all). Maintenance and audit rows stay. */
MUST_CHECK int store_prune(struct store *s, int64_t history_before, int64_t notices_before,
                           struct err *err);

/* ---- timers: a timer lives here, never only in memory ---- */
MUST_CHECK int store_timer_set(struct store *s, const char *name, int64_t due, struct err *err);
MUST_CHECK int store_timer_clear(struct store *s, const char *name, struct err *err);
/* *ret_due = WHEN_NONE when there is no such timer. */
MUST_CHECK int store_timer_get(struct store *s, const char *name, int64_t *ret_due,
                               struct err *err);

/* ---- cache: what the running CA said, for the hours when it does not run ---- */
/* kind: "cdp-urls", "ca-cert", "base-crl", "delta-crl" ...; key_index and part name the object. */
MUST_CHECK int store_cache_put(struct store *s, const char *kind, uint32_t key_index, uint32_t part,
                               const void *data, size_t len, int64_t now, struct err *err);
/* Appends to *ret; ERR_NOT_FOUND. ret_when (when it was stored) may be NULL. */
MUST_CHECK int store_cache_get(struct store *s, const char *kind, uint32_t key_index, uint32_t part,
                               struct buf *ret, int64_t *ret_when, struct err *err);

/* ---- settings that must survive (counters, digests): small texts by name ---- */
MUST_CHECK int store_value_set(struct store *s, const char *name, const char *value,
                               struct err *err);
MUST_CHECK int store_value_get(struct store *s, const char *name, struct buf *ret, struct err *err);

/* ---- for tests only. fault: called before each write statement and commit; a non-zero answer
 * makes that call fail with this code ---- */
void store__no_sync(struct store *s); /* no flush to the disk: thousands of runs in a test */
void store__set_fault(struct store *s, int (*fault)(void *arg, const char *what), void *arg);

#endif
