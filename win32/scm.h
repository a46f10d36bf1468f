/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Handles of the service control manager, for the files of this room. */
#ifndef CRLAGENT_WIN32_SCM_H
#define CRLAGENT_WIN32_SCM_H

#include <windows.h>
#include <winsvc.h>

#include "ca/service.h"

/* For SCOPED(): closes a handle that is not NULL. */
void scm_close(SC_HANDLE *h);

/* Opens the local SCM with the rights given (SC_MANAGER_*). */
MUST_CHECK int scm_open(DWORD rights, SC_HANDLE *ret, struct err *err);

/* Opens a service with the rights given (SERVICE_*). ERR_NOT_FOUND, ERR_DENIED. */
MUST_CHECK int scm_open_service(SC_HANDLE scm, const char *name, DWORD rights, SC_HANDLE *ret,
                                struct err *err);

/* Current status of an open service (SERVICE_QUERY_STATUS). */
MUST_CHECK int scm_status(SC_HANDLE service, const char *name, SERVICE_STATUS_PROCESS *ret,
                          struct err *err);

/* QueryServiceConfig into malloc'ed memory. */
MUST_CHECK int scm_config(SC_HANDLE service, const char *name, QUERY_SERVICE_CONFIGW **ret,
                          struct err *err);

#endif
