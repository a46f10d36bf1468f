/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A report beside an earlier one: --before of check and report, and evidence show. */
#ifndef CRLAGENT_AGENT_COMPARE_H
#define CRLAGENT_AGENT_COMPARE_H

#include "agent/control.h"
#include "report/report.h"

/* Renders r to output (whole or not at all), or to standard output when NULL. Returns code, or
 * EXIT_CHECK_UNKNOWN when that could not be done. */
int compare_deliver(struct cli *cli, const struct report *r, enum report_format format,
                    const char *output, int code);

/* Asks the service (req: check or report, its format is the one that is wanted here), and shows its
 * report beside the one in the file before. As compare_deliver(). */
int compare_service(struct cli *cli, const struct protocol_request *req, const char *before,
                    const char *output);

#endif
