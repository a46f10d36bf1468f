/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "crl/reader_int.h"

#include <errno.h>
#include <stdlib.h>

#include "base/file.h"

#define FILE_BLOCK (256u * 1024)

static void close_file(FILE **f)
{
    if (*f)
        fclose(*f);
}

int crl_read_file(const char *path, const struct crl_reader_options *opt,
                  void (*progress)(void *arg, uint64_t done, uint64_t total), void *progress_arg,
                  struct crl_facts *ret_facts, enum crl_signature *ret_sig, struct err *err)
{
    SCOPED(crl_reader_free) struct crl_reader *r = NULL;
    SCOPED(close_file) FILE *f = NULL;
    SCOPED(scope_free) uint8_t *block = malloc(FILE_BLOCK);
    struct file_info info = {0};
    uint64_t done = 0;
    if (!block)
        return err_nomem(err);
    int rc = file_stat(path, &info, err);
    if (!rc)
        rc = file_open(path, "rb", &f, err);
    if (!rc)
        rc = crl_reader_new(path, opt, &r, err);
    while (!rc) {
        size_t n = fread(block, 1, FILE_BLOCK, f);
        if (n == 0)
            break;
        rc = crl_reader_feed(r, block, n, err);
        done += n;
        if (!rc && progress)
            progress(progress_arg, done, info.size);
    }
    if (!rc && ferror(f))
        rc = err_set_errno(err, errno, "reading '%s'", path);
    return rc ? rc : crl_reader_finish(r, ret_facts, ret_sig, NULL, err);
}
