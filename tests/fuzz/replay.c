/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Plain main for a fuzzing harness: runs it over every file of the given folders. Also with each
 * file cut at several places, so that a corpus of good files exercises the refusals. */
#include <stdio.h>

#include "base/file.h"
#include "fuzz/harness.h"

#define FILE_MAX (4u * 1024 * 1024)

struct replay {
    const char *dir;
    unsigned files;
};

static int replay_file(void *arg, const char *name)
{
    struct replay *r = arg;
    SCOPED(buf_free) struct buf path = BUF_INIT;
    SCOPED(buf_free) struct buf data = BUF_INIT;
    struct err err = ERR_INIT;
    buf_printf(&path, "%s/%s", r->dir, name);
    if (file_read(buf_str(&path), FILE_MAX, &data, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    const uint8_t *p = (const uint8_t *)buf_str(&data);
    LLVMFuzzerTestOneInput(p, data.len);
    for (size_t n = data.len; n > 1; n /= 2)
        LLVMFuzzerTestOneInput(p, n - 1);
    r->files++;
    return 0;
}

int main(int argc, char **argv)
{
    unsigned total = 0;
    for (int i = 1; i < argc; i++) {
        struct replay r = {argv[i], 0};
        struct err err = ERR_INIT;
        if (file_list(argv[i], replay_file, &r, &err)) {
            fprintf(stderr, "replaying '%s' failed: %s\n", argv[i], err.text);
            return 1;
        }
        total += r.files;
    }
    printf("%u files replayed\n", total);
    return total ? 0 : 1;
}
