/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The locations that living certificates carry, kept until the last of them has expired: a CDP that
 * left the CA's configuration stays a CDP for every certificate issued before. Times are UTC
 * seconds.
 */
#ifndef CRLAGENT_STORE_CARRIED_H
#define CRLAGENT_STORE_CARRIED_H

#include "base/limits.h"
#include "store/store.h"

struct store_carried {
    char url[LIMIT_URL_CHARS + 1];
    uint32_t role; /* enum location_role */
    uint32_t key_index;
    int64_t until; /* notAfter of the certificate with it that lives longest */
    int64_t seen;  /* when a certificate with it was last read */
};

/* Adds a row or prolongs it: until only grows. */
MUST_CHECK int store_carried_put(struct store *s, const struct store_carried *c, struct err *err);
/* Up to max rows that live at now, by key, role and URL. */
MUST_CHECK int store_carried_list(struct store *s, int64_t now, struct store_carried *ret,
                                  size_t max, size_t *ret_n, struct err *err);
/* Removes what has expired at now. */
MUST_CHECK int store_carried_prune(struct store *s, int64_t now, struct err *err);

#endif
