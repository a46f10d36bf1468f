/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What simulate_outage() found, as a table for people: one line per location, those that fall first
 * in front; then whether the outage fits, and which would. The runway is the first line. */
#ifndef CRLAGENT_REPORT_SIMULATION_H
#define CRLAGENT_REPORT_SIMULATION_H

#include "health/simulate.h"
#include "report/report.h"

/* r: the model of the same probes (with its runway). style may be NULL. Appends to
 * *out. */
void report_simulation(const struct report *r, const struct simulate_line *line, size_t n,
                       const struct simulate_outage *o, const struct report_style *style,
                       struct buf *out);

/* Every location has a CRL, and all of them outlive the outage. */
bool simulation_fits(const struct simulate_line *line, size_t n);

#endif
