/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The appliance's serial console: serial_posix.c (a tty) and win32/serial.c (a COM port). 8N1, no
 * flow control, the speed of the plan. */
#ifndef CRLAGENT_DRIVER_SERIAL_H
#define CRLAGENT_DRIVER_SERIAL_H

#include "driver/plan.h"
#include "driver/transport.h"

MUST_CHECK int serial_transport(const struct plan_serial *c, struct transport *ret,
                                struct err *err);

#endif
