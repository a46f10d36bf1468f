/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Parts of site.c and setup.c that only the driver's own files use. */
#ifndef CRLAGENT_DRIVER_SITE_H
#define CRLAGENT_DRIVER_SITE_H

#include "driver/driver.h"

/* Makes the transports of a site once; asks for its password when one is needed. */
MUST_CHECK int site_connect_transports(struct site *s, struct err *err);
void site_pin(struct site *s, const char *fingerprint);

/* Turns an exchange that is no success into an error: ERR_UNAVAILABLE (connection lost),
 * ERR_TIMEOUT, ERR_STATE (a person is needed), ERR_BUSY (the card does not answer), ERR_PARSE,
 * ERR_IO. */
int site_exchange_error(struct site *s, const char *id, const struct exchange *x, struct err *err);

#endif
