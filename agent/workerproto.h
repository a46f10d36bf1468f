/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What crosses between the service and its probing worker: a header, the targets and the CA
 * certificates one way; a header and the results the other way. Both sides are the same program
 * file, so the structs go as they are; sizes are checked all the same, and the service checks every
 * field of a result as if it came from an enemy, because a worker that met a hostile CRL may be
 * one. */
#ifndef CRLAGENT_AGENT_WORKERPROTO_H
#define CRLAGENT_AGENT_WORKERPROTO_H

#include "cdp/probe.h"

#define WORKER_MAGIC 0x43524c57u /* "CRLW" */
#define WORKER_CERT_BYTES (LIMIT_CA_CERTS * LIMIT_CERT_BYTES)

struct worker_header {
    uint32_t magic;
    uint32_t target_size, result_size; /* sizeof of the structs */
    uint32_t n;                        /* targets or results */
    uint32_t cert_bytes;               /* CA certificates, DER, one after the other */
    uint32_t failed;                   /* answer: enum err_code of the prober, 0 = results follow */
};

/* ERR_PARSE when the header is not what the other side of the same program would write. */
MUST_CHECK int worker_header_check(const struct worker_header *h, struct err *err);

/* Strings terminated, enums in range, counts within their arrays, text without control characters:
 * what does not hold is cut or makes the result PROBE_INTERNAL. */
void worker_result_sanitize(struct probe_result *r);

#endif
