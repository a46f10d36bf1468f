/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The CA's own CRLs: what every location is compared with. Read from the CA while it runs, kept in
 * the store for the hours when it does not. A CRL that was published a moment ago is not missed
 * anywhere before the configured propagation time is over: until then the one before it is the
 * least that a location must serve. */
#ifndef CRLAGENT_WATCH_OWN_H
#define CRLAGENT_WATCH_OWN_H

#include "health/rules.h"
#include "maint/view.h"

/* A larger CRL is read again only when something speaks for a new one, and once an hour. */
#define OWN_LARGE_BYTES (1u * 1024 * 1024)
#define OWN_LARGE_SECONDS 3600

struct own_input {
    const struct ca_admin *admin; /* NULL = the CA is not asked, whatever the view says */
    struct store *store;          /* for writing */
    const struct ca_view *view;
    const struct probe_round *round; /* made before: what it missed by a second is no finding */
    int64_t propagation;             /* seconds */
};

/* One line's own CRL, as the store keeps it. */
struct own_crl {
    uint32_t key_index, partition;
    bool delta;
    struct crl_number number; /* the newest that the CA has published */
    uint8_t sha256[32];
    int64_t next_update;
    uint8_t aki[64];
    uint8_t aki_len;
};

struct own_list {
    struct health_known *known; /* for health_input.own */
    size_t n_known;
    struct own_crl *crl; /* of every line that the CA was ever asked about */
    size_t n_crl;
};
void own_free(struct own_list *l); /* for SCOPED(); takes a zeroed one */

/* A line that the CA cannot tell now keeps what it told last. Left out of known: a line that was
 * never read, one whose first CRL may still be on its way, one with a reserve CRL in use, and one
 * that was not read now while a location serves a newer CRL. ERR_NOMEM only. */
MUST_CHECK int own_read(const struct own_input *in, struct own_list *ret, struct err *err);

#endif
