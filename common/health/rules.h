/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* From probes to findings: one small function per rule over one input. No I/O, no clock of its own.
 * rules.c runs them; rules_crl.c, rules_http.c, rules_node.c, rules_ca.c hold them by noun. */
#ifndef CRLAGENT_HEALTH_RULES_H
#define CRLAGENT_HEALTH_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "ca/settings.h"
#include "cdp/probe.h"
#include "crl/judge.h"
#include "health/caevent.h"
#include "health/finding.h"

/* A CRL known from elsewhere: the CA's own newest one (CR_PROP_BASECRL...), or the newest seen
 * before (history). Same key for both uses. */
struct health_known {
    uint32_t key_index, partition;
    bool delta;
    struct crl_facts facts;
    /* Own only: what the CA has published since and may still be on its way (maintenance's
     * propagation). facts is what every location has to serve at least; len 0 = nothing. */
    struct crl_number coming;
    uint8_t coming_sha256[32];
};

/* One CA certificate. */
struct health_ca_cert {
    uint32_t cert_index, key_index;
    int64_t not_before, not_after; /* UTC seconds */
    char subject[256];
    uint8_t sha256[32]; /* of the DER; compared with what AIA locations serve */
    uint8_t key_id[20]; /* of its key, as crl_facts.signer; all zero = not known */
};

/* Limits of relying parties; 0 = not checked. */
struct health_limits {
    uint64_t max_bytes; /* 44 MB: Microsoft Entra certificate-based authentication */
    int64_t max_ms;     /* 12 s: the same; Windows chain engine gives up at 15 s over all URLs */
    size_t max_urls;    /* CDP URLs per certificate that clients reach in time: 2 */
};
extern const struct health_limits health_limits_default;

struct health_input {
    const char *ca; /* common name, for findings; "" when unknown */
    const struct probe_target *targets;
    const struct probe_result *results;
    size_t n;
    const struct ca_settings *settings; /* NULL = no registry at hand */
    const struct health_known *own;     /* the CA's own copies; may be NULL */
    size_t n_own;
    const struct health_known *previous; /* newest seen in earlier runs; may be NULL */
    size_t n_previous;
    const struct health_ca_cert *certs; /* may be NULL */
    size_t n_certs;
    const struct health_ca_event *events; /* of the CA, any order; may be NULL */
    size_t n_events;
    const struct crl_thresholds *thresholds; /* NULL = crl_thresholds_default */
    /* Per location, thresholds of its own; NULL or a NULL answer = the common ones. */
    const struct crl_thresholds *(*thresholds_of)(void *arg, const struct probe_target *t);
    void *thresholds_arg;
    const struct health_limits *limits; /* NULL = health_limits_default */
    int64_t now;
};

/* Fills verdicts[i] (enum crl_verdict bits, 0 for what is no CRL) when verdicts is not NULL, and
 * adds the findings, worst first within a location. ERR_NOMEM only. */
MUST_CHECK int health_evaluate(const struct health_input *in, uint32_t *verdicts,
                               struct findings *ret, struct err *err);

/* The CA's own copy of the CRL that belongs at t; NULL when it is not known. */
const struct health_known *health_own(const struct health_input *in, const struct probe_target *t);

/* The newest CRL of (key, partition, delta) that any probe brought and whose signature is not bad:
 * the reference when the CA's own copy is not at hand. NULL when there is none. */
const struct crl_facts *health_newest(const struct health_input *in, uint32_t key_index,
                                      uint32_t partition, bool delta, uint8_t parent);

/* The pkiview word for one probe: "OK", "Expiring", "Expired", "Unable to Download", "Error". */
const char *health_state(const struct probe_target *t, const struct probe_result *r,
                         uint32_t verdicts);

#endif
