/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Shared by the files of the world, not by its users. */
#ifndef CRLAGENT_TESTS_SUPPORT_WORLD_INT_H
#define CRLAGENT_TESTS_SUPPORT_WORLD_INT_H

#include "support/world.h"

void world_crime(struct world *w, const char *text, const char *what);
int world_gone(struct err *err);
/* Time has gone by: pending states are left. */
void world_settle(struct world *w, struct world_service *s);
void world_cluster_settle(struct world *w);
/* Its resource, NULL = a plain service. */
struct world_resource *world_resource_of(struct world *w, const char *service);
bool world_ca_runs_elsewhere(struct world *w);
/* A crime when the CA comes back within the minimum time. */
void world_check_gap(struct world *w, const struct world_service *s);
const struct svc_ops *world_svc_ops(void);

#endif
