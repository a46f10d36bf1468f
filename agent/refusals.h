/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A request that its caller may not make leaves a row in the audit trail: who, what, why. Rows of
 * the audit are kept for ever, so an account that asks again and again must not fill the disk: the
 * same account and verb give one row in REFUSAL_SPAN seconds, and the next row says how many there
 * were in between. Not thread-safe; the owner holds a lock. */
#ifndef CRLAGENT_AGENT_REFUSALS_H
#define CRLAGENT_AGENT_REFUSALS_H

#include <stdbool.h>

#include "store/maintenance.h"

#define REFUSAL_SPAN 600 /* seconds */
#define REFUSAL_KEPT 32  /* pairs of account and verb that are told apart */

struct refusals {
    struct refusal {
        char sid[STORE_SID_MAX];
        char verb[32];
        int64_t since; /* UTC of the last row */
        uint32_t more; /* refused since, without a row */
    } kept[REFUSAL_KEPT];
    size_t n;
};

struct refused {
    const char *sid, *name; /* of the caller */
    const char *verb;
    const char *change; /* "" when none was named */
    const char *why;
    int outcome; /* exit code of the answer */
};

/* Writes the row, durably, when one is due. *ret_told: a row was due (the event is for the same
 * moments). Errors are those of store_audit_add; the row counts as not written then. */
MUST_CHECK int refusals_note(struct refusals *r, struct store *store, int64_t now,
                             const struct refused *what, bool *ret_told, struct err *err);

#endif
