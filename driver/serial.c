/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include <stdlib.h>

#include "driver/serial_int.h"

static int serial_put(void *self, const struct upload *u, struct err *err)
{
    (void)self;
    (void)u;
    return err_set(err, ERR_UNSUPPORTED, "no file can be sent over the serial line");
}

static const struct transport_ops serial_ops = {serial_open,  serial_write, serial_read,
                                                serial_close, serial_put,   free};

int serial_transport(const struct plan_serial *c, struct transport *ret, struct err *err)
{
    struct serial *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(err);
    s->c = *c;
    s->port = SERIAL_CLOSED;
    *ret = (struct transport){.ops = &serial_ops,
                              .self = s,
                              .kind = "serial",
                              .eol = "\r",
                              .console_login = true,
                              .survives = true};
    return ERR_OK;
}
