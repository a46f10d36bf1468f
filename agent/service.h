/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The Windows service: wiring, conductor, pipe and watch, started and stopped together. */
#ifndef CRLAGENT_AGENT_SERVICE_H
#define CRLAGENT_AGENT_SERVICE_H

#include <stdbool.h>

#include "base/err.h"
#include "cdp/ldap.h"

/* Runs until the SCM (or the console) stops it. config_path NULL = the installed one. */
MUST_CHECK int service_run(const char *config_path, bool console, const struct ldap_fetcher *ldap,
                           struct err *err);

#endif
