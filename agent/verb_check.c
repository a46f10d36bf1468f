/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent check, crlagent simulate: without the service, by URL or certificate. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/control.h"
#include "agent/probing.h"
#include "agent/verbs.h"
#include "base/file.h"
#include "base/str.h"
#include "cdp/url.h"
#include "report/simulation.h"

/* A monitoring plug-in that cannot do its work says UNKNOWN on its one line. */
static int unknown(struct cli *cli, enum report_format format, const struct err *err)
{
    if (format == REPORT_NAGIOS)
        fprintf(cli->out, "CRL UNKNOWN - %s\n", err->text);
    return cli_fail(cli, EXIT_CHECK_UNKNOWN, err);
}

static int deliver(struct cli *cli, const struct buf *text, const char *output, int code,
                   struct err *err)
{
    if (!output)
        return cli_write(cli, text, code);
    if (file_write_atomic(output, buf_str(text), text->len, err))
        return cli_fail(cli, EXIT_CHECK_UNKNOWN, err);
    return code;
}

/* Without a URL or a certificate on a CA host: the service knows the CA's locations, asks them and
 * renders. */
static int check_by_service(struct cli *cli, const char *format_name, const char *fail_on)
{
    struct protocol_request req = protocol_request_init("check");
    const struct control_style style = {.plain = true, .quiet = true};
    (void)str_copy(req.format, sizeof req.format, format_name);
    (void)str_copy(req.fail_on, sizeof req.fail_on, fail_on);
    int code = control_run(cli, &req, &style);
    if (code <= EXIT_CHECK_UNKNOWN)
        return code;
    if (strcmp(format_name, "nagios") == 0)
        fprintf(cli->out, "CRL UNKNOWN - the crlagent service did not answer the check\n");
    return EXIT_CHECK_UNKNOWN;
}

static bool names_nothing(const struct probing_options *o)
{
    return o->urls.n + o->delta_urls.n + o->certs.n == 0 && !o->url_file && !o->ca_config;
}

int verb_check(struct cli *cli, int argc, char **argv)
{
    struct probing_options o = {0};
    const char *format_name = "text", *output = NULL, *fail_on_name = "warning";
    const struct opt table[] = {
        PROBING_OPTIONS(&o),
        {"format", OPT_TEXT, &format_name, "FORMAT", "text, json, xml, html, metrics, nagios"},
        {"output", OPT_TEXT, &output, "FILE", "write there, whole or not at all"},
        {"fail-on", OPT_TEXT, &fail_on_name, "SEVERITY", "info, warning (default) or critical"},
    };
    const struct opts opts = {table, ARRAY_LEN(table), 0, 0};
    struct err err = ERR_INIT;
    enum report_format format = REPORT_TEXT;
    enum severity fail_on = SEV_WARNING;
    int args = 0, code = 0;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    if (report_format_parse(format_name, &format, &err) ||
        severity_parse(fail_on_name, &fail_on, &err))
        return cli_fail(cli, EXIT_USAGE, &err);
    if (names_nothing(&o) && cli->control && !output)
        return check_by_service(cli, format_name, fail_on_name);
    SCOPED(probing_free) struct probing p = {0};
    if (probing_run(cli, &o, &p, &err))
        return err.code == ERR_INVALID ? cli_fail(cli, EXIT_USAGE, &err)
                                       : unknown(cli, format, &err);
    struct report r;
    SCOPED(buf_free) struct buf text = BUF_INIT;
    struct report_style style = {cli->out_tty && !output, output ? 100 : cli->columns};
    probing_report(&p, &o, &r);
    if (report_render(&r, format, &style, &text, &err))
        return unknown(cli, format, &err);
    return deliver(cli, &text, output, report_exit_code(&r, fail_on), &err);
}

int verb_simulate(struct cli *cli, int argc, char **argv)
{
    struct probing_options o = {0};
    int64_t outage = 0, from = 0;
    const struct opt table[] = {
        PROBING_OPTIONS(&o),
        {"outage", OPT_DURATION, &outage, "TIME", "how long nothing is signed"},
        {"from", OPT_TIME, &from, "TIME", "when it begins (2026-11-23T02:00Z), default now"},
    };
    const struct opts opts = {table, ARRAY_LEN(table), 0, 0};
    struct err err = ERR_INIT;
    int args = 0, code = 0;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    if (outage <= 0) {
        err_set(&err, ERR_INVALID, "--outage is needed: crlagent simulate --outage 36h --url URL");
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    SCOPED(probing_free) struct probing p = {0};
    if (probing_run(cli, &o, &p, &err))
        return cli_fail(cli, err.code == ERR_INVALID ? EXIT_USAGE : EXIT_CHECK_UNKNOWN, &err);
    SCOPED(scope_free) struct simulate_line *line = calloc(p.locations.n + 1, sizeof *line);
    SCOPED(buf_free) struct buf text = BUF_INIT;
    size_t n = 0;
    if (!line) {
        err_nomem(&err);
        return cli_fail(cli, EXIT_CHECK_UNKNOWN, &err);
    }
    from = from ? from : p.now;
    simulate_outage(p.locations.item, p.results, p.locations.n, from, outage, o.propagation,
                    &p.thresholds, line, &n);
    struct report r;
    const struct report_style style = {cli->out_tty, cli->columns};
    probing_report(&p, &o, &r);
    report_simulation(&r, line, n, from, outage, &style, &text);
    return cli_write(cli, &text, simulation_fits(line, n) ? EXIT_DONE : EXIT_CHECK_CRITICAL);
}
