/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What the service answers, as JSON documents (docs/exit-codes.md describes them). Times are RFC
 * 3339, durations whole seconds, what is not known is absent. */
#ifndef CRLAGENT_AGENT_DOCUMENT_H
#define CRLAGENT_AGENT_DOCUMENT_H

#include "base/buf.h"
#include "maint/maint.h"

#define DOCUMENT_SCHEMA 1

/* Where the evidence bundle is, and its last hash (hex). */
struct document_evidence {
    char path[512]; /* "" = there is none */
    char head[65];
};

/* The answer of a verb that acted. evidence may be NULL. */
MUST_CHECK int document_answer(const char *verb, const struct maint_answer *a,
                               const struct document_evidence *evidence, struct buf *out,
                               struct err *err);

/* What status and maintenance show. */
struct document_status {
    const char *ca;              /* common name, "" = unknown */
    const char *ca_service;      /* "running", "stopped" ... */
    const char *running;         /* verb and step that the service is busy with, "" = none */
    const struct runway *runway; /* of the newest look at the locations; NULL = none yet */
    int64_t runway_when;
    const struct maint_status *maint;
    uint64_t muted; /* expected alarms of the open maintenance, counted and not told */
    bool steps;     /* with the steps of the maintenance */
};
MUST_CHECK int document_status(const struct document_status *s, struct buf *out, struct err *err);

/* The reserve CRLs. */
MUST_CHECK int document_reserve(const struct store_reserve *r, size_t n, struct buf *out,
                                struct err *err);

MUST_CHECK int document_history(const struct store_maintenance *m, size_t n,
                                const struct store_audit *audit, size_t n_audit, struct buf *out,
                                struct err *err);

#endif
