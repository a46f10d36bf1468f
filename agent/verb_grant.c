/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent grant, revoke: the rights the service needs when it does not run as LocalSystem. The
 * former access lists are kept in the data folder, where the service itself cannot write: whoever
 * could change them would decide what an administrator's revoke restores. */
#include <stdlib.h>
#include <string.h>

#include "agent/cli.h"
#include "agent/rights_win32.h"
#include "agent/verbs.h"
#include "base/file.h"
#include "base/str.h"
#include "win32/casettings.h"
#include "win32/places.h"

struct run {
    struct cli *cli;
    struct grant grant; /* account, SID; object, record and place change from object to object */
    bool dry_run;
    bool ca_changed;
    struct buf folder; /* of the records */
};

static void run_free(struct run *r)
{
    buf_free(&r->folder);
}

/* "service-CertSvc.txt"; what is no letter, digit, '.', '-' or '_' is written as %XX. */
static int record_path(const struct run *r, const char *kind, const char *name, struct buf *ret,
                       struct err *err)
{
    buf_printf(ret, "%s\\%s-", buf_str(&r->folder), kind);
    for (; *name; name++) {
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", *name))
            buf_putc(ret, *name);
        else
            buf_printf(ret, "%%%02x", (unsigned char)*name);
    }
    buf_puts(ret, ".txt");
    return buf_check(ret, "a path", err);
}

static const char *outcome_text(enum grant_outcome outcome, bool dry_run)
{
    static const char *const done[] = {
        [GRANT_GIVEN] = "given; the former access list is kept for revoke",
        [GRANT_RECORDED] = "given before; nothing to do",
        [GRANT_BY_OTHERS] = "the account has these rights already; nothing changed",
        [GRANT_RESTORED] = "the former access list is back",
        [GRANT_ENTRY_REMOVED] =
            "somebody changed the access list since; our entry alone was removed",
        [GRANT_NOTHING] = "nothing to take back",
    };
    static const char *const would[] = {
        [GRANT_GIVEN] = "would be given",
        [GRANT_RECORDED] = "given before; nothing to do",
        [GRANT_BY_OTHERS] = "the account has these rights already; nothing to do",
        [GRANT_RESTORED] = "the former access list would be restored",
        [GRANT_ENTRY_REMOVED] = "somebody changed the access list since; our entry alone would go",
        [GRANT_NOTHING] = "nothing to take back",
    };
    return dry_run ? would[outcome] : done[outcome];
}

static int one(struct run *r, bool take_back, const char *kind, const char *name,
               struct sd_place place, enum grant_outcome *ret, struct err *err)
{
    SCOPED(buf_free) struct buf record = BUF_INIT, object = BUF_INIT;
    struct grant g = r->grant;
    int rc = record_path(r, kind, name, &record, err);
    if (rc)
        return rc;
    buf_printf(&object, "%s %s", kind, name);
    g.object = buf_str(&object);
    g.record = buf_str(&record);
    g.place = place;
    g.mask = strcmp(kind, RIGHTS_CA) == 0 ? CA_ROLE_ADMIN : SD_SERVICE_RIGHTS;
    rc = take_back ? grant_revoke(&g, r->dry_run, ret, err) : grant_give(&g, r->dry_run, ret, err);
    if (!rc)
        fprintf(r->cli->out, "%s: %s\n", g.object, outcome_text(*ret, r->dry_run));
    return rc;
}

static int on_service(struct run *r, bool take_back, const char *name, struct err *err)
{
    enum grant_outcome outcome;
    return one(r, take_back, RIGHTS_SERVICE, name, sd_place_service(name), &outcome, err);
}

static int on_ca(struct run *r, bool take_back, const char *name, struct err *err)
{
    SCOPED(buf_free) struct buf key = BUF_INIT;
    enum grant_outcome outcome;
    buf_printf(&key, "%s\\%s", CA_REGISTRY_ROOT, name);
    int rc = buf_check(&key, "a registry key", err);
    if (!rc)
        rc = one(r, take_back, RIGHTS_CA, name, sd_place_ca(buf_str(&key)), &outcome, err);
    if (!rc && !r->dry_run &&
        (outcome == GRANT_GIVEN || outcome == GRANT_RESTORED || outcome == GRANT_ENTRY_REMOVED))
        r->ca_changed = true;
    return rc;
}

/* The CA refuses every role to an account that has two, when roles are separated. */
static int check_separation(const struct run *r, const struct ca_settings *ca, struct err *err)
{
    SCOPED(buf_free) struct buf key = BUF_INIT, sd = BUF_INIT;
    struct sid_bytes sid;
    uint32_t roles = 0;
    if (!ca->role_separation)
        return ERR_OK;
    buf_printf(&key, "%s\\%s", CA_REGISTRY_ROOT, ca->registry_name);
    struct sd_place place = sd_place_ca(buf_str(&key));
    int rc = place.read(place.self, &sd, err);
    if (!rc)
        rc = sid_parse(r->grant.sid, &sid, err);
    if (!rc)
        rc = sd_access(sd.data, sd.len, &sid, 1, &roles, err);
    if (!rc && roles & RIGHTS_OTHER_ROLES)
        rc = err_set(err, ERR_STATE,
                     "the CA separates roles and '%s' has another one already: with two it would "
                     "be refused both. Use an account of its own",
                     r->grant.account);
    return rc;
}

static int give_ca(struct run *r, struct err *err)
{
    SCOPED(ca_settings_free) struct ca_settings ca = {0};
    const struct ca_settings_reader *reader = ca_settings_registry();
    int rc = reader->read(reader->self, &ca, err);
    if (!rc)
        rc = check_separation(r, &ca, err);
    return rc ? rc : on_ca(r, false, ca.registry_name, err);
}

static int give_service(void *arg, const char *name, struct err *err)
{
    return on_service(arg, false, name, err);
}

static int open_folder(struct run *r, struct err *err)
{
    int rc = r->dry_run ? ERR_OK : place_secure(PLACE_GRANTS, err);
    return rc ? rc : place_path(PLACE_GRANTS, &r->folder, err);
}

/* A failure on the way leaves the records of what was done: they count. */
static int mark(const struct run *r, int rc, struct err *err)
{
    struct err own = ERR_INIT;
    int marked = r->dry_run ? ERR_OK : rights_mark(NULL, &own);
    if (marked && !rc)
        *err = own;
    return rc ? rc : marked;
}

static int finish(struct run *r, int rc, const struct err *err)
{
    if (r->ca_changed)
        fprintf(r->cli->out,
                "CertSvc reads this list when it starts: restart it (net stop certsvc, "
                "net start certsvc) when that is convenient.\n");
    if (rc)
        return cli_fail(r->cli, rc == ERR_DENIED ? EXIT_NOT_PERMITTED : EXIT_FAILED, err);
    return EXIT_DONE;
}

int verb_grant(struct cli *cli, int argc, char **argv)
{
    bool ca = false, services = false, dry_run = false;
    const char *account = RIGHTS_ACCOUNT, *config = NULL;
    const struct opt table[] = {
        {"ca", OPT_FLAG, &ca, NULL, "Manage CA, in the CA's own access list"},
        {"services", OPT_FLAG, &services, NULL,
         "query, start and stop CertSvc and what goes with it"},
        {"account", OPT_TEXT, &account, "NAME", "for whom; default NT SERVICE\\crlagent"},
        {"config", OPT_TEXT, &config, "FILE",
         "where the services are named; default: as installed"},
        {"dry-run", OPT_FLAG, &dry_run, NULL, "say what would be changed, change nothing"},
    };
    const struct opts opts = {table, ARRAY_LEN(table), 0, 0};
    SCOPED(run_free) struct run r = {.cli = cli, .folder = BUF_INIT};
    struct err err = ERR_INIT;
    char sid[190];
    int args, code;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    if (!ca && !services) {
        err_set(&err, ERR_INVALID, "say what is granted: --ca, --services or both");
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    if (sid_text_of(account, sid, sizeof sid, &err))
        return cli_fail(cli, EXIT_USAGE, &err);
    r.dry_run = dry_run;
    r.grant = (struct grant){.account = account, .sid = sid};
    int rc = open_folder(&r, &err);
    if (!rc && ca)
        rc = give_ca(&r, &err);
    if (!rc && services)
        rc = rights_each_service(config ? config : cli->config_path, give_service, &r, &err);
    return finish(&r, mark(&r, rc, &err), &err);
}

struct walk {
    struct run *run;
    struct err *err;
    size_t records;
    int failed; /* first failure: the others are still taken back */
};

/* The record says itself what it is of; its name is for people. */
static int take_back(void *arg, const char *file)
{
    struct walk *w = arg;
    SCOPED(buf_free) struct buf path = BUF_INIT, object = BUF_INIT;
    struct err err = ERR_INIT;
    if (!str_ends_nocase(file, ".txt"))
        return ERR_OK;
    w->records++;
    buf_printf(&path, "%s\\%s", buf_str(&w->run->folder), file);
    int rc = grant_record_object(buf_str(&path), &object, &err);
    const char *text = buf_str(&object);
    if (!rc && str_starts(text, RIGHTS_SERVICE " "))
        rc = on_service(w->run, true, text + strlen(RIGHTS_SERVICE " "), &err);
    else if (!rc && str_starts(text, RIGHTS_CA " "))
        rc = on_ca(w->run, true, text + strlen(RIGHTS_CA " "), &err);
    else if (!rc)
        rc = err_set(&err, ERR_PARSE, "'%s' is of an unknown object '%s'", file, text);
    if (rc && w->failed)
        fprintf(w->run->cli->err, "crlagent: %s\n", err.text);
    if (rc && !w->failed) {
        *w->err = err;
        w->failed = rc;
    }
    return ERR_OK;
}

int verb_revoke(struct cli *cli, int argc, char **argv)
{
    bool dry_run = false;
    const struct opt table[] = {
        {"dry-run", OPT_FLAG, &dry_run, NULL, "say what would be restored, change nothing"},
    };
    const struct opts opts = {table, ARRAY_LEN(table), 0, 0};
    SCOPED(run_free) struct run r = {.cli = cli, .folder = BUF_INIT};
    struct err err = ERR_INIT;
    struct file_info info;
    int args, code;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    r.dry_run = dry_run;
    struct walk walk = {&r, &err, 0, ERR_OK};
    int rc = place_path(PLACE_GRANTS, &r.folder, &err);
    if (!rc)
        rc = file_stat(buf_str(&r.folder), &info, &err);
    bool folder = rc != ERR_NOT_FOUND;
    if (!rc)
        rc = place_secure(PLACE_GRANTS, &err);
    if (!rc)
        rc = file_list(buf_str(&r.folder), take_back, &walk, &err);
    if (!rc && folder)
        rc = mark(&r, walk.failed, &err);
    if (!folder || (!rc && !walk.records)) {
        fprintf(cli->out, "nothing was granted: nothing to take back\n");
        return EXIT_DONE;
    }
    return finish(&r, rc, &err);
}
