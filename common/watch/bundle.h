/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The evidence bundle of one maintenance, made from what the store has of it: the maintenance, the
 * health reports before, during and after with their difference, the figures of the CRLs, the
 * services, the steps, the audit trail and the verdict. */
#ifndef CRLAGENT_WATCH_BUNDLE_H
#define CRLAGENT_WATCH_BUNDLE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/maintenance.h"
#include "store/store.h"

/* Appends the bundle; head: the last hash, for the ticket. verdict: a JSON document (the answer of
 * the verb that ended it), NULL = none. ERR_NOT_FOUND: no such maintenance. */
MUST_CHECK int bundle_make(struct store *store, int64_t maintenance, const char *ca,
                           const char *verdict, int64_t now, struct buf *ret, char head[65],
                           struct err *err);

/* One maintenance, as the service and the evidence tell it. The caller owns it. */
json_t *bundle_maintenance(const struct store_maintenance *m);

/* "CHG0012345-7.json" into dst: what is no letter, digit, '-', '_' or '.' in the change becomes
 * '_'. Returns dst. */
const char *bundle_name(const char *change, int64_t maintenance, char *dst, size_t dst_size);

#endif
