/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "support/scratch.h"

#include <stdio.h>
#ifdef _WIN32
#include <direct.h>
#include <process.h>
#else
#include <unistd.h>
#endif

#include "base/file.h"
#include "unit/cmocka_unit.h"

static int remove_entry(void *arg, const char *name)
{
    char path[SCRATCH_MAX * 2];
    struct err err = ERR_INIT;
    snprintf(path, sizeof path, "%s/%s", (const char *)arg, name);
    return file_remove(path, &err);
}

/* Thousands of stores are opened with a flush to the disk each: memory is the better disk. */
static const char *where(void)
{
#ifdef _WIN32
    return "";
#else
    return access("/dev/shm", W_OK) ? "" : "/dev/shm/crlagent-";
#endif
}

void scratch_make(const char *name, char dst[SCRATCH_MAX])
{
    struct err err = ERR_INIT;
    snprintf(dst, SCRATCH_MAX, "%s%.200s-%d.scratch", where(), name, (int)getpid());
    assert_int_equal(file_make_dirs(dst, &err), ERR_OK);
    assert_int_equal(file_list(dst, remove_entry, dst, &err), 0);
}

void scratch_remove(const char *dir)
{
    struct err err = ERR_INIT;
    char path[SCRATCH_MAX];
    snprintf(path, sizeof path, "%s", dir);
    assert_int_equal(file_list(dir, remove_entry, path, &err), 0);
    assert_int_equal(rmdir(dir), 0);
}
