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

/* Why an object is not to be trusted. */
enum sd_flaw {
    SD_SOUND,     /* owner and all who may use one of the rights are trusted */
    SD_NO_OWNER,  /* nobody is named */
    SD_OWNER,     /* somebody else owns it, and could give himself every right */
    SD_OPEN,      /* no access list: everybody has every right */
    SD_OTHER,     /* somebody else has one of the rights */
    SD_ODD_ENTRY, /* an entry of a kind that is not judged here allows one of the rights */
};
struct sd_finding {
    enum sd_flaw flaw;
    struct sid_bytes who; /* SD_OWNER, SD_OTHER */
};

/* May nobody but the trusted use any right of mask? Entries that deny are not counted upon; those
 * that children inherit count as if they were for the object itself. The first flaw, the owner
 * before the entries. ERR_PARSE. */
MUST_CHECK int sd_trusted(const void *sd, size_t len, const struct sid_bytes *trusted, size_t n,
                          uint32_t mask, struct sd_finding *ret, struct err *err);

/* Have both the same access list, entry by entry? false when one cannot be read. */
bool sd_same_access(const void *a, size_t a_len, const void *b, size_t b_len);

#endif
