/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Everything the service needs from Windows, put together from the configuration: the one place
 * beside main_win32.c that sees both common/ and win32/. */
#ifndef CRLAGENT_AGENT_WIRE_WIN32_H
#define CRLAGENT_AGENT_WIRE_WIN32_H

#include "cdp/ldap.h"
#include "config/config.h"
#include "maint/maint.h"

#define SERVICE_NAME "crlagent"

struct wiring {
    struct config config;
    struct maint_policy policy;
    struct maint_seams seams;         /* clock, progress and stopping are the conductor's */
    struct maint_locate watch_locate; /* as seams.locate, with AIA locations and OCSP responders */
    char *store_path;
    struct wiring_parts *parts;
};

/* config_path NULL = the installed file, and the defaults when there is none. console: events go to
 * standard error too. ldap NULL = LDAP locations cannot be asked. A configuration that is wrong is
 * an error: nothing is guessed. */
MUST_CHECK int wiring_open(const char *config_path, bool console, const struct ldap_fetcher *ldap,
                           struct wiring **ret, struct err *err);
void wiring_close(struct wiring **w); /* for SCOPED(); takes NULL */

/* Path of the configuration: PLACE_CONFIG\crlagent.xml, malloc'ed. */
MUST_CHECK int wiring_config_path(char **ret, struct err *err);

#endif
