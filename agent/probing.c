/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/probing.h"

#include <stdlib.h>
#include <string.h>

#include "agent/urlfile.h"
#include "base/file.h"
#include "base/str.h"
#include "cdp/fetch.h"
#include "cdp/fetch_blob.h"
#include "health/keys.h"
#include "health/skipped.h"

void probing_free(struct probing *p)
{
    locations_free(&p->locations);
    findings_free(&p->findings);
    health_ca_certs_free(&p->certs);
    crl_issuers_free(&p->issuers);
    for (size_t i = 0; i < OPT_LIST_MAX; i++)
        climb_free(&p->climb[i]);
    free(p->results);
    free(p->verdicts);
    p->results = NULL;
    p->verdicts = NULL;
}

static int add_list(struct probing *p, const struct opt_list *list, enum location_role role,
                    struct err *err)
{
    int rc = ERR_OK;
    for (size_t i = 0; !rc && i < list->n; i++)
        rc = locations_add_url(&p->locations, list->item[i], role, FROM_COMMAND_LINE, 0, err);
    return rc;
}

static int add_certificates(struct probing *p, const struct opt_list *list, uint32_t origin,
                            struct err *err)
{
    int rc = ERR_OK;
    for (size_t i = 0; !rc && i < list->n; i++) {
        SCOPED(buf_free) struct buf data = BUF_INIT;
        rc = file_read(list->item[i], LIMIT_CERT_BYTES, &data, err);
        if (!rc)
            rc = locations_add_certificate(
                &p->locations, buf_str(&data), data.len, origin,
                keys_signer_of(&p->certs, p->issuers, buf_str(&data), data.len), err);
        if (rc)
            err_context(err, "certificate '%s'", list->item[i]);
    }
    return rc;
}

static int add_issuers(struct probing *p, const struct opt_list *list, struct err *err)
{
    int rc = ERR_OK;
    for (size_t i = 0; !rc && i < list->n; i++) {
        SCOPED(buf_free) struct buf data = BUF_INIT;
        rc = file_read(list->item[i], (size_t)LIMIT_CERT_BYTES * LIMIT_CA_CERTS, &data, err);
        if (!rc)
            rc = crl_issuers_add(&p->issuers, list->item[i], buf_str(&data), data.len, err);
        if (!rc)
            rc = health_ca_certs_add(&p->certs, buf_str(&data), data.len, HEALTH_KEY_NEXT, err);
        if (rc)
            err_context(err, "issuer '%s'", list->item[i]);
    }
    return rc;
}

static void show_progress(void *arg, size_t done, size_t total)
{
    struct cli *cli = arg;
    fprintf(cli->err, "\r%zu of %zu locations%s", done, total, done == total ? "\n" : "");
    fflush(cli->err);
}

static struct fetch_options fetch_options_of(struct cli *cli, const struct probing_options *o)
{
    return (struct fetch_options){
        .max_total = (uint32_t)(o->parallel > 1024 ? 1024 : o->parallel),
        .max_per_host = (uint32_t)(o->parallel_host > 1024 ? 1024 : o->parallel_host),
        .proxy = o->proxy && strcmp(o->proxy, "none") == 0 ? "" : o->proxy,
        .ca_file = o->ca_file,
        .ldap = cli->ldap,
        .clock = cli->clock,
        .progress = cli->err_tty ? show_progress : NULL,
        .progress_arg = cli,
    };
}

/* Files are read once more: what they name is in the list by now, the bytes are not. */
static int read_subjects(const struct probing *p, const struct opt_list *list, struct buf *data,
                         struct ocsp_subject *ret, struct err *err)
{
    int rc = ERR_OK;
    for (size_t i = 0; !rc && i < list->n; i++) {
        rc = file_read(list->item[i], LIMIT_CERT_BYTES, &data[i], err);
        uint32_t key = keys_signer_of(&p->certs, p->issuers, buf_str(&data[i]), data[i].len);
        ret[i] = (struct ocsp_subject){buf_str(&data[i]), data[i].len, key, 0};
    }
    return rc;
}

static uint32_t key_of(const struct probing *p, const struct climb *c)
{
    return keys_index_of(&p->certs, buf_str(&c->cert[0]), c->cert[0].len);
}

/* Which certificate each OCSP responder is asked about: the one given, and on the way up each CA's.
 */
static int ask_ocsp(struct probing *p, const struct probing_options *o, struct err *err)
{
    size_t n = o->certs.n, most = n + OPT_LIST_MAX * CLIMB_LEVELS;
    SCOPED(scope_free) struct buf *data = calloc(n + 1, sizeof *data);
    SCOPED(scope_free) struct ocsp_subject *s = calloc(most + 1, sizeof *s);
    int rc = data && s ? read_subjects(p, &o->certs, data, s, err) : err_nomem(err);
    for (size_t i = 0; !rc && i < o->issuers.n; i++) {
        for (size_t k = 0; k < p->climb[i].n; k++)
            s[n++] = (struct ocsp_subject){buf_str(&p->climb[i].cert[k]), p->climb[i].cert[k].len,
                                           key_of(p, &p->climb[i]), (uint8_t)(k + 1)};
    }
    if (!rc)
        rc = locations_ask_ocsp(&p->locations, s, n, p->issuers, o->ocsp_nonce, err);
    for (size_t i = 0; data && i < o->certs.n; i++)
        buf_free(&data[i]);
    return rc;
}

struct aia {
    const struct fetch_options *opt;
    int64_t timeout_ms;
};

static int get_aia(void *self, const char *url, struct buf *ret, struct err *err)
{
    const struct aia *a = self;
    return fetch_blob(a->opt, url, a->timeout_ms, ret, err);
}

static int add_missing_parent(struct probing *p, const struct climb *c, struct err *err)
{
    if (c->rooted || !c->why.code)
        return ERR_OK;
    return findings_tell(&p->findings, FIND_PARENT_UNKNOWN, "each CA certificate up to the root",
                         c->why.text, err);
}

/* Each --issuer, its parent and so on: their CRLs are judged, their certificates found by AIA. */
static int climb(struct cli *cli, struct probing *p, const struct probing_options *o,
                 struct err *err)
{
    const struct fetch_options opt = fetch_options_of(cli, o);
    struct aia aia = {&opt, o->timeout ? o->timeout * 1000 : LIMIT_FETCH_MS};
    const struct climb_fetch fetch = {get_aia, &aia};
    int rc = ERR_OK;
    for (size_t i = 0; !rc && i < o->issuers.n; i++) {
        SCOPED(buf_free) struct buf data = BUF_INIT;
        rc = file_read(o->issuers.item[i], (size_t)LIMIT_CERT_BYTES * LIMIT_CA_CERTS, &data, err);
        if (!rc)
            rc = locations_climb(&p->locations, buf_str(&data), data.len,
                                 keys_index_of(&p->certs, buf_str(&data), data.len), &p->issuers,
                                 &fetch, &p->climb[i], err);
        if (!rc)
            rc = add_missing_parent(p, &p->climb[i], err);
        if (rc)
            err_context(err, "issuer '%s'", o->issuers.item[i]);
    }
    return rc;
}

static int add_ca(struct cli *cli, struct probing *p, const char *config_string, struct err *err)
{
    if (!cli->ask_ca)
        return err_set(
            err, ERR_INVALID,
            "--ca-config asks the CA over COM, which only the Windows program can do; name "
            "what it would say: --url URL (or --cert FILE) and --issuer CA.pem");
    int rc = cli->ask_ca(config_string, p, err);
    return rc ? err_context(err, "asking the CA '%s'", config_string) : ERR_OK;
}

static int no_location(const struct probing *p, const struct probing_options *o, struct err *err)
{
    const struct location_skip *s = p->locations.n_skips ? &p->locations.skip[0] : NULL;
    return err_set(
        err, ERR_INVALID,
        "no location: name one with --url, --delta-url, --url-file, --cert or --ca-config%s%.300s"
        "%s%.400s%s",
        s            ? " (not asked: "
        : o->certs.n ? " (the certificate names none"
                     : "",
        s ? s->url : "", s ? ": " : "", s ? s->why : "", s || o->certs.n ? ")" : "");
}

static int gather(struct cli *cli, struct probing *p, const struct probing_options *o,
                  struct err *err)
{
    int rc = o->ca_config ? add_ca(cli, p, o->ca_config, err) : ERR_OK;
    if (!rc)
        rc = add_list(p, &o->urls, ROLE_CRL_BASE, err);
    if (!rc)
        rc = add_list(p, &o->delta_urls, ROLE_CRL_DELTA, err);
    if (!rc && o->url_file)
        rc = urlfile_add(&p->locations, o->url_file, err);
    if (!rc)
        rc = add_issuers(p, &o->issuers, err); /* first: they tell the certificates' keys */
    if (!rc)
        rc = add_certificates(p, &o->certs, FROM_CERTIFICATE, err);
    if (!rc && o->parents)
        rc = climb(cli, p, o, err);
    if (rc)
        return rc;
    locations_refuse_foreign(&p->locations);
    rc = ask_ocsp(p, o, err);
    return rc || p->locations.n ? rc : no_location(p, o, err);
}

static int spread(struct locations *l, const struct probing_options *o, struct err *err)
{
    SCOPED(locations_free) struct locations names = {0};
    char servers[OPT_LIST_MAX][80];
    int64_t timeout_ms = o->timeout ? o->timeout * 1000 : LIMIT_FETCH_MS;
    int rc = o->as_client ? locations_copy(l, &names, err) : ERR_OK;
    for (size_t i = 0; i < o->ldap_servers.n; i++)
        str_copy(servers[i], sizeof servers[i], o->ldap_servers.item[i]);
    /* With a proxy the names are the proxy's business. */
    bool direct = !o->proxy || strcmp(o->proxy, "none") == 0;
    const struct resolver *resolver = o->one_address || !direct ? NULL : resolver_system();
    if (!rc)
        rc = locations_spread(l, resolver, timeout_ms, (const char(*)[80])servers,
                              o->ldap_servers.n, err);
    if (!rc && o->as_client)
        rc = locations_add_client_view(l, &names, err);
    for (size_t i = 0; i < l->n; i++)
        l->item[i].timeout_ms = timeout_ms;
    return rc;
}

static int ask(struct cli *cli, const struct probing_options *o, const struct locations *l,
               const struct crl_issuers *issuers, struct probe_result *results, struct err *err)
{
    struct prober prober = {0};
    struct fetch_options opt = fetch_options_of(cli, o);
    if (cli->ask_locations)
        return cli->ask_locations(cli, &opt, l->item, l->n, issuers, results, err);
    int rc = fetch_prober_new(&opt, &prober, err);
    if (!rc)
        rc = prober.run(prober.self, l->item, l->n, issuers, results, err);
    fetch_prober_free(&prober);
    return rc;
}

static int ask_all(struct cli *cli, const struct probing_options *o, struct probing *p,
                   struct err *err)
{
    int rc = spread(&p->locations, o, err);
    if (rc)
        return rc;
    p->results = calloc(p->locations.n + 1, sizeof *p->results);
    if (!p->results)
        return err_nomem(err);
    rc = ask(cli, o, &p->locations, p->issuers, p->results, err);
    return rc ? rc : keys_assign(p->locations.item, p->results, p->locations.n, &p->certs, err);
}

/* What the user or a certificate has named already is asked once. */
static void leave_out_asked(struct probing *p, struct locations *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        bool asked = false;
        for (size_t k = 0; k < p->locations.n; k++) {
            struct probe_target *t = &p->locations.item[k];
            if (t->role != ROLE_CRL_DELTA || t->parent || t->key_index != l->item[i].key_index ||
                strcmp(t->url, l->item[i].url) != 0)
                continue;
            t->origin |= FROM_FRESHEST;
            asked = true;
        }
        if (!asked && n++ != i)
            l->item[n - 1] = l->item[i];
    }
    l->n = n;
}

/* A CRL can come from anybody on the way; only the CA's own may send this host somewhere. */
static void skip_unverified(struct locations *l, const struct probe_target *base,
                            const struct probe_result *r, const char *url)
{
    char why[LIMIT_URL_CHARS + 200];
    const struct probe_target like = {
        .role = ROLE_CRL_DELTA, .origin = FROM_FRESHEST, .key_index = base->key_index};
    snprintf(why, sizeof why, "the signature of the CRL that names it %s: %s",
             r->signature == CRL_SIG_BAD ? "does not hold" : "was not checked", base->url);
    locations_skip(l, url, &like, SKIP_UNVERIFIED, why);
}

/* Deltas that the base CRLs name, unless the user named deltas. */
static int find_deltas(const struct probing *p, struct locations *ret, struct err *err)
{
    for (size_t i = 0; i < p->locations.n; i++) {
        const struct probe_target *t = &p->locations.item[i];
        const struct probe_result *r = &p->results[i];
        if (t->role != ROLE_CRL_BASE || t->parent || r->status != PROBE_OK)
            continue;
        for (uint32_t k = 0; k < r->facts.freshest.count && k < CRL_URLS_MAX; k++) {
            struct err skip = ERR_INIT;
            if (r->signature != CRL_SIG_GOOD)
                skip_unverified(ret, t, r, r->facts.freshest.url[k]);
            else if (locations_add_url(ret, r->facts.freshest.url[k], ROLE_CRL_DELTA, FROM_FRESHEST,
                                       t->key_index, &skip) == ERR_NOMEM)
                return err_nomem(err);
        }
    }
    return ERR_OK;
}

static int follow_freshest(struct cli *cli, const struct probing_options *o, struct probing *p,
                           struct err *err)
{
    SCOPED(locations_free) struct locations extra = {0};
    int rc = find_deltas(p, &extra, err);
    locations_refuse_foreign(&extra);
    for (size_t i = 0; i < extra.n_skips; i++) {
        const struct location_skip *s = &extra.skip[i];
        const struct probe_target like = {
            .role = s->role, .origin = s->origin, .key_index = s->key_index};
        locations_skip(&p->locations, s->url, &like, s->reason, s->why);
    }
    leave_out_asked(p, &extra);
    if (rc || !extra.n)
        return rc;
    rc = spread(&extra, o, err);
    size_t n = p->locations.n + extra.n;
    if (rc || n > LIMIT_LOCATIONS)
        return rc;
    struct probe_target *t = realloc(p->locations.item, n * sizeof *t);
    if (t)
        p->locations.item = t;
    struct probe_result *r = realloc(p->results, n * sizeof *r);
    if (r)
        p->results = r;
    if (!t || !r)
        return err_nomem(err);
    memcpy(t + p->locations.n, extra.item, extra.n * sizeof *t);
    rc = ask(cli, o, &extra, p->issuers, r + p->locations.n, err);
    if (!rc)
        p->locations.n = p->locations.cap = n;
    return rc;
}

static int judge(const struct probing_options *o, struct probing *p, struct err *err)
{
    struct health_input in = {
        .ca = "",
        .targets = p->locations.item,
        .results = p->results,
        .n = p->locations.n,
        .certs = p->certs.item,
        .n_certs = p->certs.n,
        .thresholds = &p->thresholds,
        .now = p->now,
    };
    p->verdicts = calloc(p->locations.n + 1, sizeof *p->verdicts);
    if (!p->verdicts)
        return err_nomem(err);
    runway_compute(p->locations.item, p->results, p->locations.n, p->now, o->propagation,
                   &p->runway);
    int rc = health_evaluate(&in, p->verdicts, &p->findings, err);
    return rc ? rc : health_skipped(&p->locations, "", &p->findings, err);
}

int probing_run(struct cli *cli, const struct probing_options *o, struct probing *ret,
                struct err *err)
{
    struct probing p = {.thresholds = crl_thresholds_default};
    if (o->warn)
        p.thresholds.warn_seconds = o->warn;
    if (o->crit)
        p.thresholds.crit_seconds = o->crit;
    int rc = fetch_setup(err);
    if (!rc)
        rc = gather(cli, &p, o, err);
    if (!rc)
        rc = ask_all(cli, o, &p, err);
    if (!rc && !o->no_freshest && !o->delta_urls.n)
        rc = follow_freshest(cli, o, &p, err);
    p.now = clock_now(cli->clock);
    if (!rc)
        rc = judge(o, &p, err);
    if (rc) {
        probing_free(&p);
        return rc;
    }
    *ret = p;
    return ERR_OK;
}

void probing_report(const struct probing *p, const struct probing_options *o, struct report *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->generated = p->now;
    ret->propagation = o->propagation;
    ret->targets = p->locations.item;
    ret->results = p->results;
    ret->verdicts = p->verdicts;
    ret->n = p->locations.n;
    ret->runway = &p->runway;
    ret->findings = &p->findings;
    (void)str_copy(ret->config, sizeof ret->config, o->ca_config ? o->ca_config : "");
    /* The issuer of the first CRL that was read names the report. */
    for (size_t i = 0; i < p->locations.n && !ret->ca[0]; i++) {
        if (p->results[i].status == PROBE_OK && !p->locations.item[i].parent)
            str_copy(ret->ca, sizeof ret->ca, p->results[i].facts.issuer);
    }
}
