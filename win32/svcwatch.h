/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Watches one service through NotifyServiceStatusChange, without polling: whoever starts the CA
 * while it is paused is noticed at once. */
#ifndef CRLAGENT_WIN32_SVCWATCH_H
#define CRLAGENT_WIN32_SVCWATCH_H

#include "ca/service.h"

struct svc_watch;

/* Called on the watcher's own thread: once with the state found at the start, then at every
 * change. state 0 = the service is being deleted (the last call). Must not block for long and must
 * not close the watch. */
typedef void (*svc_watch_fn)(void *arg, const char *name, enum svc_state state, uint32_t pid);

/* ERR_NOT_FOUND, ERR_DENIED. The watch re-opens itself when the SCM says that a client lags. */
MUST_CHECK int svc_watch_open(const char *name, svc_watch_fn fn, void *arg, struct svc_watch **ret,
                              struct err *err);

/* Ends the thread and waits for it: no callback runs after this returns. NULL is fine. */
void svc_watch_close(struct svc_watch *w);

#endif
