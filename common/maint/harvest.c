/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "maint/harvest.h"

#include <stdlib.h>

#include "base/str.h"
#include "cdp/issued.h"

#define TIMER_ISSUED "ca.issued"
#define INTERVAL (24 * 3600ll)
#define CARRIED_MAX 1000u

/* Kind in the cache: per key, one certificate to ask OCSP responders about. */
static const char *const kind_issued = "issued-cert";

struct keeping {
    struct store *store;
    int64_t now;
    uint64_t any, with_ocsp; /* bits by key: a sample was kept, one that names a responder */
};

static bool names_responder(const struct locations *names)
{
    for (size_t i = 0; i < names->n; i++) {
        if (names->item[i].role == ROLE_OCSP)
            return true;
    }
    return false;
}

/* The newest that names a responder, or the newest when none does. */
static int keep_sample(struct keeping *k, const void *cert, size_t len, uint32_t key,
                       const struct locations *names, struct err *err)
{
    uint64_t bit = key < 64 ? 1ull << key : 0;
    bool ocsp = names_responder(names);
    if (!bit || (k->with_ocsp & bit) || ((k->any & bit) && !ocsp))
        return ERR_OK;
    k->any |= bit;
    k->with_ocsp |= ocsp ? bit : 0;
    return store_cache_put(k->store, kind_issued, key, 0, cert, len, k->now, err);
}

static int keep_one(void *arg, const void *cert, size_t len, uint32_t key_index, int64_t not_after,
                    const struct locations *names, struct err *err)
{
    struct keeping *k = arg;
    struct store_carried *c = calloc(1, sizeof *c);
    int rc = c ? ERR_OK : err_nomem(err);
    if (!rc && not_after > k->now)
        rc = keep_sample(k, cert, len, key_index, names, err);
    for (size_t i = 0; !rc && not_after > k->now && i < names->n; i++) {
        *c = (struct store_carried){.role = (uint32_t)names->item[i].role,
                                    .key_index = key_index,
                                    .until = not_after,
                                    .seen = k->now};
        (void)str_copy(c->url, sizeof c->url, names->item[i].url);
        rc = store_carried_put(k->store, c, err);
    }
    free(c);
    return rc;
}

static int keep(struct store *store, const struct ca_view *v, const struct buf *certs, int64_t now,
                struct err *err)
{
    struct issued_ca ca[LIMIT_CA_CERTS];
    size_t n = 0;
    for (size_t i = 0; i < v->n_keys && n < LIMIT_CA_CERTS; i++)
        ca[n++] =
            (struct issued_ca){buf_str(&v->key[i].cert), v->key[i].cert.len, v->key[i].key_index};
    struct keeping k = {.store = store, .now = now};
    const struct issued_visit visit = {keep_one, &k};
    int rc = store_begin(store, err);
    if (rc)
        return rc;
    rc = issued_walk(buf_str(certs), certs->len, ca, n, &visit, err);
    if (!rc)
        rc = store_carried_prune(store, now, err);
    if (!rc)
        rc = store_timer_set(store, TIMER_ISSUED, now + INTERVAL, err);
    if (rc) {
        store_rollback(store);
        return rc;
    }
    return store_commit(store, err);
}

int harvest_recall(struct store *store, int64_t now, struct ca_view *v, struct err *err)
{
    SCOPED(scope_free) struct store_carried *list = calloc(CARRIED_MAX, sizeof *list);
    size_t n = 0;
    if (!list)
        return err_nomem(err);
    int rc = store_carried_list(store, now, list, CARRIED_MAX, &n, err);
    for (size_t i = 0; i < v->n_keys && !rc; i++) {
        struct err none = ERR_INIT; /* nothing was issued with this key yet */
        buf_clear(&v->key[i].issued);
        if (store_cache_get(store, kind_issued, v->key[i].key_index, 0, &v->key[i].issued, NULL,
                            &none))
            buf_clear(&v->key[i].issued);
    }
    if (rc)
        return rc;
    free(v->carried);
    v->carried = steal_ptr(list);
    v->n_carried = n;
    return ERR_OK;
}

static bool due(struct store *store, int64_t now)
{
    int64_t at = WHEN_NONE;
    struct err ignored = ERR_INIT;
    /* Further away than a day: the clock was put back. */
    return store_timer_get(store, TIMER_ISSUED, &at, &ignored) || at == WHEN_NONE || at <= now ||
           at > now + INTERVAL;
}

int harvest_refresh(struct store *store, const struct ca_admin *admin,
                    const struct harvest_limits *limits, int64_t now, struct ca_view *v,
                    struct err *err)
{
    SCOPED(buf_free) struct buf certs = BUF_INIT;
    const struct ca_issued_query query = {
        .max = limits->count, .now = now, .since = limits->age ? now - limits->age : 0};
    struct err why = ERR_INIT;
    if (!admin->ops->issued || !limits->count || !due(store, now))
        return ERR_OK;
    int rc = admin->ops->issued(admin->self, &query, &certs, &why);
    if (!rc)
        rc = keep(store, v, &certs, now, &why);
    if (!rc)
        return harvest_recall(store, now, v, err);
    if (rc == ERR_UNSUPPORTED)
        return ERR_OK;
    if (err)
        *err = why;
    err_context(err, "reading the certificates that the CA issued recently");
    return rc;
}
