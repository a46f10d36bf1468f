/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/gates.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "driver/agents.h"
#include "driver/inventory.h"
#include "driver/site.h"
#include "health/finding.h"

#define CLOCK_TOLERANCE 120 /* seconds */
#define DISK_FREE_PERCENT 15

const char *gate_symbol(uint32_t id)
{
    const struct finding_kind *k = finding_kind_by_id(id);
    return k ? k->symbol : "";
}

const char *gate_title(uint32_t id)
{
    const struct finding_kind *k = finding_kind_by_id(id);
    return k ? k->title : "";
}

struct gate *gate_add(struct gates *g, uint32_t id, enum severity severity, const char *subject)
{
    static struct gate overflow;
    const struct finding_kind *k = finding_kind_by_id(id);
    struct gate *t = g->n < GATES_MAX ? &g->item[g->n++] : &overflow;
    if (t == &overflow)
        g->dropped++;
    memset(t, 0, sizeof *t);
    t->id = id;
    t->severity = severity;
    str_copy(t->subject, sizeof t->subject, subject);
    str_copy(t->remedy, sizeof t->remedy, k ? k->remedy : "");
    return t;
}

enum severity gates_worst(const struct gates *g)
{
    enum severity worst = SEV_OK;
    for (size_t i = 0; i < g->n; i++)
        worst = g->item[i].severity > worst ? g->item[i].severity : worst;
    return worst;
}

static void add(struct gates *g, uint32_t id, enum severity sev, const struct site *s,
                const char *expected, const char *found)
{
    struct gate *t = gate_add(g, id, sev, s->a->name);
    str_copy(t->expected, sizeof t->expected, expected);
    str_copy(t->found, sizeof t->found, found);
}

static uint32_t id_of_error(int code)
{
    switch (code) {
    case ERR_CRYPTO:
        return FIND_HSM_HOST_KEY;
    case ERR_STATE:
        return FIND_HSM_NEEDS_PERSON;
    case ERR_BUSY:
        return FIND_HSM_NOT_ANSWERING;
    case ERR_PARSE:
        return FIND_HSM_UNREADABLE;
    default:
        return FIND_HSM_UNREACHABLE;
    }
}

/* ---- from hsm show ---- */

static void gate_counters(const struct site *s, struct gates *g)
{
    const struct luna_show *v = &s->show;
    if (v->zeroized)
        add(g, FIND_HSM_ZEROIZED, SEV_CRITICAL, s, "not zeroized", v->attempts);
    else if (strcmp(v->attempts, LUNA_ATTEMPTS_FULL) != 0)
        add(g, FIND_HSM_ATTEMPTS, SEV_CRITICAL, s, LUNA_ATTEMPTS_FULL, v->attempts);
    if (v->stm == LUNA_YES)
        add(g, FIND_HSM_TRANSPORT_MODE, SEV_CRITICAL, s, "Secure Transport Mode: No", "Yes");
    if (v->tamper[0] && !str_eq_nocase(v->tamper, "No tamper(s)"))
        add(g, FIND_HSM_TAMPER, SEV_CRITICAL, s, "No tamper(s)", v->tamper);
}

static void gate_environment(const struct site *s, struct gates *g)
{
    const struct luna_show *v = &s->show;
    char found[64];
    if (v->battery > 0 && v->battery < v->battery_warning) {
        snprintf(found, sizeof found, "battery %.3f V, warning at %.3f V", v->battery,
                 v->battery_warning);
        add(g, FIND_HSM_ENVIRONMENT, SEV_WARNING, s, "above the warning threshold", found);
    }
    if (v->temperature > 0 && v->temperature_warning > 0 &&
        v->temperature >= v->temperature_warning) {
        snprintf(found, sizeof found, "%d deg. C, warning at %d", v->temperature,
                 v->temperature_warning);
        add(g, FIND_HSM_ENVIRONMENT, SEV_WARNING, s, "below the warning threshold", found);
    }
}

/* ---- routes to the target ---- */

static void gate_route(struct site *s, enum component c, const char *from, const char *to,
                       struct gates *g)
{
    struct route r;
    struct err err = ERR_INIT;
    char expected[120];
    const char *reason = s->drv->opt.unlisted_reason;
    if (!to[0])
        return;
    snprintf(expected, sizeof expected, "a listed update from %s to %s", from, to);
    if (paths_route(&s->drv->paths, c, from, to, &r, &err)) {
        add(g, FIND_HSM_PATH, SEV_CRITICAL, s, expected, err.text);
        return;
    }
    if (r.verdict == ROUTE_ALREADY || (r.verdict == ROUTE_FOUND && r.n == 1))
        return;
    if (r.verdict == ROUTE_FOUND) {
        add(g, FIND_HSM_PATH, SEV_CRITICAL, s, expected,
            "several updates are needed one after the other: one plan for each");
    } else if (r.verdict == ROUTE_UNLISTED && reason) {
        char found[400];
        snprintf(found, sizeof found, "not listed; accepted because: %.300s", reason);
        add(g, FIND_HSM_PATH, SEV_WARNING, s, expected, found);
    } else {
        add(g, FIND_HSM_PATH, SEV_CRITICAL, s, expected, r.why);
    }
}

static bool target_at_least(const struct driver *drv, int minor)
{
    struct version v, limit = {{7, minor, 0}, -1};
    return !version_parse(drv->plan.software, &v, NULL) && version_compare(&v, &limit) >= 0;
}

static void gate_default_routes(struct site *s, struct gates *g)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    struct luna_list l;
    struct err err = ERR_INIT;
    int rc = site_ask(s, "routes", NULL, &body, &err);
    if (!rc)
        rc = luna_parse_routes(buf_str(&body), &l, &err);
    if (rc) {
        add(g, id_of_error(rc), SEV_CRITICAL, s, "the routing table", err.text);
        return;
    }
    size_t n = luna_default_routes(&l);
    struct version now, limit = {{7, 7, 0}, -1};
    bool late = !version_parse(s->show.software, &now, NULL) && version_compare(&now, &limit) >= 0;
    if (n > 1 && (late || target_at_least(s->drv, 7))) {
        char found[64];
        snprintf(found, sizeof found, "%zu default routes", n);
        add(g, FIND_HSM_ROUTES, SEV_CRITICAL, s, "one default route", found);
    }
}

static void gate_patch(struct site *s, struct gates *g)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    struct err err = ERR_INIT;
    if (!target_at_least(s->drv, 7) || s->drv->plan.patch.present ||
        version_reached(s->show.software, s->drv->plan.software))
        return;
    if (site_ask(s, "packages", NULL, &body, &err) || !strstr(buf_str(&body), "reboot-patch"))
        add(g, FIND_HSM_REBOOT_PATCH, SEV_WARNING, s, "lunasa-reboot-patch in 'package list'",
            err.text[0] ? err.text : "not listed, and the plan brings none");
}

static void gate_disk(struct site *s, struct gates *g)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    struct err err = ERR_INIT;
    char found[64];
    if (site_ask(s, "disk", NULL, &body, &err)) {
        add(g, FIND_HSM_DISK, SEV_WARNING, s, "an answer to 'status disk'", err.text);
        return;
    }
    int free_percent = luna_parse_disk_free_percent(buf_str(&body));
    if (free_percent >= DISK_FREE_PERCENT || free_percent < 0)
        return;
    snprintf(found, sizeof found, "%d %% free on the fullest file system", free_percent);
    add(g, FIND_HSM_DISK, SEV_WARNING, s, "at least 15 % free", found);
}

static void gate_clock(struct site *s, struct gates *g)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    struct err err = ERR_INIT;
    char found[80], off[WHEN_TEXT_MAX];
    if (site_ask(s, "date", NULL, &body, &err))
        return;
    int64_t there = luna_parse_date(buf_str(&body));
    int64_t here = clock_now(s->drv->clock);
    if (there == WHEN_NONE || llabs(there - here) <= CLOCK_TOLERANCE)
        return;
    snprintf(found, sizeof found, "off by %s", duration_format(there - here, off));
    add(g, FIND_HSM_CLOCK, SEV_WARNING, s, "within two minutes of this host", found);
}

static void gate_services(struct site *s, struct gates *g)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    SCOPED(buf_free) struct buf state = BUF_INIT;
    struct err err = ERR_INIT;
    char v[64];
    if (site_ask(s, "service", "ntls", &body, &err) ||
        luna_parse_service(buf_str(&body)) != LUNA_YES)
        add(g, FIND_HSM_NTLS, SEV_CRITICAL, s, "ntls is running",
            err.text[0] ? err.text : "ntls is not running");
    err_clear(&err);
    if (site_ask(s, "sysstat", NULL, &state, &err) == ERR_OK &&
        luna_value(buf_str(&state), "Service Status", v, sizeof v) && !str_starts(v, "ISO"))
        add(g, FIND_HSM_SERVICE_STATE, SEV_WARNING, s, "ISO (in service)", v);
}

static void gate_for_run(struct site *s, struct gates *g)
{
    struct plan *p = &s->drv->plan;
    gate_route(s, COMPONENT_SOFTWARE, s->show.software, p->software, g);
    gate_route(s, COMPONENT_FIRMWARE, s->show.firmware, p->firmware, g);
    if (str_eq_nocase(s->show.auth, "Password"))
        add(g, FIND_HSM_AUTHENTICATION, SEV_CRITICAL, s, "PED keys", s->show.auth);
    if (!paths_ped_suits(&s->drv->paths, p->ped, p->firmware))
        add(g, FIND_HSM_PED, SEV_CRITICAL, s, "PED 2.7.4, or 2.9.0 and later", p->ped);
    if (!paths_client_suits(&s->drv->paths, p->client, p->firmware))
        add(g, FIND_HSM_CLIENT, SEV_WARNING, s, s->drv->paths.client_minimum, p->client);
    gate_patch(s, g);
    if (p->activation == ACTIVATE_BLACK_KEY)
        add(g, FIND_HSM_ACTIVATION, SEV_INFO, s, "the black key at hand after the reboot",
            "the plan says: activated by a person");
}

void gates_site(struct site *s, bool for_run, struct gates *g)
{
    struct luna_show show;
    struct err err = ERR_INIT;
    int rc = site_fresh_show(s, &show, &err);
    if (rc) {
        add(g, id_of_error(rc), SEV_CRITICAL, s, "login and 'hsm show'", err.text);
        return;
    }
    say(s->drv, s->a->name, "software %s, firmware %s, %s, attempts: %s", show.software,
        show.firmware, show.model, show.attempts);
    gate_counters(s, g);
    gate_environment(s, g);
    gate_default_routes(s, g);
    gate_disk(s, g);
    gate_clock(s, g);
    gate_services(s, g);
    if (for_run)
        gate_for_run(s, g);
    site_leave(s);
}

/* ---- plan and agents ---- */

static void gate_file(struct driver *drv, const struct plan_package *k, struct gates *g)
{
    uint64_t size;
    struct err err = ERR_INIT;
    (void)drv;
    if (!k->present || plan_check_package(k, &size, &err) == ERR_OK)
        return;
    struct gate *t = gate_add(g, FIND_HSM_PACKAGE, SEV_CRITICAL, k->name);
    str_copy(t->expected, sizeof t->expected, "the file with the SHA-256 of the plan");
    str_copy(t->found, sizeof t->found, err.text);
}

void gates_plan(struct driver *drv, struct gates *g)
{
    struct err err = ERR_INIT;
    int64_t now = driver_now(drv);
    int64_t end = drv->plan.window_end + drv->opt.extend_window;
    if (plan_check_attestations(&drv->plan, &err)) {
        struct gate *t = gate_add(g, FIND_HSM_ATTESTATION, SEV_CRITICAL, "plan");
        str_copy(t->expected, sizeof t->expected, "seven attestations with name and date");
        str_copy(t->found, sizeof t->found, err.text);
    }
    gate_file(drv, &drv->plan.package, g);
    gate_file(drv, &drv->plan.patch, g);
    if (now < drv->plan.window_start || now >= end) {
        char a[WHEN_TEXT_MAX], b[WHEN_TEXT_MAX], c[WHEN_TEXT_MAX];
        /* Checking days ahead is what 'check' is for; a window that is over cannot be used. */
        struct gate *t = gate_add(g, FIND_HSM_WINDOW, now < end ? SEV_INFO : SEV_CRITICAL, "plan");
        snprintf(t->expected, sizeof t->expected, "%s to %s",
                 when_format(drv->plan.window_start, a), when_format(end, b));
        str_copy(t->found, sizeof t->found, when_format(now, c));
    }
}

void gates_agents(struct driver *drv, struct gates *g)
{
    for (size_t i = 0; i < drv->plan.n_agents; i++) {
        const struct plan_agent *a = &drv->plan.agent[i];
        SCOPED(buf_free) struct buf said = BUF_INIT;
        uint32_t code = 0;
        struct err err = ERR_INIT;
        int rc = agent_call(drv, a, HOOK_PRE_DRY, &code, &said, &err);
        say(drv, a->name, "pre-upgrade --dry-run: %s", rc || code ? "refused" : "would pause");
        if (!rc && code == 0)
            continue;
        struct gate *t = gate_add(g, FIND_HSM_AGENT, SEV_CRITICAL, a->name);
        str_copy(t->expected, sizeof t->expected, "hook pre-upgrade --dry-run ends with 0");
        if (rc)
            str_copy(t->found, sizeof t->found, err.text);
        else
            snprintf(t->found, sizeof t->found, "exit code %u: %.340s", (unsigned)code,
                     buf_str(&said));
    }
}
