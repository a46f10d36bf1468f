/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What is the same on every platform. */
#include "base/file.h"

#include <errno.h>

int file_read(const char *path, size_t max, struct buf *ret, struct err *err)
{
    FILE *f = NULL;
    int rc = file_open(path, "rb", &f, err);
    if (rc)
        return rc;
    size_t before = ret->len;
    char block[16384];
    size_t n;
    while (!rc && (n = fread(block, 1, sizeof block, f)) > 0) {
        if (ret->len - before + n > max)
            rc = err_set(err, ERR_LIMIT, "'%s' is larger than %zu bytes", path, max);
        else if (buf_add(ret, block, n))
            rc = buf_check(ret, path, err);
    }
    if (!rc && ferror(f))
        rc = err_set_errno(err, errno, "reading '%s'", path);
    fclose(f);
    if (rc && ret->data) {
        ret->len = before;
        ret->data[before] = '\0';
    }
    return rc;
}
