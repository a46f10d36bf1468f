/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Services down and up again. Written before anything is touched: every service of the plan with
 * its former state and start type, in one commit. Written before each touch: that it is about to
 * happen. So whatever moment a crash picks, the store names everything that may have been changed,
 * and going up is the same work however far going down had come. */
#include "maint/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define SAFENET_GAP 60 /* seconds; event 34 of the CA follows a quicker restart */

static bool is_ca(const struct work *w, const char *name)
{
    return str_eq_nocase(name, w->m->policy.service);
}

/* Appends what is not there yet. */
static int append(struct work *w, const struct svc_info *info, struct err *err)
{
    for (size_t i = 0; i < w->n_svc; i++) {
        if (str_eq_nocase(w->svc[i].name, info->name))
            return ERR_OK;
    }
    if (w->n_svc >= LIMIT_SERVICES)
        return err_set(err, ERR_LIMIT, "more than %u services in all", LIMIT_SERVICES);
    w->svc[w->n_svc++] = *info;
    return ERR_OK;
}

/* A service, after all that depend on it. */
static int collect_one(struct work *w, const char *name, struct err *err)
{
    const struct svc_control *svc = &w->m->seams.svc;
    struct svc_info *list = calloc(LIMIT_SERVICES, sizeof *list);
    struct svc_info own;
    size_t n = 0;
    int rc = list ? svc->ops->query(svc->self, name, &own, err) : err_nomem(err);
    if (!rc)
        rc = svc->ops->dependants(svc->self, name, list, LIMIT_SERVICES - 1, &n, err);
    for (size_t i = 0; i < n && !rc; i++) {
        rc = is_ca(w, list[i].name) && !is_ca(w, name)
                 ? err_set(err, ERR_INVALID,
                           "the CA itself depends on '%s', so it cannot go down before the CA; "
                           "take it out of <stop-with>",
                           name)
                 : append(w, &list[i], err);
    }
    free(list);
    return rc ? rc : append(w, &own, err);
}

/* First the services of the configuration, in its order, each after what depends on it; then what
 * depends on the CA; the CA last. What is named twice goes down where it comes first. */
static int collect(struct work *w, struct err *err)
{
    const struct maint_policy *p = &w->m->policy;
    for (size_t i = 0; i < p->n_stop_with; i++) {
        if (is_ca(w, p->stop_with[i]))
            continue;
        int rc = collect_one(w, p->stop_with[i], err);
        if (rc)
            return err_context(err, "service '%s' of <stop-with>", p->stop_with[i]);
    }
    return collect_one(w, p->service, err);
}

/* On the way back the plan is what was written down: a service that was removed or added to the
 * configuration meanwhile must not stand in the way. Only the CA is asked for. */
int svcplan_collect(struct work *w, struct err *err)
{
    const struct svc_control *svc = &w->m->seams.svc;
    w->n_svc = 0;
    int rc = w->n_former ? svc->ops->query(svc->self, w->m->policy.service, &w->svc[0], err)
                         : collect(w, err);
    if (rc)
        return err_context(err, "looking at the services");
    w->n_svc = w->n_former ? 1 : w->n_svc;
    return ERR_OK;
}

int svcplan_load(struct work *w, struct err *err)
{
    return store_service_list(w->m->store, w->row.id, w->former, LIMIT_SERVICES, &w->n_former, err);
}

static bool ran(enum svc_state former)
{
    return former == SVC_RUNNING || former == SVC_START_PENDING || former == SVC_CONTINUE_PENDING;
}

bool svcplan_ca_ran(const struct work *w)
{
    for (size_t i = 0; i < w->n_former; i++) {
        if (is_ca(w, w->former[i].name))
            return ran(w->former[i].former);
    }
    return false;
}

static int save_service(struct work *w, const struct store_service *s, struct err *err)
{
    int rc = store_service_save(w->m->store, w->row.id, s, err);
    return w->careless ? ERR_OK : rc;
}

/* All former states in one commit. */
static int record(struct work *w, void *arg, struct err *err)
{
    (void)arg;
    int rc = store_begin(w->m->store, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < w->n_svc && !rc; i++) {
        struct store_service s = {.seq = (uint32_t)i,
                                  .former = w->svc[i].state,
                                  .former_start = w->svc[i].start,
                                  .former_delayed = w->svc[i].delayed_auto};
        str_copy(s.name, sizeof s.name, w->svc[i].name);
        rc = store_service_save(w->m->store, w->row.id, &s, err);
    }
    if (rc) {
        store_rollback(w->m->store);
        return rc;
    }
    rc = store_commit(w->m->store, err);
    return rc ? rc : svcplan_load(w, err);
}

/* How long to sleep before the next look: a tenth of the wait hint, as the SCM's own rule says,
 * within the limits of the configuration; but never more than a tenth of what has been waited
 * already, so that a service that is quicker than its hint is not kept waiting for. */
static int64_t pause_ms(const struct maint_policy *p, const struct svc_info *info, int64_t waited)
{
    int64_t ms = (int64_t)info->wait_hint_ms / 10;
    ms = ms > p->poll_max_ms ? p->poll_max_ms : ms;
    ms = ms > waited / 10 ? waited / 10 : ms;
    return ms < p->poll_min_ms ? p->poll_min_ms : ms;
}

static bool settled_elsewhere(enum svc_state want, const struct svc_info *info, bool was_pending)
{
    if (want == SVC_RUNNING)
        return info->state == SVC_STOPPED;
    return was_pending && (info->state == SVC_RUNNING || info->state == SVC_PAUSED);
}

static int wait_for(struct work *w, const char *name, enum svc_state want, int64_t limit_ms,
                    struct err *err)
{
    const struct svc_control *svc = &w->m->seams.svc;
    int64_t begin = clock_mono_ms(w->m->seams.clock);
    bool was_pending = false;
    char text[SVC_TEXT_MAX];
    for (;;) {
        struct svc_info info = {0};
        int rc = svc->ops->query(svc->self, name, &info, err);
        if (rc || info.state == want)
            return rc;
        if (settled_elsewhere(want, &info, was_pending))
            return err_set_os(err, ERR_STATE, (long)info.exit_code,
                              "service '%s' should be %s and is %s (exit code %u)", name,
                              svc_state_name(want), svc_info_text(&info, text), info.exit_code);
        int64_t waited = clock_mono_ms(w->m->seams.clock) - begin;
        if (waited >= limit_ms)
            return err_set(err, ERR_TIMEOUT,
                           "service '%s' should be %s and is still %s after %lld s (check point "
                           "%u)",
                           name, svc_state_name(want), svc_info_text(&info, text),
                           (long long)(waited / 1000), info.checkpoint);
        was_pending = info.state == SVC_STOP_PENDING || info.state == SVC_START_PENDING;
        rc = work_sleep(w, pause_ms(&w->m->policy, &info, waited), err);
        if (rc)
            return rc;
    }
}

/* ---- down ---- */

static int keep_down(struct work *w, void *arg, struct err *err)
{
    struct store_service *s = arg;
    const struct svc_control *svc = &w->m->seams.svc;
    struct err why = ERR_INIT;
    int rc = svc->ops->set_start(svc->self, s->name, SVC_DEMAND, false, &why);
    if (rc == ERR_DENIED || rc == ERR_UNSUPPORTED) {
        char text[SVC_NAME_MAX + 256];
        snprintf(text, sizeof text,
                 "the start type of '%s' stays %s: %.150s; the watch covers the pause", s->name,
                 svc_start_name(s->former_start, s->former_delayed), why.text);
        work_event(w, FIND_MAINT_START_TYPE_KEPT, SEV_WARNING, text);
        s->start_changed = false;
        return save_service(w, s, err);
    }
    if (rc && err)
        *err = why;
    return rc;
}

/* Everything that would start by itself is set to manual, also what is stopped now. */
static int keep_all_down(struct work *w, struct err *err)
{
    int rc = ERR_OK;
    for (size_t i = 0; i < w->n_former && !rc && w->m->policy.change_start_type; i++) {
        struct store_service *s = &w->former[i];
        if (s->former_start > SVC_AUTO)
            continue;
        s->start_changed = true;
        rc = save_service(w, s, err);
        if (!rc)
            rc = work_step(w, STEP_KEEP_DOWN, s->name, keep_down, s, err);
    }
    return rc;
}

static int stop_one(struct work *w, void *arg, struct err *err)
{
    const struct store_service *s = arg;
    const struct svc_control *svc = &w->m->seams.svc;
    int rc = svc->ops->stop(svc->self, s->name, err);
    return rc ? rc : wait_for(w, s->name, SVC_STOPPED, w->m->policy.stop_timeout_ms, err);
}

static int stop_all(struct work *w, struct err *err)
{
    int rc = ERR_OK;
    for (size_t i = 0; i < w->n_former && !rc; i++) {
        struct store_service *s = &w->former[i];
        if (!ran(s->former))
            continue;
        s->stopped = true;
        rc = save_service(w, s, err);
        if (!rc)
            rc = work_step(w, STEP_STOP, s->name, stop_one, s, err);
        if (!rc && is_ca(w, s->name))
            w->row.stopped = clock_now(w->m->seams.clock);
    }
    return rc;
}

int svcplan_down(struct work *w, struct err *err)
{
    int rc = work_step(w, STEP_RECORD, "", record, NULL, err);
    if (!rc)
        rc = keep_all_down(w, err);
    return rc ? rc : stop_all(w, err);
}

int svcplan_stop_again(struct work *w, bool *ret_found, struct err *err)
{
    const struct svc_control *svc = &w->m->seams.svc;
    int rc = ERR_OK;
    *ret_found = false;
    for (size_t i = 0; i < w->n_former && !rc; i++) {
        struct store_service *s = &w->former[i];
        struct svc_info info;
        if (!s->stopped)
            continue;
        rc = svc->ops->query(svc->self, s->name, &info, err);
        if (rc || info.state == SVC_STOPPED)
            continue;
        *ret_found = true;
        /* From here to the end of the step the time of the last stop is unknown, and a crash must
         * find it unknown: the minimum time to the next start counts from it. */
        w->row.stopped = is_ca(w, s->name) ? WHEN_NONE : w->row.stopped;
        rc = work_save(w, err);
        if (!rc)
            rc = work_step(w, STEP_STOP_AGAIN, s->name, stop_one, s, err);
        if (!rc && is_ca(w, s->name)) {
            w->row.stopped = clock_now(w->m->seams.clock);
            rc = work_save(w, err);
        }
    }
    return rc;
}

/* ---- up ---- */

static int64_t min_gap(const struct work *w)
{
    const char *provider = w->view.settings.provider;
    if (w->m->policy.min_gap >= 0)
        return w->m->policy.min_gap;
    /* An unknown provider is treated as the one that needs the gap. */
    return !provider || str_starts_nocase(provider, "SafeNet") ||
                   str_starts_nocase(provider, "Luna")
               ? SAFENET_GAP
               : 0;
}

/* Counted from the stop, with the time of the store: a restart in between changes nothing. When the
 * clock was set back the whole gap is waited. A crash between the stop and its record leaves no
 * time: then the gap counts from now. */
static int wait_gap(struct work *w, void *arg, struct err *err)
{
    (void)arg;
    int64_t gap = min_gap(w), now = clock_now(w->m->seams.clock);
    int64_t gone = w->row.stopped == WHEN_NONE || now < w->row.stopped ? 0 : now - w->row.stopped;
    int64_t end = clock_mono_ms(w->m->seams.clock) + (gap - gone) * 1000;
    int rc = ERR_OK;
    for (int64_t left = end - clock_mono_ms(w->m->seams.clock); left > 0 && !rc;
         left = end - clock_mono_ms(w->m->seams.clock))
        rc = work_sleep(w, left > 1000 ? 1000 : left, err);
    return rc;
}

static int restore_start(struct work *w, void *arg, struct err *err)
{
    const struct store_service *s = arg;
    const struct svc_control *svc = &w->m->seams.svc;
    return svc->ops->set_start(svc->self, s->name, s->former_start, s->former_delayed, err);
}

static int start_one(struct work *w, void *arg, struct err *err)
{
    const struct store_service *s = arg;
    const struct svc_control *svc = &w->m->seams.svc;
    int rc = svc->ops->start(svc->self, s->name, err);
    if (!rc)
        rc = wait_for(w, s->name, SVC_RUNNING, w->m->policy.start_timeout_ms, err);
    if (rc && rc != ERR_CANCELLED && is_ca(w, s->name))
        err_context(err, "%s",
                    "the CA does not start (HSM, CA certificates, or the parent CA's CRL: see "
                    "event 100 of Microsoft-Windows-CertificationAuthority)");
    return rc;
}

static int wait_answer(struct work *w, void *arg, struct err *err)
{
    (void)arg;
    const struct ca_admin *a = &w->m->seams.admin;
    int64_t begin = clock_mono_ms(w->m->seams.clock);
    for (;;) {
        struct err why = ERR_INIT;
        int rc = a->ops->ping(a->self, &why);
        if (!rc)
            return ERR_OK;
        if (clock_mono_ms(w->m->seams.clock) - begin >= w->m->policy.answer_timeout_ms)
            return err_set(err, ERR_TIMEOUT, "the CA runs but does not answer: %.600s", why.text);
        rc = work_sleep(w, w->m->policy.poll_max_ms, err);
        if (rc)
            return rc;
    }
}

/* A cluster that could not bring it online here may have done so on another node. */
static void tell_where(struct work *w, const struct store_service *s)
{
    const struct svc_control *svc = &w->m->seams.svc;
    char text[SVC_TEXT_MAX + 300], is[SVC_TEXT_MAX];
    struct svc_info info;
    struct err ignored = ERR_INIT;
    if (svc->ops->query(svc->self, s->name, &info, &ignored) || info.trouble != SVC_ELSEWHERE)
        return;
    snprintf(text, sizeof text, "'%.100s' came back on another node than it left: it is %s",
             s->name, svc_info_text(&info, is));
    work_event(w, FIND_MAINT_FAILED_OVER, SEV_CRITICAL, text);
}

/* A service that is still going down must be down before it can be started. */
static int bring_up(struct work *w, struct store_service *s, struct err *err)
{
    const struct svc_control *svc = &w->m->seams.svc;
    struct svc_info info = {0};
    int rc = svc->ops->query(svc->self, s->name, &info, err);
    if (!rc && info.state == SVC_STOP_PENDING) {
        rc = wait_for(w, s->name, SVC_STOPPED, w->m->policy.stop_timeout_ms, err);
        info.state = SVC_STOPPED;
        if (!rc && is_ca(w, s->name))
            w->row.stopped = clock_now(w->m->seams.clock);
    }
    if (!rc && info.state != SVC_RUNNING && is_ca(w, s->name) && min_gap(w) > 0)
        rc = work_step(w, STEP_MIN_GAP, s->name, wait_gap, NULL, err);
    if (!rc && info.state != SVC_RUNNING)
        rc = work_step(w, STEP_START, s->name, start_one, s, err);
    if (!rc && is_ca(w, s->name))
        tell_where(w, s);
    if (!rc && is_ca(w, s->name))
        rc = work_step(w, STEP_ANSWER, s->name, wait_answer, NULL, err);
    return rc;
}

/* A service that was removed from the machine meanwhile cannot be restored, and it does not hold
 * the others up: it is told, and the comparison counts it. */
static bool gone(struct work *w, const struct store_service *s)
{
    const struct svc_control *svc = &w->m->seams.svc;
    struct err why = ERR_INIT;
    struct svc_info info;
    char text[SVC_NAME_MAX + 200];
    if (is_ca(w, s->name) || svc->ops->query(svc->self, s->name, &info, &why) != ERR_NOT_FOUND)
        return false;
    snprintf(text, sizeof text, "'%s' was %s before the maintenance and does not exist any more",
             s->name, svc_state_name(s->former));
    work_event(w, FIND_MAINT_SERVICE_GONE, SEV_WARNING, text);
    return true;
}

static int restore_one(struct work *w, struct store_service *s, struct err *err)
{
    int rc = ERR_OK;
    if (gone(w, s))
        return ERR_OK;
    if (s->start_changed)
        rc = work_step(w, STEP_START_TYPE, s->name, restore_start, s, err);
    if (!rc && ran(s->former))
        rc = bring_up(w, s, err);
    s->restored = !rc;
    return rc ? rc : save_service(w, s, err);
}

int svcplan_up(struct work *w, struct err *err)
{
    /* On the way back from a failed pause memory knows more than a store that cannot be written. */
    int rc = w->careless && w->n_former ? ERR_OK : svcplan_load(w, err);
    for (size_t i = w->n_former; i-- > 0 && !rc;)
        rc = restore_one(w, &w->former[i], err);
    return rc;
}
