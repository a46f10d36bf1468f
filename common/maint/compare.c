/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "maint/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/when.h"

#define FIGURES_MAX 768 /* 256 CRLs in three phases */

void maint_comparison_free(struct maint_comparison *c)
{
    free(c->line);
    free(c->service);
    memset(c, 0, sizeof *c);
}

static struct compare_line *line_of(struct maint_comparison *c, const struct store_figure *f)
{
    for (size_t i = 0; i < c->n_lines; i++) {
        const struct store_figure *o =
            c->line[i].has_before ? &c->line[i].before : &c->line[i].after;
        if (o->key_index == f->key_index && o->partition == f->partition && o->delta == f->delta)
            return &c->line[i];
    }
    return &c->line[c->n_lines++];
}

/* Both numbers come from crl_number_format: decimal without leading zeros up to 64 bits, else hex.
 */
static bool number_higher(const char *after, const char *before)
{
    bool hex_a = strncmp(after, "0x", 2) == 0, hex_b = strncmp(before, "0x", 2) == 0;
    if (strcmp(after, "-") == 0)
        return false;
    if (strcmp(before, "-") == 0)
        return true;
    if (hex_a != hex_b)
        return hex_a;
    size_t a = strlen(after), b = strlen(before);
    return a != b ? a > b : strcmp(after, before) > 0;
}

static void sort_in(struct maint_comparison *c, const struct store_figure *f)
{
    if (f->phase == PHASE_COVER)
        return;
    struct compare_line *l = line_of(c, f);
    if (f->phase == PHASE_BEFORE) {
        l->before = *f;
        l->has_before = true;
        if (f->sign_ms > c->sign_ms_before)
            c->sign_ms_before = f->sign_ms;
    } else {
        l->after = *f;
        l->has_after = true;
        if (f->sign_ms > c->sign_ms_after)
            c->sign_ms_after = f->sign_ms;
    }
}

static int compare_lines(struct store *store, struct maint_comparison *c, struct err *err)
{
    size_t n = 0;
    struct store_figure *f = calloc(FIGURES_MAX, sizeof *f);
    c->line = calloc(FIGURES_MAX, sizeof *c->line);
    int rc = f && c->line ? store_figure_list(store, c->maintenance, f, FIGURES_MAX, &n, err)
                          : err_nomem(err);
    for (size_t i = 0; i < n && !rc; i++)
        sort_in(c, &f[i]);
    for (size_t i = 0; i < c->n_lines; i++) {
        struct compare_line *l = &c->line[i];
        if (!l->has_before || !l->has_after)
            continue;
        l->number_higher = number_higher(l->after.number, l->before.number);
        l->runway_longer = l->after.weakest >= l->before.weakest;
    }
    free(f);
    return rc;
}

static void ask_service(const struct svc_control *svc, struct compare_service *s)
{
    struct err ignored = ERR_INIT;
    int rc = svc ? svc->ops->query(svc->self, s->former.name, &s->now, &ignored) : ERR_UNSUPPORTED;
    s->known = rc == ERR_NOT_FOUND; /* removed meanwhile: known not to be the same */
    if (rc)
        return;
    bool ran = s->former.former == SVC_RUNNING;
    s->known = true;
    s->same = (s->now.state == SVC_RUNNING) == ran && s->now.start == s->former.former_start &&
              s->now.delayed_auto == s->former.former_delayed;
}

static int compare_services(struct store *store, const struct svc_control *svc,
                            struct maint_comparison *c, struct err *err)
{
    size_t n = 0;
    struct store_service *list = calloc(LIMIT_SERVICES, sizeof *list);
    c->service = calloc(LIMIT_SERVICES, sizeof *c->service);
    int rc = list && c->service
                 ? store_service_list(store, c->maintenance, list, LIMIT_SERVICES, &n, err)
                 : err_nomem(err);
    for (size_t i = 0; i < n && !rc; i++) {
        c->service[i].former = list[i];
        ask_service(svc, &c->service[i]);
    }
    c->n_services = rc ? 0 : n;
    free(list);
    return rc;
}

/* A runway is shorter after than before when a cover CRL or a long period stood before: that alone
 * is no harm as long as the CRL is new. What counts: every CRL there was has a successor, every
 * location serves something usable, every service is what it was. */
static void sum_up(struct maint_comparison *c)
{
    size_t stale = 0, dark = 0, changed = 0;
    for (size_t i = 0; i < c->n_lines; i++) {
        const struct compare_line *l = &c->line[i];
        stale += l->has_after && l->has_before && !l->number_higher;
        dark += l->has_before && (!l->has_after || l->after.weakest == INT64_MIN);
    }
    for (size_t i = 0; i < c->n_services; i++)
        changed += c->service[i].known && !c->service[i].same;
    c->good = !stale && !dark && !changed;
    if (c->good)
        snprintf(c->text, sizeof c->text,
                 "nothing is worse than before: %zu CRLs renewed, %zu services as they were",
                 c->n_lines, c->n_services);
    else
        snprintf(c->text, sizeof c->text,
                 "worse than before: %zu of %zu CRLs not renewed, %zu not readable everywhere, %zu "
                 "of %zu services not as they were",
                 stale, c->n_lines, dark, changed, c->n_services);
}

int maint_compare(struct store *store, const struct svc_control *svc, int64_t maintenance,
                  struct maint_comparison *ret, struct err *err)
{
    struct maint_comparison c = {
        .maintenance = maintenance, .sign_ms_before = -1, .sign_ms_after = -1, .down_seconds = -1};
    struct store_maintenance row;
    int rc = store_maintenance_get(store, maintenance, &row, err);
    if (!rc)
        rc = compare_lines(store, &c, err);
    if (!rc)
        rc = compare_services(store, svc, &c, err);
    if (rc) {
        maint_comparison_free(&c);
        return rc;
    }
    if (row.stopped != WHEN_NONE && row.resumed != WHEN_NONE && row.resumed >= row.stopped)
        c.down_seconds = row.resumed - row.stopped;
    sum_up(&c);
    maint_comparison_free(ret);
    *ret = c;
    return ERR_OK;
}
