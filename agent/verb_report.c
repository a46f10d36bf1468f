/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent report: what the service saw last. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/control.h"
#include "agent/verbs.h"
#include "base/file.h"
#include "base/str.h"

/* Asks with the document caught in memory, so that the file is written whole or not at all. */
static int into_file(struct cli *cli, const struct protocol_request *req, const char *output)
{
    const struct control_style style = {.plain = true, .quiet = true};
    struct cli caught = *cli;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    char chunk[4096];
    caught.out = tmpfile();
    if (!caught.out) {
        err_set(&err, ERR_IO, "no temporary file can be made for the report");
        return cli_fail(cli, EXIT_CHECK_UNKNOWN, &err);
    }
    int code = control_run(&caught, req, &style);
    rewind(caught.out);
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, caught.out)) > 0;)
        buf_add(&text, chunk, n);
    fclose(caught.out);
    if (code > EXIT_CHECK_UNKNOWN || text.len == 0)
        return code > EXIT_CHECK_UNKNOWN ? EXIT_CHECK_UNKNOWN : code;
    int rc = buf_check(&text, "the report", &err);
    if (!rc)
        rc = file_write_atomic(output, buf_str(&text), text.len, &err);
    return rc ? cli_fail(cli, EXIT_CHECK_UNKNOWN, &err) : code;
}

int verb_report(struct cli *cli, int argc, char **argv)
{
    const char *format = "text", *output = NULL;
    const struct opt table[] = {
        {"format", OPT_TEXT, &format, "FORMAT", "text, json, xml, html, metrics, nagios"},
        {"output", OPT_TEXT, &output, "FILE", "write there, whole or not at all"},
    };
    const struct opts opts = {table, ARRAY_LEN(table), 0, 0};
    const struct control_style style = {.plain = true, .quiet = true};
    struct protocol_request req = protocol_request_init("report");
    struct err err = ERR_INIT;
    int args = 0, code = 0;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    if (control_text("format", format, 15, req.format, sizeof req.format, &err))
        return cli_fail(cli, EXIT_USAGE, &err);
    if (output)
        return into_file(cli, &req, output);
    code = control_run(cli, &req, &style);
    return code > EXIT_CHECK_UNKNOWN ? EXIT_CHECK_UNKNOWN : code;
}
