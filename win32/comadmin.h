/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* ICertAdmin2 behind the seam of ca/admin.h. Calls block without a limit: use ca_admin_open, which
 * adds one. */
#ifndef CRLAGENT_WIN32_COMADMIN_H
#define CRLAGENT_WIN32_COMADMIN_H

#include "ca/admin.h"

/* Once per process, before anything else uses COM: multi-threaded, packet privacy,
 * impersonation. Fine to call again. */
MUST_CHECK int com_admin_init(struct err *err);

/* One object per configuration string (certadm.dll caches per string). ERR_UNSUPPORTED when the
 * class is not registered on this host. */
MUST_CHECK int com_admin_open(const char *config_string, struct ca_admin *ret, struct err *err);
void com_admin_close(struct ca_admin *admin);

/* OLE automation date (days since 1899-12-30, UTC) of a UTC time; 0 for 0. */
double com_date(int64_t when);

#endif
