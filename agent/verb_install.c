/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent install, uninstall, start, stop */
#include "agent/cli.h"
#include "agent/verbs.h"
#include "agent/wire_win32.h"
#include "agent/rights_win32.h"
#include "base/file.h"
#include "base/str.h"
#include "win32/eventlog.h"
#include "win32/places.h"
#include "win32/svcinstall.h"

#define WAIT_MS 120000

static int result(struct cli *cli, int rc, const struct err *err, const char *done)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    if (rc == ERR_DENIED)
        return cli_fail(cli, EXIT_NOT_PERMITTED, err);
    if (rc)
        return cli_fail(cli, EXIT_FAILED, err);
    buf_printf(&text, "%s\n", done);
    return cli_write(cli, &text, EXIT_DONE);
}

/* The file is checked now: a service that cannot start at the next boot helps nobody. */
static int arguments(const char *config, struct buf *out, struct err *err)
{
    SCOPED(config_free) struct config c = {0};
    if (!config) {
        buf_puts(out, "service");
        return buf_check(out, "the arguments", err);
    }
    int rc = config_load(config, &c, NULL, err);
    if (rc)
        return rc;
    for (const char *p = config; *p; p++) {
        if (*p == '"')
            return err_set(err, ERR_INVALID, "--config: a path cannot hold quotes: '%s'", config);
    }
    buf_printf(out, "service --config \"%s\"", config);
    return buf_check(out, "the arguments", err);
}

static int make_places(struct err *err)
{
    static const enum place places[] = {PLACE_DATA,    PLACE_CONFIG,  PLACE_STATE,   PLACE_LOGS,
                                        PLACE_REPORTS, PLACE_SECRETS, PLACE_RESERVE, PLACE_GRANTS};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        int rc = place_secure(places[i], err);
        if (rc)
            return rc;
    }
    return ERR_OK;
}

/* What the service uses, under an account that is not LocalSystem: reaching files through folders,
 * telling who calls on the pipe, shared memory. Every service account has these three by default; a
 * longer list would keep the service from starting where policy took one away. LocalSystem keeps
 * what it has: the key provider of an HSM runs in our child with that token. */
static const char *const needed_privileges[] = {"SeChangeNotifyPrivilege", "SeImpersonatePrivilege",
                                                "SeCreateGlobalPrivilege", NULL};

static bool is_local_system(const char *account)
{
    return str_eq_nocase(account, "LocalSystem") || str_eq_nocase(account, "NT AUTHORITY\\SYSTEM");
}

/* The account the service will have: as asked, as it is, or our own. */
static int effective_account(const char *asked, char **ret, struct err *err)
{
    int rc = asked ? ERR_NOT_FOUND : svc_account(SERVICE_NAME, ret, err);
    if (rc != ERR_NOT_FOUND)
        return rc;
    err_clear(err);
    *ret = str_dup(asked ? asked : RIGHTS_ACCOUNT);
    return *ret ? ERR_OK : err_nomem(err);
}

/* account NULL: ours for a new service, unchanged for one that is there. */
static int install(const char *config, const char *account, struct err *err)
{
    SCOPED(buf_free) struct buf program = BUF_INIT, args = BUF_INIT;
    SCOPED(scope_free) char *name = NULL;
    int rc = arguments(config, &args, err);
    if (!rc)
        rc = place_path(PLACE_PROGRAM, &program, err);
    if (!rc)
        rc = make_places(err);
    if (!rc)
        rc = event_log_register(EVENT_LOG_SOURCE, buf_str(&program), err);
    if (!rc)
        rc = effective_account(account, &name, err);
    if (rc)
        return rc;
    const struct svc_setup setup = {
        .name = SERVICE_NAME,
        .display = "CRL coordination agent",
        .description = "Watches the CRLs of the certification authority on this host, and takes it "
                       "out of use and back around HSM maintenance.",
        .program = buf_str(&program),
        .arguments = buf_str(&args),
        .account = is_local_system(name) ? NULL : name,
        .change_account = account != NULL,
        .privileges = is_local_system(name) ? NULL : needed_privileges,
        .preshutdown_ms = 10000,
    };
    return svc_install(&setup, err);
}

int verb_install(struct cli *cli, int argc, char **argv)
{
    const char *config = NULL, *account = NULL;
    const struct opt table[] = {
        {"account", OPT_TEXT, &account, "NAME",
         "account of the service; default NT SERVICE\\crlagent, or LocalSystem"},
        {"config", OPT_TEXT, &config, "FILE", "configuration that the service reads (full path)"},
    };
    const struct opts opts = {table, ARRAY_LEN(table), 0, 0};
    struct err err = ERR_INIT;
    int args, code;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    int rc = install(config, account, &err);
    return result(cli, rc, &err,
                  "the crlagent service is installed; 'crlagent doctor' tells what it still needs, "
                  "'crlagent start' starts it");
}

int verb_uninstall(struct cli *cli, int argc, char **argv)
{
    static const struct opts none = {NULL, 0, 0, 0};
    struct err err = ERR_INIT;
    int args, code;
    if (cli_options(cli, &none, argc, argv, &args, &code))
        return code;
    bool granted = false;
    int rc = svc_uninstall(SERVICE_NAME, WAIT_MS, &err);
    if (!rc)
        rc = event_log_unregister(EVENT_LOG_SOURCE, &err);
    if (!rc)
        rc = rights_mark(&granted, &err);
    if (granted)
        fprintf(cli->err, "crlagent: rights given by 'crlagent grant' are still in force: "
                          "'crlagent revoke' takes them back\n");
    return result(cli, rc, &err,
                  "the crlagent service is removed; its configuration, state and logs are kept");
}

int verb_start(struct cli *cli, int argc, char **argv)
{
    static const struct opts none = {NULL, 0, 0, 0};
    struct err err = ERR_INIT;
    int args, code;
    if (cli_options(cli, &none, argc, argv, &args, &code))
        return code;
    int rc = svc_start_wait(SERVICE_NAME, WAIT_MS, &err);
    return result(cli, rc, &err, "the crlagent service is running");
}

int verb_stop(struct cli *cli, int argc, char **argv)
{
    static const struct opts none = {NULL, 0, 0, 0};
    struct err err = ERR_INIT;
    int args, code;
    if (cli_options(cli, &none, argc, argv, &args, &code))
        return code;
    int rc = svc_stop_wait(SERVICE_NAME, WAIT_MS, &err);
    return result(cli, rc, &err, "the crlagent service has stopped");
}
