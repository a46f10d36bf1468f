/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The configuration as the figures of the maintenance engine. */
#ifndef CRLAGENT_AGENT_POLICY_H
#define CRLAGENT_AGENT_POLICY_H

#include "config/config.h"
#include "maint/policy.h"

struct maint_policy policy_from_config(const struct config *c);

#endif
