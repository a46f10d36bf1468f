/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Keeps a health report in the store at the points of a maintenance: before, during and after. */
#ifndef CRLAGENT_WATCH_SNAPSHOT_H
#define CRLAGENT_WATCH_SNAPSHOT_H

#include "config/config.h"
#include "maint/view.h"
#include "watch/watch.h"

#define REPORT_LOCATIONS_MAX 500 /* a report with more is too long for a mail */

/* A look: kept under that phase. keep_worst: one that is worse stays. */
MUST_CHECK int snapshot_keep(struct store *store, int64_t maintenance, const char *phase,
                             bool keep_worst, struct look *l, struct err *err);

/* What the engine saw (it asks the locations whole), judged and kept, for mails also as a page.
 * view and round stay the caller's. admin: asked for the CA's own CRLs when view->asked; NULL = as
 * kept. */
MUST_CHECK int snapshot_of_round(struct store *store, const struct ca_admin *admin,
                                 const struct config *config, int64_t maintenance,
                                 const char *phase, const struct ca_view *view,
                                 const struct probe_round *round, struct err *err);

/* Appends the page of that phase, self-contained HTML. ERR_NOT_FOUND: there is none (yet). */
MUST_CHECK int snapshot_page(struct store *store, int64_t maintenance, const char *phase,
                             struct buf *ret, struct err *err);

#endif
