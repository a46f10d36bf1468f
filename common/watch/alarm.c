/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "watch/alarm.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/str.h"
#include "base/when.h"

void alarms_free(struct alarms *a)
{
    free(a->item);
    memset(a, 0, sizeof *a);
}

/* Only what the phase itself brings about. What says that clients fail, or soon will (4001 to 4003,
 * 4033, 4070), is in no list. */
bool alarm_expected(uint32_t id, enum alarm_phase phase)
{
    static const uint32_t down[] = {FIND_CRL_OVERDUE,     FIND_CA_NOT_STARTED,
                                    FIND_CA_SIGN_FAILED,  FIND_OCSP_UNREACHABLE,
                                    FIND_KEY_TEST_FAILED, FIND_KEY_TEST_SLOW};
    static const uint32_t publishing[] = {
        FIND_CRL_STALE,   FIND_CRL_MISMATCH,       FIND_STALE_NODE,      FIND_LDAP_REPLICATION_LAG,
        FIND_CRL_OVERDUE, FIND_CRL_DELTA_BASE_GAP, FIND_CACHE_SERVES_OLD};
    const uint32_t *list = phase == ALARM_CA_DOWN ? down : publishing;
    size_t n = phase == ALARM_CA_DOWN ? ARRAY_LEN(down) : ARRAY_LEN(publishing);
    for (size_t i = 0; i < n && phase != ALARM_NORMAL; i++) {
        if (list[i] == id)
            return true;
    }
    return false;
}

int alarm_level(int64_t from, int64_t until, int64_t now)
{
    if (from == WHEN_NONE || until == WHEN_NONE || now < from)
        return 0;
    if (until <= from || now >= until)
        return 3;
    /* Parts of the whole, so that no product can overflow. */
    double part = ((double)now - (double)from) / ((double)until - (double)from);
    return part >= 0.90 ? 3 : part >= 0.75 ? 2 : part >= 0.50 ? 1 : 0;
}

static struct alarm *find(struct alarms *a, const struct finding *f)
{
    for (size_t i = 0; i < a->n; i++) {
        struct alarm *x = &a->item[i];
        if (x->id == f->id && x->key_index == f->key_index && strcmp(x->address, f->address) == 0 &&
            strcmp(x->url, f->url) == 0)
            return x;
    }
    return NULL;
}

static struct alarm *add(struct alarms *a, const struct finding *f, int64_t now)
{
    struct alarm *x = &a->item[a->n++];
    *x = (struct alarm){.id = f->id, .key_index = f->key_index, .since = now, .told = WHEN_NONE};
    (void)str_copy(x->url, sizeof x->url, f->url);
    (void)str_copy(x->address, sizeof x->address, f->address);
    return x;
}

/* False: nothing to tell now. */
static bool judge(struct alarm *x, int level, const struct alarm_look *look, enum alarm_change *ret)
{
    if (x->worst == SEV_OK)
        *ret = ALARM_RAISED;
    else if (x->severity > x->worst || level > x->level)
        *ret = ALARM_WORSE;
    else if (look->reminder > 0 &&
             (look->now >= x->told + look->reminder || look->now < x->told - look->reminder))
        *ret = ALARM_REMINDER; /* also when the clock was put back */
    else
        return false;
    return true;
}

static void tell(struct alarm_news *out, enum alarm_change change, const struct alarm *x,
                 int64_t now, size_t finding)
{
    *out = (struct alarm_news){
        .change = change, .alarm = *x, .after = now - x->since, .finding = finding};
}

static void found(struct alarms *a, const struct alarm_look *look, size_t i,
                  struct alarm_news *news, size_t *n)
{
    const struct finding *f = &look->findings->item[i];
    int level = look->levels ? look->levels[i] : 0;
    enum alarm_change change;
    struct alarm *x = find(a, f);
    if (!x && a->n < ALARMS_MAX)
        x = add(a, f, look->now);
    if (!x)
        return;
    x->absent = 0;
    x->severity = f->severity;
    if (!f->outage && alarm_expected(f->id, look->phase)) {
        if (!x->muted)
            a->muted++;
        x->muted = true;
        return;
    }
    x->muted = false;
    if (!judge(x, level, look, &change))
        return;
    x->worst = x->severity;
    x->level = level;
    x->told = look->now;
    tell(&news[(*n)++], change, x, look->now, i);
}

static void missing(struct alarms *a, const struct alarm_look *look, const bool *seen,
                    size_t before, struct alarm_news *news, size_t *n)
{
    size_t kept = 0;
    for (size_t i = 0; i < a->n; i++) {
        struct alarm *x = &a->item[i];
        bool gone = i < before && !seen[i] && ++x->absent >= ALARM_CLEAR_LOOKS;
        if (gone && x->worst != SEV_OK)
            tell(&news[(*n)++], ALARM_OVER, x, look->now, SIZE_MAX);
        if (!gone && kept++ != i)
            a->item[kept - 1] = *x;
    }
    a->n = kept;
}

static int grow(struct alarms *a, size_t more, struct err *err)
{
    size_t want = a->n + more > ALARMS_MAX ? ALARMS_MAX : a->n + more;
    if (want <= a->cap)
        return ERR_OK;
    struct alarm *grown = realloc(a->item, want * sizeof *grown);
    if (!grown)
        return err_nomem(err);
    a->item = grown;
    a->cap = want;
    return ERR_OK;
}

int alarms_update(struct alarms *a, const struct alarm_look *look, struct alarm_news **ret,
                  size_t *ret_n, struct err *err)
{
    const struct findings *list = look->findings;
    size_t before = a->n, n = 0;
    int rc = grow(a, list->n, err);
    SCOPED(scope_free) bool *seen = calloc(before + 1, sizeof *seen);
    struct alarm_news *news = calloc(before + list->n + 1, sizeof *news);
    if (rc || !seen || !news) {
        free(news);
        return rc ? rc : err_nomem(err);
    }
    if (look->maintenance && look->maintenance != a->maintenance) {
        a->maintenance = look->maintenance;
        a->muted = 0;
    }
    for (size_t i = 0; i < list->n; i++) {
        if (list->item[i].severity < SEV_WARNING)
            continue;
        found(a, look, i, news, &n);
        const struct alarm *x = find(a, &list->item[i]);
        if (x && (size_t)(x - a->item) < before)
            seen[x - a->item] = true;
    }
    if (look->complete)
        missing(a, look, seen, before, news, &n);
    *ret = news;
    *ret_n = n;
    return ERR_OK;
}
