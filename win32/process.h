/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Child processes beyond process_run of base/process.h: the restricted worker, a process of our own
 * program that reads foreign bytes and has as few rights as Windows can give. */
#ifndef CRLAGENT_WIN32_PROCESS_H
#define CRLAGENT_WIN32_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct worker;

struct worker_setup {
    const char *const *argv; /* argv[0] full path; ends with NULL */
    bool restricted;         /* restricted token, low integrity */
    uint64_t memory_bytes;   /* limit of the job, 0 = 512 MiB */
};

/* Starts it with three pipes as its only inherited handles, in a job object that ends it with us,
 * allows no second process, no desktop, no clipboard. Its standard error is dropped. Wine accepts
 * the restrictions without enforcing them; see docs/verification.md. */
MUST_CHECK int worker_start(const struct worker_setup *setup, struct worker **ret, struct err *err);

/* All of data to its standard input; ERR_TIMEOUT, ERR_UNAVAILABLE when it has ended. */
MUST_CHECK int worker_write(struct worker *w, const void *data, size_t len, int64_t timeout_ms,
                            struct err *err);

/* Exactly len bytes from its standard output; ERR_TIMEOUT, ERR_UNAVAILABLE at its end. */
MUST_CHECK int worker_read(struct worker *w, void *data, size_t len, int64_t timeout_ms,
                           struct err *err);

/* Closes its standard input, gives it timeout_ms to end, kills it otherwise; frees. NULL is fine.
 */
void worker_stop(struct worker *w, int64_t timeout_ms);

/* Command line that CommandLineToArgvW takes apart into argv again. Exposed for tests. */
MUST_CHECK int process_quote(const char *const *argv, struct buf *ret, struct err *err);

#endif
