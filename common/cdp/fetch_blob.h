/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* One small object, as bytes: the certificate at an AIA location. */
#ifndef CRLAGENT_CDP_FETCH_BLOB_H
#define CRLAGENT_CDP_FETCH_BLOB_H

#include "base/buf.h"
#include "cdp/fetch.h"

/* Appends what is at the URL (http, https, ldap, file), at most BODY_BLOB_MAX bytes, with the rules
 * of fetch.h. ERR_UNAVAILABLE, ERR_NOT_FOUND, ERR_LIMIT, ERR_TIMEOUT; ERR_UNSUPPORTED scheme. */
MUST_CHECK int fetch_blob(const struct fetch_options *opt, const char *url, int64_t timeout_ms,
                          struct buf *ret, struct err *err);

#endif
