/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The service control manager behind the seam of ca/service.h. Handles are opened with the least
 * right each call needs, so that an account with query, stop and start alone can use it. */
#ifndef CRLAGENT_WIN32_SERVICE_H
#define CRLAGENT_WIN32_SERVICE_H

#include "ca/service.h"

/* The local SCM; static, needs no release. Any thread. */
const struct svc_control *svc_control_scm(void);

#endif
