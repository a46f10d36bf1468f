/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Entries that left a CRL before their certificates expired, found by comparing the CA's base CRL
 * with the one before it, entry by entry. The drop of the count (4021) is only the first sign: it
 * misses a few lost entries among many, and a month in which many certificates expire looks alike.
 */
#ifndef CRLAGENT_WATCH_LOST_H
#define CRLAGENT_WATCH_LOST_H

#include "ca/admin.h"
#include "crl/compare.h"
#include "health/finding.h"
#include "maint/view.h"

#define LOST_CRL_BYTES (16u * 1024 * 1024) /* a larger CRL is not kept for the comparison */

struct lost_input {
    const struct ca_admin *admin;
    struct store *store;
    const struct ca_view *view; /* asked just now */
    int64_t now;
    /* crl_compare_buffers; a seam because it brings the whole CRL engine along. */
    int (*compare)(struct buf *older, struct buf *newer, const struct crl_diff_options *opt,
                   struct crl_diff *ret, struct err *err);
};

/* For each base CRL whose number (of newest: what the locations serve) differs from that of the CRL
 * kept: reads the CA's own, compares, keeps it. A finding 4021 of that key is replaced by what the
 * comparison says, or taken back to a remark when nothing can have been lost; what was found stays
 * until the next CRL. A CRL that cannot be read or compared is left to the next look. */
MUST_CHECK int lost_look(const struct lost_input *in, const struct crl_line *line,
                         const struct crl_facts *newest, struct findings *findings,
                         struct err *err);

struct look;
struct watch_setup;
/* lost_look for each base CRL of a look that asked the CA. */
MUST_CHECK int lost_find(const struct watch_setup *s, struct look *l, struct err *err);

#endif
