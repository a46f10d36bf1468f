/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/gates.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "driver/hop.h"
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

bool gates_only_agents(const struct gates *g)
{
    size_t agents = 0, others = g->dropped;
    for (size_t i = 0; i < g->n; i++) {
        if (g->item[i].severity == SEV_CRITICAL)
            *(g->item[i].id == FIND_HSM_AGENT ? &agents : &others) += 1;
    }
    return agents && !others;
}

struct gate *gate_site(struct gates *g, uint32_t id, enum severity severity, const struct site *s,
                       const char *expected, const char *found)
{
    struct gate *t = gate_add(g, id, severity, s->a->name);
    str_copy(t->expected, sizeof t->expected, expected);
    str_copy(t->found, sizeof t->found, found);
    return t;
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

static bool software_from(const char *shown, int major, int minor)
{
    struct version v, limit = {{major, minor, 0}, -1};
    return !version_parse(shown, &v, NULL) && version_compare(&v, &limit) >= 0;
}

/* The first words of an answer that was not understood. */
static void first_words(const struct buf *body, const struct err *err, char dst[160])
{
    const char *p = body->len ? buf_str(body) : err->text;
    size_t n = 0;
    for (bool blank = true; *p && n < 150; p++) {
        bool white = (unsigned char)*p <= ' ';
        if (!white || !blank)
            dst[n++] = white ? ' ' : *p;
        blank = white;
    }
    dst[n] = '\0';
}

/* ---- from hsm show ---- */

static void gate_counters(const struct site *s, struct gates *g)
{
    const struct luna_show *v = &s->show;
    if (v->zeroized)
        gate_site(g, FIND_HSM_ZEROIZED, SEV_CRITICAL, s, "not zeroized", v->attempts);
    else if (strcmp(v->attempts, LUNA_ATTEMPTS_FULL) != 0)
        gate_site(g, FIND_HSM_ATTEMPTS, SEV_CRITICAL, s, LUNA_ATTEMPTS_FULL, v->attempts);
    if (v->stm == LUNA_YES)
        gate_site(g, FIND_HSM_TRANSPORT_MODE, SEV_CRITICAL, s, "Secure Transport Mode: No", "Yes");
    if (v->tamper[0] && !str_eq_nocase(v->tamper, "No tamper(s)"))
        gate_site(g, FIND_HSM_TAMPER, SEV_CRITICAL, s, "No tamper(s)", v->tamper);
}

/* From 7.0 on 'hsm show' prints both lines. Where it does not, silence is no "no". */
static void gate_unsaid(struct site *s, bool for_run, struct gates *g)
{
    if (!software_from(s->show.software, 7, 0))
        return;
    if (s->show.stm == LUNA_UNSAID)
        gate_person(s, for_run, "transport-mode-off", "Secure Transport Mode is off",
                    "'hsm show' has no line 'Secure Transport Mode: Yes' or 'No'", g);
    if (!s->show.tamper[0])
        gate_person(s, for_run, "no-tamper", "no tamper is recorded",
                    "'hsm show' has no line 'HSM Tamper State:'", g);
}

static void gate_environment(const struct site *s, struct gates *g)
{
    const struct luna_show *v = &s->show;
    char found[64];
    if (v->battery > 0 && v->battery < v->battery_warning) {
        snprintf(found, sizeof found, "battery %.3f V, warning at %.3f V", v->battery,
                 v->battery_warning);
        gate_site(g, FIND_HSM_ENVIRONMENT, SEV_WARNING, s, "above the warning threshold", found);
    }
    if (v->temperature > 0 && v->temperature_warning > 0 &&
        v->temperature >= v->temperature_warning) {
        snprintf(found, sizeof found, "%d deg. C, warning at %d", v->temperature,
                 v->temperature_warning);
        gate_site(g, FIND_HSM_ENVIRONMENT, SEV_WARNING, s, "below the warning threshold", found);
    }
}

/* ---- routes to the target ---- */

/* One leg of the way: what the table says about going from one version to the next in the plan. */
static void gate_leg(struct site *s, enum component c, const char *from, const char *to,
                     struct gates *g)
{
    struct route r;
    struct err err = ERR_INIT;
    char expected[120], found[400];
    const char *reason = s->drv->opt.unlisted_reason;
    snprintf(expected, sizeof expected, "a listed update from %s to %s", from, to);
    if (paths_route(&s->drv->paths, c, from, to, &r, &err)) {
        gate_site(g, FIND_HSM_PATH, SEV_CRITICAL, s, expected, err.text);
        return;
    }
    if (r.verdict == ROUTE_ALREADY || (r.verdict == ROUTE_FOUND && r.n == 1 && !r.unprovable))
        return;
    if (r.verdict == ROUTE_FOUND && r.n > 1) {
        int n = snprintf(found, sizeof found, "%zu updates one after the other: put ", r.n);
        for (size_t i = 0; i + 1 < r.n && n < 350; i++)
            n += snprintf(found + n, sizeof found - (size_t)n, "<via %s=\"%s\">, ",
                          c == COMPONENT_SOFTWARE ? "software" : "firmware", r.hop[i]->to);
        snprintf(found + n, sizeof found - (size_t)n, "with the package of each, into the plan");
        gate_site(g, FIND_HSM_PATH, SEV_CRITICAL, s, expected, found);
    } else if (r.verdict == ROUTE_UNLISTED && reason) {
        snprintf(found, sizeof found, "not listed; accepted because: %.300s", reason);
        gate_site(g, FIND_HSM_PATH, SEV_WARNING, s, expected, found);
    } else {
        gate_site(g, FIND_HSM_PATH, SEV_CRITICAL, s, expected, r.why);
    }
}

/* Every hop that the appliance still needs, in the order of the plan. */
static void gate_route(struct site *s, enum component c, struct gates *g)
{
    const struct plan *p = &s->drv->plan;
    const char *at = c == COMPONENT_SOFTWARE ? s->show.software : s->show.firmware;
    for (size_t i = 0; i < p->n_hops; i++) {
        const char *to = c == COMPONENT_SOFTWARE ? p->hop[i].software : p->hop[i].firmware;
        bool needed =
            c == COMPONENT_SOFTWARE ? hop_needs_software(p, i, at) : hop_needs_firmware(p, i, at);
        if (!needed && (i + 1 < p->n_hops || !to[0]))
            continue;
        gate_leg(s, c, at, to, g);
        at = to;
    }
}

static bool target_at_least(const struct driver *drv, int minor)
{
    return software_from(plan_target(&drv->plan)->software, 7, minor);
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
        gate_site(g, id_of_error(rc), SEV_CRITICAL, s, "the routing table", err.text);
        return;
    }
    size_t n = luna_default_routes(&l);
    if (n > 1 && (software_from(s->show.software, 7, 7) || target_at_least(s->drv, 7))) {
        char found[64];
        snprintf(found, sizeof found, "%zu default routes", n);
        gate_site(g, FIND_HSM_ROUTES, SEV_CRITICAL, s, "one default route", found);
    }
}

/* Needed before 7.7.0 on units shipped before December 2019; the name of its row in the list is
 * taken from the name of its package. */
static void gate_patch(struct site *s, struct gates *g)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    struct err err = ERR_INIT;
    const struct plan *p = &s->drv->plan;
    bool brings = false, needs = false;
    for (size_t i = 0; i < p->n_hops; i++) {
        brings = brings || p->hop[i].patch.present;
        needs = needs || (software_from(p->hop[i].software, 7, 7) &&
                          hop_needs_software(p, i, s->show.software));
    }
    if (!needs || brings || software_from(s->show.software, 7, 7))
        return;
    if (site_ask(s, "packages", NULL, &body, &err) == ERR_OK &&
        strstr(buf_str(&body), "reboot-patch"))
        return;
    const struct plan_attest *a = plan_attested(p, "reboot-patch", driver_now(s->drv));
    char found[400];
    snprintf(found, sizeof found, "%.150s%s%s%s%s",
             err.text[0] ? err.text : "not listed, and the plan brings none",
             a ? "; attested by " : "", a ? a->by : "",
             a ? " on " : "; nobody has attested 'reboot-patch': shipped later", a ? a->date : "");
    struct gate *t =
        gate_site(g, FIND_HSM_REBOOT_PATCH, a ? SEV_INFO : SEV_CRITICAL, s,
                  "lunasa-reboot-patch in 'package list', or shipped after December 2019", found);
    if (a)
        t->remedy[0] = '\0';
}

static void gate_disk(struct site *s, bool for_run, struct gates *g)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    struct err err = ERR_INIT;
    char found[64], seen[160];
    int free_percent =
        site_ask(s, "disk", NULL, &body, &err) ? -1 : luna_parse_disk_free_percent(buf_str(&body));
    if (free_percent < 0) {
        first_words(&body, &err, seen);
        gate_person(s, for_run, "free-space", "room for the package and its unpacking", seen, g);
    } else if (free_percent < DISK_FREE_PERCENT) {
        snprintf(found, sizeof found, "%d %% free on the fullest file system", free_percent);
        gate_site(g, FIND_HSM_DISK, SEV_WARNING, s, "at least 15 % free", found);
    }
}

static void gate_clock(struct site *s, bool for_run, struct gates *g)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    struct err err = ERR_INIT;
    char found[80], off[WHEN_TEXT_MAX], seen[160];
    int64_t there =
        site_ask(s, "date", NULL, &body, &err) ? WHEN_NONE : luna_parse_date(buf_str(&body));
    int64_t here = clock_now(s->drv->clock);
    if (there == WHEN_NONE) {
        first_words(&body, &err, seen);
        gate_person(s, for_run, "clock", "the appliance's clock is right", seen, g);
    } else if (llabs(there - here) > CLOCK_TOLERANCE) {
        snprintf(found, sizeof found, "off by %s", duration_format(there - here, off));
        gate_site(g, FIND_HSM_CLOCK, SEV_WARNING, s, "within two minutes of this host", found);
    }
}

static void gate_services(struct site *s, struct gates *g)
{
    SCOPED(buf_free) struct buf body = BUF_INIT;
    SCOPED(buf_free) struct buf state = BUF_INIT;
    struct err err = ERR_INIT;
    char v[64];
    if (site_ask(s, "service", "ntls", &body, &err) ||
        luna_parse_service(buf_str(&body)) != LUNA_YES)
        gate_site(g, FIND_HSM_NTLS, SEV_CRITICAL, s, "ntls is running",
                  err.text[0] ? err.text : "ntls is not running");
    err_clear(&err);
    if (site_ask(s, "sysstat", NULL, &state, &err) == ERR_OK &&
        luna_value(buf_str(&state), "Service Status", v, sizeof v) && !str_starts(v, "ISO"))
        gate_site(g, FIND_HSM_SERVICE_STATE, SEV_WARNING, s, "ISO (in service)", v);
}

/* Not ours: our own SO login ends with its connection. */
static void gate_so_elsewhere(struct site *s, struct gates *g)
{
    struct gate *t = gate_site(g, FIND_HSM_NEEDS_PERSON, SEV_CRITICAL, s, "the SO is not logged in",
                               "HSM Admin login status: Logged In, in another session");
    str_copy(t->remedy, sizeof t->remedy,
             "Find out who works on this HSM; when that is over: hsm logout there.");
}

/* The versions that are there, against the table. */
static void gate_versions(struct site *s, struct gates *g)
{
    const char *found[] = {s->show.software, s->show.firmware};
    for (size_t c = 0; c < ARRAY_LEN(found); c++) {
        struct route r;
        if (paths_withdrawn(&s->drv->paths, (enum component)c, found[c], &r))
            gate_site(g, FIND_HSM_WITHDRAWN, SEV_WARNING, s, r.why, found[c]);
    }
}

static void gate_for_run(struct site *s, struct gates *g)
{
    const struct plan *p = &s->drv->plan;
    const char *firmware = plan_target(p)->firmware;
    gate_route(s, COMPONENT_SOFTWARE, g);
    gate_route(s, COMPONENT_FIRMWARE, g);
    if (str_eq_nocase(s->show.login_status, "Logged In"))
        gate_so_elsewhere(s, g);
    if (str_eq_nocase(s->show.auth, "Password"))
        gate_site(g, FIND_HSM_AUTHENTICATION, SEV_CRITICAL, s, "PED keys", s->show.auth);
    if (!paths_ped_suits(&s->drv->paths, p->ped, firmware))
        gate_site(g, FIND_HSM_PED, SEV_CRITICAL, s, "PED 2.7.4, or 2.9.0 and later", p->ped);
    if (!paths_client_suits(&s->drv->paths, p->client, firmware))
        gate_site(g, FIND_HSM_CLIENT, SEV_WARNING, s, s->drv->paths.client_minimum, p->client);
    gate_patch(s, g);
    gates_person(s, g);
    if (p->activation == ACTIVATE_BLACK_KEY)
        gate_site(g, FIND_HSM_ACTIVATION, SEV_INFO, s, "the black key at hand after the reboot",
                  "the plan says: activated by a person");
}

/* Written down for the comparison; 'run' does so in its first step. */
static void gate_inventory(struct site *s, struct gates *g)
{
    SCOPED(buf_free) struct buf diff = BUF_INIT;
    struct err err = ERR_INIT;
    char since[WHEN_TEXT_MAX + 32] = "";
    int rc = inventory_note(s, since, &diff, &err);
    if (rc)
        gate_site(g, id_of_error(rc), SEV_WARNING, s, "the list of partitions, clients, services",
                  err.text);
    else if (diff.len)
        gate_site(g, FIND_HSM_CHANGED, SEV_WARNING, s, since, buf_str(&diff));
}

void gates_site(struct site *s, bool for_run, struct gates *g)
{
    struct luna_show show;
    struct err err = ERR_INIT;
    int rc = site_fresh_show(s, &show, &err);
    if (rc) {
        gate_site(g, id_of_error(rc), SEV_CRITICAL, s, "login and 'hsm show'", err.text);
        return;
    }
    say(s->drv, s->a->name, "software %s, firmware %s, %s, attempts: %s", show.software,
        show.firmware, show.model, show.attempts);
    gate_counters(s, g);
    gate_environment(s, g);
    gate_versions(s, g);
    gate_default_routes(s, g);
    gate_unsaid(s, for_run, g);
    gate_disk(s, for_run, g);
    gate_clock(s, for_run, g);
    gate_services(s, g);
    if (for_run)
        gate_for_run(s, g);
    if (for_run && s->drv->looking)
        gate_inventory(s, g);
    site_leave(s);
}

/* ---- the plan ---- */

static void gate_file(const struct plan_package *k, struct gates *g)
{
    uint64_t size;
    struct err err = ERR_INIT;
    if (!k->present || plan_check_package(k, &size, &err) == ERR_OK)
        return;
    struct gate *t = gate_add(g, FIND_HSM_PACKAGE, SEV_CRITICAL, k->name);
    str_copy(t->expected, sizeof t->expected, "the file with the SHA-256 of the plan");
    str_copy(t->found, sizeof t->found, err.text);
}

/* The least that the table knows for what this appliance still needs, minutes. */
static int64_t least_minutes(const struct driver *drv, const struct site *s)
{
    const struct plan *p = &drv->plan;
    const char *at[] = {s->show.software, s->show.firmware};
    int64_t sum = 0;
    for (size_t i = 0; i < p->n_hops; i++) {
        const char *to[] = {p->hop[i].software, p->hop[i].firmware};
        bool due[] = {hop_needs_software(p, i, at[0]), hop_needs_firmware(p, i, at[1])};
        for (size_t c = 0; c < 2; c++) {
            struct route r;
            struct err err = ERR_INIT;
            if (!due[c] || paths_route(&drv->paths, (enum component)c, at[c], to[c], &r, &err))
                continue;
            sum += r.minutes_low;
            at[c] = to[c];
        }
    }
    return sum;
}

void gates_duration(struct driver *drv, struct gates *g)
{
    char least[WHEN_TEXT_MAX], window[WHEN_TEXT_MAX];
    int64_t sum = 0, end = drv->plan.window_end + drv->opt.extend_window;
    int64_t start = driver_now(drv) > drv->plan.window_start && driver_now(drv) < end
                        ? driver_now(drv)
                        : drv->plan.window_start;
    for (size_t i = 0; i < drv->n_sites; i++) {
        if (drv->site[i].show.software[0])
            sum += 60 * least_minutes(drv, &drv->site[i]);
    }
    if (sum <= end - start)
        return;
    struct gate *t = gate_add(g, FIND_HSM_DURATION, SEV_WARNING, "plan");
    snprintf(t->expected, sizeof t->expected, "%s or more for %zu appliances",
             duration_format(sum, least), drv->n_sites);
    snprintf(t->found, sizeof t->found, "%s", duration_format(end - start, window));
}

void gates_plan(struct driver *drv, struct gates *g)
{
    struct err err = ERR_INIT;
    int64_t now = driver_now(drv);
    int64_t end = drv->plan.window_end + drv->opt.extend_window;
    if (plan_check_attestations(&drv->plan, now, &err)) {
        struct gate *t = gate_add(g, FIND_HSM_ATTESTATION, SEV_CRITICAL, "plan");
        str_copy(t->expected, sizeof t->expected, "seven attestations with name and date");
        str_copy(t->found, sizeof t->found, err.text);
    }
    for (size_t i = 0; i < drv->plan.n_hops; i++) {
        gate_file(&drv->plan.hop[i].package, g);
        gate_file(&drv->plan.hop[i].patch, g);
    }
    if (now < drv->plan.window_start || now >= end) {
        char a[WHEN_TEXT_MAX], b[WHEN_TEXT_MAX], c[WHEN_TEXT_MAX];
        /* Checking days ahead is what 'check' is for; a window that is over cannot be used. */
        struct gate *t = gate_add(g, FIND_HSM_WINDOW, now < end ? SEV_INFO : SEV_CRITICAL, "plan");
        snprintf(t->expected, sizeof t->expected, "%s to %s",
                 when_format(drv->plan.window_start, a), when_format(end, b));
        str_copy(t->found, sizeof t->found, when_format(now, c));
    }
}
