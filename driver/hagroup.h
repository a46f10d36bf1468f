/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What 'lunacm hagroup listgroups' prints (a command of the client, not of the appliance). */
#ifndef CRLAGENT_DRIVER_HAGROUP_H
#define CRLAGENT_DRIVER_HAGROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define HA_GROUPS_MAX 16

struct ha_group {
    char label[72];
    bool sync_known, needs_sync;
    size_t alive, others; /* rows of its table: 'alive', and every other word */
    char bad[160];        /* "serial word, ..." of those that are not alive */
};
struct ha_groups {
    struct ha_group group[HA_GROUPS_MAX];
    size_t n;
};

/* ERR_PARSE when there is no group, or one without a member in its table. */
MUST_CHECK int hagroup_parse(const char *text, struct ha_groups *ret, struct err *err);

#endif
