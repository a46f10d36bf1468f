/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What no public source shows an appliance to print, so that nothing here can read it: a person
 * looks, and puts name and date into the plan. Nothing of it passes silently. */
#include <stdio.h>

#include "base/str.h"
#include "driver/gates.h"
#include "driver/hop.h"
#include "health/finding.h"

void gate_person(struct site *s, bool for_run, const char *what, const char *expected,
                 const char *seen, struct gates *g)
{
    const struct plan_attest *a = plan_attested(&s->drv->plan, what, driver_now(s->drv));
    const char *saw = seen[0] ? seen : "not asked: no public source shows an answer to read";
    char found[400], remedy[200];
    if (a) {
        snprintf(found, sizeof found, "%.180s; '%s' attested by %.100s on %s", saw, what, a->by,
                 a->date);
        gate_site(g, FIND_HSM_ATTESTED, SEV_INFO, s, expected, found);
        return;
    }
    snprintf(found, sizeof found, "could not tell: %.300s", saw);
    struct gate *t =
        gate_site(g, FIND_HSM_NOT_TOLD, for_run ? SEV_CRITICAL : SEV_INFO, s, expected, found);
    snprintf(remedy, sizeof remedy,
             "look for yourself, then: <attest what=\"%s\" by=\"...\" date=\"...\"/> in the plan",
             what);
    if (for_run)
        str_copy(t->remedy, sizeof t->remedy, remedy);
}

static bool firmware_is_due(const struct site *s)
{
    const struct plan *p = &s->drv->plan;
    for (size_t i = 0; i < p->n_hops; i++) {
        if (hop_needs_firmware(p, i, s->show.firmware))
            return true;
    }
    return false;
}

void gates_person(struct site *s, struct gates *g)
{
    if (firmware_is_due(s)) {
        gate_person(s, true, "stc-admin-off",
                    "STC is not used on the admin channel ('hsm stc disable' before a firmware "
                    "update)",
                    "", g);
        gate_person(s, true, "audit-log",
                    "the HSM's audit log area is not full (a full one stops most commands)", "", g);
    }
    if (s->drv->plan.activation == ACTIVATE_AUTO)
        gate_person(s, true, "auto-activation",
                    "policy 23 (auto-activation) is on for every partition, as the plan relies on "
                    "it",
                    "", g);
}
