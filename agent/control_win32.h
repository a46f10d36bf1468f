/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The way to the service over its named pipe. */
#ifndef CRLAGENT_AGENT_CONTROL_WIN32_H
#define CRLAGENT_AGENT_CONTROL_WIN32_H

#include "agent/control.h"

const struct control *control_pipe(void);

#endif
