/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Security descriptors as bytes ([MS-DTYP] 2.4.6, self-relative): who may do what, and one entry
 * more or less. Everything else in the descriptor is kept byte for byte: owner, group, audit list,
 * entries of kinds that are not known here. No I/O, no Windows. */
#ifndef CRLAGENT_CA_SECDESC_H
#define CRLAGENT_CA_SECDESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define SD_MAX_BYTES 65536 /* more than an access list can hold */

struct sid_bytes {
    uint8_t b[68]; /* SECURITY_MAX_SID_SIZE */
    size_t len;
};

/* "S-1-5-80-..." to bytes. ERR_PARSE. */
MUST_CHECK int sid_parse(const char *text, struct sid_bytes *ret, struct err *err);

/* What an account that has all these SIDs in its token may do: entries in their order, a right that
 * is denied first stays denied. Object and conditional entries count for nothing. Without an access
 * list everything is allowed. ERR_PARSE. */
MUST_CHECK int sd_access(const void *sd, size_t len, const struct sid_bytes *sids, size_t n,
                         uint32_t *ret, struct err *err);

/* Appends the descriptor with one more entry that allows mask to sid, behind the other entries of
 * its own and before inherited ones. ERR_STATE when it has no access list (everybody may do
 * everything: an entry would take rights away), ERR_PARSE, ERR_LIMIT. */
MUST_CHECK int sd_allow(const void *sd, size_t len, const struct sid_bytes *sid, uint32_t mask,
                        struct buf *ret, struct err *err);

/* The opposite: without the first entry that is exactly that one. *ret_found = false: there is
 * none, and the descriptor is appended unchanged in meaning. */
MUST_CHECK int sd_disallow(const void *sd, size_t len, const struct sid_bytes *sid, uint32_t mask,
                           struct buf *ret, bool *ret_found, struct err *err);

/* Have both the same access list, entry by entry? false when one cannot be read. */
bool sd_same_access(const void *a, size_t a_len, const void *b, size_t b_len);

#endif
