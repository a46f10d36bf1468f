/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "maint/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "maint/harvest.h"

/* Kinds in the cache. The number of certificates stands in a value, the state of each beside it. */
static const char *const kind_cert = "ca-cert";
static const char *const kind_cdp = "cdp-urls";
static const char *const kind_aia = "aia-urls";
static const char *const kind_ocsp = "ocsp-urls";
static const char *const kind_state = "ca-key";

/* What of a ca_key is small and fixed, as it lies in the cache. */
struct cached_key {
    int32_t cert_index, crl_state, cert_state, living;
    uint32_t key_index, partitions, n_keys;
};

static void key_free(struct ca_key *k)
{
    buf_free(&k->cert);
    buf_free(&k->cdp_urls);
    buf_free(&k->aia_urls);
    buf_free(&k->ocsp_urls);
    buf_free(&k->issued);
}

void ca_view_free(struct ca_view *v)
{
    for (size_t i = 0; i < v->n_keys; i++)
        key_free(&v->key[i]);
    free(v->key);
    free(v->carried);
    ca_settings_free(&v->settings);
    crl_issuers_free(&v->issuers);
    memset(v, 0, sizeof *v);
}

/* A property that this CA may not have: absent is no error. */
static int optional_long(const struct ca_admin *a, enum ca_prop id, int32_t index, int32_t absent,
                         int32_t *ret, struct err *err)
{
    struct err why = ERR_INIT;
    int32_t value = absent;
    int rc = a->ops->prop_long(a->self, id, index, &value, &why);
    *ret = rc ? absent : value;
    if (rc == ERR_NOT_FOUND || rc == ERR_UNSUPPORTED || rc == ERR_INVALID)
        return ERR_OK;
    if (rc && err)
        *err = why;
    return rc;
}

static int optional_text(const struct ca_admin *a, enum ca_prop id, int32_t index, struct buf *ret,
                         struct err *err)
{
    struct err why = ERR_INIT;
    int rc = a->ops->prop_text(a->self, id, index, ret, &why);
    if (rc == ERR_NOT_FOUND || rc == ERR_UNSUPPORTED || rc == ERR_INVALID)
        return ERR_OK;
    if (rc && err)
        *err = why;
    return rc;
}

static int ask_key(const struct ca_admin *a, int32_t index, struct ca_key *k, struct err *err)
{
    int32_t version = index;
    k->cert_index = index;
    int rc = optional_long(a, CA_PROP_CERT_VERSION, index, index << 16 | index, &version, err);
    if (!rc)
        rc = optional_long(a, CA_PROP_CRL_STATE, index, -1, &k->crl_state, err);
    if (!rc)
        rc = optional_long(a, CA_PROP_CERT_STATE, index, -1, &k->cert_state, err);
    if (!rc)
        rc = a->ops->prop_blob(a->self, CA_PROP_CERT, index, &k->cert, err);
    if (!rc)
        rc = optional_text(a, CA_PROP_CERT_CDP_URLS, index, &k->cdp_urls, err);
    if (!rc)
        rc = optional_text(a, CA_PROP_CERT_AIA_URLS, index, &k->aia_urls, err);
    if (!rc)
        rc = optional_text(a, CA_PROP_CERT_OCSP_URLS, index, &k->ocsp_urls, err);
    k->key_index = (uint32_t)version >> 16;
    /* CA_DISP_ERROR marks a certificate whose key is served through another one. */
    k->living = k->crl_state == CA_DISP_VALID || k->crl_state == -1;
    return rc;
}

/* A CA that does not tell the state of its CRLs: one certificate per key, the newest. */
static void drop_older_twins(struct ca_view *v)
{
    for (size_t i = 0; i < v->n_keys; i++) {
        for (size_t j = i + 1; j < v->n_keys; j++) {
            if (v->key[i].key_index == v->key[j].key_index && v->key[i].crl_state == -1)
                v->key[i].living = false;
        }
    }
}

static int make_keys(struct ca_view *v, size_t n, struct err *err)
{
    if (n == 0 || n > LIMIT_CA_CERTS)
        return err_set(err, ERR_LIMIT, "the CA names %zu certificates, expected 1 to %u", n,
                       LIMIT_CA_CERTS);
    v->key = calloc(n, sizeof *v->key);
    if (!v->key)
        return err_nomem(err);
    v->n_keys = n;
    return ERR_OK;
}

static int ask_ca(const struct ca_admin *a, struct ca_view *v, struct err *err)
{
    int32_t n = 0, parts = 0;
    int rc = a->ops->prop_long(a->self, CA_PROP_CERT_COUNT, 0, &n, err);
    if (!rc)
        rc = optional_long(a, CA_PROP_CRL_PARTITION_COUNT, 0, 0, &parts, err);
    if (!rc)
        rc = make_keys(v, n > 0 ? (size_t)n : 0, err);
    for (int32_t i = 0; i < n && !rc; i++)
        rc = ask_key(a, i, &v->key[i], err);
    if (rc) {
        err_context(err, "asking the CA for its keys");
        return rc;
    }
    v->partitions = parts > 0 ? (uint32_t)parts : 0;
    drop_older_twins(v);
    v->asked = true;
    return ERR_OK;
}

static int keep_key(struct store *s, const struct ca_view *v, size_t i, int64_t now,
                    struct err *err)
{
    const struct ca_key *k = &v->key[i];
    const struct {
        const char *kind;
        const struct buf *data;
    } parts[] = {{kind_cert, &k->cert},
                 {kind_cdp, &k->cdp_urls},
                 {kind_aia, &k->aia_urls},
                 {kind_ocsp, &k->ocsp_urls}};
    struct cached_key c = {.cert_index = k->cert_index,
                           .crl_state = k->crl_state,
                           .cert_state = k->cert_state,
                           .living = k->living,
                           .key_index = k->key_index,
                           .partitions = v->partitions,
                           .n_keys = (uint32_t)v->n_keys};
    int rc = store_cache_put(s, kind_state, (uint32_t)i, 0, &c, sizeof c, now, err);
    for (size_t p = 0; p < ARRAY_LEN(parts) && !rc; p++)
        rc = store_cache_put(s, parts[p].kind, (uint32_t)i, 0, buf_str(parts[p].data),
                             parts[p].data->len, now, err);
    return rc;
}

static int keep(struct store *s, const struct ca_view *v, int64_t now, struct err *err)
{
    int rc = store_begin(s, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < v->n_keys && !rc; i++)
        rc = keep_key(s, v, i, now, err);
    if (rc) {
        store_rollback(s);
        return rc;
    }
    return store_commit(s, err);
}

static int recall_state(struct store *s, uint32_t i, struct cached_key *ret, int64_t *ret_when,
                        struct err *err)
{
    SCOPED(buf_free) struct buf b = BUF_INIT;
    int rc = store_cache_get(s, kind_state, i, 0, &b, ret_when, err);
    if (rc)
        return rc;
    if (b.len != sizeof *ret)
        return err_set(err, ERR_NOT_FOUND, "the cached keys of the CA have another format");
    memcpy(ret, b.data, sizeof *ret);
    return ERR_OK;
}

static int recall_key(struct store *s, uint32_t i, struct ca_key *k, struct err *err)
{
    struct cached_key c;
    int rc = recall_state(s, i, &c, NULL, err);
    if (rc)
        return rc;
    k->cert_index = c.cert_index;
    k->crl_state = c.crl_state;
    k->cert_state = c.cert_state;
    k->living = c.living != 0;
    k->key_index = c.key_index;
    rc = store_cache_get(s, kind_cert, i, 0, &k->cert, NULL, err);
    if (!rc)
        rc = store_cache_get(s, kind_cdp, i, 0, &k->cdp_urls, NULL, err);
    if (!rc)
        rc = store_cache_get(s, kind_aia, i, 0, &k->aia_urls, NULL, err);
    return rc ? rc : store_cache_get(s, kind_ocsp, i, 0, &k->ocsp_urls, NULL, err);
}

static int recall(struct store *s, struct ca_view *v, struct err *err)
{
    struct cached_key first;
    int rc = recall_state(s, 0, &first, &v->when, err);
    if (!rc)
        rc = make_keys(v, first.n_keys, err);
    if (!rc)
        v->partitions = first.partitions;
    for (uint32_t i = 0; i < v->n_keys && !rc; i++)
        rc = recall_key(s, i, &v->key[i], err);
    return rc;
}

static int collect_issuers(struct ca_view *v, struct err *err)
{
    for (size_t i = 0; i < v->n_keys; i++) {
        char label[64];
        snprintf(label, sizeof label, "CA certificate %d", v->key[i].cert_index);
        int rc = crl_issuers_add(&v->issuers, label, v->key[i].cert.data, v->key[i].cert.len, err);
        if (rc)
            return rc;
    }
    return ERR_OK;
}

int ca_view_read(const struct ca_settings_reader *settings, const struct ca_admin *admin,
                 struct store *store, bool ca_running, int64_t now, struct ca_view *ret,
                 struct err *err)
{
    struct ca_view v = {.when = now};
    int rc = settings->read(settings->self, &v.settings, err);
    if (!rc && ca_running)
        rc = ask_ca(admin, &v, err);
    if (!rc && ca_running && store)
        rc = keep(store, &v, now, err);
    if (!rc && !ca_running)
        rc = store ? recall(store, &v, err)
                   : err_set(err, ERR_NOT_FOUND, "the CA is stopped and nothing is cached");
    if (!rc)
        rc = collect_issuers(&v, err);
    if (!rc && store)
        rc = harvest_recall(store, now, &v, err);
    v.deltas = v.settings.delta_period.count > 0;
    if (rc) {
        ca_view_free(&v);
        return rc;
    }
    *ret = v;
    return ERR_OK;
}

static void add_line(struct crl_line *ret, size_t max, size_t *n, struct crl_line line)
{
    if (*n < max)
        ret[*n] = line;
    (*n)++;
}

size_t ca_view_lines(const struct ca_view *v, struct crl_line *ret, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n_keys; i++) {
        const struct ca_key *k = &v->key[i];
        /* Partition 0 stands for the CRL without partitions; with them they count from 1. */
        for (uint32_t p = v->partitions ? 1 : 0; k->living && p <= v->partitions; p++) {
            add_line(ret, max, &n, (struct crl_line){k->cert_index, k->key_index, p, false});
            if (v->deltas)
                add_line(ret, max, &n, (struct crl_line){k->cert_index, k->key_index, p, true});
        }
    }
    return n;
}

static int32_t line_index(const struct crl_line *l)
{
    return (int32_t)(l->partition << 16 | (uint32_t)l->cert_index);
}

int ca_line_fetch(const struct ca_admin *admin, const struct ca_view *v,
                  const struct crl_line *line, struct buf *ret_bytes, struct crl_facts *ret,
                  struct err *err)
{
    char name[64], label[96];
    enum ca_prop plain = line->delta ? CA_PROP_DELTA_CRL : CA_PROP_BASE_CRL;
    enum ca_prop part = line->delta ? CA_PROP_PART_DELTA_CRL : CA_PROP_PART_BASE_CRL;
    enum crl_signature sig = CRL_SIG_NOT_CHECKED;
    snprintf(label, sizeof label, "CRL of the CA, %s", crl_line_name(line, name));
    int rc = admin->ops->prop_blob(admin->self, line->partition ? part : plain, line_index(line),
                                   ret_bytes, err);
    if (!rc)
        rc = crl_read_memory(label, ret_bytes->data, ret_bytes->len, v->issuers, ret, &sig, err);
    if (!rc && sig == CRL_SIG_BAD)
        rc = err_set(err, ERR_CRYPTO, "%s: the signature does not verify with the CA certificate",
                     label);
    return rc;
}

int ca_line_read(const struct ca_admin *admin, const struct ca_view *v, const struct crl_line *line,
                 struct store *store, int64_t now, struct crl_facts *ret, struct err *err)
{
    SCOPED(buf_free) struct buf b = BUF_INIT;
    int rc = ca_line_fetch(admin, v, line, &b, ret, err);
    if (!rc && store)
        rc = store_cache_put(store, line->delta ? "delta-crl" : "base-crl", line->key_index,
                             line->partition, b.data, b.len, now, err);
    return rc;
}

int32_t ca_line_status(const struct ca_admin *admin, const struct crl_line *line)
{
    int32_t cpf = -1;
    struct err why = ERR_INIT;
    enum ca_prop plain = line->delta ? CA_PROP_DELTA_CRL_STATUS : CA_PROP_BASE_CRL_STATUS;
    enum ca_prop part = line->delta ? CA_PROP_PART_DELTA_STATUS : CA_PROP_PART_BASE_STATUS;
    int rc = admin->ops->prop_long(admin->self, line->partition ? part : plain, line_index(line),
                                   &cpf, &why);
    return rc ? -1 : cpf;
}

const char *crl_line_name(const struct crl_line *line, char dst[64])
{
    int n = snprintf(dst, 64, "key %u %s", line->key_index, line->delta ? "delta" : "base");
    if (line->partition && n > 0)
        snprintf(dst + n, 64 - (size_t)n, ", partition %u", line->partition);
    return dst;
}

bool crl_line_at(const struct crl_line *line, const struct probe_target *t)
{
    return !t->parent && t->role == (line->delta ? ROLE_CRL_DELTA : ROLE_CRL_BASE) &&
           t->key_index == line->key_index && t->partition == line->partition;
}
