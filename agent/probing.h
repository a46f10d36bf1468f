/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Probing from the command line, without the service and without rights: what check and simulate
 * share. Everything named by URL or certificate is asked, judged and put into a report. */
#ifndef CRLAGENT_AGENT_PROBING_H
#define CRLAGENT_AGENT_PROBING_H

#include "agent/cli.h"
#include "cdp/climb.h"
#include "cdp/locations.h"
#include "crl/judge.h"
#include "health/cacert.h"
#include "report/report.h"

struct probing_options {
    struct opt_list urls, delta_urls, certs, issuers, ldap_servers;
    const char *url_file;  /* one URL per line */
    const char *ca_config; /* "HOST\\CA": a CA that is asked for its locations */
    const char *proxy, *ca_file;
    int64_t timeout, propagation, warn, crit;
    uint64_t parallel, parallel_host;
    bool one_address; /* do not ask every address of a name */
    bool as_client;   /* ask once more with caches allowed */
    bool parents;     /* also the CRLs that check the --issuer certificates, up to the root */
    bool no_freshest; /* do not follow Freshest CRL */
    bool ocsp_nonce;  /* ask OCSP responders with a nonce */
};

/* The rows of the option table; put them first in a verb's own table. */
#define PROBING_OPTIONS(o)                                                                         \
    {"url", OPT_LIST, &(o)->urls, "URL", "a base CRL; may be given several times"},                \
        {"delta-url", OPT_LIST, &(o)->delta_urls, "URL", "a delta CRL"},                           \
        {"url-file", OPT_TEXT, &(o)->url_file, "FILE", "base CRL URLs, one per line"},             \
        {"cert", OPT_LIST, &(o)->certs, "FILE", "a certificate: its CDP, AIA and OCSP URLs"},      \
        {"ca-config", OPT_TEXT, &(o)->ca_config, "HOST\\CA", "ask this CA for its locations"},     \
        {"issuer", OPT_LIST, &(o)->issuers, "FILE", "CA certificates to check signatures with"},   \
        {"parents", OPT_FLAG, &(o)->parents, NULL,                                                 \
         "also the CRLs above the --issuer CAs, to the root"},                                     \
        {"as-client", OPT_FLAG, &(o)->as_client, NULL, "ask once more with caches allowed"},       \
        {"one-address", OPT_FLAG, &(o)->one_address, NULL,                                         \
         "one server per name, not every address"},                                                \
        {"no-freshest", OPT_FLAG, &(o)->no_freshest, NULL, "do not follow the Freshest CRL URLs"}, \
        {"ocsp-nonce", OPT_FLAG, &(o)->ocsp_nonce, NULL, "OCSP: with a nonce, past caches"},       \
        {"ldap-server", OPT_LIST, &(o)->ldap_servers, "DC",                                        \
         "domain controllers for ldap:/// URLs"},                                                  \
        {"proxy", OPT_TEXT, &(o)->proxy, "URL", "HTTP proxy; 'none' goes past it"},                \
        {"ca-file", OPT_TEXT, &(o)->ca_file, "FILE", "trusted certificates for https (PEM)"},      \
        {"timeout", OPT_DURATION, &(o)->timeout, "TIME", "per location, default 15s"},             \
        {"propagation", OPT_DURATION, &(o)->propagation, "TIME", "taken off the runway"},          \
        {"warn", OPT_DURATION, &(o)->warn, "TIME", "warn below this life; default 80 % used"},     \
        {"crit", OPT_DURATION, &(o)->crit, "TIME", "critical below this life; default 95 % used"}, \
        {"parallel", OPT_NUMBER, &(o)->parallel, "N", "requests at once, default 64"},             \
    {                                                                                              \
        "parallel-host", OPT_NUMBER, &(o)->parallel_host, "N", "of these to one server, default 8" \
    }

struct probing {
    struct locations locations;
    struct probe_result *results;
    uint32_t *verdicts;
    struct findings findings;
    struct health_ca_certs certs;
    struct crl_issuers *issuers;
    struct runway runway;
    struct climb climb[OPT_LIST_MAX]; /* per --issuer, with --parents */
    struct crl_thresholds thresholds;
    int64_t now;
};
void probing_free(struct probing *p); /* for SCOPED(); takes a zeroed one */

/* Gathers, asks and judges. Progress goes to cli->err when that is a console. ERR_INVALID when
 * nothing was named; a location that fails is a finding. */
MUST_CHECK int probing_run(struct cli *cli, const struct probing_options *o, struct probing *ret,
                           struct err *err);

/* Points into p and o. */
void probing_report(const struct probing *p, const struct probing_options *o, struct report *ret);

#endif
