/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent check, crlagent simulate: by URL or certificate without the service, else by it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/compare.h"
#include "agent/control.h"
#include "agent/probing.h"
#include "agent/verbs.h"
#include "report/reread.h"
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

/* Without a URL or a certificate on a CA host: the service knows the CA's locations, asks them and
 * renders. */
static int check_by_service(struct cli *cli, const char *format_name, const char *fail_on,
                            const char *before, const char *output)
{
    struct protocol_request req = protocol_request_init("check");
    (void)str_copy(req.format, sizeof req.format, format_name);
    (void)str_copy(req.fail_on, sizeof req.fail_on, fail_on);
    if (before)
        return compare_service(cli, &req, before, output);
    return control_check(cli, &req, output,
                         strcmp(format_name, "nagios") == 0
                             ? "CRL UNKNOWN - the crlagent service did not answer the check"
                             : NULL);
}

/* The same for an outage. WHEN_NONE: it begins now. */
static int simulate_by_service(struct cli *cli, int64_t outage, int64_t from)
{
    struct protocol_request req = protocol_request_init("simulate");
    req.window = outage;
    req.until = from == WHEN_NONE ? -1 : from;
    return control_check(cli, &req, NULL, NULL);
}

/* Nothing is named, and there may be a service that knows what to ask. */
static bool is_for_service(const struct cli *cli, const struct probing_options *o)
{
    return cli->control && o->urls.n + o->delta_urls.n + o->certs.n == 0 && !o->url_file &&
           !o->ca_config && !(o->parents && o->issuers.n);
}

/* The service looks with what is configured; an option that it would ignore is refused. */
static int refuse_own_ways(const struct probing_options *o, struct err *err)
{
    const struct {
        bool given;
        const char *name;
    } ways[] = {
        {o->issuers.n > 0, "issuer"},
        {o->parents, "parents"},
        {o->as_client, "as-client"},
        {o->one_address, "one-address"},
        {o->no_freshest, "no-freshest"},
        {o->ocsp_nonce, "ocsp-nonce"},
        {o->ldap_servers.n > 0, "ldap-server"},
        {o->proxy != NULL, "proxy"},
        {o->ca_file != NULL, "ca-file"},
        {o->timeout != 0, "timeout"},
        {o->propagation != 0, "propagation"},
        {o->warn != 0, "warn"},
        {o->crit != 0, "crit"},
        {o->parallel != 0, "parallel"},
        {o->parallel_host != 0, "parallel-host"},
    };
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        if (ways[i].given)
            return err_set(err, ERR_INVALID,
                           "--%s is for locations that are named here: add --url, --delta-url, "
                           "--url-file, --cert or --ca-config. Without them the service looks, the "
                           "way its configuration says: crlagent config show",
                           ways[i].name);
    }
    return ERR_OK;
}

int verb_check(struct cli *cli, int argc, char **argv)
{
    struct probing_options o = {0};
    const char *format_name = "text", *output = NULL, *fail_on_name = "warning", *before = NULL;
    const struct opt table[] = {
        PROBING_OPTIONS(&o),
        {"format", OPT_TEXT, &format_name, "FORMAT", "text, json, xml, html, metrics, nagios"},
        {"output", OPT_TEXT, &output, "FILE", "write there, whole or not at all"},
        {"before", OPT_TEXT, &before, "FILE", "compare with this report (--format json)"},
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
    if (is_for_service(cli, &o))
        return refuse_own_ways(&o, &err)
                   ? cli_fail(cli, EXIT_USAGE, &err)
                   : check_by_service(cli, format_name, fail_on_name, before, output);
    SCOPED(report_copy_free) struct report_copy *then = NULL;
    SCOPED(probing_free) struct probing p = {0};
    if (before && report_reread_file(before, &then, &err))
        return unknown(cli, format, &err);
    if (probing_run(cli, &o, &p, &err))
        return err.code == ERR_INVALID ? cli_fail(cli, EXIT_USAGE, &err)
                                       : unknown(cli, format, &err);
    struct report r;
    probing_report(&p, &o, &r);
    r.before = then ? &then->report : NULL;
    return compare_deliver(cli, &r, format, output, report_exit_code(&r, fail_on));
}

int verb_simulate(struct cli *cli, int argc, char **argv)
{
    struct probing_options o = {0};
    int64_t outage = 0, from = WHEN_NONE;
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
        err_set(&err, ERR_INVALID,
                "--outage is needed: crlagent simulate --outage 36h (on a CA host), or with --url "
                "URL");
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    if (is_for_service(cli, &o))
        return refuse_own_ways(&o, &err) ? cli_fail(cli, EXIT_USAGE, &err)
                                         : simulate_by_service(cli, outage, from);
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
    const struct simulate_outage what = {.from = from == WHEN_NONE ? p.now : from,
                                         .seconds = outage,
                                         .propagation = o.propagation,
                                         .thresholds = &p.thresholds,
                                         .verdicts = p.verdicts};
    simulate_outage(p.locations.item, p.results, p.locations.n, &what, line, &n);
    struct report r;
    const struct report_style style = {cli->out_tty, cli->columns};
    probing_report(&p, &o, &r);
    report_simulation(&r, line, n, &what, &style, &text);
    return cli_write(cli, &text, simulation_fits(line, n) ? EXIT_DONE : EXIT_CHECK_CRITICAL);
}
