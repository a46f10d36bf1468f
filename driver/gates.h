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
enum severity gates_worst(const struct gates *g);

/* Everything about one appliance. for_run adds what only an upgrade needs (path, patch, routes,
 * free space); watch leaves it out. The appliance's versions are in s->show afterwards. */
void gates_site(struct site *s, bool for_run, struct gates *g);
/* Attestations, window, package files. */
void gates_plan(struct driver *drv, struct gates *g);
/* 'hook pre-upgrade --dry-run' of every agent. */
void gates_agents(struct driver *drv, struct gates *g);

/* Text for people, JSON document, OpenMetrics. */
void gates_text(const struct gates *g, struct buf *out);
MUST_CHECK int gates_json(const struct driver *drv, const struct gates *g, struct buf *out,
                          struct err *err);
void gates_metrics(const struct driver *drv, const struct gates *g, struct buf *out);

#endif
