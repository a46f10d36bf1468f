/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Calls into the system that may never come back (a share on a dead server, a directory that is
 * silent) are errands: each runs on a thread of its own, and who sent it waits only so long. One
 * that is late is left behind with all that it uses; when it does come back, it cleans up alone. */
#ifndef CRLAGENT_BASE_ERRAND_H
#define CRLAGENT_BASE_ERRAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Stands alone: what run() uses must live until drop(), because its thread may outlive everybody.
 * Put first into a struct of one's own. */
struct errand {
    void (*run)(struct errand *e);
    void (*drop)(struct errand *e); /* frees it; called exactly once, by whoever is last */
};

struct errands; /* those under way that somebody waits for; of one thread */
MUST_CHECK int errands_new(struct errands **ret, struct err *err);
/* Leaves behind what is still under way. For SCOPED(); takes NULL. */
void errands_free(struct errands **s);

/* Takes the errand over in every case: on an error (ERR_NOMEM) it is dropped at once. tag: for the
 * sender to know it by. */
MUST_CHECK int errands_send(struct errands *s, struct errand *e, size_t tag, int64_t timeout_ms,
                            struct err *err);

struct errand_end {
    size_t tag;
    struct errand *errand; /* came back: the caller's again, to read and to drop; NULL = late */
};
/* Waits until one came back or its time is over. false: none is under way. */
bool errands_next(struct errands *s, struct errand_end *ret);

/* One alone. ERR_OK: it came back and is the caller's again; ERR_TIMEOUT, ERR_NOMEM: it is gone. */
MUST_CHECK int errand_run(struct errand *e, int64_t timeout_ms, struct err *err);

#endif
