/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Conditional requests for the periodic loop (RFC 9110 section 13): a prober in front of another
 * one that remembers each whole answer of a web server and asks "has it changed?" the next time.
 * What a 304 leaves out is put in from memory, so that everybody behind it judges the same facts
 * against the present time: an expired CRL is found expired whatever the server says. */
#ifndef CRLAGENT_WATCH_RECALL_H
#define CRLAGENT_WATCH_RECALL_H

#include "base/when.h"
#include "cdp/probe.h"

/* Locations and addresses remembered (20 kB each); what is beyond is asked for the whole each time.
 */
#define RECALL_MAX 2000
/* Without an ETag a server compares times only, and an older copy passes for an unchanged one. */
#define RECALL_DATE_ONLY_SECONDS 3600
/* A whole answer that took longer is made each time: its time is what is watched. */
#define RECALL_SLOW_MS 5000

struct recall;
/* inner and clock must outlive it. Nothing is kept over a restart: the first round is whole. */
MUST_CHECK int recall_new(const struct prober *inner, const struct clock *clock,
                          struct recall **ret, struct err *err);
void recall_free(struct recall **r); /* for SCOPED(); takes NULL */

/* The seam. A location whose CRL is unchanged is PROBE_OK with http_status 304, bytes 0 and the
 * facts of its last whole answer. The whole is asked for after half of the CRL's life, once Next
 * CRL Publish and once nextUpdate have passed, when another server has a newer CRL, after a
 * failure, and always where the signature was not found good. */
struct prober recall_prober(struct recall *r);

/* The next round asks for everything. */
void recall_whole(struct recall *r);

/* Has this server kept its ETag (or its date) over a change of the CRL? It would have answered 304;
 * it is asked for the whole each time until it changes both together. */
bool recall_misled(const struct recall *r, const struct probe_target *t);

#endif
