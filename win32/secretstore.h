/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* User names and passwords of the service. First the Credential Manager of the account it runs
 * under (generic credential NAME); then a file of ours that is encrypted for this
 * machine (DPAPI) in a folder only SYSTEM, Administrators and the service can read, because nobody
 * can log on as a service account to fill its Credential Manager. */
#ifndef CRLAGENT_WIN32_SECRETSTORE_H
#define CRLAGENT_WIN32_SECRETSTORE_H

#include "notify/secret.h"

/* Static. */
const struct secret_store *secret_store_system(void);

/* The file: write or replace, and remove (fine when there is none). name: letters, digits, '-', '_'
 * and '.', at most 64. ERR_INVALID, ERR_LIMIT, ERR_DENIED. */
MUST_CHECK int secret_store_put(const char *name, const struct secret *secret, struct err *err);
MUST_CHECK int secret_store_remove(const char *name, struct err *err);

#endif
