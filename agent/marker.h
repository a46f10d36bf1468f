/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What setup must know before it begins, as files directly in the data folder. Setup looks for them
 * in the half of msiexec that runs without an administrator's rights (a double click), which sees
 * that folder and its files but nothing below it. Their names are also in
 * installer/tables/Signature.idt. */
#ifndef CRLAGENT_AGENT_MARKER_H
#define CRLAGENT_AGENT_MARKER_H

#include <stdbool.h>

#include "base/err.h"

enum marker {
    /* "maintenance.open": upgrade and removal are refused, which would stop the service that brings
     * the CA back. */
    MARKER_MAINTENANCE,
    /* "service.running": an upgrade or a repair starts the service again. */
    MARKER_RUNNING,
    /* "grants.in-force": rights of 'crlagent grant' are there. A removal says so, one with PURGE=1
     * is refused: it would lose the former access lists. */
    MARKER_GRANTS,
};

/* Makes the file in that folder, or removes it. Already so is fine. */
MUST_CHECK int marker_set(const char *folder, enum marker which, bool there, struct err *err);

/* The same in the data folder of this host, which is verified before anything is written. Without
 * that folder there is nothing to remove. In rights_win32.c. */
MUST_CHECK int marker_set_here(enum marker which, bool there, struct err *err);

#endif
