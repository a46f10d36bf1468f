/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The verbs that need no appliance: plan init, plan check, path. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "driver/answer.h"
#include "driver/hop.h"
#include "driver/verbs_int.h"

int verb_plan_init(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    struct parsed p = {0};
    struct err err = ERR_INIT;
    struct file_info info;
    size_t len;
    int code;
    if (hu_parse(cli, verb, argc, argv, &p, 1, &code))
        return code;
    if (file_stat(argv[0], &info, &err) == ERR_OK) {
        err_set(&err, ERR_EXISTS, "'%s' exists; it is not overwritten", argv[0]);
        return hu_fail(cli, &p, HU_USAGE, &err);
    }
    const char *text = plan_example(&len);
    if (file_write_atomic(argv[0], text, len, &err))
        return hu_fail(cli, &p, HU_FAILED, &err);
    fprintf(cli->err, "'%s' is written: fill it in, then 'hsmupgrade plan check %s'\n", argv[0],
            argv[0]);
    return HU_DONE;
}

/* ---- plan check ---- */

static const char *or_kept(const char *version)
{
    return version[0] ? version : "(kept)";
}

/* One package file, as text and as JSON. Returns whether it is the one of the plan. */
static bool tell_package(const struct plan_package *k, const char *key, struct buf *text,
                         json_t *hop)
{
    uint64_t size = 0;
    struct err err = ERR_INIT;
    json_t *o = json_object();
    bool good = plan_check_package(k, &size, &err) == ERR_OK;
    json_put_text(o, "name", k->name);
    json_put_text(o, "file", k->file);
    json_object_set_new(o, "good", json_boolean(good));
    json_put_text(o, "why", err.text);
    if (good)
        json_put_number(o, "bytes", (int64_t)size);
    json_object_set_new(hop, key, o);
    if (good)
        buf_printf(text, "   %s: %llu bytes, SHA-256 as in the plan\n", k->name,
                   (unsigned long long)size);
    else
        buf_printf(text, "   PACKAGE: %s\n", err.text);
    return good;
}

static bool tell_hops(const struct plan *p, struct buf *text, json_t *doc)
{
    bool good = true;
    json_t *hops = json_array();
    for (size_t i = 0; i < p->n_hops; i++) {
        const struct plan_hop *h = &p->hop[i];
        json_t *o = json_object();
        json_put_text(o, "software", h->software);
        json_put_text(o, "firmware", h->firmware);
        buf_printf(text, "%s: software %s, firmware %s\n", i + 1 < p->n_hops ? "via" : "target",
                   or_kept(h->software), or_kept(h->firmware));
        if (h->patch.present)
            good = tell_package(&h->patch, "reboot-patch", text, o) && good;
        if (h->package.present)
            good = tell_package(&h->package, "package", text, o) && good;
        json_array_append_new(hops, o);
    }
    json_object_set_new(doc, "hops", hops);
    return good;
}

static void tell_parts(const struct plan *p, struct buf *text, json_t *doc)
{
    json_t *sites = json_array(), *agents = json_array(), *attests = json_array();
    for (size_t i = 0; i < p->n_appliances; i++) {
        const struct plan_appliance *a = &p->appliance[i];
        json_t *o = json_object();
        json_put_text(o, "name", a->name);
        json_put_text(o, "role", role_name(a->role));
        json_put_text(o, "console", console_name(a->console));
        json_put_text(o, "host", a->ssh.host);
        json_put_text(o, "device", a->serial.device);
        json_array_append_new(sites, o);
        buf_printf(text, "%zu. %s (%s), by %s\n", i + 1, a->name, role_name(a->role),
                   console_name(a->console));
    }
    for (size_t i = 0; i < p->n_agents; i++) {
        json_array_append_new(agents, json_string(p->agent[i].name));
        buf_printf(text, "agent %s\n", p->agent[i].name);
    }
    for (size_t i = 0; i < p->n_attest; i++) {
        json_t *o = json_object();
        json_put_text(o, "what", p->attest[i].what);
        json_put_text(o, "by", p->attest[i].by);
        json_put_text(o, "date", p->attest[i].date);
        json_array_append_new(attests, o);
    }
    json_object_set_new(doc, "appliances", sites);
    json_object_set_new(doc, "agents", agents);
    json_object_set_new(doc, "attestations", attests);
}

static void tell_head(const struct plan *p, struct buf *text, json_t *doc)
{
    char a[WHEN_TEXT_MAX], b[WHEN_TEXT_MAX];
    json_t *window = json_object();
    json_put_text(doc, "change", p->change);
    json_put_text(doc, "reason", p->reason);
    json_put_when(window, "start", p->window_start);
    json_put_when(window, "end", p->window_end);
    json_object_set_new(doc, "window", window);
    json_put_number(doc, "reserve", p->reserve);
    buf_printf(text, "change %s, window %s to %s\n", p->change, when_format(p->window_start, a),
               when_format(p->window_end, b));
}

/* What 'check' will want besides, once it has seen that the firmware is due. */
static void tell_asked_later(const struct plan *p, int64_t now, struct buf *text, json_t *doc)
{
    static const char *const often[] = {"stc-admin-off", "audit-log"};
    json_t *list = json_array();
    for (size_t i = 0; i < ARRAY_LEN(often) && plan_target(p)->firmware[0]; i++) {
        if (!plan_attested(p, often[i], now))
            json_array_append_new(list, json_string(often[i]));
    }
    for (size_t i = 0; i < json_array_size(list); i++)
        buf_printf(
            text, "%s%s%s", i ? ", " : "note: 'hsmupgrade check' will ask for the attestation of ",
            json_string_value(json_array_get(list, i)), i + 1 == json_array_size(list) ? "\n" : "");
    if (json_array_size(list))
        json_object_set(doc, "asked-later", list);
    json_decref(list);
}

#define PED_OWN_SECONDS 920 /* the longest operation time-out of a PED */

/* Shorter than the PED's own patience, the SO login would be given up while it can still succeed.
 */
static void tell_ped_limit(const struct plan *p, struct buf *text, json_t *doc)
{
    if (p->timeouts.ped > PED_OWN_SECONDS)
        return;
    buf_printf(text,
               "note: timeouts ped=\"%llds\" is no longer than the PED's own %d s; the default is "
               "1000s\n",
               (long long)p->timeouts.ped, PED_OWN_SECONDS);
    json_put_number(doc, "ped-timeout-short", p->timeouts.ped);
}

int verb_plan_check(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    struct parsed p = {0};
    struct err err = ERR_INIT;
    SCOPED(plan_free) struct plan plan = {0};
    SCOPED(buf_free) struct buf text = BUF_INIT;
    SCOPED(buf_free) struct buf json = BUF_INIT;
    int code;
    if (hu_parse(cli, verb, argc, argv, &p, 1, &code))
        return code;
    if (plan_load(argv[0], &plan, &err))
        return hu_fail(cli, &p, HU_USAGE, &err);
    json_t *doc = answer_new("plan", -1);
    tell_head(&plan, &text, doc);
    code = tell_hops(&plan, &text, doc) ? HU_DONE : HU_USAGE;
    tell_parts(&plan, &text, doc);
    if (plan_check_attestations(&plan, clock_now(cli->clock), &err)) {
        buf_printf(&text, "ATTESTATIONS: %s\n", err.text);
        json_put_text(doc, "not-attested", err.text);
        code = HU_USAGE;
    }
    tell_ped_limit(&plan, &text, doc);
    tell_asked_later(&plan, clock_now(cli->clock), &text, doc);
    json_put_text(doc, "outcome", exit_name(code));
    json_put_number(doc, "exit", code);
    if (answer_write(doc, &json, &err))
        return hu_fail(cli, &p, HU_FAILED, &err);
    return hu_put(cli, p.o.json ? &json : &text, code);
}

/* ---- path ---- */

static json_t *path_hops(const char *from, const struct route *r)
{
    json_t *hops = json_array();
    for (size_t i = 0; i < r->n; i++) {
        const struct path_update *u = r->hop[i];
        json_t *o = json_object();
        json_put_text(o, "from", i ? r->hop[i - 1]->to : from);
        json_put_text(o, "to", u->to);
        json_put_text(o, "source", u->source->ref);
        if (u->minutes_high) {
            json_put_number(o, "minutes-low", u->minutes_low);
            json_put_number(o, "minutes-high", u->minutes_high);
            json_put_text(o, "minutes-source",
                          u->minutes_source ? u->minutes_source->ref : "estimate");
        }
        json_array_append_new(hops, o);
    }
    return hops;
}

static int path_json(const struct paths *paths, enum component c, char **versions,
                     const struct route *r, int code, struct buf *out, struct err *err)
{
    json_t *doc = answer_new("path", code), *texts = json_array();
    json_put_text(doc, "component", component_word(c));
    json_put_text(doc, "from", versions[0]);
    json_put_text(doc, "to", versions[1]);
    json_put_text(doc, "verdict", r->unprovable ? "unprovable" : route_verdict_name(r->verdict));
    json_put_text(doc, "why", r->why);
    json_object_set_new(doc, "hops", path_hops(versions[0], r));
    for (size_t i = 0; i < paths->n_texts; i++) {
        const struct path_text *t = &paths->text[i];
        if (!paths_says(t, c, versions[1], r))
            continue;
        json_t *o = json_object();
        json_put_text(o, "kind", path_text_word(t->kind));
        json_put_text(o, "text", t->text);
        json_put_text(o, "source", t->source->ref);
        json_array_append_new(texts, o);
    }
    json_object_set_new(doc, "texts", texts);
    return answer_write(doc, out, err);
}

int verb_path(struct hu_cli *cli, const struct hu_verb *verb, int argc, char **argv)
{
    struct parsed p = {0};
    struct err err = ERR_INIT;
    struct route r;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    int code;
    if (hu_parse(cli, verb, argc, argv, &p, 3, &code))
        return code;
    enum component c = component_find(argv[0]);
    if (c == COMPONENTS) {
        err_set(&err, ERR_INVALID,
                "expected 'software', 'firmware', 'client', 'ped' or 'backup', found '%s'",
                argv[0]);
        return hu_fail(cli, &p, HU_USAGE, &err);
    }
    SCOPED(scope_free) struct paths *paths = calloc(1, sizeof *paths);
    if (!paths || paths_builtin(paths, &err))
        return hu_fail(cli, &p, HU_FAILED, &err);
    if (paths_route(paths, c, argv[1], argv[2], &r, &err))
        return hu_fail(cli, &p, HU_USAGE, &err);
    bool way = r.verdict == ROUTE_ALREADY || (r.verdict == ROUTE_FOUND && !r.unprovable);
    code = way ? HU_DONE : HU_REFUSED;
    if (!p.o.json)
        paths_explain(paths, c, argv[1], argv[2], &r, &text);
    else if (path_json(paths, c, argv + 1, &r, code, &text, &err))
        return hu_fail(cli, &p, HU_FAILED, &err);
    return hu_put(cli, &text, code);
}
