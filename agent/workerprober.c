/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "agent/workerprober.h"

#include <stdlib.h>
#include <string.h>

#include "agent/workerproto.h"
#include "win32/castorecert.h"
#include "win32/process.h"

#define STOP_MS 2000
#define WRITE_MS 30000

/* The worker keeps to its own time-outs; this is only for one that hangs all the same. 64 transfers
 * run at once, at most 8 of them to one host. */
static int64_t patience_ms(const struct probe_target *targets, size_t n)
{
    int64_t longest = LIMIT_FETCH_MS;
    for (size_t i = 0; i < n; i++)
        longest = targets[i].timeout_ms > longest ? targets[i].timeout_ms : longest;
    return 30000 + longest * (int64_t)(1 + n / 8);
}

static int send_round(struct worker *w, const struct probe_target *targets, size_t n,
                      const struct crl_issuers *issuers, struct err *err)
{
    SCOPED(buf_free) struct buf certs = BUF_INIT;
    SCOPED(buf_free) struct buf parents = BUF_INIT;
    int rc = crl_issuers_export(issuers, &certs, err);
    if (!rc && certs.len)
        rc = ca_store_parents((const uint8_t *)certs.data, certs.len, &parents, err);
    if (!rc && buf_add(&certs, parents.data, parents.len))
        rc = buf_check(&certs, "CA certificates", err);
    if (rc)
        return rc;
    const struct worker_header head = {
        .magic = WORKER_MAGIC,
        .target_size = sizeof *targets,
        .result_size = sizeof(struct probe_result),
        .n = (uint32_t)n,
        .cert_bytes = (uint32_t)certs.len,
    };
    rc = worker_write(w, &head, sizeof head, WRITE_MS, err);
    if (!rc && n)
        rc = worker_write(w, targets, n * sizeof *targets, WRITE_MS, err);
    if (!rc && certs.len)
        rc = worker_write(w, certs.data, certs.len, WRITE_MS, err);
    return rc;
}

static int receive_round(struct worker *w, const struct probe_target *targets, size_t n,
                         struct probe_result *results, struct err *err)
{
    struct worker_header head;
    int rc = worker_read(w, &head, sizeof head, patience_ms(targets, n), err);
    if (!rc)
        rc = worker_header_check(&head, err);
    if (!rc && head.failed)
        rc = err_set(err, ERR_INTERNAL, "the probing worker failed (%s)",
                     head.failed <= ERR_INTERNAL ? err_code_name((enum err_code)head.failed) : "?");
    if (!rc && head.n != n)
        rc = err_set(err, ERR_PARSE, "the probing worker sent %u results for %zu locations", head.n,
                     n);
    if (!rc && n)
        rc = worker_read(w, results, n * sizeof *results, WRITE_MS, err);
    for (size_t i = 0; i < n && !rc; i++)
        worker_result_sanitize(&results[i]);
    return rc;
}

int worker_probe(const char *const *argv, const struct probe_target *targets, size_t n,
                 const struct crl_issuers *issuers, struct probe_result *results, bool *ret_started,
                 struct err *err)
{
    const struct worker_setup setup = {.argv = argv, .restricted = true};
    struct worker *w = NULL;
    int rc = worker_start(&setup, &w, err);
    *ret_started = rc == ERR_OK;
    if (rc) {
        err_context(err, "starting the probing worker");
        return rc;
    }
    rc = send_round(w, targets, n, issuers, err);
    if (!rc)
        rc = receive_round(w, targets, n, results, err);
    worker_stop(w, STOP_MS);
    return rc;
}

static int run(void *self, const struct probe_target *targets, size_t n,
               const struct crl_issuers *issuers, struct probe_result *results, struct err *err)
{
    const struct worker_way *way = self;
    const char *const argv[] = {way->program, "worker", "--proxy",
                                way->proxy && *way->proxy ? way->proxy : "none", NULL};
    bool started;
    return worker_probe(argv, targets, n, issuers, results, &started, err);
}

struct prober worker_prober(const struct worker_way *way)
{
    /* The seam's self is never written through here. */
    return (struct prober){run, (void *)(uintptr_t)way};
}
