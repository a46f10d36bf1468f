/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* All addresses of host names, at once and within a time. cdp/resolve_posix.c, win32/resolve.c. */
#ifndef CRLAGENT_CDP_RESOLVE_H
#define CRLAGENT_CDP_RESOLVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

struct host_addresses {
    char host[256];                    /* asked for */
    char address[LIMIT_ADDRESSES][48]; /* numeric, in the order of the resolver, no duplicates */
    size_t n;                          /* 0: see err */
    size_t more;                       /* addresses beyond LIMIT_ADDRESSES */
    struct err err;                    /* why there is none: ERR_NOT_FOUND, ERR_TIMEOUT, ERR_IO */
};

struct resolver {
    /* Fills the n answers; .host is set by the caller. Returns when all are answered or after
     * timeout_ms (open ones get ERR_TIMEOUT). */
    void (*resolve)(void *self, struct host_addresses *hosts, size_t n, int64_t timeout_ms);
    void *self;
};
const struct resolver *resolver_system(void);

#endif
