/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Accounts, SIDs and group membership. */
#ifndef CRLAGENT_WIN32_TOKEN_H
#define CRLAGENT_WIN32_TOKEN_H

#include <windows.h>

#include <stdbool.h>

#include "base/err.h"

/* For SCOPED(): LocalFree of a pointer that is not NULL. */
void local_free(void *ptr_to_ptr);
/* For SCOPED(): closes a handle that is neither NULL nor INVALID_HANDLE_VALUE. */
void handle_close(HANDLE *h);

/* SID of an account or group given as "S-1-..." or by name; *ret is LocalFree'd by the caller.
 * ERR_NOT_FOUND when nobody has that name. */
MUST_CHECK int sid_of(const char *account, PSID *ret, struct err *err);

/* SID of a service's own account, "NT SERVICE\\name": S-1-5-80 and the SHA-1 of the upper-case
 * name, whether the service exists or not. LocalFree'd by the caller. */
MUST_CHECK int sid_of_service(const char *service, PSID *ret, struct err *err);

/* "S-1-5-18" into dst. */
MUST_CHECK int sid_format(PSID sid, char *dst, size_t dst_size, struct err *err);

/* "DOMAIN\name" into dst, the SID's text when nobody knows the name. */
void sid_name(PSID sid, char *dst, size_t dst_size);

/* User SID of a token (TOKEN_QUERY), malloc'ed. */
MUST_CHECK int token_user(HANDLE token, TOKEN_USER **ret, struct err *err);

/* Is sid enabled in the impersonation token? false when that cannot be found out. */
bool token_has(HANDLE token, PSID sid);

#endif
