/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "support/world_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define HOUR 3600

void world_crime(struct world *w, const char *text, const char *what)
{
    if (!w->crime[0])
        snprintf(w->crime, sizeof w->crime, "%s: %s", text, what);
}

bool world_dies(struct world *w)
{
    w->calls++;
    if (w->die_at && w->calls >= w->die_at)
        w->dead = true;
    return w->dead;
}

int world_gone(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, "dead");
}

/* ---- clock ---- */

static int64_t clock_now_fn(void *self)
{
    return ((struct world *)self)->now;
}

static int64_t clock_mono_fn(void *self)
{
    return ((struct world *)self)->mono_ms;
}

static int clock_sleep_fn(void *self, int64_t ms)
{
    struct world *w = self;
    if (world_dies(w))
        return 1;
    int64_t before = w->mono_ms / 1000;
    w->mono_ms += ms > 0 ? ms : 1;
    w->now += w->mono_ms / 1000 - before;
    return w->stop_requested;
}

/* ---- the CA ---- */

static bool ca_talks(struct world *w, const char *what)
{
    world_settle(w, &w->service[0]);
    if (w->service[0].info.state != SVC_RUNNING && !world_ca_runs_elsewhere(w)) {
        world_crime(w, "the CA was called while its service did not run", what);
        return false;
    }
    return !w->silent;
}

static void arrive(struct world *w)
{
    for (size_t i = 0; i < w->n_locations; i++) {
        struct world_location *l = &w->location[i];
        if (l->arrives && w->now >= l->arrives) {
            l->serves = l->coming;
            l->arrives = 0;
        }
    }
}

static void deliver(struct world *w, const struct world_crl *c)
{
    for (size_t i = 0; i < w->n_locations; i++) {
        struct world_location *l = &w->location[i];
        if (l->parent || l->key != c->key || l->delta != c->delta || l->frozen || l->unwritten)
            continue;
        l->coming = *c;
        l->arrives = w->now + l->lag;
    }
    arrive(w);
    world_reserve_written(w, c);
}

void world_deliver_all(struct world *w)
{
    for (uint32_t k = 0; k < w->keys; k++) {
        deliver(w, &w->base[k]);
        if (w->deltas)
            deliver(w, &w->delta[k]);
    }
}

static void issue(struct world *w, int64_t until)
{
    uint64_t number = w->base[0].number + 1;
    for (uint32_t k = 0; k < w->keys; k++) {
        int64_t base_end = until ? until + HOUR : w->now + w->period;
        int64_t delta_end = until ? until + HOUR : w->now + w->delta_period;
        w->base[k] = (struct world_crl){number, w->now - 600, base_end, false, k, 40, false};
        w->delta[k] = (struct world_crl){number, w->now - 600, delta_end, true, k, 0, false};
    }
}

static int ca_publish(void *self, unsigned what, int64_t until, struct err *err)
{
    struct world *w = self;
    if (world_dies(w))
        return world_gone(err);
    if (!ca_talks(w, "publish"))
        return err_set_os(err, ERR_UNAVAILABLE, (long)0x800706BA, "the CA does not answer");
    if (what & CA_CRL_DELTA && !w->deltas)
        return err_set_os(err, ERR_INVALID, (long)0x80070057, "deltas are disabled");
    if (what & CA_CRL_REPUBLISH) {
        world_deliver_all(w);
        return ERR_OK;
    }
    w->publishes++;
    if (w->publish_fails || w->hsm_away)
        return err_set_os(err, ERR_CRYPTO, (long)0x80090030, "PublishCRLs failed");
    if (w->publish_lies)
        return ERR_OK;
    issue(w, w->publish_short ? 0 : until);
    world_deliver_all(w);
    if (w->publish_warns)
        return err_set_os(err, ERR_IO, (long)0x80070003, "PublishCRLs failed");
    return ERR_OK;
}

static uint32_t status_of(const struct world *w, uint32_t key, bool delta)
{
    if (w->cpf_force != ~0u)
        return w->cpf_force;
    uint32_t bits = (delta ? CPF_DELTA : CPF_BASE) | CPF_MANUAL;
    for (size_t i = 0; i < w->n_locations; i++) {
        const struct world_location *l = &w->location[i];
        if (l->unwritten && !l->parent && l->key == key && l->delta == delta)
            return bits | CPF_FILE_ERROR;
    }
    return bits | CPF_COMPLETE;
}

static int ca_long(void *self, enum ca_prop id, int32_t index, int32_t *ret, struct err *err)
{
    struct world *w = self;
    if (world_dies(w))
        return world_gone(err);
    if (!ca_talks(w, "property"))
        return err_set(err, ERR_UNAVAILABLE, "the CA does not answer");
    switch (id) {
    case CA_PROP_CERT_COUNT:
        *ret = (int32_t)w->keys;
        return ERR_OK;
    case CA_PROP_CERT_VERSION:
        *ret = index << 16 | index;
        return ERR_OK;
    case CA_PROP_CRL_STATE:
    case CA_PROP_CERT_STATE:
        *ret = CA_DISP_VALID;
        return ERR_OK;
    case CA_PROP_BASE_CRL_STATUS:
    case CA_PROP_DELTA_CRL_STATUS:
        *ret = (int32_t)status_of(w, (uint32_t)index, id == CA_PROP_DELTA_CRL_STATUS);
        return ERR_OK;
    default:
        return err_set(err, ERR_NOT_FOUND, "no property 0x%x", (unsigned)id);
    }
}

static int ca_text(void *self, enum ca_prop id, int32_t index, struct buf *ret, struct err *err)
{
    struct world *w = self;
    (void)index;
    if (world_dies(w))
        return world_gone(err);
    if (!ca_talks(w, "property"))
        return err_set(err, ERR_UNAVAILABLE, "the CA does not answer");
    if (id != CA_PROP_CERT_CDP_URLS)
        return err_set(err, ERR_NOT_FOUND, "no property 0x%x", (unsigned)id);
    return buf_puts(ret, "http://crl.lab/ca.crl\n") ? err_nomem(err) : ERR_OK;
}

/* A CRL of this world is one line of text; support/world_crl.c reads it. */
static int ca_blob(void *self, enum ca_prop id, int32_t index, struct buf *ret, struct err *err)
{
    struct world *w = self;
    if (world_dies(w))
        return world_gone(err);
    if (!ca_talks(w, "property"))
        return err_set(err, ERR_UNAVAILABLE, "the CA does not answer");
    if (id == CA_PROP_CERT)
        return buf_printf(ret, "certificate %d", index) ? err_nomem(err) : ERR_OK;
    if (w->busy_publisher) {
        w->busy_publisher = false;
        issue(w, 0);
        world_deliver_all(w);
    }
    const struct world_crl *c = id == CA_PROP_DELTA_CRL ? &w->delta[index] : &w->base[index];
    if (!c->number)
        return err_set(err, ERR_NOT_FOUND, "no CRL yet");
    char text[WORLD_CRL_TEXT];
    return buf_puts(ret, world_crl_text(c, text)) ? err_nomem(err) : ERR_OK;
}

static int ca_ping(void *self, struct err *err)
{
    struct world *w = self;
    if (world_dies(w))
        return world_gone(err);
    return ca_talks(w, "ping") ? ERR_OK : err_set(err, ERR_UNAVAILABLE, "the CA does not answer");
}

static int ca_roles(void *self, uint32_t *ret, struct err *err)
{
    struct world *w = self;
    if (world_dies(w))
        return world_gone(err);
    *ret = w->roles;
    return ca_talks(w, "roles") ? ERR_OK : err_set(err, ERR_UNAVAILABLE, "the CA does not answer");
}

static int read_settings(void *self, struct ca_settings *ret, struct err *err)
{
    struct world *w = self;
    if (world_dies(w))
        return world_gone(err);
    memset(ret, 0, sizeof *ret);
    ret->common_name = str_dup("Lab Issuing CA");
    ret->provider = str_dup(w->provider);
    ret->ca_type = 1;
    ret->clock_skew_minutes = 10;
    ret->audit_filter = w->audit_filter;
    ret->clustered = w->clustered;
    ret->crl_period = (struct ca_period){"Weeks", 1};
    ret->delta_period = (struct ca_period){"Days", w->deltas ? 1 : 0};
    return ERR_OK;
}

/* ---- HSM ---- */

static int key_test(void *self, const uint8_t *cert, size_t len, int64_t timeout_ms,
                    struct key_probe_result *ret, struct err *err)
{
    struct world *w = self;
    (void)timeout_ms;
    if (world_dies(w))
        return world_gone(err);
    if (len < 11 || memcmp(cert, "certificate", 11) != 0)
        return err_set(err, ERR_INVALID, "no certificate");
    if (w->hsm_away)
        return err_set_os(err, ERR_UNAVAILABLE, (long)0x80090030, "the HSM does not answer");
    if (w->hsm_wrong_key)
        return err_set(err, ERR_CRYPTO, "the public key is another one");
    ret->sign_ms = w->sign_ms;
    return ERR_OK;
}

/* ---- locations ---- */

static int locate(void *self, const struct ca_view *view, struct probe_target **ret, size_t *ret_n,
                  struct err *err)
{
    struct world *w = self;
    (void)view;
    if (world_dies(w))
        return world_gone(err);
    size_t files = w->has_files ? w->keys : 0;
    struct probe_target *t = calloc(w->n_locations + files + 1, sizeof *t);
    if (!t)
        return err_nomem(err);
    for (size_t i = 0; i < w->n_locations; i++) {
        str_copy(t[i].url, sizeof t[i].url, w->location[i].url);
        str_copy(t[i].address, sizeof t[i].address, w->location[i].address);
        t[i].role = w->location[i].delta ? ROLE_CRL_DELTA : ROLE_CRL_BASE;
        t[i].key_index = w->location[i].key;
        t[i].parent = w->location[i].parent;
        t[i].origin = FROM_CA_CDP;
        t[i].as_client = t[i].by_name = w->location[i].as_client;
    }
    for (size_t i = 0; i < files; i++) {
        struct probe_target *f = &t[w->n_locations + i];
        *f = (struct probe_target){.kind = LOC_FILE,
                                   .role = ROLE_CRL_BASE,
                                   .origin = FROM_CA_PUBLISH,
                                   .key_index = (uint32_t)i};
        snprintf(f->url, sizeof f->url, "file:///pki/%zu.crl", i);
    }
    *ret = t;
    *ret_n = w->n_locations + files;
    return ERR_OK;
}

static void serve(const struct world_location *l, struct probe_result *r)
{
    char text[160];
    struct err err = ERR_INIT;
    str_copy(r->address, sizeof r->address, l->address);
    if (l->down) {
        r->status = PROBE_CONNECT;
        str_copy(r->detail, sizeof r->detail, "connection refused");
        return;
    }
    world_crl_text(&l->serves, text);
    r->status = crl_read_memory("probe", text, strlen(text), NULL, &r->facts, &r->signature, &err)
                    ? PROBE_NOT_A_CRL
                    : PROBE_OK;
    r->signature = CRL_SIG_GOOD;
}

static int run_probes(void *self, const struct probe_target *targets, size_t n,
                      const struct crl_issuers *issuers, struct probe_result *results,
                      struct err *err)
{
    struct world *w = self;
    (void)issuers;
    if (world_dies(w))
        return world_gone(err);
    if (w->prober_broken)
        return err_set(err, ERR_UNAVAILABLE, "the worker process died");
    arrive(w);
    for (size_t i = 0; i < n; i++) {
        if (targets[i].kind == LOC_FILE) {
            const struct world_location file = {.serves = w->file[targets[i].key_index]};
            serve(&file, &results[i]);
        }
        for (size_t l = 0; l < w->n_locations; l++) {
            if (strcmp(targets[i].url, w->location[l].url) == 0 &&
                targets[i].as_client == w->location[l].as_client &&
                strcmp(targets[i].address, w->location[l].address) == 0)
                serve(&w->location[l], &results[i]);
        }
    }
    return ERR_OK;
}

/* ---- people ---- */

static void on_event(void *self, const struct event *ev)
{
    struct world *w = self;
    if (w->dead)
        return;
    if (w->n_events < ARRAY_LEN(w->events))
        w->events[w->n_events++] = ev->id;
    str_copy(w->last_text, sizeof w->last_text, ev->text);
}

static void on_progress(void *self, const struct maint_progress *p)
{
    struct world *w = self;
    (void)p;
    w->n_progress++;
}

static bool is_stopping(void *self)
{
    struct world *w = self;
    return w->stop_requested || w->dead;
}

size_t world_count_event(const struct world *w, uint32_t id)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_events; i++)
        n += w->events[i] == id;
    return n;
}

void world_seams(struct world *w, struct maint_seams *ret)
{
    static const struct clock_ops clock_ops = {clock_now_fn, clock_mono_fn, clock_sleep_fn};
    static const struct ca_admin_ops admin = {"fake",  ca_publish, ca_long,  ca_text,
                                              ca_blob, ca_ping,    ca_roles, NULL};
    w->clock = (struct clock){&clock_ops, w};
    *ret = (struct maint_seams){.clock = &w->clock,
                                .svc = {world_svc_ops(), w},
                                .admin = {&admin, w},
                                .settings = {read_settings, w},
                                .key = {key_test, w},
                                .locate = {locate, w, &w->unknown_parent},
                                .prober = {run_probes, w},
                                .events = {on_event, w},
                                .progress = on_progress,
                                .progress_self = w,
                                .stopping = is_stopping,
                                .stopping_self = w};
    if (w->cluster.on) {
        w->cluster_seam = (struct cluster_services){ret->svc, world_cluster_seam(w)};
        ret->svc = cluster_services_seam(&w->cluster_seam);
    }
    world_reserve_seams(w, ret);
}

struct world_service *world_add_service(struct world *w, const char *name, enum svc_state state,
                                        enum svc_start start, const char *needs)
{
    struct world_service *s = &w->service[w->n_services++];
    str_copy(s->info.name, sizeof s->info.name, name);
    s->info.state = state;
    s->info.start = start;
    s->needs = needs;
    s->stop_ms = 300;
    s->start_ms = 700;
    return s;
}

static void add_location(struct world *w, uint32_t key, bool delta, bool parent, const char *host)
{
    struct world_location *l = &w->location[w->n_locations++];
    snprintf(l->url, sizeof l->url, "http://%s/%s%u%s.crl", parent ? "root" : "crl",
             parent ? "root" : "ca", key, delta ? "+" : "");
    str_copy(l->address, sizeof l->address, host);
    l->key = key;
    l->delta = delta;
    l->parent = parent;
    if (parent)
        l->serves =
            (struct world_crl){7, w->now - 86400, w->now + 90 * 86400, false, key, 3, false};
}

void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->now = WORLD_NOW;
    w->mono_ms = 5000000;
    w->keys = WORLD_KEYS;
    w->deltas = true;
    w->period = 7 * 86400;
    w->delta_period = 36 * HOUR;
    w->cpf_force = ~0u;
    w->roles = CA_ROLE_ADMIN | CA_ROLE_READ;
    w->provider = "SafeNet Key Storage Provider";
    w->sign_ms = 12;
    world_add_service(w, "CertSvc", SVC_RUNNING, SVC_AUTO, NULL);
    world_add_service(w, "RunningDependant", SVC_RUNNING, SVC_AUTO, "CertSvc")->info.delayed_auto =
        true;
    world_add_service(w, "StoppedDependant", SVC_STOPPED, SVC_AUTO, "CertSvc");
    w->base[0].number = 41;
    issue(w, 0);
    for (uint32_t k = 0; k < w->keys; k++) {
        for (int delta = 0; delta < 2; delta++) {
            add_location(w, k, delta, false, "10.0.0.1");
            add_location(w, k, delta, false, "10.0.0.2");
        }
        add_location(w, k, false, true, "10.0.0.9");
    }
    world_deliver_all(w);
}
