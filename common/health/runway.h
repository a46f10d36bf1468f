/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Runway = nextUpdate served - now - propagation, over every (CA key, base/delta). Weakest: the
 * worst of all locations and addresses (some client is always on that one; the gate uses it).
 * Effective: what a client gets that tries the URLs in the order of the certificate.
 *
 * Base and delta count alike, and that is a conservative choice: where the CA publishes deltas, a
 * base CRL names them (Freshest CRL), and what a given client does that gets no delta is its own
 * affair. A CA that stands still fails on its deltas first. So when no URL serves a usable delta,
 * the effective runway is none even while every base is good; the lines tell which of the two. */
#ifndef CRLAGENT_HEALTH_RUNWAY_H
#define CRLAGENT_HEALTH_RUNWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdp/probe.h"

struct runway_line {
    uint32_t key_index;
    uint32_t partition;
    bool delta;
    int64_t weakest;   /* seconds; negative = expired already; INT64_MIN = some location serves
                          nothing usable */
    int64_t effective; /* seconds; INT64_MIN = no URL serves anything usable */
    int64_t
        weakest_until; /* UTC: the nextUpdate that decides the weakest figure, WHEN_NONE = none */
    int64_t effective_until;
    size_t weakest_probe; /* index of the probe that decides */
};

#define RUNWAY_LINES_MAX 256

struct runway {
    struct runway_line line[RUNWAY_LINES_MAX];
    size_t n;
    int64_t weakest; /* over all lines */
    int64_t effective;
    int64_t weakest_until, effective_until;
    size_t weakest_line;
};

/* Was a CRL of the right kind read there whose signature holds as far as it was looked at? */
bool runway_serves(const struct probe_target *t, const struct probe_result *r);

/* A probe counts for a line when its target has a CRL role and is not a parent's. Only a CRL that
 * was read, is of the right kind, and whose signature is good (or was not checked) is usable. now
 * and propagation in seconds. Parent CRLs are left out: they have their own check. Without memory
 * for a list of n the effective figures are those of URLs that serve nothing. */
void runway_compute(const struct probe_target *targets, const struct probe_result *results,
                    size_t n, int64_t now, int64_t propagation, struct runway *ret);

#endif
