/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Recent events of the CA from the Application log, by the event-log interface of Windows (wevtapi,
 * loaded at run time: Wine's is an empty shell, which is ERR_UNSUPPORTED). */
#ifndef CRLAGENT_WIN32_CAEVENTS_H
#define CRLAGENT_WIN32_CAEVENTS_H

#include "health/caevent.h"

/* The log of this host. A service that hangs is left behind after 5 s (ERR_TIMEOUT). */
const struct ca_event_log *ca_event_log_system(void);

#endif
