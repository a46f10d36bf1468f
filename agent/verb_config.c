/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent config test, show, init, reference */
#include "agent/cli.h"
#include "agent/verbs.h"
#include "base/file.h"
#include "config/config.h"

static int parse(struct cli *cli, int argc, char **argv, const char **ret_path, bool *force)
{
    const char *path = NULL;
    const struct opt table[] = {
        {"config", OPT_TEXT, &path, "FILE", "another file than the installed one"},
        {"force", OPT_FLAG, force, NULL, "write over an existing file"},
    };
    const struct opts opts = {table, force ? 2 : 1, 0, 0};
    int args, code;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    *ret_path = path ? path : cli->config_path;
    return -1;
}

/* A file that is not there is no error: the defaults are in effect then. */
static int load(struct cli *cli, const char *path, struct config *ret, bool *ret_found)
{
    SCOPED(buf_free) struct buf problems = BUF_INIT;
    struct err err = ERR_INIT;
    int rc = config_load(path, ret, &problems, &err);
    *ret_found = rc != ERR_NOT_FOUND;
    if (rc == ERR_NOT_FOUND)
        rc = config_defaults(ret, &err);
    if (!rc)
        return EXIT_DONE;
    if (problems.len)
        fputs(buf_str(&problems), cli->err);
    else
        fprintf(cli->err, "crlagent: %s\n", err.text);
    return EXIT_FAILED;
}

int verb_config_test(struct cli *cli, int argc, char **argv)
{
    const char *path;
    bool found;
    int code = parse(cli, argc, argv, &path, NULL);
    if (code >= 0)
        return code;
    SCOPED(config_free) struct config c = {0};
    code = load(cli, path, &c, &found);
    if (code)
        return code;
    if (!found) {
        fprintf(cli->err, "crlagent: there is no '%s'; 'crlagent config init' writes one\n", path);
        return EXIT_FAILED;
    }
    SCOPED(buf_free) struct buf text = BUF_INIT;
    buf_printf(&text, "'%s' is valid\n", path);
    return cli_write(cli, &text, EXIT_DONE);
}

int verb_config_show(struct cli *cli, int argc, char **argv)
{
    const char *path;
    bool found;
    int code = parse(cli, argc, argv, &path, NULL);
    if (code >= 0)
        return code;
    SCOPED(config_free) struct config c = {0};
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    code = load(cli, path, &c, &found);
    if (code)
        return code;
    if (!found)
        fprintf(cli->err, "crlagent: there is no '%s': these are the defaults\n", path);
    if (config_write(&c, &text, &err))
        return cli_fail(cli, EXIT_FAILED, &err);
    return cli_write(cli, &text, EXIT_DONE);
}

int verb_config_init(struct cli *cli, int argc, char **argv)
{
    const char *path;
    bool force = false;
    struct file_info info;
    struct err err = ERR_INIT;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    int code = parse(cli, argc, argv, &path, &force);
    if (code >= 0)
        return code;
    if (!force && file_stat(path, &info, &err) == ERR_OK) {
        err_set(&err, ERR_EXISTS, "'%s' exists; it is written over with --force only", path);
        return cli_fail(cli, EXIT_FAILED, &err);
    }
    int rc = config_template(&text, &err);
    if (!rc && cli->prepare_config)
        rc = cli->prepare_config(path, &err);
    if (!rc)
        rc = file_write_atomic(path, buf_str(&text), text.len, &err);
    if (rc)
        return cli_fail(cli, EXIT_FAILED, &err);
    buf_clear(&text);
    buf_printf(&text, "'%s' is written\n", path);
    return cli_write(cli, &text, EXIT_DONE);
}

int verb_config_reference(struct cli *cli, int argc, char **argv)
{
    static const struct opts none = {NULL, 0, 0, 0};
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    int args, code;
    if (cli_options(cli, &none, argc, argv, &args, &code))
        return code;
    if (config_reference(&text, &err))
        return cli_fail(cli, EXIT_FAILED, &err);
    return cli_write(cli, &text, EXIT_DONE);
}
