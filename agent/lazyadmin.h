/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* CA administration that is opened with the first call: the service starts, and says so, also on a
 * host whose CA is not installed yet or has no name yet. */
#ifndef CRLAGENT_AGENT_LAZYADMIN_H
#define CRLAGENT_AGENT_LAZYADMIN_H

#include "ca/admin.h"
#include "config/config.h"

struct lazy_admin;
MUST_CHECK int lazy_admin_new(const struct config *config, struct lazy_admin **ret,
                              struct err *err);
struct ca_admin lazy_admin_seam(struct lazy_admin *l);
void lazy_admin_free(struct lazy_admin **l); /* for SCOPED(); takes NULL */

#endif
