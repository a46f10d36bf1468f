/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Inside health only: what the rules share. */
#ifndef CRLAGENT_HEALTH_RULES_INT_H
#define CRLAGENT_HEALTH_RULES_INT_H

#include "health/rules.h"

/* Probes of one (URL, role, key, partition): the same location asked at several servers. */
struct node_group {
    size_t first, n; /* in rules.order */
};

struct rules {
    const struct health_input *in;
    uint32_t *verdicts; /* per probe */
    size_t *order;      /* probe indexes sorted into groups */
    struct node_group *groups;
    size_t n_groups;
    struct findings *out;
    struct finding scratch; /* when memory ran out: rules need no check of their own */
    bool out_of_memory;
    const struct crl_thresholds *thresholds;
    const struct health_limits *limits;
};

/* The thresholds of probe i's location, else the common ones. Good until the next call. */
const struct crl_thresholds *rules_thresholds(const struct rules *x, size_t i);

/* Adds a finding about probe i (SIZE_MAX = none); never NULL. */
struct finding *rule_add(struct rules *x, uint32_t id, size_t i);
void rule_expected(struct finding *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
void rule_found(struct finding *f, const char *fmt, ...) PRINTF_LIKE(2, 3);

static inline bool is_crl_role(const struct probe_target *t)
{
    return t->role == ROLE_CRL_BASE || t->role == ROLE_CRL_DELTA;
}
static inline bool has_crl(const struct probe_result *r)
{
    return r->status == PROBE_OK || r->status == PROBE_NOT_MODIFIED;
}

/* Is the CRL at probe i one that may be served while a newer one of the CA is still on its way? */
bool rules_on_its_way(const struct rules *x, size_t i);

/* Verdict bits that nothing else has told yet; all: also what is no verdict. */
#define RULES_ALL UINT32_MAX
/* rules_crl.c: what the CRL at probe i is, as far as bits allow; others_like = servers of the group
 * with the same state. */
void rules_crl(struct rules *x, size_t i, uint32_t bits, size_t others_like);
void rules_unverified(struct rules *x);
/* rules_http.c: what came instead of a CRL, and the manners of the server. */
void rules_download(struct rules *x, size_t i, size_t others_like);
void rules_http(struct rules *x, size_t i);
/* rules_node.c: the servers of one location against each other, and what of probe i is not told
 * there: RULES_ALL, 0 = nothing, else verdict bits. */
void rules_group(struct rules *x, const struct node_group *g);
uint32_t rules_left_to_tell(const struct rules *x, const struct node_group *g, size_t i);
void rules_nothing_usable(struct rules *x);
/* rules_ca.c: the CA itself: settings, certificates, events, parents. */
void rules_ca(struct rules *x);
void rules_parent(struct rules *x);
void rules_blobs(struct rules *x);
/* skipped.c: entries of the CA's settings that are no URL. */
void rules_unusable(struct rules *x);
/* rules_ocsp.c: one OCSP location; its verdict bits are those of a CRL in the same state. */
void rules_ocsp(struct rules *x, size_t i);

#endif
