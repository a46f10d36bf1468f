/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Which locations there are: from the CA, its registry, its certificates (parents) and the
 * configuration, spread over addresses and domain controllers. */
#ifndef CRLAGENT_AGENT_LOCATE_H
#define CRLAGENT_AGENT_LOCATE_H

#include "cdp/ldap.h"
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
};

/* l must outlive the result. */
struct maint_locate locate_seam(struct locate *l);

#endif
