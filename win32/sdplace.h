/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Where Windows keeps the access lists that decide what the agent may do: the SCM for services, the
 * CA's registry key for the roles of the CA, the key itself for reading. */
#ifndef CRLAGENT_WIN32_SDPLACE_H
#define CRLAGENT_WIN32_SDPLACE_H

#include "ca/grant.h"

/* QUERY_CONFIG, QUERY_STATUS, ENUMERATE_DEPENDENTS, START, STOP (winsvc.h): what svc_control_scm()
 * asks for, but for set_start, which needs SERVICE_CHANGE_CONFIG: whoever has that is SYSTEM. */
#define SD_SERVICE_RIGHTS 0x003Du

/* Access list of a service, through the SCM. name must outlive the place. The SCM may answer with
 * the same entries in another layout. */
struct sd_place sd_place_service(const char *name);

/* Value "Security" below HKEY_LOCAL_MACHINE\key: the CA's roles ([MS-CSRA] 3.1.1.7). CertSvc reads
 * it when it starts. key must outlive the place. write: ERR_NOT_FOUND when there is no such value:
 * none is ever made. */
struct sd_place sd_place_ca(const char *key);

/* Access list of a key below HKEY_LOCAL_MACHINE, appended. */
MUST_CHECK int sd_read_key(const char *key, struct buf *ret, struct err *err);

/* The account a service runs as, malloc'ed ("LocalSystem", "NT SERVICE\\x"). ERR_NOT_FOUND. */
MUST_CHECK int svc_account(const char *service, char **ret, struct err *err);

/* SID of an account as text; "NT SERVICE\\x" and "LocalSystem" need no lookup and no service. */
MUST_CHECK int sid_text_of(const char *account, char *dst, size_t dst_size, struct err *err);

#endif
