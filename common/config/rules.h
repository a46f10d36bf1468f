/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What a schema cannot say: ranges of durations and settings that belong together. Internal to
 * common/config. */
#ifndef CRLAGENT_CONFIG_RULES_H
#define CRLAGENT_CONFIG_RULES_H

#include "config/config.h"
#include "config/xmldoc.h"

/* ERR_INVALID with "FILE:LINE: element ...: expected ..., found ...". */
MUST_CHECK int config_rules(const struct config *c, xmlNodePtr root, const char *label,
                            struct err *err);

#endif
