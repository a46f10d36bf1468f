/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent doctor: line by line what the service needs, what it has, and what to type for the rest.
 * It changes nothing. Rights are read from the access lists for the account of the service, not for
 * whoever runs this; memberships of a domain account in groups are not looked up. */
#include <windows.h>

#include <jansson.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli.h"
#include "agent/rights_win32.h"
#include "agent/verbs.h"
#include "agent/wire_win32.h"
#include "base/file.h"
#include "base/str.h"
#include "ca/cluster.h"
#include "win32/caadmin.h"
#include "win32/casettings.h"
#include "win32/clusterapi.h"
#include "win32/comadmin.h"
#include "win32/eventlog.h"
#include "win32/pipe.h"
#include "win32/places.h"
#include "win32/regread.h"
#include "win32/service.h"

#define NO_LOCAL_ADMIN 0x20u /* InterfaceFlags: IF_NOLOCALICERTADMIN */
#define AUDIT_START_STOP 0x1u
#define KEY_READ_MASK 0x20019u /* KEY_READ */
#define ROLES_MS 10000
#define PIPE_MS 2000
#define LINES_MAX 96

enum state { OK, NOTE, WARN, MISSING, UNKNOWN };

struct line {
    enum state state;
    char id[80];
    char text[512];
    char fix[256]; /* command or action; "" = none */
};

struct doctor {
    struct line line[LINES_MAX];
    size_t n;
    struct config config;
    struct ca_settings ca;
    const char *config_path;
    char account[256];
    struct sid_bytes sids[10]; /* what the service's token holds */
    size_t n_sids;
    bool is_system, have_ca;
};

static void doctor_free(struct doctor **d)
{
    if (*d) {
        config_free(&(*d)->config);
        ca_settings_free(&(*d)->ca);
    }
    free(*d);
}

static void add(struct doctor *d, enum state state, const char *id, const char *fix,
                const char *fmt, ...) PRINTF_LIKE(5, 6);

static void add(struct doctor *d, enum state state, const char *id, const char *fix,
                const char *fmt, ...)
{
    va_list args;
    if (d->n == LINES_MAX)
        return;
    struct line *l = &d->line[d->n++];
    l->state = state;
    str_copy(l->id, sizeof l->id, id);
    str_copy(l->fix, sizeof l->fix, state == OK ? "" : fix);
    va_start(args, fmt);
    vsnprintf(l->text, sizeof l->text, fmt, args);
    va_end(args);
}

static int add_sid(struct doctor *d, const char *account, struct err *err)
{
    char text[190];
    int rc = sid_text_of(account, text, sizeof text, err);
    if (!rc)
        rc = sid_parse(text, &d->sids[d->n_sids], err);
    d->n_sids += !rc;
    return rc;
}

/* Everyone, Authenticated Users, SERVICE, Users, ALL SERVICES; SYSTEM is an administrator too. */
static int fill_sids(struct doctor *d, struct err *err)
{
    static const char *const groups[] = {"S-1-1-0", "S-1-5-11", "S-1-5-6", "S-1-5-32-545",
                                         "S-1-5-80-0"};
    int rc = add_sid(d, RIGHTS_ACCOUNT, err);
    if (!rc && !str_eq_nocase(d->account, RIGHTS_ACCOUNT))
        rc = add_sid(d, d->account, err);
    for (size_t i = 0; !rc && i < ARRAY_LEN(groups); i++)
        rc = add_sid(d, groups[i], err);
    if (!rc && d->is_system)
        rc = add_sid(d, "S-1-5-32-544", err);
    return rc;
}

static int check_account(struct doctor *d, struct err *err)
{
    SCOPED(scope_free) char *account = NULL;
    int rc = svc_account(SERVICE_NAME, &account, err);
    if (rc == ERR_NOT_FOUND) {
        err_clear(err);
        str_copy(d->account, sizeof d->account, RIGHTS_ACCOUNT);
        add(d, MISSING, "account", "crlagent install",
            "the service is not installed; the lines below are for %s", d->account);
        return fill_sids(d, err);
    }
    if (rc)
        return rc;
    str_copy(d->account, sizeof d->account, account);
    d->is_system = str_eq_nocase(account, "LocalSystem");
    if (d->is_system)
        add(d, NOTE, "account", "crlagent install --account \"" RIGHTS_ACCOUNT "\"",
            "the service runs as LocalSystem: it has more rights than it needs");
    else
        add(d, OK, "account", "", "the service runs as %s", d->account);
    return fill_sids(d, err);
}

static void check_access(struct doctor *d, const char *id, const struct buf *sd, uint32_t want,
                         const char *what, const char *fix)
{
    struct err err = ERR_INIT;
    uint32_t access = 0;
    if (sd_access(sd->data, sd->len, d->sids, d->n_sids, &access, &err))
        add(d, UNKNOWN, id, "", "%s", err.text);
    else if ((access & want) == want)
        add(d, OK, id, "", "%s may %s", d->account, what);
    else
        add(d, MISSING, id, fix, "%s may not %s (has 0x%x of 0x%x)", d->account, what,
            access & want, want);
}

static int check_service(void *arg, const char *name, struct err *err)
{
    (void)err;
    struct doctor *d = arg;
    SCOPED(buf_free) struct buf sd = BUF_INIT;
    struct err why = ERR_INIT;
    char id[80], what[300];
    const struct sd_place place = sd_place_service(name);
    snprintf(id, sizeof id, "service.%s", name);
    snprintf(what, sizeof what, "query, start and stop the service '%s'", name);
    int rc = place.read(place.self, &sd, &why);
    if (rc)
        add(d, rc == ERR_NOT_FOUND ? MISSING : UNKNOWN, id,
            rc == ERR_NOT_FOUND ? "take it out of <stop-with>, or install it"
                                : "run as administrator",
            "%s", why.text);
    else
        check_access(d, id, &sd, SD_SERVICE_RIGHTS, what, "crlagent grant --services");
    return ERR_OK;
}

static void check_services(struct doctor *d)
{
    struct err err = ERR_INIT;
    if (rights_each_service(d->config_path, check_service, d, &err))
        add(d, err.code == ERR_NOT_FOUND ? MISSING : UNKNOWN, "service.CertSvc",
            "install the role AD CS, or run as administrator", "%s", err.text);
}

/* No line where there is no cluster. */
static void check_cluster(struct doctor *d)
{
    struct cluster_services services = {*svc_control_scm(), *cluster_system()};
    const struct svc_control svc = cluster_services_seam(&services);
    struct svc_info info;
    struct err err = ERR_INIT;
    char text[SVC_TEXT_MAX];
    int rc = svc.ops->query(svc.self, "CertSvc", &info, &err);
    if (rc && rc != ERR_NOT_FOUND)
        add(d, UNKNOWN, "cluster", "Grant-ClusterAccess -User <account of the service> -Full", "%s",
            err.text);
    else if (!rc && info.resource[0])
        add(d, info.trouble == SVC_FINE ? OK : NOTE, "cluster",
            info.trouble == SVC_ELSEWHERE ? "run maintenances on the node that owns it" : "",
            "CertSvc is %s", svc_info_text(&info, text));
}

static void check_registry(struct doctor *d)
{
    SCOPED(buf_free) struct buf sd = BUF_INIT;
    struct err err = ERR_INIT;
    if (sd_read_key(CA_REGISTRY_ROOT, &sd, &err))
        add(d, UNKNOWN, "registry", "run as administrator", "%s", err.text);
    else
        check_access(d, "registry", &sd, KEY_READ_MASK, "read the CA's registry configuration",
                     "regedit: HKLM\\" CA_REGISTRY_ROOT ", Permissions: Read for the account");
}

static void check_ca_list(struct doctor *d)
{
    SCOPED(buf_free) struct buf key = BUF_INIT, sd = BUF_INIT;
    struct err err = ERR_INIT;
    uint32_t roles = 0;
    buf_printf(&key, "%s\\%s", CA_REGISTRY_ROOT, d->ca.registry_name);
    const struct sd_place place = sd_place_ca(buf_str(&key));
    if (place.read(place.self, &sd, &err)) {
        add(d, UNKNOWN, "manage-ca", "run as administrator", "%s", err.text);
        return;
    }
    check_access(d, "manage-ca", &sd, CA_ROLE_ADMIN, "administer the CA (Manage CA, as stored)",
                 "crlagent grant --ca");
    if (!d->ca.role_separation)
        add(d, OK, "role-separation", "", "the CA does not separate roles");
    else if (!sd_access(sd.data, sd.len, d->sids, d->n_sids, &roles, &err) &&
             roles & RIGHTS_OTHER_ROLES && roles & CA_ROLE_ADMIN)
        add(d, MISSING, "role-separation",
            "certsrv.msc, Security: leave the account Manage CA alone",
            "the CA separates roles and %s has several (0x%x): it is refused all of them",
            d->account, roles);
    else
        add(d, OK, "role-separation", "", "the CA separates roles; %s has one at most", d->account);
}

/* Only a running CA may be asked: a call would make DCOM try to start it. */
static void check_roles(struct doctor *d)
{
    const struct svc_control *scm = svc_control_scm();
    const struct ca_admin_setup setup = {.config_string = d->ca.config_string,
                                         .timeout_ms = ROLES_MS};
    struct svc_info info;
    struct ca_admin admin = {0};
    struct err err = ERR_INIT;
    uint32_t roles = 0;
    if (scm->ops->query(scm->self, "CertSvc", &info, &err) || info.state != SVC_RUNNING) {
        add(d, NOTE, "roles", "", "CertSvc does not run: the CA was not asked which roles count");
        return;
    }
    int rc = ca_admin_open(&setup, &admin, &err);
    if (!rc)
        rc = admin.ops->roles(admin.self, &roles, &err);
    if (rc)
        add(d, rc == ERR_UNSUPPORTED ? NOTE : UNKNOWN, "roles", "", "the CA did not tell roles: %s",
            err.text);
    else
        add(d, NOTE, "roles", "",
            "the CA says about whoever runs this check: roles 0x%x, %s Manage CA", roles,
            roles & CA_ROLE_ADMIN ? "with" : "without");
    ca_admin_close(&admin);
}

static void check_ca_values(struct doctor *d)
{
    if (d->ca.interface_flags & NO_LOCAL_ADMIN)
        add(d, MISSING, "interface-flags", "certutil -setreg ca\\InterfaceFlags -32",
            "InterfaceFlags has 0x20: the CA refuses administration from this host");
    else
        add(d, OK, "interface-flags", "", "the CA accepts administration from this host");
    if (d->ca.audit_filter & AUDIT_START_STOP)
        add(d, OK, "audit-filter", "", "the CA audits its starts and stops");
    else
        add(d, WARN, "audit-filter", "certutil -setreg ca\\AuditFilter +1",
            "AuditFilter lacks bit 1: starts and stops of the CA leave no audit event");
    if (d->ca.wrong_overlap_name)
        add(d, WARN, "overlap-name", "certutil -delreg ca\\CRLOverlapPeriodUnits",
            "CRLOverlapPeriodUnits is set, which the CA does not read; the name is "
            "CRLOverlapUnits");
    else
        add(d, OK, "overlap-name", "", "no misspelt overlap value");
}

static void check_ca(struct doctor *d)
{
    const struct ca_settings_reader *reader = ca_settings_registry();
    struct err err = ERR_INIT;
    int rc = reader->read(reader->self, &d->ca, &err);
    if (rc) {
        add(d, rc == ERR_NOT_FOUND ? MISSING : UNKNOWN, "ca", "run it on the CA's host", "%s",
            err.text);
        return;
    }
    add(d, OK, "ca", "", "%s", d->ca.config_string);
    check_registry(d);
    check_ca_list(d);
    check_roles(d);
    check_ca_values(d);
}

static void check_folders(struct doctor *d)
{
    static const struct {
        enum place place;
        const char *id;
    } folders[] = {{PLACE_DATA, "folder.data"},       {PLACE_CONFIG, "folder.config"},
                   {PLACE_STATE, "folder.state"},     {PLACE_LOGS, "folder.logs"},
                   {PLACE_REPORTS, "folder.reports"}, {PLACE_SECRETS, "folder.secrets"},
                   {PLACE_RESERVE, "folder.reserve"}};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        SCOPED(buf_free) struct buf path = BUF_INIT;
        struct err err = ERR_INIT;
        int rc = place_path(folders[i].place, &path, &err);
        if (!rc)
            rc = place_verify(buf_str(&path), &err);
        if (rc)
            add(d, MISSING, folders[i].id, "crlagent install", "%s", err.text);
        else
            add(d, OK, folders[i].id, "", "only the right ones may write to '%s'", buf_str(&path));
    }
}

static void check_event_source(struct doctor *d)
{
    SCOPED(reg_close) struct reg_key key = {0};
    struct err err = ERR_INIT;
    if (reg_open("SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\" EVENT_LOG_SOURCE,
                 &key, &err))
        add(d, MISSING, "event-source", "crlagent install", "the event source is not registered");
    else
        add(d, OK, "event-source", "", "the event source is registered");
}

static void check_pipe(struct doctor *d)
{
    const struct svc_control *scm = svc_control_scm();
    struct svc_info info;
    struct pipe_client *c = NULL;
    struct err err = ERR_INIT;
    if (scm->ops->query(scm->self, SERVICE_NAME, &info, &err) || info.state != SVC_RUNNING) {
        add(d, WARN, "pipe", "crlagent start", "the crlagent service does not run");
        return;
    }
    if (pipe_client_open(PIPE_CONTROL_NAME, info.pid, PIPE_MS, &c, &err))
        add(d, MISSING, "pipe", "crlagent stop, crlagent start", "%s", err.text);
    else
        add(d, OK, "pipe", "", "the service answers on its pipe");
    pipe_client_close(c);
}

/* The service does not start with a name that it cannot resolve. */
static void check_operators(struct doctor *d)
{
    const char *name = d->config.access.operators;
    struct err err = ERR_INIT;
    char sid[190];
    if (!*name)
        add(d, NOTE, "operators", "", "nobody but Administrators may run a maintenance");
    else if (sid_text_of(name, sid, sizeof sid, &err))
        add(d, MISSING, "operators",
            "name an existing group in <operators>, or with setup's OPERATORS", "%s", err.text);
    else
        add(d, OK, "operators", "", "members of '%s' may run a maintenance", name);
}

static bool have_certutil(void)
{
    SCOPED(buf_free) struct buf path = BUF_INIT;
    struct file_info info;
    struct err err = ERR_INIT;
    return !place_path(PLACE_SYSTEM32, &path, &err) && !buf_puts(&path, "\\certutil.exe") &&
           !file_stat(buf_str(&path), &info, &err);
}

static void check_ways(struct doctor *d)
{
    struct ca_admin admin = {0};
    struct err err = ERR_INIT;
    bool certutil = have_certutil();
    int rc = com_admin_init(&err);
    if (!rc)
        rc = com_admin_open("", &admin, &err);
    com_admin_close(&admin);
    if (!rc)
        add(d, OK, "com-class", "", "ICertAdmin2 is registered");
    else
        add(d, certutil ? WARN : MISSING, "com-class", "regsvr32 certadm.dll",
            "ICertAdmin2 cannot be used: %s", err.text);
    if (certutil)
        add(d, OK, "certutil", "", "certutil.exe is in the system folder");
    else
        add(d, rc ? MISSING : WARN, "certutil", "repair the system folder",
            "certutil.exe is not in the system folder");
}

/* Whether the service may use the CA's key shows only when the service does it. */
static void check_key(struct doctor *d)
{
    if (d->config.ca.key_probe == CONFIG_KEY_OFF)
        add(d, WARN, "key-test", "set <key-probe> in the configuration",
            "the key test is off: a CA is started after a maintenance without it");
    else if (d->is_system)
        add(d, NOTE, "key-test", "", "the key test runs as SYSTEM, as the CA itself does");
    else
        add(d, WARN, "key-test",
            "give the account the right to use the key, with the provider's tool",
            "a CA key is for SYSTEM and Administrators by default: %s may not be able to test it; "
            "without it the gate of pre-upgrade refuses (exit code %d)",
            d->account, EXIT_GATE_REFUSED);
}

static const char *state_name(enum state s)
{
    static const char *const name[] = {[OK] = "ok",
                                       [NOTE] = "note",
                                       [WARN] = "warning",
                                       [MISSING] = "missing",
                                       [UNKNOWN] = "unknown"};
    return name[s];
}

static int exit_of(const struct doctor *d)
{
    static const int code[] = {[OK] = 0,
                               [NOTE] = 0,
                               [WARN] = EXIT_CHECK_WARNING,
                               [MISSING] = EXIT_CHECK_CRITICAL,
                               [UNKNOWN] = EXIT_CHECK_UNKNOWN};
    static const enum state order[] = {MISSING, WARN, UNKNOWN};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        for (size_t k = 0; k < d->n; k++) {
            if (d->line[k].state == order[i])
                return code[order[i]];
        }
    }
    return EXIT_DONE;
}

static void render_text(const struct doctor *d, struct buf *out)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct line *l = &d->line[i];
        buf_printf(out, "%-8s  %-18s  %s\n", state_name(l->state), l->id, l->text);
        if (*l->fix)
            buf_printf(out, "%30s> %s\n", "", l->fix);
    }
}

static int render_json(const struct doctor *d, struct buf *out, struct err *err)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < d->n; i++) {
        const struct line *l = &d->line[i];
        json_array_append_new(lines,
                              json_pack("{s:s,s:s,s:s,s:s}", "id", l->id, "state",
                                        state_name(l->state), "text", l->text, "fix", l->fix));
    }
    json_t *root = json_pack("{s:i,s:s,s:i,s:o}", "version", 1, "account", d->account, "exitCode",
                             exit_of(d), "lines", lines);
    char *text = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    if (text)
        buf_printf(out, "%s\n", text);
    free(text);
    return text ? buf_check(out, "the answer", err) : err_nomem(err);
}

static int examine(struct doctor *d, struct err *err)
{
    int rc = rights_config(d->config_path, &d->config, err);
    if (!rc)
        rc = check_account(d, err);
    if (rc)
        return rc;
    check_services(d);
    check_cluster(d);
    check_ca(d);
    check_ways(d);
    check_key(d);
    check_folders(d);
    check_event_source(d);
    check_operators(d);
    check_pipe(d);
    return ERR_OK;
}

int verb_doctor(struct cli *cli, int argc, char **argv)
{
    bool json = false;
    const char *config = NULL;
    const struct opt table[] = {
        {"json", OPT_FLAG, &json, NULL, "one JSON object instead of text"},
        {"config", OPT_TEXT, &config, "FILE",
         "where the services are named; default: as installed"},
    };
    const struct opts opts = {table, ARRAY_LEN(table), 0, 0};
    SCOPED(doctor_free) struct doctor *d = calloc(1, sizeof *d);
    SCOPED(buf_free) struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    int args, code;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    if (!d) {
        err_nomem(&err);
        return cli_fail(cli, EXIT_CHECK_UNKNOWN, &err);
    }
    d->config_path = config ? config : cli->config_path;
    int rc = examine(d, &err);
    if (!rc && json)
        rc = render_json(d, &out, &err);
    else if (!rc)
        render_text(d, &out);
    return rc ? cli_fail(cli, EXIT_CHECK_UNKNOWN, &err) : cli_write(cli, &out, exit_of(d));
}
