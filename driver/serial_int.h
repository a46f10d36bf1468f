/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What the systems do differently with a serial line: serial_posix.c, win32/serial.c. The transport
 * around it is serial.c. */
#ifndef CRLAGENT_DRIVER_SERIAL_INT_H
#define CRLAGENT_DRIVER_SERIAL_INT_H

#include "driver/serial.h"

#define SERIAL_CLOSED ((intptr_t)-1)

struct serial {
    struct plan_serial c;
    intptr_t port; /* descriptor or handle; SERIAL_CLOSED */
};

/* Members of struct transport_ops. open also drops what came while nobody listened: it may be a
 * prompt of before a boot. */
int serial_open(void *self, struct err *err);
int serial_write(void *self, const void *bytes, size_t len, struct err *err);
int serial_read(void *self, void *bytes, size_t cap, int64_t timeout_ms, size_t *ret_n,
                struct err *err);
void serial_close(void *self);

#endif
