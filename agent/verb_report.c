/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent report: what the service saw last. */
#include "agent/compare.h"
#include "agent/control.h"
#include "agent/verbs.h"
#include "base/opts.h"
#include "base/str.h"

int verb_report(struct cli *cli, int argc, char **argv)
{
    const char *format = "text", *output = NULL, *before = NULL;
    const struct opt table[] = {
        {"format", OPT_TEXT, &format, "FORMAT", "text, json, xml, html, metrics, nagios"},
        {"output", OPT_TEXT, &output, "FILE", "write there, whole or not at all"},
        {"before", OPT_TEXT, &before, "FILE", "compare with this report (--format json)"},
    };
    const struct opts opts = {table, ARRAY_LEN(table), 0, 0};
    struct protocol_request req = protocol_request_init("report");
    struct err err = ERR_INIT;
    int args = 0, code = 0;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    if (control_text("format", format, 15, req.format, sizeof req.format, &err))
        return cli_fail(cli, EXIT_USAGE, &err);
    if (before)
        return compare_service(cli, &req, before, output);
    return control_check(cli, &req, output, NULL);
}
