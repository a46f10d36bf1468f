/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Until when the CAs must be back, as their agents said it (from the runway of their CRLs), and
 * whether what is left to do fits into that. Kept in the journal, so that a resume and a second
 * console know it. */
#ifndef CRLAGENT_DRIVER_RESUMEBY_H
#define CRLAGENT_DRIVER_RESUMEBY_H

#include <jansson.h>

#include "driver/driver.h"

/* The agent's answer to pre-upgrade; WHEN_NONE when the CA is resumed or none was said. */
void resumeby_set(struct driver *drv, const char *owner, int64_t when);

/* The earliest of all agents, WHEN_NONE when none is paused or said so; owner (64 bytes) = which
 * one. */
int64_t resumeby_earliest(struct journal *j, char owner[64]);

/* Is any step of any appliance needed and not done? */
bool resumeby_steps_left(struct driver *drv);

/* Seconds that the steps which are left are expected to take, from the table of updates: at least
 * and at most. */
void resumeby_expected(struct driver *drv, int64_t *ret_low, int64_t *ret_high);

/* Before a step: says until when the CAs must be back, and warns when the rest does not fit; not
 * again before that changes or ten minutes are over. */
void resumeby_tell(struct driver *drv);

/* Lines for status; nothing when no CA is paused. */
void resumeby_status(struct journal *j, int64_t now, struct buf *out);
/* The same as an array of {"owner", "resume-by"}; never NULL but without memory. */
json_t *resumeby_json(struct journal *j);

#endif
