/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/wire_win32.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lazyadmin.h"
#include "agent/locate.h"
#include "agent/logfile.h"
#include "agent/policy.h"
#include "agent/rights_win32.h"
#include "agent/reservefiles_win32.h"
#include "agent/workerprober.h"
#include "base/file.h"
#include "base/str.h"
#include "ca/cluster.h"
#include "ca/patient.h"
#include "win32/casettings.h"
#include "win32/clusterapi.h"
#include "win32/castorecert.h"
#include "win32/certutilsign.h"
#include "win32/eventlog.h"
#include "win32/comadmin.h"
#include "win32/keyprobe.h"
#include "win32/keyprobe_certutil.h"
#include "win32/places.h"
#include "win32/service.h"

#define CA_SERVICE "CertSvc"

struct wiring_parts {
    struct lazy_admin *admin;
    struct ca_patient patient;
    struct cluster_services services;
    struct locate locate, watch_locate;
    char *program;
    struct worker_way worker;
    struct reserve_folder *reserve;
    struct certutil_sign *sign;
    struct event_log *event_log;
    struct logfile *log_file;
    bool console;
    SRWLOCK lock; /* events come from several threads */
};

static int path_in(enum place place, const char *name, char **ret, struct err *err)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    int rc = place_path(place, &path, err);
    if (rc)
        return rc;
    if (*name)
        buf_printf(&path, "\\%s", name);
    rc = buf_check(&path, "a path", err);
    if (!rc)
        *ret = buf_steal(&path);
    return rc ? rc : *ret ? ERR_OK : err_nomem(err);
}

int wiring_config_path(char **ret, struct err *err)
{
    return path_in(PLACE_CONFIG, "crlagent.xml", ret, err);
}

/* What is not there yet cannot have been planted. */
static int verify_file(const char *path, struct err *err)
{
    struct err why = ERR_INIT;
    int rc = place_verify(path, &why);
    if (rc == ERR_NOT_FOUND)
        return ERR_OK;
    if (rc && err)
        *err = why;
    return rc;
}

/* The folder may have been somebody else's before it was ours. */
static int verify_store(const char *path, struct err *err)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    int rc = ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(parts) && !rc; i++) {
        SCOPED(buf_free) struct buf file = BUF_INIT;
        buf_printf(&file, "%s%s", path, parts[i]);
        rc = buf_check(&file, "a path", err);
        if (!rc)
            rc = verify_file(buf_str(&file), err);
    }
    return rc;
}

/* The installed file lies where a user could have put one before us; another one is the choice of
 * whoever set up the service. */
static int load_config(const char *path, struct config *ret, struct err *err)
{
    SCOPED(scope_free) char *installed = NULL;
    if (path)
        return config_load(path, ret, NULL, err);
    int rc = wiring_config_path(&installed, err);
    if (!rc)
        rc = verify_file(installed, err);
    if (rc)
        return rc;
    rc = config_load(installed, ret, NULL, err);
    if (rc != ERR_NOT_FOUND)
        return rc;
    err_clear(err);
    return config_defaults(ret, err);
}

static void fan_out(void *self, const struct event *ev)
{
    struct wiring_parts *p = self;
    AcquireSRWLockExclusive(&p->lock);
    if (p->event_log) {
        const struct event_sink sink = event_log_sink(p->event_log);
        event_emit(&sink, ev);
    }
    if (p->log_file) {
        const struct event_sink sink = logfile_sink(p->log_file);
        event_emit(&sink, ev);
    }
    if (p->console) {
        char when[WHEN_TEXT_MAX];
        fprintf(stderr, "%s %u %s\n", when_format(ev->when, when), ev->id, ev->text);
        fflush(stderr);
    }
    ReleaseSRWLockExclusive(&p->lock);
}

static enum severity lowest_logged(enum config_log_level level)
{
    static const enum severity lowest[] = {
        [CONFIG_LOG_ERROR] = SEV_CRITICAL,
        [CONFIG_LOG_WARNING] = SEV_WARNING,
        [CONFIG_LOG_INFO] = SEV_INFO,
        [CONFIG_LOG_DEBUG] = SEV_OK,
    };
    return lowest[level];
}

static int open_sinks(struct wiring *w, struct err *err)
{
    struct wiring_parts *p = w->parts;
    SCOPED(scope_free) char *path = NULL;
    int rc = place_secure(PLACE_LOGS, err);
    if (!rc)
        rc = path_in(PLACE_LOGS, "crlagent.log", &path, err);
    if (!rc)
        rc = logfile_open(*w->config.output.log_file ? w->config.output.log_file : path,
                          w->config.output.log_size, (unsigned)w->config.output.log_keep,
                          lowest_logged(w->config.output.log_level), &p->log_file, err);
    if (!rc && w->config.output.event_log)
        rc = event_log_open(EVENT_LOG_SOURCE, &p->event_log, err);
    w->seams.events = (struct event_sink){fan_out, p};
    return rc;
}

static struct key_probe choose_key_probe(enum config_key_probe way, const char *program)
{
    if (way == CONFIG_KEY_CERTUTIL)
        return *key_probe_certutil();
    if (way == CONFIG_KEY_OFF)
        return *key_probe_off();
    /* The provider that belongs to the certificate says whether it is CNG or CryptoAPI. */
    return key_probe_provider(program);
}

/* certutil.exe has no words for the CA's publish status: with it, the higher number and the same
 * bytes at every location are the whole proof. */
static bool status_is_readable(const struct config *c)
{
    struct ca_admin probe = {0};
    struct err ignored = ERR_INIT;
    if (c->ca.administration != CONFIG_ADMIN_AUTO)
        return c->ca.administration == CONFIG_ADMIN_COM;
    if (com_admin_open("", &probe, &ignored))
        return ignored.code != ERR_UNSUPPORTED;
    com_admin_close(&probe);
    return true;
}

/* Without certutil.exe there are no reserve CRLs, and nothing else is the worse for it. */
static int open_reserve(struct wiring *w, struct err *err)
{
    struct wiring_parts *p = w->parts;
    struct err why = ERR_INIT;
    int rc = reserve_folder_new(&p->reserve, err);
    if (rc)
        return rc;
    w->seams.files = reserve_folder_seam(p->reserve);
    const struct certutil_sign_setup setup = {
        .folder = reserve_folder_path(p->reserve),
        .timeout_ms = w->config.ca.publish_timeout * 1000,
    };
    if (certutil_sign_open(&setup, &p->sign, &why) == ERR_OK)
        w->seams.resign = certutil_sign_seam(p->sign);
    return ERR_OK;
}

static int open_seams(struct wiring *w, const struct ldap_fetcher *ldap, struct err *err)
{
    struct wiring_parts *p = w->parts;
    int rc = path_in(PLACE_PROGRAM, "", &p->program, err);
    if (!rc)
        rc = lazy_admin_new(&w->config, &p->admin, err);
    if (!rc)
        rc = place_secure(PLACE_STATE, err);
    if (!rc)
        rc = path_in(PLACE_STATE, "state.db", &w->store_path, err);
    if (!rc)
        rc = verify_store(w->store_path, err);
    if (rc)
        return rc;
    p->locate = (struct locate){.config = &w->config,
                                .resolver = resolver_system(),
                                .ldap = ldap,
                                .parents = ca_store_parents};
    p->watch_locate = p->locate;
    p->watch_locate.all = true;
    p->services = (struct cluster_services){*svc_control_scm(), *cluster_system()};
    w->seams.svc = cluster_services_seam(&p->services);
    /* Whether its process is there is the local SCM's to say, also for a cluster resource. */
    p->patient = (struct ca_patient){.inner = lazy_admin_seam(p->admin),
                                     .svc = *svc_control_scm(),
                                     .clock = clock_system(),
                                     .service = CA_SERVICE};
    w->seams.admin = ca_patient_seam(&p->patient);
    w->seams.settings = *ca_settings_registry();
    w->seams.key = choose_key_probe(w->config.ca.key_probe, p->program);
    w->seams.locate = locate_seam(&p->locate);
    w->watch_locate = locate_seam(&p->watch_locate);
    p->worker = (struct worker_way){p->program, w->config.probe.proxy};
    w->seams.prober = worker_prober(&p->worker);
    return open_reserve(w, err);
}

void wiring_close(struct wiring **w)
{
    if (!*w)
        return;
    struct wiring_parts *p = (*w)->parts;
    if (p) {
        lazy_admin_free(&p->admin);
        certutil_sign_close(&p->sign);
        reserve_folder_free(&p->reserve);
        event_log_close(p->event_log);
        logfile_close(&p->log_file);
        free(p->program);
    }
    free(p);
    free((*w)->store_path);
    config_free(&(*w)->config);
    free(*w);
    *w = NULL;
}

int wiring_open(const char *config_path, bool console, const struct ldap_fetcher *ldap,
                struct wiring **ret, struct err *err)
{
    SCOPED(wiring_close) struct wiring *w = calloc(1, sizeof *w);
    if (!w)
        return err_nomem(err);
    w->parts = calloc(1, sizeof *w->parts);
    if (!w->parts)
        return err_nomem(err);
    InitializeSRWLock(&w->parts->lock);
    w->parts->console = console;
    int rc = load_config(config_path, &w->config, err);
    if (!rc)
        rc = rights_operators(&w->config, err);
    if (!rc)
        rc = open_sinks(w, err);
    if (!rc)
        rc = open_seams(w, ldap, err);
    if (rc)
        return rc;
    w->policy = policy_from_config(&w->config);
    w->policy.accept_unknown_status = !status_is_readable(&w->config);
    (void)str_copy(w->policy.service, sizeof w->policy.service, CA_SERVICE);
    *ret = steal_ptr(w);
    return ERR_OK;
}
