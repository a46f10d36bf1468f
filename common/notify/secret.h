/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Seam: user names and passwords by name. Windows: the Credential Manager; tests have a fake. What
 * it gives is wiped by the caller and never printed. */
#ifndef CRLAGENT_NOTIFY_SECRET_H
#define CRLAGENT_NOTIFY_SECRET_H

#include "base/err.h"

#define SECRET_MAX 512

struct secret {
    char user[SECRET_MAX]; /* "" = none */
    char password[SECRET_MAX];
};

struct secret_store {
    /* ERR_NOT_FOUND: no such entry; ERR_DENIED; ERR_LIMIT: longer than SECRET_MAX. */
    int (*get)(void *self, const char *name, struct secret *ret, struct err *err);
    void *self;
};

/* Overwrites it in a way that is not optimised away. */
void secret_wipe(struct secret *s); /* for SCOPED() */

#endif
