/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "watch/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "store/snapshot.h"
#include "watch/own.h"

/* The worst severity, then how many warnings and worse there are. */
static int32_t weight_of(const struct look *l, int exit_code)
{
    int32_t n = 0;
    for (size_t i = 0; i < l->findings.n && n < 99999; i++)
        n += l->findings.item[i].severity >= SEV_WARNING;
    return exit_code * 100000 + n;
}

int snapshot_keep(struct store *store, int64_t maintenance, const char *phase, bool keep_worst,
                  struct look *l, struct err *err)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    struct store_snapshot p = {.maintenance = maintenance, .when = l->round.when}, old;
    struct err ignored = ERR_INIT;
    int exit_code = 0;
    (void)str_copy(p.phase, sizeof p.phase, phase);
    (void)str_copy(l->phase, sizeof l->phase, phase);
    int rc = look_render(l, store, NULL, REPORT_JSON, SEV_WARNING, &body, &exit_code, err);
    l->phase[0] = '\0';
    p.weight = weight_of(l, exit_code);
    if (rc || (keep_worst &&
               store_snapshot_get(store, maintenance, phase, &old, NULL, &ignored) == ERR_OK &&
               old.weight > p.weight))
        return rc;
    return store_snapshot_put(store, &p, buf_str(&body), body.len, err);
}

static void page_name(const char *phase, char dst[16])
{
    snprintf(dst, 16, "%.10s-page", phase);
}

static int keep_page(struct store *store, int64_t maintenance, const char *phase,
                     const struct look *l, struct err *err)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    struct store_snapshot p = {.maintenance = maintenance, .when = l->round.when};
    int exit_code = 0;
    if (l->round.n > REPORT_LOCATIONS_MAX)
        return ERR_OK;
    page_name(phase, p.phase);
    int rc = look_render(l, store, NULL, REPORT_HTML, SEV_WARNING, &body, &exit_code, err);
    return rc ? rc : store_snapshot_put(store, &p, buf_str(&body), body.len, err);
}

int snapshot_page(struct store *store, int64_t maintenance, const char *phase, struct buf *ret,
                  struct err *err)
{
    struct store_snapshot p;
    char name[16];
    page_name(phase, name);
    return store_snapshot_get(store, maintenance, name, &p, ret, err);
}

int snapshot_of_round(struct store *store, const struct ca_admin *admin,
                      const struct config *config, int64_t maintenance, const char *phase,
                      const struct ca_view *view, const struct probe_round *round, struct err *err)
{
    SCOPED(own_free) struct own_list own = {0};
    /* Borrowed: only what is made here is freed here. */
    struct look l = {
        .view = *view, .round = *round, .propagation = config->maintenance.propagation};
    const struct own_input of = {admin, store, view, round, l.propagation};
    int rc = own_read(&of, &own, err);
    if (!rc)
        rc = look_judge(config, NULL, 0, &own, &l, err);
    if (!rc)
        rc = snapshot_keep(store, maintenance, phase, false, &l, err);
    if (!rc)
        rc = keep_page(store, maintenance, phase, &l, err);
    free(l.verdicts);
    findings_free(&l.findings);
    return rc;
}
