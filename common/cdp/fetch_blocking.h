/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Inside cdp only: the targets that block while they are asked (files, directory entries), each as
 * an errand: one that does not come back in time is a time-out, and the others are unaffected. */
#ifndef CRLAGENT_CDP_FETCH_BLOCKING_H
#define CRLAGENT_CDP_FETCH_BLOCKING_H

#include <stdatomic.h>

#include "cdp/fetch.h"

/* A server that has left this many questions without an answer is asked nothing more in the same
 * run (those on their way to it are waited for); and so many threads in all may be left behind. */
#define FETCH_STUCK_PER_SERVER 8u
#define FETCH_STUCK_MAX 256u

struct blocking_run {
    const struct fetch_options *opt; /* its clock and ldap outlive late questions, too */
    const struct probe_target *targets;
    const struct crl_issuers *issuers; /* copied: not used after fetch_blocking */
    struct probe_result *results;      /* of targets; written by the calling thread only */
    const size_t *index;               /* which targets */
    size_t n;
    atomic_size_t *done; /* counts up with each result */
};

#define FETCH_BLOCKING_THREADS 16u /* questions on their way */

/* Asks them all, a few at once; what goes wrong is a result. */
void fetch_blocking(const struct blocking_run *run);

#endif
