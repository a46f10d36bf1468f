/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Files by UTF-8 path. One header, two implementations: base/file_posix.c and win32/file.c. Paths
 * are used as given; on Windows both separators work and long paths are handled inside. */
#ifndef CRLAGENT_BASE_FILE_H
#define CRLAGENT_BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

struct file_info {
    uint64_t size;    /* bytes */
    int64_t modified; /* UTC seconds */
    bool is_dir;
};

/* ERR_NOT_FOUND, ERR_DENIED, ERR_IO. */
MUST_CHECK int file_stat(const char *path, struct file_info *ret, struct err *err);

/* fopen by UTF-8 path; mode as in fopen ("rb", "ab"...). The caller closes with fclose. */
MUST_CHECK int file_open(const char *path, const char *mode, FILE **ret, struct err *err);

/* Appends the whole file to *ret; ERR_LIMIT when it is larger than max bytes (nothing is appended
 * then). */
MUST_CHECK int file_read(const char *path, size_t max, struct buf *ret, struct err *err);

/* Writes beside the target, flushes to the disk, then renames over it: a reader or a crash sees the
 * old or the new content, never a part. ERR_IO with the system's reason; the target is untouched
 * then. */
MUST_CHECK int file_write_atomic(const char *path, const void *data, size_t len, struct err *err);

/* Makes the folder and its parents; fine when they exist. */
MUST_CHECK int file_make_dirs(const char *path, struct err *err);

/* Fine when there is none. */
MUST_CHECK int file_remove(const char *path, struct err *err);

/* Renames, replacing an existing target. */
MUST_CHECK int file_rename(const char *from, const char *to, struct err *err);

/* Calls each(name) for the entries of a folder (no "." and ".."); a non-zero return ends the walk
 * and is returned. */
MUST_CHECK int file_list(const char *dir, int (*each)(void *arg, const char *name), void *arg,
                         struct err *err);

#endif
