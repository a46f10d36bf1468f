/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Rounds of the periodic loop for tests/bench/part_health.sh: loop_probe whole|conditional URLS
 * ISSUER ROUNDS. One round to begin with, then ROUNDS that are counted; prints the CPU milliseconds
 * and body bytes of one of these, how many locations answered 304, and how many gave a CRL. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/str.h"
#include "cdp/fetch.h"
#include "cdp/locations.h"
#include "watch/recall.h"

static double cpu_ms(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

static int read_inputs(const char *urls, const char *issuer, struct locations *l,
                       struct crl_issuers **issuers, struct err *err)
{
    SCOPED(buf_free) struct buf text = BUF_INIT;
    SCOPED(buf_free) struct buf cert = BUF_INIT;
    char *rest = NULL;
    int rc = file_read(urls, 10000000, &text, err);
    if (!rc)
        rc = file_read(issuer, LIMIT_CERT_BYTES, &cert, err);
    if (!rc)
        rc = crl_issuers_add(issuers, issuer, buf_str(&cert), cert.len, err);
    for (char *u = rc ? NULL : strtok_r(text.data, "\n", &rest); u && !rc;
         u = strtok_r(NULL, "\n", &rest))
        rc = locations_add_url(l, u, ROLE_CRL_BASE, FROM_COMMAND_LINE, 0, err);
    return rc;
}

static int rounds(const struct locations *l, const struct crl_issuers *issuers, bool conditional,
                  int count, struct err *err)
{
    const struct fetch_options opt = {.max_total = 64, .max_per_host = 64};
    SCOPED(fetch_prober_free) struct prober web = {0};
    SCOPED(recall_free) struct recall *recall = NULL;
    SCOPED(scope_free) struct probe_result *r = calloc(l->n + 1, sizeof *r);
    size_t unchanged = 0, good = 0;
    uint64_t bytes = 0;
    double began = 0;
    int rc = r ? fetch_prober_new(&opt, &web, err) : err_nomem(err);
    if (!rc)
        rc = recall_new(&web, clock_system(), &recall, err);
    struct prober p = web;
    if (!rc && conditional)
        p = recall_prober(recall);
    for (int i = 0; i <= count && !rc; i++) {
        began = i == 1 ? cpu_ms() : began;
        rc = p.run(p.self, l->item, l->n, issuers, r, err);
        for (size_t k = 0; k < l->n && i && !rc; k++) {
            unchanged += r[k].http_status == 304;
            good += r[k].status == PROBE_OK && r[k].signature == CRL_SIG_GOOD;
            bytes += r[k].bytes;
        }
    }
    if (!rc)
        printf("%.1f %llu %zu %zu\n", (cpu_ms() - began) / count,
               (unsigned long long)bytes / (unsigned)count, unchanged / (size_t)count,
               good / (size_t)count);
    return rc;
}

int main(int argc, char **argv)
{
    SCOPED(locations_free) struct locations l = {0};
    SCOPED(crl_issuers_free) struct crl_issuers *issuers = NULL;
    struct err err = ERR_INIT;
    char *end = NULL;
    long count = argc == 5 ? strtol(argv[4], &end, 10) : 0;
    if (count < 1 || count > 1000 || *end)
        return 20;
    int rc = fetch_setup(&err);
    if (!rc)
        rc = read_inputs(argv[2], argv[3], &l, &issuers, &err);
    if (!rc)
        rc = rounds(&l, issuers, strcmp(argv[1], "conditional") == 0, (int)count, &err);
    if (rc)
        fprintf(stderr, "%s\n", err.text);
    return rc != 0;
}
