/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Files of the native build; the Windows ones are win32/file.c. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

int file_stat(const char *path, struct file_info *ret, struct err *err)
{
    struct stat st;
    if (stat(path, &st))
        return err_set_errno(err, errno, "looking at '%s'", path);
    ret->size = (uint64_t)st.st_size;
    ret->modified = (int64_t)st.st_mtime;
    ret->is_dir = S_ISDIR(st.st_mode);
    return ERR_OK;
}

int file_open(const char *path, const char *mode, FILE **ret, struct err *err)
{
    FILE *f = fopen(path, mode);
    if (!f)
        return err_set_errno(err, errno, "opening '%s'", path);
    *ret = f;
    return ERR_OK;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno != EINTR)
            return errno;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return fsync(fd) ? errno : 0;
}

/* A rename is durable only once its folder has been flushed. */
static void flush_parent(const char *path)
{
    char *copy = str_dup(path);
    if (!copy)
        return;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!fsync(fd);
        close(fd);
    }
    free(copy);
}

int file_write_atomic(const char *path, const void *data, size_t len, struct err *err)
{
    SCOPED(buf_free) struct buf tmp = BUF_INIT;
    buf_printf(&tmp, "%s.XXXXXX", path);
    if (tmp.failed)
        return err_nomem(err);
    int fd = mkostemp(tmp.data, O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno, "making a temporary file beside '%s'", path);
    int e = write_all(fd, data, len);
    if (!e && fchmod(fd, 0644))
        e = errno;
    if (close(fd) && !e)
        e = errno;
    if (!e && rename(tmp.data, path))
        e = errno;
    if (e) {
        unlink(tmp.data);
        return err_set_errno(err, e, "writing '%s'", path);
    }
    flush_parent(path);
    return ERR_OK;
}

int file_make_dirs(const char *path, struct err *err)
{
    SCOPED(scope_free) char *copy = str_dup(path);
    if (!copy)
        return err_nomem(err);
    for (char *p = copy + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char keep = *p;
        *p = '\0';
        if (mkdir(copy, 0755) && errno != EEXIST)
            return err_set_errno(err, errno, "making the folder '%s'", copy);
        *p = keep;
        if (!keep)
            return ERR_OK;
    }
}

int file_remove(const char *path, struct err *err)
{
    if (unlink(path) && errno != ENOENT)
        return err_set_errno(err, errno, "removing '%s'", path);
    return ERR_OK;
}

int file_rename(const char *from, const char *to, struct err *err)
{
    if (rename(from, to))
        return err_set_errno(err, errno, "renaming '%s' to '%s'", from, to);
    flush_parent(to);
    return ERR_OK;
}

int file_list(const char *dir, int (*each)(void *arg, const char *name), void *arg, struct err *err)
{
    DIR *d = opendir(dir);
    if (!d)
        return err_set_errno(err, errno, "listing '%s'", dir);
    int rc = ERR_OK;
    for (struct dirent *e; !rc && (e = readdir(d));) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            rc = each(arg, e->d_name);
    }
    closedir(d);
    return rc;
}
