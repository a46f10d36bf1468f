/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* From a CA certificate up to its self-signed root: whose CRL each certificate on the way is
 * checked with, and where that CRL is. */
#ifndef CRLAGENT_CDP_CLIMB_H
#define CRLAGENT_CDP_CLIMB_H

#include "base/buf.h"
#include "cdp/locations.h"

#define CLIMB_LEVELS 8

/* Fetches what an AIA location serves; NULL where nothing may be fetched. */
struct climb_fetch {
    int (*get)(void *self, const char *url, struct buf *ret, struct err *err);
    void *self;
};

struct climb {
    struct buf cert[CLIMB_LEVELS]; /* DER; [0] = where it began, [1] = its issuer ... */
    size_t n;                      /* how many; the last is the root when rooted */
    bool rooted;                   /* a self-signed certificate was reached */
    struct err why;                /* when not: what is missing */
};
void climb_free(struct climb *c); /* for SCOPED(); takes a zeroed one */

/* Adds what each certificate below the root names (CDP, AIA, OCSP) to l, with parent = 1 for the
 * first one's, 2 for its issuer's and so on. An issuer is looked for, by its signature, among
 * *issuers, then at the AIA locations that may be followed (url_may_follow); one that was fetched
 * is added to *issuers. Ends at the root, after CLIMB_LEVELS certificates, or where an issuer
 * cannot be had (ret->why). ERR_PARSE when cert is no certificate, ERR_NOMEM, ERR_LIMIT. */
MUST_CHECK int locations_climb(struct locations *l, const void *cert, size_t len,
                               uint32_t key_index, struct crl_issuers **issuers,
                               const struct climb_fetch *fetch, struct climb *ret, struct err *err);

#endif
