/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#ifndef CRLAGENT_WIN32_SECRET_H
#define CRLAGENT_WIN32_SECRET_H

#include "notify/secret.h"

/* The Credential Manager: generic credentials of the account that runs the process. */
const struct secret_store *secret_system(void);

#endif
