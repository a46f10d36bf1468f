/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The HA group as the client sees it: a command of the plan prints it. */
#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "base/str.h"
#include "driver/gates.h"
#include "driver/hagroup.h"
#include "health/finding.h"

static void of_group(const struct ha_group *h, struct gates *g)
{
    if (h->others) {
        struct gate *t = gate_add(g, FIND_HSM_HA_MEMBER, SEV_CRITICAL, h->label);
        str_copy(t->expected, sizeof t->expected, "every member alive");
        snprintf(t->found, sizeof t->found, "%zu alive; %s", h->alive, h->bad);
    }
    if (h->needs_sync || !h->sync_known) {
        struct gate *t = gate_add(g, FIND_HSM_HA_MEMBER, SEV_WARNING, h->label);
        str_copy(t->expected, sizeof t->expected, "Needs sync: no");
        str_copy(t->found, sizeof t->found,
                 h->sync_known ? "the members hold different objects"
                               : "could not tell: no line 'Needs sync:'");
    }
}

void gates_ha(struct driver *drv, bool for_run, struct gates *g)
{
    struct process_result r;
    struct ha_groups groups;
    struct err err = ERR_INIT;
    const char *argv[PLAN_ARGS_MAX + 1];
    const struct plan_command *c = &drv->plan.ha_check;
    if (!c->n)
        return;
    for (size_t i = 0; i <= c->n; i++)
        argv[i] = c->arg[i];
    memset(&r, 0, sizeof r);
    int rc = process_run(argv, NULL, c->timeout * 1000, &r, &err);
    if (!rc && r.exit_code)
        rc = err_set(&err, ERR_IO, "the command ended with %u", (unsigned)r.exit_code);
    if (!rc)
        rc = hagroup_parse(buf_str(&r.out), &groups, &err);
    buf_free(&r.out);
    if (rc) {
        struct gate *t =
            gate_add(g, FIND_HSM_HA_MEMBER, for_run ? SEV_CRITICAL : SEV_WARNING, "ha-check");
        str_copy(t->expected, sizeof t->expected, "the answer of 'hagroup listgroups'");
        str_copy(t->found, sizeof t->found, err.text);
        return;
    }
    for (size_t i = 0; i < groups.n; i++)
        of_group(&groups.group[i], g);
}
