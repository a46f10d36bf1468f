/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* crlagent worker: fetches and parses what comes from the network, in a process without rights.
 * Started by the service, and by check and simulate on Windows; ends when its standard input does.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/cli.h"
#include "agent/verbs.h"
#include "agent/workerproto.h"
#include "cdp/fetch.h"

struct round {
    struct worker_header head;
    struct probe_target *target;
    struct probe_result *result;
    uint8_t *certs;
    struct crl_issuers *issuers;
};

static void round_free(struct round *r)
{
    free(r->target);
    free(r->result);
    free(r->certs);
    crl_issuers_free(&r->issuers);
}

static bool read_all(void *data, size_t len)
{
    return len == 0 || fread(data, 1, len, stdin) == len;
}

/* 1 = a round was read, 0 = end of input, -1 = broken. */
static int read_round(struct round *r, struct err *err)
{
    if (!read_all(&r->head, sizeof r->head))
        return 0;
    if (worker_header_check(&r->head, err))
        return -1;
    r->target = calloc((size_t)r->head.n + 1, sizeof *r->target);
    r->result = calloc((size_t)r->head.n + 1, sizeof *r->result);
    r->certs = malloc((size_t)r->head.cert_bytes + 1);
    if (!r->target || !r->result || !r->certs)
        return -1;
    if (!read_all(r->target, r->head.n * sizeof *r->target) ||
        !read_all(r->certs, r->head.cert_bytes))
        return -1;
    if (r->head.cert_bytes == 0)
        return 1;
    return crl_issuers_add(&r->issuers, "CA certificates", r->certs, r->head.cert_bytes, err) ? -1
                                                                                              : 1;
}

static bool write_round(struct round *r, int failed)
{
    struct worker_header head = r->head;
    head.cert_bytes = 0;
    head.failed = (uint32_t)failed;
    return fwrite(&head, sizeof head, 1, stdout) == 1 &&
           (failed || head.n == 0 ||
            fwrite(r->result, sizeof *r->result, head.n, stdout) == head.n) &&
           fflush(stdout) == 0;
}

static int serve(const struct prober *prober)
{
    for (;;) {
        struct err err = ERR_INIT;
        struct round r = {.target = NULL};
        int got = read_round(&r, &err);
        bool good = got > 0;
        if (good) {
            int rc = prober->run(prober->self, r.target, r.head.n, r.issuers, r.result, &err);
            good = write_round(&r, rc);
        }
        round_free(&r);
        if (!good)
            return got == 0 ? EXIT_DONE : EXIT_FAILED;
    }
}

int verb_worker(struct cli *cli, int argc, char **argv)
{
    uint64_t parallel = 0, per_host = 0;
    const char *proxy = NULL, *ca_file = NULL;
    const struct opt table[] = {
        {"parallel", OPT_NUMBER, &parallel, "N", "requests at once"},
        {"parallel-host", OPT_NUMBER, &per_host, "N", "of these to one server"},
        {"proxy", OPT_TEXT, &proxy, "URL", "HTTP proxy; 'none' goes past it"},
        {"ca-file", OPT_TEXT, &ca_file, "FILE", "trusted certificates for https (PEM)"},
    };
    const struct opts opts = {table, ARRAY_LEN(table), 0, 0};
    struct err err = ERR_INIT;
    int args, code;
    if (cli_options(cli, &opts, argc, argv, &args, &code))
        return code;
    const struct fetch_options options = {
        .max_total = (uint32_t)(parallel > 1024 ? 1024 : parallel),
        .max_per_host = (uint32_t)(per_host > 1024 ? 1024 : per_host),
        .proxy = proxy && strcmp(proxy, "none") == 0 ? "" : proxy,
        .ca_file = ca_file,
        .ldap = cli->ldap,
        .clock = cli->clock,
    };
    SCOPED(fetch_prober_free) struct prober prober = {0};
    int rc = fetch_setup(&err);
    if (!rc)
        rc = fetch_prober_new(&options, &prober, &err);
    return rc ? cli_fail(cli, EXIT_FAILED, &err) : serve(&prober);
}
