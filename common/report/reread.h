/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A JSON report back into the model, so that it can be rendered in another form and compared with a
 * later one: a file that was kept, or a report in an evidence bundle. */
#ifndef CRLAGENT_REPORT_REREAD_H
#define CRLAGENT_REPORT_REREAD_H

#include "report/report.h"

#define REPORT_JSON_BYTES_MAX (256u * 1024 * 1024)

struct report_copy {
    struct report report; /* points to what follows */
    struct probe_target *targets;
    struct probe_result *results;
    uint32_t *verdicts;
    struct findings findings;
    struct runway runway;
    struct report_maintenance maintenance;
    struct report_point *history;
    struct report_hsm hsm;
};
void report_copy_free(struct report_copy **c); /* for SCOPED(); takes NULL */

/* What the document tells is filled in: locations with their CRLs and states, findings,
 * maintenance, history, HSM; the runway is computed again from them. Control characters become '?'.
 * ERR_PARSE: no JSON, or no crlagent-report of this version; ERR_LIMIT; ERR_NOMEM. */
MUST_CHECK int report_reread(const char *json, size_t len, struct report_copy **ret,
                             struct err *err);

/* The same from a file; errors name it. */
MUST_CHECK int report_reread_file(const char *path, struct report_copy **ret, struct err *err);

#endif
