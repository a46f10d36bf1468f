/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The prober of the service: every round runs in a worker process of its own, without rights,
 * which ends with the round. */
#ifndef CRLAGENT_AGENT_WORKERPROBER_H
#define CRLAGENT_AGENT_WORKERPROBER_H

#include "cdp/probe.h"

struct worker_way {
    const char *program; /* full path of this one */
    const char *proxy;   /* "http://proxy:3128"; "" = none. Targets with an address or with direct
                            set go past it */
};
/* way must outlive the prober. */
struct prober worker_prober(const struct worker_way *way);

/* One round of a worker with this command line (argv[0] full path, ends with NULL). *ret_started:
 * false when it failed before a worker ran, so that nothing was asked. */
MUST_CHECK int worker_probe(const char *const *argv, const struct probe_target *targets, size_t n,
                            const struct crl_issuers *issuers, struct probe_result *results,
                            bool *ret_started, struct err *err);

#endif
