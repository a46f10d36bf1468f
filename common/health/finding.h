/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Findings, not booleans: what was found, on what, expected and found, and what to do. The
 * catalogue findings.def is the one list of ids; event-log messages, 'crlagent explain', metric
 * labels and the documentation page come from it. */
#ifndef CRLAGENT_HEALTH_FINDING_H
#define CRLAGENT_HEALTH_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/event.h"
#include "base/limits.h"

/* Ids are ranges of 1000: 1000 service life, 2000 configuration, 3000 publishing, 4000 CDP and CRL
 * findings, 5000 maintenance, 6000 HSM, 7000 reports and notices, 9000 internal. An id is never
 * reused. */
enum finding_id {
#define FINDING(id, symbol, severity, title, cause, remedy, reference) FIND_##symbol = id,
#include "health/findings.def"
#undef FINDING
};

struct finding_kind {
    uint32_t id;
    const char *symbol;     /* "CRL_EXPIRED"; the metric label in lower case */
    enum severity severity; /* default severity */
    const char *title;      /* one line */
    const char *cause;      /* why this happens */
    const char *remedy; /* what to do, with the command to type; {ca} {url} {address} {change} are
                           replaced */
    const char *reference; /* RFC section, vendor page, or "" */
};
const struct finding_kind *finding_kind_by_id(uint32_t id); /* NULL when unknown */
const struct finding_kind *finding_kinds(size_t *ret_n);

struct finding {
    uint32_t id;
    enum severity severity;
    char ca[128]; /* CA common name or host, "" when none */
    uint32_t key_index;
    char url[LIMIT_URL_CHARS + 1]; /* location, "" when none */
    char address[80];              /* server, "" when none */
    bool outage;                   /* clients of what it is about fail already: it is never muted */
    char expected[256];
    char found[512];
    char remedy[512]; /* filled from the catalogue */
};

/* A growing list; findings_free is for SCOPED(). */
struct findings {
    struct finding *item;
    size_t n, cap;
};
/* Adds one with the catalogue's severity; returns it so that fields can be filled, NULL without
 * memory. */
struct finding *findings_add(struct findings *list, uint32_t id);
/* Appends the remedy with {ca}, {url}, {address} and {change} replaced by f's own, or by the word
 * in capitals where f (which may be NULL) has none. */
void finding_remedy_text(const struct finding_kind *kind, const struct finding *f, struct buf *out);
/* Writes the catalogue's remedy into f->remedy with {ca}, {url} and {address} replaced by f's own;
 * a remedy that is there already stays. */
void finding_fill_remedy(struct finding *f);
/* Adds one about the CA as a whole, with these texts (NULL = none) and the catalogue's remedy. */
MUST_CHECK int findings_tell(struct findings *list, uint32_t id, const char *expected,
                             const char *found, struct err *err);
/* "ok", "info", "warning", "critical" */
const char *severity_name(enum severity s);
MUST_CHECK int severity_parse(const char *text, enum severity *ret, struct err *err);
enum severity findings_worst(const struct findings *list); /* SEV_OK when empty */
void findings_free(struct findings *list);

#endif
