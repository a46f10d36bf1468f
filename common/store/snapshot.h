/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Health reports as they were at the points of a maintenance, for its evidence. */
#ifndef CRLAGENT_STORE_SNAPSHOT_H
#define CRLAGENT_STORE_SNAPSHOT_H

#include "store/store.h"

struct store_snapshot {
    int64_t maintenance;
    char phase[16]; /* "before", "during", "after" */
    int64_t when;
    int32_t weight; /* how bad it looks; of two, the caller keeps the heavier */
};

/* One for each maintenance and phase: a new one replaces the old one. body: any bytes. */
MUST_CHECK int store_snapshot_put(struct store *s, const struct store_snapshot *p, const void *body,
                                  size_t len, struct err *err);
/* Appends the body when it is not NULL. ERR_NOT_FOUND. */
MUST_CHECK int store_snapshot_get(struct store *s, int64_t maintenance, const char *phase,
                                  struct store_snapshot *ret, struct buf *ret_body,
                                  struct err *err);

#endif
