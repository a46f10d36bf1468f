/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Version numbers as appliances print them: "7.7.0-317", "6.10.9", "7.0". The number after the dash
 * is the build; the firmware level is shown without one (domain: 7.7.1-20 shows as 7.7.1). */
#ifndef CRLAGENT_DRIVER_VERSION_H
#define CRLAGENT_DRIVER_VERSION_H

#include <stdbool.h>

#include "base/err.h"

#define VERSION_TEXT_MAX 48

struct version {
    int part[3]; /* -1 = not given ("7.0" has two) */
    int build;   /* -1 = not given */
};

/* One to three numbers with dots, optionally "-build". ERR_PARSE otherwise; *ret untouched then. */
MUST_CHECK int version_parse(const char *text, struct version *ret, struct err *err);

/* -1, 0, 1 over the three numbers; a missing one counts as 0. The build is not looked at. */
int version_compare(const struct version *a, const struct version *b);

/* Does v belong to the line "pattern"? "7.0" covers 7.0.3; "7.0.3" covers 7.0.3-12 only if the
 * pattern has no build or the same one. */
bool version_in(const struct version *v, const struct version *pattern);

/* Is `shown`, printed by an appliance, what `wanted` asks for? The build counts when both have one.
 */
bool version_reached(const char *shown, const char *wanted);

#endif
