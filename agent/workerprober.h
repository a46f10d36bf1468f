/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The prober of the service: every round runs in a worker process of its own, without rights,
 * which ends with the round. */
#ifndef CRLAGENT_AGENT_WORKERPROBER_H
#define CRLAGENT_AGENT_WORKERPROBER_H

#include "cdp/probe.h"

/* program: full path of this program; it must outlive the prober. */
struct prober worker_prober(const char *program);

#endif
