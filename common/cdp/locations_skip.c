/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Locations that are not asked: no URL, or one that nobody who may say so has named. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cdp/locations.h"
#include "cdp/url.h"

static bool noted(const struct locations *l, const char *url, const struct probe_target *like)
{
    for (size_t i = 0; i < l->n_skips; i++) {
        const struct location_skip *s = &l->skip[i];
        if (s->key_index == like->key_index && strcmp(s->url, url) == 0)
            return true;
    }
    return false;
}

void locations_skip(struct locations *l, const char *url, const struct probe_target *like,
                    enum location_skipped reason, const char *why)
{
    char shown[LIMIT_URL_CHARS + 8];
    url_mask(url, shown, sizeof shown);
    if (noted(l, shown, like))
        return;
    l->n_skipped++;
    if (l->n_skips == LOCATION_SKIPS)
        return;
    if (!l->skip)
        l->skip = calloc(LOCATION_SKIPS, sizeof *l->skip);
    struct location_skip s = {
        .url = str_dup(shown),
        .why = str_dup(why),
        .role = like->role,
        .origin = like->origin,
        .key_index = like->key_index,
        .reason = reason,
    };
    if (l->skip && s.url && s.why) {
        l->skip[l->n_skips++] = s;
        return;
    }
    free(s.url);
    free(s.why);
}

static bool may_be_asked(const struct probe_target *t)
{
    const uint32_t foreign = FROM_CERTIFICATE | FROM_PARENT | FROM_FRESHEST;
    return (t->origin & ~foreign) || url_may_follow(t->url);
}

void locations_refuse_foreign(struct locations *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        const struct probe_target *t = &l->item[i];
        if (!may_be_asked(t))
            locations_skip(l, t->url, t, SKIP_FOREIGN, LOCATIONS_FOREIGN);
        else if (n++ != i)
            l->item[n - 1] = *t;
    }
    if (n == l->n)
        return;
    l->n = n;
    l->n_indexed = n + 1; /* the numbers in the table are no longer right: it is made anew */
}
