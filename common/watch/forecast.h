/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What an outage of the CA would do to the locations of a look, with the configured thresholds. */
#ifndef CRLAGENT_WATCH_FORECAST_H
#define CRLAGENT_WATCH_FORECAST_H

#include "watch/watch.h"

/* Appends the table of report_simulation(): nothing is signed in [from, from + outage) (UTC
 * seconds; from WHEN_NONE = when the look was taken). *ret_fits: no location runs out. ERR_NOMEM.
 */
MUST_CHECK int look_forecast(const struct look *l, const struct config *config, int64_t from,
                             int64_t outage, struct buf *out, bool *ret_fits, struct err *err);

#endif
