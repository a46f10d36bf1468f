/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What grant, revoke and doctor have in common: the account, the objects, the services. */
#ifndef CRLAGENT_AGENT_RIGHTS_WIN32_H
#define CRLAGENT_AGENT_RIGHTS_WIN32_H

#include <stdbool.h>

#include "ca/admin.h"
#include "ca/settings.h"
#include "config/config.h"
#include "win32/sdplace.h"

/* The service's own identity. Windows puts it into the service's token whatever account it runs as
 * (service SID type "unrestricted", set at install), so rights given to it follow the service. */
#define RIGHTS_ACCOUNT "NT SERVICE\\crlagent"

/* First word of an object in a record. */
#define RIGHTS_SERVICE "service"
#define RIGHTS_CA "ca"

/* Certificate manager, auditor, backup operator ([MS-CSRA] 3.1.1.7). */
#define RIGHTS_OTHER_ROLES 0x0Eu

/* Makes or removes MARKER_GRANTS, as the records in PLACE_GRANTS say; *ret (may be NULL) = whether
 * there are any. A folder that is not there holds none. */
MUST_CHECK int rights_mark(bool *ret, struct err *err);

/* Who may run a maintenance where the configuration names nobody: what setup was told (property
 * OPERATORS), in HKEY_LOCAL_MACHINE, which administrators alone can write. The configuration wins.
 */
MUST_CHECK int rights_operators(struct config *c, struct err *err);

/* The configuration in that file, the defaults when there is none; with rights_operators(). */
MUST_CHECK int rights_config(const char *path, struct config *ret, struct err *err);

/* Calls each() for CertSvc, for what depends on it, and for the configured services, once each. */
MUST_CHECK int rights_each_service(const char *config_path,
                                   int (*each)(void *arg, const char *name, struct err *err),
                                   void *arg, struct err *err);

#endif
