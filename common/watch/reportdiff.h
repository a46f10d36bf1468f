/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What has changed between two health reports, as the JSON that they were kept in. */
#ifndef CRLAGENT_WATCH_REPORTDIFF_H
#define CRLAGENT_WATCH_REPORTDIFF_H

#include <jansson.h>

/* {"from", "to", "good", "text", "runway_before_seconds", "runway_after_seconds",
 * "findings_new", "findings_gone", "findings_lasting", "locations"}. good: no warning or worse is
 * new, and every location that was usable still is. Both reports are crlagent-report documents;
 * what is missing in one counts as nothing found. The caller owns it; NULL without memory. */
json_t *report_diff(const json_t *before, const json_t *after);

#endif
