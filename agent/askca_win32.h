/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A CA named "HOST\\CA", on this host or another, asked for its locations without the service. */
#ifndef CRLAGENT_AGENT_ASKCA_WIN32_H
#define CRLAGENT_AGENT_ASKCA_WIN32_H

#include "agent/probing.h"

/* Adds to p what the CA says over COM: locations of each living key, its certificates as issuers,
 * the CAs above as far as this host knows their certificates, and what the newest issued
 * certificates carry (a finding when they may not be read). Needs the right to read on that CA. */
MUST_CHECK int ask_ca(const char *config_string, struct probing *p, struct err *err);

#endif
