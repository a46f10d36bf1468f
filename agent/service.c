/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/conductor.h"
#include "agent/marker.h"
#include "agent/teller.h"
#include "agent/watcher.h"
#include "agent/wire_win32.h"
#include "win32/pipe.h"
#include "win32/secretstore.h"
#include "win32/service.h"
#include "win32/svcmain.h"
#include "win32/svcwatch.h"

struct service {
    const char *config_path;
    bool console;
    const struct ldap_fetcher *ldap;
    struct wiring *wiring;
    struct maint_seams seams; /* the wiring's, with the teller in front of the events */
    struct teller *teller;
    struct conductor *conductor;
    struct watcher *watcher;
    struct pipe_server *pipe;
    struct svc_watch *watch;
};

static void say(struct service *s, uint32_t id, enum severity severity, const char *text)
{
    const struct event ev = {
        .id = id, .severity = severity, .when = clock_now(clock_system()), .text = text};
    event_emit(s->teller ? &s->seams.events : &s->wiring->seams.events, &ev);
}

static void on_request(void *arg, struct pipe_call *call, const struct pipe_peer *peer,
                       const char *data, size_t len)
{
    struct service *s = arg;
    conductor_request(s->conductor, call, peer, data, len);
}

/* Whoever starts the CA while it is paused is noticed at once. */
static void on_service_change(void *arg, const char *name, enum svc_state state, uint32_t pid)
{
    struct service *s = arg;
    (void)name;
    (void)pid;
    if (state != 0)
        conductor_poke(s->conductor);
}

/* Without a watch the engine still looks at every tick; a host without CertSvc has none. */
static void open_watch(struct service *s)
{
    struct err err = ERR_INIT;
    if (svc_watch_open(s->wiring->policy.service, on_service_change, s, &s->watch, &err)) {
        s->watch = NULL;
        say(s, 0, SEV_WARNING, err.text);
    }
}

static int open_pipe(struct service *s, struct err *err)
{
    const struct config *c = &s->wiring->config;
    const struct pipe_server_setup setup = {
        .name = PIPE_CONTROL_NAME,
        .operators = *c->access.operators ? c->access.operators : NULL,
        .readers = *c->access.readers ? c->access.readers : NULL,
        .request = on_request,
        .arg = s,
    };
    return pipe_server_open(&setup, &s->pipe, err);
}

static void take_down(struct service *s)
{
    /* Who could still call the conductor ends first. A client that waits sees its connection end.
     */
    svc_watch_close(s->watch);
    pipe_server_close(s->pipe);
    conductor_stop(s->conductor);
    /* One that waits for the world outside is left to the end of the program, with what it uses. */
    bool ended = watcher_stop(s->watcher);
    ended = teller_stop(s->teller) && ended;
    if (ended)
        wiring_close(&s->wiring);
    s->wiring = NULL;
    s->watcher = NULL;
    s->teller = NULL;
    s->watch = NULL;
    s->conductor = NULL;
    s->pipe = NULL;
}

static int start_teller(struct service *s, struct err *err)
{
    const struct teller_setup setup = {
        .config = &s->wiring->config,
        .secrets = secret_store_system(),
        .settings = s->wiring->seams.settings,
        .below = s->wiring->seams.events,
        .store_path = s->wiring->store_path,
    };
    int rc = teller_new(&setup, &s->teller, err);
    if (rc)
        return rc;
    s->seams = s->wiring->seams;
    s->seams.events = teller_sink(s->teller);
    return ERR_OK;
}

/* After the conductor: it is the one who opens the store first and says what it found. */
static int start_watcher(struct service *s, struct err *err)
{
    const struct watcher_setup setup = {
        .seams = &s->seams,
        .locate = &s->wiring->watch_locate,
        .events = s->wiring->seams.events,
        .config = &s->wiring->config,
        .service = s->wiring->policy.service,
        .store_path = s->wiring->store_path,
        .told = teller_poke,
        .told_arg = s->teller,
    };
    int rc = teller_start(s->teller, err);
    if (!rc)
        rc = watcher_start(&setup, &s->watcher, err);
    if (!rc)
        conductor_set_watcher(s->conductor, s->watcher);
    return rc;
}

/* Setup starts after an upgrade what it found running. One in a console is not what setup stops. */
static void mark(struct service *s, bool runs)
{
    struct err err = ERR_INIT;
    if (!s->console && marker_set_here(MARKER_RUNNING, runs, &err) && s->wiring)
        say(s, 0, SEV_WARNING, err.text);
}

/* Before an automatic service is started again with Windows (delayed: minutes later), setup may
 * already run, and counts it as running. A manual one is not started again. */
static bool comes_back(void)
{
    const struct svc_control *scm = svc_control_scm();
    struct svc_info info;
    struct err ignored = ERR_INIT;
    return scm->ops->query(scm->self, SERVICE_NAME, &info, &ignored) || info.start == SVC_AUTO;
}

static int start_parts(struct service *s, struct err *err)
{
    int rc = wiring_open(s->config_path, s->console, s->ldap, &s->wiring, err);
    if (rc)
        return rc;
    const struct conductor_setup setup = {
        .seams = &s->seams,
        .config = &s->wiring->config,
        .policy = &s->wiring->policy,
        .store_path = s->wiring->store_path,
    };
    rc = start_teller(s, err);
    if (!rc)
        rc = conductor_start(&setup, &s->conductor, err);
    if (!rc)
        rc = start_watcher(s, err);
    if (!rc)
        rc = open_pipe(s, err);
    if (rc) {
        say(s, FIND_SERVICE_FAILED, SEV_CRITICAL, err->text);
        take_down(s);
        return rc;
    }
    open_watch(s);
    say(s, FIND_SERVICE_STARTED, SEV_INFO, "crlagent " CRLAGENT_VERSION " has started");
    return ERR_OK;
}

/* One that cannot start is not started by setup either: that would fail, and the upgrade with it.
 */
static int start(void *self, struct err *err)
{
    struct service *s = self;
    int rc = start_parts(s, err);
    mark(s, rc == ERR_OK);
    return rc;
}

static void stop(void *self, enum svc_stop_reason why)
{
    struct service *s = self;
    say(s, FIND_SERVICE_STOPPED, SEV_INFO,
        why == SVC_STOP_SHUTDOWN ? "crlagent stops because Windows shuts down; an open maintenance "
                                   "is carried on after the next start"
                                 : "crlagent stops; an open maintenance is carried on after the "
                                   "next start");
    if (why != SVC_STOP_SHUTDOWN || !comes_back())
        mark(s, false);
    take_down(s);
}

int service_run(const char *config_path, bool console, const struct ldap_fetcher *ldap,
                struct err *err)
{
    struct service s = {.config_path = config_path, .console = console, .ldap = ldap};
    const struct svc_program program = {start, stop, &s};
    if (console)
        return svc_main_console(&program, err);
    return svc_main_run(SERVICE_NAME, &program, err);
}
