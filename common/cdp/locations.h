/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Which locations exist, and why: from the CA's settings, from what the running CA says, from
 * certificates, from the configuration and from the command line, merged into one list of probe
 * targets. Nothing here touches the network. */
#ifndef CRLAGENT_CDP_LOCATIONS_H
#define CRLAGENT_CDP_LOCATIONS_H

#include <stddef.h>
#include <stdint.h>

#include "ca/settings.h"
#include "cdp/probe.h"
#include "cdp/resolve.h"
#include "cdp/tokens.h"

/* A growing list; locations_free is for SCOPED(). The same (URL, address, role, key, partition) is
 * one item: its origins are joined. Never more than LIMIT_LOCATIONS. */
struct locations {
    struct probe_target *item;
    size_t n, cap;
    uint32_t *slot; /* hash of (URL, address) to item number + 1; brought up to date when needed */
    size_t n_slots, n_indexed;
    struct location_skip *skip; /* the first LOCATION_SKIPS of those left out */
    size_t n_skips;
    size_t n_skipped; /* how many were left out */
};
void locations_free(struct locations *l);

/* A URL that somebody named and that is not asked. */
#define LOCATION_SKIPS 64
enum location_skipped {
    SKIP_UNUSABLE,   /* it is no URL that can be used */
    SKIP_FOREIGN,    /* who wrote it may not send this host there */
    SKIP_UNVERIFIED, /* it stands in a CRL whose signature is not known to be good */
};
struct location_skip {
    char *url; /* as it was written, without user name and password */
    char *why;
    enum location_role role;
    uint32_t origin, key_index;
    enum location_skipped reason;
};

/* Notes one, in order; the same (URL, key) once. Without memory it is only counted. */
void locations_skip(struct locations *l, const char *url, const struct probe_target *like,
                    enum location_skipped reason, const char *why);

/* Takes out what only a certificate or a CRL names and what this host must not be sent to
 * (url_may_follow), noted as SKIP_FOREIGN. Somebody who may enrol may choose such a URL; what is
 * also configured, said by the CA or named on the command line stays. */
void locations_refuse_foreign(struct locations *l);
#define LOCATIONS_FOREIGN                                                                          \
    "a certificate or CRL names it: a file, a share or a directory server of somebody's choice, "  \
    "where this host would log on"

/* One URL as clients have it. role ROLE_CRL_DELTA for a delta CRL; origin FROM_PARENT makes it a
 * parent's. A URL that cannot be used is noted in skip and refused with its reason. */
MUST_CHECK int locations_add_url(struct locations *l, const char *url, enum location_role role,
                                 uint32_t origin, uint32_t key_index, struct err *err);

/* The same for the CA so many levels above this one. */
MUST_CHECK int locations_add_parent_url(struct locations *l, const char *url,
                                        enum location_role role, uint32_t origin,
                                        uint32_t key_index, uint8_t level, struct err *err);

/* Which CRL of a CA. */
struct location_key {
    uint32_t key_index, partition;
};

/* A location of the configuration, asked at address ("" = as resolved). The same URL from
 * elsewhere, of any key, partition or parent, is that location: it gets the origin, and the address
 * when it has none. What nobody else names is of the key otherwise. named (may be NULL) says of
 * which key alone it is. */
MUST_CHECK int locations_add_configured(struct locations *l, const char *url, const char *address,
                                        enum location_role role, const struct location_key *named,
                                        struct location_key otherwise, struct err *err);

/* Texts of CR_PROP_CERTCDPURLS, CERTAIAURLS or CERTOCSPURLS: one URL per line, expanded by the CA.
 * Unusable lines are noted in skip and left out. */
MUST_CHECK int locations_add_property(struct locations *l, const char *lines,
                                      enum location_role role, uint32_t key_index, struct err *err);

/* CRLPublicationURLs and CACertPublicationURLs expanded here, for one key (v names it; delta and
 * partition are set inside): entries with CDP (origin FROM_CA_CDP), Freshest (FROM_FRESHEST) or
 * write bits (FROM_CA_PUBLISH); entries without any are left out. Deltas only when
 * delta_period.count > 0. */
MUST_CHECK int locations_add_settings(struct locations *l, const struct ca_settings *s,
                                      const struct token_values *v, struct err *err);

/* CDP, Freshest CRL, AIA (certificates) and OCSP URLs of one certificate, PEM or DER.
 * origin FROM_CERTIFICATE: a certificate this CA issued (key_index = its key). FROM_PARENT: a CA
 * certificate of this CA: its CDP names the parent's CRL, the targets get parent = true. */
MUST_CHECK int locations_add_certificate(struct locations *l, const void *data, size_t len,
                                         uint32_t origin, uint32_t key_index, struct err *err);

/* The same for a CA certificate so many levels up (struct probe_target.parent). */
MUST_CHECK int locations_add_parent(struct locations *l, const void *data, size_t len,
                                    uint32_t key_index, uint8_t level, struct err *err);

/* A certificate that OCSP responders can be asked about: one that this CA issued (parent 0) or a CA
 * certificate of this CA (parent 1). The bytes (DER or PEM) are the caller's. */
struct ocsp_subject {
    const void *cert;
    size_t len;
    uint32_t key_index; /* CA key that issued it; of a CA certificate its own */
    uint8_t parent;
};
/* Gives each OCSP location its request: for the subject that names the URL, else for any of the
 * same CA. A location without a subject whose issuer is known stays without one. ERR_NOMEM only. */
MUST_CHECK int locations_ask_ocsp(struct locations *l, const struct ocsp_subject *subject, size_t n,
                                  const struct crl_issuers *issuers, bool nonce, struct err *err);

/* A second question for every CRL over http(s), as clients ask it: by name, caches allowed. names:
 * the locations before they were spread; at most LIMIT_LOCATIONS are in l then. ERR_NOMEM only. */
MUST_CHECK int locations_add_client_view(struct locations *l, const struct locations *names,
                                         struct err *err);

/* A copy of the targets alone, without what was skipped; *ret is empty before. */
MUST_CHECK int locations_copy(const struct locations *l, struct locations *ret, struct err *err);

/* One target per resolved address for every http(s) location that has no address yet (and is not
 * by_name), and, when servers are given, one per DC for every hostless LDAP location. A name with
 * one address stays one target (with that address); one that does not resolve is marked: its probe
 * reports that. hosts may be NULL. */
MUST_CHECK int locations_spread(struct locations *l, const struct resolver *resolver,
                                int64_t timeout_ms, const char (*ldap_servers)[80],
                                size_t n_ldap_servers, struct err *err);

#endif
