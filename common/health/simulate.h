/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What happens to each location when the CA signs nothing for a while: at which minute it turns
 * yellow (Next CRL Publish passed), red (critical threshold) and fatal (nextUpdate). */
#ifndef CRLAGENT_HEALTH_SIMULATE_H
#define CRLAGENT_HEALTH_SIMULATE_H

#include <stdint.h>

#include "cdp/probe.h"
#include "crl/judge.h"

struct simulate_line {
    size_t probe;               /* index of target and result */
    int64_t yellow, red, fatal; /* UTC seconds; WHEN_NONE = not within the outage */
    int64_t spare;              /* seconds between the end of the outage and fatal; negative = it
                                   expired before the end */
    bool unknown;               /* no CRL came from there that a client accepts */
};

struct simulate_outage {
    int64_t from, seconds; /* UTC; nothing is published in [from, from + seconds) */
    int64_t propagation;   /* seconds that a new CRL takes to be visible after it */
    const struct crl_thresholds *thresholds;
    /* Per location; NULL = the ones above for all. */
    const struct crl_thresholds *(*thresholds_of)(void *arg, const struct probe_target *t);
    void *thresholds_arg;
    /* enum crl_verdict bits per probe, as health_evaluate() fills them; NULL = none: then signature
     * and kind alone decide whether a CRL is accepted. */
    const uint32_t *verdicts;
};

/* Fills ret[0..*ret_n) (room for n) with one line per CRL location, those that fall first in front.
 * A location serves a CRL as runway_serves() and the verdicts say. */
void simulate_outage(const struct probe_target *targets, const struct probe_result *results,
                     size_t n, const struct simulate_outage *o, struct simulate_line *ret,
                     size_t *ret_n);

#endif
