/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/compare.h"

#include "base/file.h"
#include "base/str.h"
#include "report/reread.h"

/* A monitoring plug-in that cannot do its work says UNKNOWN on its one line. */
static int unknown(struct cli *cli, enum report_format format, const struct err *err)
{
    if (format == REPORT_NAGIOS)
        fprintf(cli->out, "CRL UNKNOWN - %s\n", err->text);
    return cli_fail(cli, EXIT_CHECK_UNKNOWN, err);
}

int compare_deliver(struct cli *cli, const struct report *r, enum report_format format,
                    const char *output, int code)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    const struct report_style style = {cli->out_tty && !output, output ? 100 : cli->columns};
    if (report_render(r, format, &style, &text, &err))
        return unknown(cli, format, &err);
    if (!output)
        return cli_write(cli, &text, code);
    if (file_write_atomic(output, buf_str(&text), text.len, &err))
        return cli_fail(cli, EXIT_CHECK_UNKNOWN, &err);
    return code;
}

int compare_service(struct cli *cli, const struct protocol_request *req, const char *before,
                    const char *output)
{
    SCOPED(report_copy_free) struct report_copy *now = NULL;
    SCOPED(report_copy_free) struct report_copy *then = NULL;
    SCOPED(buf_free) struct buf json = BUF_INIT;
    struct protocol_request as_json = *req;
    enum report_format format = REPORT_TEXT;
    struct err err = ERR_INIT;
    if (report_format_parse(req->format, &format, &err))
        return cli_fail(cli, EXIT_USAGE, &err);
    if (report_reread_file(before, &then, &err))
        return unknown(cli, format, &err);
    (void)str_copy(as_json.format, sizeof as_json.format, "json");
    int code = control_fetch(cli, &as_json, &json);
    if (json.len == 0) {
        if (format == REPORT_NAGIOS)
            fprintf(cli->out, "CRL UNKNOWN - the crlagent service did not answer\n");
        return EXIT_CHECK_UNKNOWN;
    }
    if (report_reread(buf_str(&json), json.len, &now, &err)) {
        err_context(&err, "the service's report");
        return unknown(cli, format, &err);
    }
    now->report.before = &then->report;
    return compare_deliver(cli, &now->report, format, output, code);
}
