/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Old CDPs live until the last certificate dies: what the certificates that the CA issued recently
 * carry goes into the store, and stays there until the last of them has expired. */
#ifndef CRLAGENT_MAINT_HARVEST_H
#define CRLAGENT_MAINT_HARVEST_H

#include "maint/view.h"

struct harvest_limits {
    uint32_t count; /* newest certificates read at most; 0 = none are read */
    int64_t age;    /* seconds since they became valid; 0 = any */
};

/* Reads them once a day (a timer in the store) while the CA may be asked, and puts the result into
 * the view. A CA that has no such question (ERR_UNSUPPORTED) is left alone. */
MUST_CHECK int harvest_refresh(struct store *store, const struct ca_admin *admin,
                               const struct harvest_limits *limits, int64_t now, struct ca_view *v,
                               struct err *err);
/* What is known from earlier, into the view; also while the CA is stopped. */
MUST_CHECK int harvest_recall(struct store *store, int64_t now, struct ca_view *v, struct err *err);

#endif
