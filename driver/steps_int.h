/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Between steps.c and steps_reboot.c. */
#ifndef CRLAGENT_DRIVER_STEPS_INT_H
#define CRLAGENT_DRIVER_STEPS_INT_H

#include "driver/steps.h"

/* What the journal has of that appliance; "" when it has nothing or cannot be read. */
void steps_fact(struct site *s, const char *key, struct buf *ret);
/* A fact that was written down when that hop began. */
void steps_hop_fact(struct site *s, size_t hop, const char *name, struct buf *ret);
/* Of the hop that the site is in. */
bool steps_hop_fact_is(struct site *s, const char *name, const char *value);

int reboot_do(struct site *s, struct err *err);
int reboot_do_patch(struct site *s, struct err *err);
int reboot_proof(struct site *s, bool *ret_reached, struct err *err);
int reboot_proof_back(struct site *s, bool *ret_reached, struct err *err);

#endif
