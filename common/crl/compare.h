/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Comparison of two CRLs of any size: what vanished, was added or changed. The older one becomes a
 * compact table of its entries, CRL_DIFF_BYTES_PER_ENTRY bytes each, the newer one is streamed
 * against it. A serial is represented by a 59-bit keyed hash: among 3,000,000 entries the chance
 * that any two of one CRL fall together is below 1 in 100,000. */
#ifndef CRLAGENT_CRL_COMPARE_H
#define CRLAGENT_CRL_COMPARE_H

#include "base/buf.h"
#include "crl/reader.h"

#define CRL_DIFF_BYTES_PER_ENTRY 15.6 /* of the older CRL: slots of 12 at a fill of 77 % */

/* Where a CRL can be read from more than once. */
struct crl_source {
    /* As crl_read_stream: reads everything, with these options. */
    int (*read)(void *self, const struct crl_reader_options *opt,
                const struct crl_progress *progress, struct crl_facts *ret_facts,
                enum crl_signature *ret_sig, struct err *err);
    void *self;
};
/* For struct crl_source: self is a path, or a struct buf. */
int crl_source_file(void *path, const struct crl_reader_options *opt,
                    const struct crl_progress *progress, struct crl_facts *ret_facts,
                    enum crl_signature *ret_sig, struct err *err);
int crl_source_buffer(void *buf, const struct crl_reader_options *opt,
                      const struct crl_progress *progress, struct crl_facts *ret_facts,
                      enum crl_signature *ret_sig, struct err *err);

/* What happened to an entry. A certificate that was revoked at R was valid at R; its entry may
 * leave the list only after it was on one CRL issued past its expiry (RFC 5280 section 3.3), so an
 * entry revoked after the older CRL's thisUpdate cannot have gone rightly. */
enum crl_change {
    CRL_ADDED,
    CRL_LOST,     /* vanished, and its certificate cannot have expired */
    CRL_EARLY,    /* vanished, revoked less than the given certificate life ago: may still live */
    CRL_DROPPED,  /* vanished, its certificate has expired (or no certificate life was given) */
    CRL_RELEASED, /* vanished, was on hold */
    CRL_REASON,   /* another reason */
    CRL_DATE,     /* another revocation date */
    CRL_CHANGES
};
const char *crl_change_name(enum crl_change c);

struct crl_diff {
    struct crl_facts old_facts, new_facts;
    enum crl_signature old_signature, new_signature;
    uint64_t count[CRL_CHANGES];
    uint64_t same;                 /* in both, unchanged */
    uint64_t old_twice, new_twice; /* serials that stand more than once in one CRL */
    int number_order; /* new number against old: -1 regress, 0 equal, 1 higher; 0 without numbers */
    uint64_t number_gap;  /* numbers left out between the two, UINT64_MAX when beyond 64 bits */
    uint64_t table_bytes; /* memory of the table */
};

struct crl_diff_options {
    const struct crl_issuers *issuers; /* NULL: signatures are not checked */
    int64_t certificate_life; /* longest life of a certificate of this CA, seconds; 0 = unknown */
    uint64_t max_entries;     /* of the older CRL; 0 = 50,000,000 (744 MiB of table) */
    /* Called for each change when set (added and changed first, then vanished in the order of the
     * older CRL; that costs one more reading of it). Non-zero ends with ERR_CANCELLED. */
    int (*on_change)(void *arg, enum crl_change what, const struct crl_entry *entry);
    void *arg;
    const struct crl_progress *progress; /* over all readings together; total is computed */
};

/* ERR_INVALID: the two cannot be compared (other issuer, base against delta). Reading errors of
 * either side; ret untouched then. */
MUST_CHECK int crl_compare(const struct crl_source *older, const struct crl_source *newer,
                           const struct crl_diff_options *opt, struct crl_diff *ret,
                           struct err *err);
/* The same for two CRLs in memory. */
MUST_CHECK int crl_compare_buffers(struct buf *older, struct buf *newer,
                                   const struct crl_diff_options *opt, struct crl_diff *ret,
                                   struct err *err);

#endif
