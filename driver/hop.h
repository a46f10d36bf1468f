/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Several updates of one appliance, one after the other, in one plan (<via>). A member is taken
 * through all of them before the next one is begun; each hop has its own package, code, SO login,
 * proofs and comparison, and nothing of a hop is begun before the one before it is compared. In
 * journal and on the command line its steps are "update@1", "update@2"; with one hop "update". */
#ifndef CRLAGENT_DRIVER_HOP_H
#define CRLAGENT_DRIVER_HOP_H

#include "driver/driver.h"

#define HOP_NAME_MAX 48

/* The hop that the site is in. */
const struct plan_hop *hop_of(const struct site *s);
bool hop_is_last(const struct site *s);

/* "update" -> "update@2" where there are several hops. */
const char *hop_name(const struct plan *p, size_t hop, const char *name, char dst[HOP_NAME_MAX]);

/* Does an appliance that shows `shown` need that hop's software (firmware)? Not when it is there
 * already, and not when it is at the target of a later hop: nothing goes back. */
bool hop_needs_software(const struct plan *p, size_t hop, const char *shown);
bool hop_needs_firmware(const struct plan *p, size_t hop, const char *shown);

/* Under which name secrets.c has the code of that package: "authcode" and "authcode:patch" for the
 * target, "authcode:FILE.spkg" for what comes before it. */
const char *hop_code_key(const struct plan *p, size_t hop, bool patch, char dst[80]);

#endif
