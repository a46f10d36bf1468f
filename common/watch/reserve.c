/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Reserve CRLs as the watch sees them: one in use is a finding in every report; one that is served
 * although it is over is a worse one. A location is recognised by its bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "maint/reserve.h"
#include "watch/watch.h"

#define ROWS_MAX 64 /* the newest: older ones have expired at every location */

static int in_use(const struct store_reserve *r, const char *ca, struct findings *findings,
                  struct err *err)
{
    char from[WHEN_TEXT_MAX], until[WHEN_TEXT_MAX], since[WHEN_TEXT_MAX];
    struct finding *f = findings_add(findings, FIND_RESERVE_IN_USE);
    if (!f)
        return err_nomem(err);
    str_copy(f->ca, sizeof f->ca, ca ? ca : "");
    f->key_index = r->key_index;
    str_copy(f->expected, sizeof f->expected, "a CRL that the CA has published");
    snprintf(f->found, sizeof f->found,
             "reserve CRL number %s in use since %s, until %s; revocations after %s are not in it",
             r->number, when_format(r->released, from), when_format(r->next_update, until),
             when_format(r->this_update, since));
    finding_fill_remedy(f);
    return ERR_OK;
}

static int still_seen(const struct store_reserve *r, const char *ca,
                      const struct probe_round *round, size_t i, struct findings *findings,
                      struct err *err)
{
    char ended[WHEN_TEXT_MAX];
    struct finding *f = findings_add(findings, FIND_RESERVE_STILL_SEEN);
    if (!f)
        return err_nomem(err);
    str_copy(f->ca, sizeof f->ca, ca ? ca : "");
    f->key_index = r->key_index;
    str_copy(f->url, sizeof f->url, round->target[i].url);
    str_copy(f->address, sizeof f->address, round->result[i].address);
    str_copy(f->expected, sizeof f->expected, "the CRL that the CA has published since");
    snprintf(f->found, sizeof f->found, "reserve CRL number %s, out of use since %s", r->number,
             when_format(r->ended, ended));
    finding_fill_remedy(f);
    return ERR_OK;
}

static bool serves(const struct probe_round *round, size_t i, const struct store_reserve *r)
{
    char hash[65];
    const struct probe_result *p = &round->result[i];
    if (p->status != PROBE_OK || round->target[i].role != ROLE_CRL_BASE || round->target[i].parent)
        return false;
    str_hex(hash, p->facts.sha256, sizeof p->facts.sha256);
    return strcmp(hash, r->sha256) == 0;
}

int reserve_judge_look(struct store *store, const char *ca, const struct probe_round *round,
                       struct findings *findings, struct err *err)
{
    SCOPED(scope_free) struct store_reserve *rows = calloc(ROWS_MAX, sizeof *rows);
    size_t n = 0;
    int rc = rows ? store_reserve_list(store, false, rows, ROWS_MAX, &n, err) : err_nomem(err);
    for (size_t k = 0; k < n && !rc; k++) {
        if (reserve_in_use(&rows[k]))
            rc = in_use(&rows[k], ca, findings, err);
        for (size_t i = 0; i < round->n && !rc && reserve_is(&rows[k], "recalled"); i++) {
            if (serves(round, i, &rows[k]))
                rc = still_seen(&rows[k], ca, round, i, findings, err);
        }
    }
    return rc;
}

int reserve_count(struct store *store, struct report_reserve *ret, struct err *err)
{
    SCOPED(scope_free) struct store_reserve *rows = calloc(ROWS_MAX, sizeof *rows);
    size_t n = 0;
    *ret = (struct report_reserve){.end = WHEN_NONE};
    int rc = rows ? store_reserve_list(store, true, rows, ROWS_MAX, &n, err) : err_nomem(err);
    for (size_t k = 0; k < n && !rc; k++) {
        const struct store_reserve *r = &rows[k];
        ret->sealed += reserve_is(r, "sealed");
        ret->in_use += reserve_in_use(r);
        if (r->next_update != WHEN_NONE && (ret->end == WHEN_NONE || r->next_update < ret->end))
            ret->end = r->next_update;
    }
    return rc;
}
