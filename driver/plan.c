/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/plan_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/when.h"
#include "driver/digest.h"
#include "driver/embedded.h"
#include "driver/version.h"

struct reader {
    const char *label;
    struct plan *p;
    struct err *err;
};

#define COPY(r, node, name, field)                                                                 \
    xml_attr_copy((r)->label, node, name, field, sizeof(field), (r)->err)

const char *console_name(enum console c)
{
    static const char *const names[] = {"ssh", "serial", "manual"};
    return names[c];
}

const char *role_name(enum ha_role r)
{
    static const char *const names[] = {"single", "secondary", "primary"};
    return names[r];
}

/* Index of the attribute's value in names; `fallback` when it is absent. The schema has checked the
 * spelling. */
static int choice(const xmlNode *node, const char *name, const char *const *names, int n,
                  int fallback)
{
    SCOPED(scope_free) char *v = xmldoc_attribute(node, name);
    for (int i = 0; v && i < n; i++) {
        if (strcmp(v, names[i]) == 0)
            return i;
    }
    return fallback;
}

static int read_time(struct reader *r, const xmlNode *node, const char *name, int64_t *ret)
{
    struct err inner = ERR_INIT;
    SCOPED(scope_free) char *v = xmldoc_attribute(node, name);
    if (when_parse(v ? v : "", ret, &inner))
        return xml_fail(r->label, node, r->err, "attribute '%s': %s", name, inner.text);
    return ERR_OK;
}

static int read_duration(struct reader *r, const xmlNode *node, const char *name, int64_t *ret)
{
    struct err inner = ERR_INIT;
    SCOPED(scope_free) char *v = xmldoc_attribute(node, name);
    if (v && duration_parse(v, ret, &inner))
        return xml_fail(r->label, node, r->err, "attribute '%s': %s", name, inner.text);
    return ERR_OK;
}

static int read_window(struct reader *r, const xmlNode *node)
{
    struct plan *p = r->p;
    p->reserve = 7200;
    int rc = read_time(r, node, "start", &p->window_start);
    if (!rc)
        rc = read_time(r, node, "end", &p->window_end);
    if (!rc)
        rc = read_duration(r, node, "reserve", &p->reserve);
    if (!rc && p->window_end <= p->window_start)
        rc = xml_fail(r->label, node, r->err, "the window ends before it starts");
    if (!rc && p->window_end - p->window_start > LIMIT_WINDOW_SECONDS)
        rc = xml_fail(r->label, node, r->err, "the window is longer than 30 days");
    return rc;
}

/* The part after the last separator of either system. */
static const char *base_name(const char *path)
{
    const char *base = path;
    for (const char *p = path; *p; p++) {
        if (*p == '/' || *p == '\\')
            base = p + 1;
    }
    return base;
}

static int read_package(struct reader *r, const xmlNode *node, struct plan_package *k)
{
    static const char *const from[] = {"prompt", "credential-manager"};
    static const char *const where[] = {"hsm", "software"};
    size_t n = 0;
    k->present = true;
    int rc = COPY(r, node, "file", k->file);
    if (!rc)
        rc = COPY(r, node, "name", k->name);
    if (!rc && !k->name[0] && !str_copy(k->name, sizeof k->name, base_name(k->file)))
        rc = xml_fail(r->label, node, r->err, "the file name is longer than 64 characters");
    if (!rc && (strlen(k->name) > 64 || k->name[0] == '.' || !k->name[0]))
        rc = xml_fail(
            r->label, node, r->err,
            "'%s' cannot be a name on the appliance (1-64 characters, not starting with '.')",
            k->name);
    SCOPED(scope_free) char *hex = xmldoc_attribute(node, "sha256");
    if (!rc && str_unhex(hex ? hex : "", k->sha256, sizeof k->sha256, &n, r->err))
        rc = ERR_PARSE;
    k->authcode = (enum authcode_from)choice(node, "authcode", from, 2, AUTHCODE_PROMPT);
    k->in_software = choice(node, "verify-in", where, 2, 0) == 1;
    return rc;
}

static int read_ssh(struct reader *r, const xmlNode *node, struct plan_ssh *s)
{
    static const char *const logins[] = {"password", "publickey", "agent"};
    static const char *const sets[] = {"modern", "legacy"};
    s->present = true;
    s->port = 22;
    int rc = COPY(r, node, "host", s->host);
    if (!rc)
        rc = COPY(r, node, "user", s->user);
    if (!rc)
        rc = COPY(r, node, "fingerprint", s->fingerprint);
    if (!rc)
        rc = COPY(r, node, "keyfile", s->keyfile);
    SCOPED(scope_free) char *port = xmldoc_attribute(node, "port");
    if (port)
        s->port = (uint16_t)strtoul(port, NULL, 10);
    if (!s->user[0])
        str_copy(s->user, sizeof s->user, "admin");
    size_t n = strlen(s->fingerprint);
    if (n && s->fingerprint[n - 1] == '=')
        s->fingerprint[n - 1] = '\0';
    s->login = (enum ssh_login)choice(node, "login", logins, 3, SSH_LOGIN_PASSWORD);
    s->legacy = choice(node, "algorithms", sets, 2, 0) == 1;
    if (!rc && s->login == SSH_LOGIN_PUBLICKEY && !s->keyfile[0])
        rc = xml_fail(r->label, node, r->err, "login='publickey' needs the attribute 'keyfile'");
    return rc;
}

static int read_serial(struct reader *r, const xmlNode *node, struct plan_serial *s)
{
    s->present = true;
    s->speed = 115200;
    int rc = COPY(r, node, "device", s->device);
    if (!rc)
        rc = COPY(r, node, "user", s->user);
    SCOPED(scope_free) char *speed = xmldoc_attribute(node, "speed");
    if (speed)
        s->speed = (uint32_t)strtoul(speed, NULL, 10);
    if (!s->user[0])
        str_copy(s->user, sizeof s->user, "admin");
    return rc;
}

static bool same_place(const struct plan_appliance *a, const struct plan_appliance *b)
{
    bool ssh = a->ssh.present && b->ssh.present && a->ssh.port == b->ssh.port &&
               str_eq_nocase(a->ssh.host, b->ssh.host);
    bool serial =
        a->serial.present && b->serial.present && strcmp(a->serial.device, b->serial.device) == 0;
    return ssh || serial;
}

static int read_appliance(struct reader *r, const xmlNode *node)
{
    static const char *const consoles[] = {"ssh", "serial", "manual"};
    static const char *const roles[] = {"single", "secondary", "primary"};
    struct plan_appliance *a = &r->p->appliance[r->p->n_appliances];
    int rc = COPY(r, node, "name", a->name);
    a->console = (enum console)choice(node, "console", consoles, 3, CONSOLE_SSH);
    a->role = (enum ha_role)choice(node, "role", roles, 3, ROLE_SINGLE);
    const xmlNode *ssh = xmldoc_child(node, "ssh");
    const xmlNode *serial = xmldoc_child(node, "serial");
    if (!rc && ssh)
        rc = read_ssh(r, ssh, &a->ssh);
    if (!rc && serial)
        rc = read_serial(r, serial, &a->serial);
    if (!rc && a->console == CONSOLE_SSH && !ssh)
        rc = xml_fail(r->label, node, r->err, "console='ssh' needs the element <ssh>");
    if (!rc && a->console == CONSOLE_SERIAL && !serial)
        rc = xml_fail(r->label, node, r->err, "console='serial' needs the element <serial>");
    for (size_t i = 0; !rc && i < r->p->n_appliances; i++) {
        const struct plan_appliance *b = &r->p->appliance[i];
        if (strcmp(b->name, a->name) == 0)
            rc =
                xml_fail(r->label, node, r->err,
                         "a second appliance '%s': every appliance has a name of its own", a->name);
        else if (same_place(a, b))
            rc = xml_fail(r->label, node, r->err,
                          "'%s' and '%s' are the same place (host and port, or device): an "
                          "appliance is in the plan once",
                          a->name, b->name);
        else if (b->role == ROLE_PRIMARY)
            rc = xml_fail(r->label, node, r->err,
                          "'%s' comes after the primary '%s': secondaries first, the primary last",
                          a->name, b->name);
    }
    r->p->n_appliances++;
    return rc;
}

static int read_command(struct reader *r, const xmlNode *node, struct plan_command *c,
                        int64_t timeout)
{
    c->timeout = timeout;
    for (const xmlNode *a = xmldoc_child(node, "arg"); a; a = xmldoc_next(a, "arg")) {
        if (c->n == PLAN_ARGS_MAX)
            return xml_fail(r->label, a, r->err, "more than %d arguments", PLAN_ARGS_MAX);
        c->arg[c->n] = xmldoc_text(a);
        if (!c->arg[c->n])
            return err_nomem(r->err);
        c->n++;
    }
    return read_duration(r, node, "timeout", &c->timeout);
}

static int read_agents(struct reader *r, const xmlNode *node)
{
    int rc = ERR_OK;
    for (const xmlNode *a = xmldoc_child(node, "agent"); a && !rc; a = xmldoc_next(a, "agent")) {
        struct plan_agent *g = &r->p->agent[r->p->n_agents++];
        rc = COPY(r, a, "name", g->name);
        for (size_t i = 0; !rc && i + 1 < r->p->n_agents; i++) {
            if (strcmp(r->p->agent[i].name, g->name) == 0)
                rc = xml_fail(r->label, a, r->err,
                              "a second agent '%s': every CA has a name of its own", g->name);
        }
        if (!rc)
            rc = read_command(r, a, &g->command, r->p->timeouts.agent);
    }
    return rc;
}

static int read_timeouts(struct reader *r, const xmlNode *node)
{
    struct plan_timeouts *t = &r->p->timeouts;
    *t = (struct plan_timeouts){60, 120, 1000, 7200, 21600, 1800, 300, 10, 1800, 3600};
    const struct {
        const char *name;
        int64_t *target;
    } rows[] = {
        {"connect", &t->connect},       {"command", &t->command},   {"ped", &t->ped},
        {"update", &t->update},         {"firmware", &t->firmware}, {"boot", &t->boot},
        {"settle", &t->settle},         {"poll", &t->poll},         {"agent", &t->agent},
        {"activation", &t->activation},
    };
    int rc = ERR_OK;
    for (size_t i = 0; node && i < ARRAY_LEN(rows) && !rc; i++) {
        rc = read_duration(r, node, rows[i].name, rows[i].target);
        if (!rc && *rows[i].target <= 0)
            rc = xml_fail(r->label, node, r->err, "attribute '%s' must be longer than 0s",
                          rows[i].name);
    }
    return rc;
}

static int read_activation(struct reader *r, const xmlNode *node)
{
    static const char *const ways[] = {"black-key", "auto", "none"};
    if (!node)
        return ERR_OK;
    r->p->activation = (enum activation)choice(node, "by", ways, 3, ACTIVATE_BLACK_KEY);
    const xmlNode *check = xmldoc_child(node, "check");
    return check ? read_command(r, check, &r->p->activation_check, 60) : ERR_OK;
}

static int read_attestations(struct reader *r, const xmlNode *node)
{
    int rc = ERR_OK;
    for (const xmlNode *a = xmldoc_child(node, "attest"); a && !rc; a = xmldoc_next(a, "attest")) {
        struct plan_attest *t = &r->p->attest[r->p->n_attest++];
        rc = COPY(r, a, "what", t->what);
        if (!rc)
            rc = COPY(r, a, "by", t->by);
        if (!rc)
            rc = COPY(r, a, "date", t->date);
    }
    return rc;
}

/* Target versions and files of one hop: attributes of `target`, packages below `where`. */
static int read_hop(struct reader *r, const xmlNode *target, const xmlNode *where)
{
    struct plan_hop *h = &r->p->hop[r->p->n_hops++];
    const xmlNode *package = xmldoc_child(where, "package");
    const xmlNode *patch = xmldoc_child(where, "reboot-patch");
    int rc = COPY(r, target, "software", h->software);
    if (!rc)
        rc = COPY(r, target, "firmware", h->firmware);
    if (!rc && !h->software[0] && !h->firmware[0])
        rc = xml_fail(r->label, target, r->err, "a target 'software' or 'firmware' is needed");
    if (!rc && h->software[0] && !package)
        rc = xml_fail(r->label, target, r->err,
                      "a target 'software' needs the element <package>: the file that brings it");
    if (!rc && package)
        rc = read_package(r, package, &h->package);
    return !rc && patch ? read_package(r, patch, &h->patch) : rc;
}

/* Each hop must be newer than the one before it, and bring another package. */
static int check_hops(struct reader *r, const xmlNode *node)
{
    const struct plan *p = r->p;
    const struct plan_hop *a = p->n_hops > 1 ? &p->hop[p->n_hops - 2] : NULL;
    const struct plan_hop *b = &p->hop[p->n_hops - 1];
    struct version x, y;
    if (!a)
        return ERR_OK;
    const char *const pairs[][2] = {{a->software, b->software}, {a->firmware, b->firmware}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        if (!version_parse(pairs[i][0], &x, NULL) && !version_parse(pairs[i][1], &y, NULL) &&
            version_compare(&x, &y) >= 0)
            return xml_fail(r->label, node, r->err,
                            "expected a version after %s (of the hop before), found %s: put the "
                            "hops in the order in which they are done",
                            pairs[i][0], pairs[i][1]);
    }
    if (a->package.present && b->package.present && strcmp(a->package.name, b->package.name) == 0)
        return xml_fail(r->label, node, r->err, "the package '%s' is of the hop before already",
                        b->package.name);
    return ERR_OK;
}

static int read_target(struct reader *r, const xmlNode *root)
{
    struct plan *p = r->p;
    const xmlNode *node = xmldoc_child(root, "target");
    int rc = COPY(r, node, "client", p->client);
    if (!rc)
        rc = COPY(r, node, "ped", p->ped);
    for (const xmlNode *v = xmldoc_child(root, "via"); v && !rc; v = xmldoc_next(v, "via")) {
        rc = read_hop(r, v, v);
        if (!rc)
            rc = check_hops(r, v);
    }
    if (!rc)
        rc = read_hop(r, node, root);
    return rc ? rc : check_hops(r, node);
}

static int read_plan(struct reader *r, const xmlNode *root)
{
    struct plan *p = r->p;
    const xmlNode *change = xmldoc_child(root, "change");
    int rc = COPY(r, change, "id", p->change);
    if (!rc)
        rc = COPY(r, change, "reason", p->reason);
    if (!rc)
        rc = read_window(r, xmldoc_child(root, "window"));
    if (!rc)
        rc = read_target(r, root);
    if (!rc)
        rc = read_timeouts(r, xmldoc_child(root, "timeouts"));
    const xmlNode *list = xmldoc_child(root, "appliances");
    for (const xmlNode *a = xmldoc_child(list, "appliance"); a && !rc;
         a = xmldoc_next(a, "appliance"))
        rc = read_appliance(r, a);
    const xmlNode *agents = xmldoc_child(root, "agents");
    if (!rc && agents)
        rc = read_agents(r, agents);
    if (!rc)
        rc = read_activation(r, xmldoc_child(root, "activation"));
    const xmlNode *ha = xmldoc_child(root, "ha-check");
    if (!rc && ha)
        rc = read_command(r, ha, &p->ha_check, 60);
    if (!rc)
        rc = read_attestations(r, xmldoc_child(root, "attestations"));
    return rc;
}

int plan_parse(const char *label, const char *bytes, size_t len, struct plan *ret, struct err *err)
{
    const struct xml_schema schema = {
        .name = "hsmplan.xsd", .text = embedded_plan_schema, .shown = 5, .secret = "authcode"};
    SCOPED(xmldoc_free) xmlDoc *doc = NULL;
    memset(ret, 0, sizeof *ret);
    int rc = xmldoc_parse(label, bytes, len, &schema, NULL, &doc, err);
    if (rc == ERR_PARSE)
        plan_hint(err);
    if (rc)
        return rc;
    struct reader r = {label, ret, err};
    rc = plan_refuse_secrets(label, xmlDocGetRootElement(doc), err);
    if (!rc)
        rc = read_plan(&r, xmlDocGetRootElement(doc));
    if (!rc) {
        uint8_t digest[32];
        if (!digest_bytes(bytes, len, digest))
            return err_set(err, ERR_CRYPTO, "SHA-256 is not available");
        str_hex(ret->digest, digest, sizeof digest);
    }
    return rc;
}

int plan_load(const char *path, struct plan *ret, struct err *err)
{
    SCOPED(buf_free) struct buf bytes = BUF_INIT;
    memset(ret, 0, sizeof *ret);
    int rc = file_read(path, LIMIT_XML_BYTES, &bytes, err);
    return rc ? rc : plan_parse(path, buf_str(&bytes), bytes.len, ret, err);
}

static void free_command(struct plan_command *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->arg[i]);
    memset(c, 0, sizeof *c);
}

void plan_free(struct plan *p)
{
    for (size_t i = 0; i < p->n_agents; i++)
        free_command(&p->agent[i].command);
    free_command(&p->activation_check);
    free_command(&p->ha_check);
}
