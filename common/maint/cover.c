/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The cover CRL: when the runway is short, publish one that lasts. The Date argument becomes
 * nextUpdate minus overlap and skew ([MS-CSRA] 3.1.4.1.6), so asking for the needed time itself is
 * on the safe side; what came out is read from the CRL and proven, never predicted. A CA that keeps
 * running replaces it by a normal one at its next publish time: the pause follows at once, and the
 * numbers are compared once more right before it. */
#include <stdio.h>

#include "maint/engine.h"

static int before(struct work *w, struct err *err)
{
    struct prove_input in = work_prove_input(w);
    return prove_before(&in, &w->a->prove, err);
}

static int publish(struct work *w, void *arg, struct err *err)
{
    const int64_t *until = arg;
    struct prove_input in = work_prove_input(w);
    (void)err;
    prove_publish(&in, *until, &w->a->prove);
    return ERR_OK;
}

static int prove(struct work *w, void *arg, struct err *err)
{
    const int64_t *need = arg;
    struct prove_input in = work_prove_input(w);
    in.need_until = *need;
    return prove_finish(&in, &w->a->prove, err);
}

static void tell(struct work *w)
{
    static const struct {
        uint32_t id;
        enum severity severity;
    } events[] = {
        [PROVE_UNKNOWN] = {FIND_PUBLISH_UNKNOWN, SEV_WARNING},
        [PROVE_PROVEN] = {FIND_PUBLISH_PROVEN, SEV_INFO},
        [PROVE_NOT_DELIVERED] = {FIND_PUBLISH_NOT_DELIVERED, SEV_CRITICAL},
        [PROVE_NOT_CREATED] = {FIND_PUBLISH_NOT_CREATED, SEV_CRITICAL},
    };
    work_event(w, events[w->a->prove.verdict].id, events[w->a->prove.verdict].severity,
               w->a->prove.text);
}

enum maint_outcome cover_publish(struct work *w, struct err *err)
{
    const struct maint_policy *p = &w->m->policy;
    char text[WHEN_TEXT_MAX];
    int64_t now = clock_now(w->m->seams.clock);
    int64_t need = now + w->row.window + w->row.reserve + p->propagation;
    int64_t until = need + p->cover_margin;
    int rc = before(w, err);
    if (!rc) {
        w->row.cover = true;
        rc = work_save(w, err);
    }
    if (!rc)
        rc = work_step(w, STEP_COVER_PUBLISH, when_format(until, text), publish, &until, err);
    if (!rc)
        rc = work_step(w, STEP_COVER_PROVE, "", prove, &need, err);
    if (rc)
        return MAINT_FAILED;
    tell(w);
    if (w->a->prove.verdict == PROVE_PROVEN)
        return MAINT_DONE;
    (void)err_set(err, ERR_STATE, "the cover CRL is not proven: %s", w->a->prove.text);
    return MAINT_NOT_PROVEN;
}

/* ---- the other users of publish and prove ---- */

static int prove_since(struct work *w, void *arg, struct err *err)
{
    const int64_t *since = arg;
    struct prove_input in = work_prove_input(w);
    in.since = *since;
    return prove_finish(&in, &w->a->prove, err);
}

enum maint_outcome publish_and_prove(struct work *w, int64_t until, int64_t since, struct err *err)
{
    char text[WHEN_TEXT_MAX];
    int rc = before(w, err);
    if (!rc)
        rc =
            work_step(w, STEP_PUBLISH, until ? when_format(until, text) : "", publish, &until, err);
    if (!rc)
        rc = work_step(w, STEP_PROVE, "", prove_since, &since, err);
    if (rc)
        return MAINT_FAILED;
    tell(w);
    if (w->a->prove.verdict == PROVE_PROVEN)
        return MAINT_DONE;
    (void)err_set(err, ERR_STATE, "%s", w->a->prove.text);
    return MAINT_NOT_PROVEN;
}
