/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/refusals.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static struct refusal *find(struct refusals *r, const struct refused *what)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->kept[i].sid, what->sid) == 0 && strcmp(r->kept[i].verb, what->verb) == 0)
            return &r->kept[i];
    }
    return NULL;
}

/* A free place, or that of the oldest row. */
static struct refusal *place(struct refusals *r)
{
    struct refusal *oldest = &r->kept[0];
    if (r->n < REFUSAL_KEPT)
        return &r->kept[r->n++];
    for (size_t i = 1; i < r->n; i++) {
        if (r->kept[i].since < oldest->since)
            oldest = &r->kept[i];
    }
    return oldest;
}

static int write_row(struct store *store, int64_t now, const struct refused *what, uint32_t more,
                     struct err *err)
{
    struct store_audit a = {.when = now, .outcome = what->outcome};
    str_copy(a.sid, sizeof a.sid, what->sid);
    str_copy(a.name, sizeof a.name, what->name);
    str_copy(a.verb, sizeof a.verb, what->verb);
    str_copy(a.change, sizeof a.change, what->change);
    if (more)
        snprintf(a.detail, sizeof a.detail, "refused: %.800s; %u more since the last row",
                 what->why, more);
    else
        snprintf(a.detail, sizeof a.detail, "refused: %.800s", what->why);
    return store_audit_add(store, &a, err);
}

int refusals_note(struct refusals *r, struct store *store, int64_t now, const struct refused *what,
                  bool *ret_told, struct err *err)
{
    struct refusal *known = find(r, what);
    *ret_told = false;
    /* A clock that was set back counts as time gone by. */
    if (known && now >= known->since && now < known->since + REFUSAL_SPAN) {
        known->more++;
        return ERR_OK;
    }
    *ret_told = true;
    int rc = write_row(store, now, what, known ? known->more : 0, err);
    if (rc)
        return rc;
    if (!known)
        known = place(r);
    str_copy(known->sid, sizeof known->sid, what->sid);
    str_copy(known->verb, sizeof known->verb, what->verb);
    known->since = now;
    known->more = 0;
    return ERR_OK;
}
