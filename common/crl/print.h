/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* CRL facts as text for people and as JSON for programs (names of the JSON fields are a contract:
 * docs/crl-engine.md). */
#ifndef CRLAGENT_CRL_PRINT_H
#define CRLAGENT_CRL_PRINT_H

#include <jansson.h>

#include "base/buf.h"
#include "crl/compare.h"
#include "crl/judge.h"

/* now: for "in 6d 12h"; WHEN_NONE leaves that out. */
void crl_print_facts(const struct crl_facts *f, int64_t now, struct buf *out);
void crl_print_diff(const struct crl_diff *d, struct buf *out);
/* "expired, overdue"; "ok" for none. */
void crl_print_verdicts(uint32_t verdicts, struct buf *out);

/* New references, NULL without memory. */
json_t *crl_json_facts(const struct crl_facts *f);
json_t *crl_json_diff(const struct crl_diff *d);
json_t *crl_json_verdicts(uint32_t verdicts);
json_t *crl_json_entry(const struct crl_entry *e);

#endif
