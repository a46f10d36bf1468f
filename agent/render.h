/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* JSON documents of the service as text for people. */
#ifndef CRLAGENT_AGENT_RENDER_H
#define CRLAGENT_AGENT_RENDER_H

#include "agent/cli.h"

/* The document's "kind" says which it is: "answer", "status", "history". ERR_PARSE. */
MUST_CHECK int render_document(const char *json, size_t len, const struct cli *cli, struct buf *out,
                               struct err *err);

#endif
