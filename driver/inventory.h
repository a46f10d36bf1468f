/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What an appliance holds and serves, written down before the change and compared after it. */
#ifndef CRLAGENT_DRIVER_INVENTORY_H
#define CRLAGENT_DRIVER_INVENTORY_H

#include "driver/driver.h"

/* On the present connection, or a new one. */
MUST_CHECK int inventory_read(struct site *s, struct inventory *ret, struct err *err);
MUST_CHECK int inventory_save(struct site *s, const struct inventory *i, struct err *err);

/* What must not differ (partitions, clients and theirs, routes, services, source check) from what
 * was written down under that name ("before", "check"): one line per difference into *diff, empty
 * when nothing changed or nothing was written down. */
MUST_CHECK int inventory_compare(struct site *s, const char *since, const struct inventory *now,
                                 struct buf *diff, struct err *err);

/* Has a run written down how it found this appliance? */
MUST_CHECK int inventory_begun(struct site *s, bool *ret, struct err *err);

/* For 'check': reads the list into s->inventory, compares it with what stood before the change
 * when a run has begun, else with the last check, and writes it down for the next time (not while a
 * run is open). since: with what it was compared. */
MUST_CHECK int inventory_note(struct site *s, char since[64], struct buf *diff, struct err *err);

/* The name of an item, for people and JSON. */
const char *inventory_name(enum inventory_item i);

/* "Upgrade Firmware: X" of 'hsm firmware show'; "" when it is not printed or is no version. */
MUST_CHECK int inventory_standby(struct site *s, char ret[32], struct err *err);

#endif
