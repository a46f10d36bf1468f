/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The file "maintenance.open" beside the store. Setup looks for it and refuses to upgrade or remove
 * the agent while a maintenance is open: it would stop the service that brings the CA back. */
#ifndef CRLAGENT_AGENT_MARKER_H
#define CRLAGENT_AGENT_MARKER_H

#include <stdbool.h>

#include "base/err.h"

#define MARKER_NAME "maintenance.open" /* also in installer/tables/Signature.idt */

/* Makes the file in the folder of store_path, or removes it. Already so is fine. */
MUST_CHECK int marker_set(const char *store_path, bool open, struct err *err);

#endif
