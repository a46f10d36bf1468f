/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Whom the command line may talk to. Any user may take the name of the control pipe while the
 * service does not run, so the process that serves it is never taken on trust. */
#ifndef CRLAGENT_AGENT_LISTENER_H
#define CRLAGENT_AGENT_LISTENER_H

#include <stdint.h>

#include "base/when.h"
#include "ca/service.h"

/* How long a service that is starting is waited for. */
#define LISTENER_START_MS 15000

/* Process id of the service named, once it runs. *ret_pid = 0 when the SCM does not know the
 * service, or does not tell this caller (an operator in a remote shell): then the pipe's owner has
 * to prove who made it. ERR_UNAVAILABLE when the service is known and does not run: its pipe must
 * not be opened. */
MUST_CHECK int listener_find(const struct svc_control *scm, const char *name,
                             const struct clock *clock, uint32_t *ret_pid, struct err *err);

#endif
