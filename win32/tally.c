/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "base/tally.h"

#include <windows.h>

#include <limits.h>
#include <stdlib.h>

#include "win32/werr.h"

struct tally {
    HANDLE semaphore;
};

int tally_new(unsigned count, struct tally **ret, struct err *err)
{
    struct tally *t = malloc(sizeof *t);
    if (!t)
        return err_nomem(err);
    t->semaphore = CreateSemaphoreW(NULL, (LONG)count, LONG_MAX, NULL);
    if (!t->semaphore) {
        DWORD e = GetLastError();
        free(t);
        return err_set_win32(err, e, "making a semaphore");
    }
    *ret = t;
    return ERR_OK;
}

void tally_post(struct tally *t)
{
    ReleaseSemaphore(t->semaphore, 1, NULL);
}

void tally_wait(struct tally *t)
{
    WaitForSingleObject(t->semaphore, INFINITE);
}

void tally_free(struct tally **t)
{
    if (!*t)
        return;
    CloseHandle((*t)->semaphore);
    free(*t);
    *t = NULL;
}
