/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* TCP for the SSH transport; two implementations: net_posix.c and win32/net.c. */
#ifndef CRLAGENT_DRIVER_NET_H
#define CRLAGENT_DRIVER_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define NET_NONE ((intptr_t)-1)

/* Tries every address of the host in turn; the socket is non-blocking, without Nagle's delay, with
 * keep-alive probes so that a peer that vanished is noticed within about a minute. ERR_NOT_FOUND
 * (no such name), ERR_UNAVAILABLE with the last reason. */
MUST_CHECK int net_connect(const char *host, uint16_t port, int64_t timeout_ms, intptr_t *ret,
                           struct err *err);

/* Waits until the socket can be read or written. 1 = it can, 0 = time-out, -1 = error. */
int net_wait(intptr_t socket, bool readable, bool writable, int64_t timeout_ms);

void net_close(intptr_t *socket); /* NET_NONE is fine */

#endif
