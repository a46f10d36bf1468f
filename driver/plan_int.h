/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Between the files that read a plan. */
#ifndef CRLAGENT_DRIVER_PLAN_INT_H
#define CRLAGENT_DRIVER_PLAN_INT_H

#include "driver/plan.h"
#include "driver/xml.h"

/* Appends "do: ..." to an error of the schema whose element or attribute is a known one. */
void plan_hint(struct err *err);

/* ERR_PARSE with the line when something below the node looks like a password or an authorization
 * code; the value itself is not in the text. */
MUST_CHECK int plan_refuse_secrets(const char *label, const xmlNode *node, struct err *err);

#endif
