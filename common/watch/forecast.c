/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "watch/forecast.h"

#include <stdlib.h>

#include "report/simulation.h"

int look_forecast(const struct look *l, const struct config *config, int64_t from, int64_t outage,
                  struct buf *out, bool *ret_fits, struct err *err)
{
    SCOPED(scope_free) struct simulate_line *line = calloc(l->round.n + 1, sizeof *line);
    struct look_thresholds chooser = {.config = config};
    size_t n = 0;
    if (!line)
        return err_nomem(err);
    const struct simulate_outage o = {
        .from = from == WHEN_NONE ? l->round.when : from,
        .seconds = outage,
        .propagation = l->propagation,
        .thresholds_of = look_thresholds_of,
        .thresholds_arg = &chooser,
        .verdicts = l->verdicts,
    };
    const struct report r = {
        .generated = l->round.when,
        .propagation = l->propagation,
        .targets = l->round.target,
        .results = l->round.result,
        .verdicts = l->verdicts,
        .n = l->round.n,
        .runway = &l->round.runway,
        .findings = &l->findings,
    };
    simulate_outage(r.targets, r.results, r.n, &o, line, &n);
    report_simulation(&r, line, n, &o, NULL, out);
    *ret_fits = simulation_fits(line, n);
    return buf_check(out, "the forecast", err);
}
