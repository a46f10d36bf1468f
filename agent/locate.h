/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Which locations there are: from the CA, its registry, its certificates (parents) and the
 * configuration, spread over addresses and domain controllers. */
#ifndef CRLAGENT_AGENT_LOCATE_H
#define CRLAGENT_AGENT_LOCATE_H

#include "cdp/ldap.h"
#include "cdp/locations.h"
#include "cdp/resolve.h"
#include "config/config.h"
#include "maint/view.h"

struct locate {
    const struct config *config;
    const struct resolver *resolver;
    const struct ldap_fetcher *ldap; /* for the names of the DCs; NULL = none */
    bool all; /* also AIA locations and OCSP responders; the maintenance is about CRLs */
    /* Appends the certificates above certs (DER, one after the other) that this host knows; NULL =
     * none. An OCSP responder of a parent is asked with it. */
    int (*parents)(const uint8_t *certs, size_t len, struct buf *ret, struct err *err);
    struct err unknown_parent; /* found by the last locate: where the chain ends below its root */
};

/* What the view and the configuration name, not spread over addresses yet: for each living key its
 * CRLs, the CAs above it up to the root, what issued certificates carry; with all AIA locations and
 * OCSP responders with their questions. *issuers gets all CA certificates that are known.
 * *ret_unknown (code ERR_OK when there is none) says whose certificate is missing on the way up. */
MUST_CHECK int locate_collect(const struct locate *l, const struct ca_view *view,
                              struct locations *ret, struct crl_issuers **issuers,
                              struct err *ret_unknown, struct err *err);

/* l must outlive the result. */
struct maint_locate locate_seam(struct locate *l);

#endif
