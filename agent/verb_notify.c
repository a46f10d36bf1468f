/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent notify --test: sends one notice by every configured way, now, and says what came back.
 */
#include <string.h>

#include "agent/cli.h"
#include "agent/verbs.h"
#include "cdp/fetch.h"
#include "config/config.h"
#include "notify/notify.h"

static int send_all(struct cli *cli, const struct config *c, const char *ca_file, struct buf *text)
{
    struct notify_channel ch[NOTIFY_CHANNELS_MAX];
    size_t n = notify_channels(c, ch);
    size_t failed = 0;
    struct notice notice = {
        .id = 7005,
        .severity = SEV_INFO,
        .when = clock_now(cli->clock),
        .title = "Test notice of crlagent",
        .text = "Somebody ran 'crlagent notify --test'. Nothing has happened; this way of telling "
                "works.",
    };
    for (size_t i = 0; i < n; i++) {
        struct err err = ERR_INIT;
        ch[i].ca_file = ca_file;
        if (notify_send(&ch[i], &notice, cli->secrets, &err)) {
            failed++;
            buf_printf(text, "%-8s FAILED  %s\n", ch[i].name, err.text);
        } else {
            buf_printf(text, "%-8s sent\n", ch[i].name);
        }
    }
    if (n == 0)
        buf_puts(text, "No way of telling is configured: see <notify> in the configuration.\n");
    return failed || n == 0 ? EXIT_CHECK_CRITICAL : EXIT_DONE;
}

int verb_notify(struct cli *cli, int argc, char **argv)
{
    bool test = false;
    const char *path = NULL, *ca_file = NULL;
    const struct opt table[] = {
        {"test", OPT_FLAG, &test, NULL, "send a test notice by every configured way"},
        {"config", OPT_TEXT, &path, "FILE", "the configuration file"},
        {"ca-file", OPT_TEXT, &ca_file, "FILE", "trusted certificates for TLS (PEM)"},
    };
    const struct opts opts = {table, ARRAY_LEN(table), 0, 0};
    SCOPED(config_free) struct config c = {0};
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    int args = 0, code = 0;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    if (!test) {
        err_set(&err, ERR_INVALID, "only --test is there: crlagent notify --test");
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    if (fetch_setup(&err) || config_load(path ? path : cli->config_path, &c, NULL, &err))
        return cli_fail(cli, EXIT_CHECK_UNKNOWN, &err);
    code = send_all(cli, &c, ca_file, &text);
    return cli_write(cli, &text, code);
}
