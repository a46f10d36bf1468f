/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* In which order things are told. */
#include <stdlib.h>

#include "report/report_int.h"

struct placed {
    const struct probe_target *t;
    size_t i;
};

static int by_key_and_kind(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->t->parent != y->t->parent)
        return x->t->parent ? 1 : -1;
    if (x->t->key_index != y->t->key_index)
        return x->t->key_index < y->t->key_index ? -1 : 1;
    if (x->t->role != y->t->role)
        return x->t->role < y->t->role ? -1 : 1;
    if (x->t->partition != y->t->partition)
        return x->t->partition < y->t->partition ? -1 : 1;
    return x->i < y->i ? -1 : 1; /* qsort is not stable; within a group the order of the clients */
}

int report_order(const struct report *r, size_t **ret, struct err *err)
{
    SCOPED(scope_free) struct placed *list = calloc(r->n + 1, sizeof *list);
    size_t *order = calloc(r->n + 1, sizeof *order);
    if (!list || !order) {
        free(order);
        return err_nomem(err);
    }
    for (size_t i = 0; i < r->n; i++)
        list[i] = (struct placed){&r->targets[i], i};
    qsort(list, r->n, sizeof *list, by_key_and_kind);
    for (size_t i = 0; i < r->n; i++)
        order[i] = list[i].i;
    *ret = order;
    return ERR_OK;
}

static int by_severity_and_kind(const void *a, const void *b)
{
    const struct report_ranked *x = a, *y = b;
    if (x->f->severity != y->f->severity)
        return x->f->severity > y->f->severity ? -1 : 1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x->nth < y->nth ? -1 : 1;
}

static bool same_kind(const struct finding *a, const struct finding *b)
{
    return a->id == b->id && a->severity == b->severity;
}

/* The last finding before i of the same kind knows its place; kinds[] holds the newest of each. */
static void place(const struct findings *l, struct report_ranked *list, size_t i, size_t *kinds,
                  size_t *n_kinds)
{
    struct report_ranked *k = &list[i];
    *k = (struct report_ranked){&l->item[i], 0, 0, i};
    for (size_t j = 0; j < *n_kinds; j++) {
        const struct report_ranked *o = &list[kinds[j]];
        if (!same_kind(o->f, k->f))
            continue;
        k->nth = o->nth + 1;
        k->first = o->first;
        kinds[j] = i;
        return;
    }
    kinds[(*n_kinds)++] = i;
}

int report_rank_findings(const struct report *r, struct report_ranked **ret, size_t *ret_n,
                         struct err *err)
{
    const struct findings *l = r->findings;
    size_t n = l ? l->n : 0, n_kinds = 0;
    *ret_n = n;
    if (!n)
        return ERR_OK;
    struct report_ranked *list = calloc(n, sizeof *list);
    SCOPED(scope_free) size_t *kinds = calloc(n, sizeof *kinds);
    if (!list || !kinds) {
        free(list);
        return err_nomem(err);
    }
    for (size_t i = 0; i < n; i++)
        place(l, list, i, kinds, &n_kinds);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n_kinds; j++) {
            if (list[kinds[j]].first == list[i].first)
                list[i].of = list[kinds[j]].nth + 1;
        }
    }
    qsort(list, n, sizeof *list, by_severity_and_kind);
    *ret = list;
    return ERR_OK;
}
