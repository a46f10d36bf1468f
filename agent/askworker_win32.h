/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The locations of check and simulate, asked in the restricted worker: the caller on a CA host is
 * an administrator, and what the locations send is foreign bytes. */
#ifndef CRLAGENT_AGENT_ASKWORKER_WIN32_H
#define CRLAGENT_AGENT_ASKWORKER_WIN32_H

#include "agent/cli.h"
#include "cdp/fetch.h"

/* For struct cli. When the worker cannot be started, before any byte has come, this process asks
 * and says so on cli->err. A worker that dies later is an error. */
MUST_CHECK int ask_in_worker(struct cli *cli, const struct fetch_options *o,
                             const struct probe_target *targets, size_t n,
                             const struct crl_issuers *issuers, struct probe_result *results,
                             struct err *err);

#endif
