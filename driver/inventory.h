/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What an appliance holds and serves, written down before the change and compared after it. */
#ifndef CRLAGENT_DRIVER_INVENTORY_H
#define CRLAGENT_DRIVER_INVENTORY_H

#include "driver/driver.h"

enum inventory_item {
    INV_SOFTWARE,
    INV_FIRMWARE,
    INV_PARTITIONS, /* "serial name objects" a line each */
    INV_CLIENTS,
    INV_ROUTES,
    INV_NTLS,    /* "running" */
    INV_IPCHECK, /* the line of 'ntls ipcheck show' */
    INV_STANDBY, /* "Upgrade Firmware" of 'hsm firmware show', "" when not printed */
    INV_ITEMS
};

struct inventory {
    struct buf item[INV_ITEMS];
};
void inventory_free(struct inventory *i); /* for SCOPED() */

/* On the present connection, or a new one. */
MUST_CHECK int inventory_read(struct site *s, struct inventory *ret, struct err *err);
MUST_CHECK int inventory_save(struct site *s, const struct inventory *i, struct err *err);

/* What must not differ (partitions, clients, routes, NTLS, source check): one line per difference
 * into *diff, empty when nothing changed. */
MUST_CHECK int inventory_compare(struct site *s, const struct inventory *now, struct buf *diff,
                                 struct err *err);

/* "Upgrade Firmware: X" of 'hsm firmware show'; "" when it is not printed or is no version. */
MUST_CHECK int inventory_standby(struct site *s, char ret[32], struct err *err);

#endif
