/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* No connection at all: a person types at the appliance and pastes what it says. Each command is
 * shown with what to expect; pasted text ends with the appliance's prompt, or with a line that
 * holds a single dot. A line "lost" says that the connection is gone. */
#ifndef CRLAGENT_DRIVER_MANUAL_H
#define CRLAGENT_DRIVER_MANUAL_H

#include <stdio.h>

#include "driver/transport.h"

MUST_CHECK int manual_transport(const char *name, FILE *to, struct transport *ret, struct err *err);

#endif
