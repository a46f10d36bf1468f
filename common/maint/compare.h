/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The comparison at the end of a maintenance: the same figures before and after, per CRL line, and
 * what became of each service. Flat, for report/ to render. */
#ifndef CRLAGENT_MAINT_COMPARE_H
#define CRLAGENT_MAINT_COMPARE_H

#include "store/maintenance.h"

struct compare_line {
    struct store_figure before, after;
    bool has_before, has_after;
    bool number_higher;
    bool runway_longer; /* weakest runway after >= before */
};

struct compare_service {
    struct store_service former;
    struct svc_info now;
    bool known; /* the SCM was asked */
    bool same;  /* state and start type are what they were */
};

struct maint_comparison {
    int64_t maintenance;
    struct compare_line *line; /* malloc'ed */
    size_t n_lines;
    struct compare_service *service; /* malloc'ed */
    size_t n_services;
    int32_t sign_ms_before, sign_ms_after; /* test signature, -1 = not made */
    int64_t down_seconds;                  /* CertSvc stopped until it answered; -1 = never down */
    bool good;                             /* nothing is worse than before */
    char text[512];                        /* the verdict as one sentence */
};
void maint_comparison_free(struct maint_comparison *c); /* for SCOPED(); takes a zeroed one */

/* From the store; services are asked when svc is not NULL. ERR_NOT_FOUND: no such maintenance. */
MUST_CHECK int maint_compare(struct store *store, const struct svc_control *svc,
                             int64_t maintenance, struct maint_comparison *ret, struct err *err);

#endif
