/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Locations that were not asked, as findings: none of them vanishes from a report. */
#ifndef CRLAGENT_HEALTH_SKIPPED_H
#define CRLAGENT_HEALTH_SKIPPED_H

#include "cdp/locations.h"
#include "health/finding.h"

/* One finding for each noted location (struct location_skip), and a last one for what was left out
 * beyond LOCATION_SKIPS. ERR_NOMEM only. */
MUST_CHECK int health_skipped(const struct locations *l, const char *ca, struct findings *ret,
                              struct err *err);

#endif
