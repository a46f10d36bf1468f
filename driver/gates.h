/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What is looked at before anything is touched ('check'), and every day ('watch'). Read-only. */
#ifndef CRLAGENT_DRIVER_GATES_H
#define CRLAGENT_DRIVER_GATES_H

#include "base/event.h"
#include "driver/driver.h"

#define GATES_MAX 256

struct gate {
    uint32_t id; /* of common/health/findings.def */
    enum severity severity;
    char subject[64]; /* appliance or agent */
    char expected[200];
    char found[400];
    char remedy[400];
};
struct gates {
    struct gate item[GATES_MAX];
    size_t n;
    size_t dropped; /* did not fit */
};

/* Symbol ("HSM_ATTEMPTS") and title of an id; "" when unknown. */
const char *gate_symbol(uint32_t id);
const char *gate_title(uint32_t id);

struct gate *gate_add(struct gates *g, uint32_t id, enum severity severity, const char *subject);
/* The same with what was expected and found, about an appliance. */
struct gate *gate_site(struct gates *g, uint32_t id, enum severity severity, const struct site *s,
                       const char *expected, const char *found);
enum severity gates_worst(const struct gates *g);
/* Is there a refusal, and does each one come from an agent? */
bool gates_only_agents(const struct gates *g);

/* Everything about one appliance. for_run adds what only an upgrade needs (path, patch, routes,
 * free space); watch leaves it out. The appliance's versions are in s->show afterwards. */
void gates_site(struct site *s, bool for_run, struct gates *g);
/* Is the window long enough for every appliance, one after the other? After gates_site. */
void gates_duration(struct driver *drv, struct gates *g);
/* Attestations, window, package files. */
void gates_plan(struct driver *drv, struct gates *g);
/* 'hook pre-upgrade --dry-run' of every agent: the judgement on which its pre-upgrade acts. */
void gates_agents(struct driver *drv, struct gates *g);
/* The plan's <ha-check>: every member alive, none out of step. Nothing when there is none. */
void gates_ha(struct driver *drv, bool for_run, struct gates *g);

/* What the appliance does not tell in a form that any public source shows. `seen`: what it printed,
 * "" when it was not asked. With the plan's attestation of that name a remark, without one a
 * refusal; in the daily look a remark. */
void gate_person(struct site *s, bool for_run, const char *what, const char *expected,
                 const char *seen, struct gates *g);
/* Those that no command tells: STC on the admin channel, audit log, auto-activation. */
void gates_person(struct site *s, struct gates *g);

/* What 'check' has written down for the comparison, and what becomes of it. */
void gates_inventory_text(const struct driver *drv, struct buf *out);

/* Text for people, JSON document (docs/hsmupgrade.md), OpenMetrics. kind: "check", "watch". */
void gates_text(const struct gates *g, struct buf *out);
MUST_CHECK int gates_json(const struct driver *drv, const struct gates *g, const char *kind,
                          int exit_code, struct buf *out, struct err *err);
void gates_metrics(const struct driver *drv, const struct gates *g, struct buf *out);

#endif
