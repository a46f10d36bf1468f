/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* One model of a health report and its renderings. The model points to what others own; nothing is
 * computed here that is not in it. Runway comes first in every rendering. */
#ifndef CRLAGENT_REPORT_REPORT_H
#define CRLAGENT_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "cdp/probe.h"
#include "health/finding.h"
#include "health/runway.h"

#define REPORT_SCHEMA_VERSION 1 /* of JSON and XML: raised when a field changes its meaning */

struct report_maintenance {
    char id[64], change_id[65], owner[128], reason[LIMIT_REASON_CHARS + 1];
    char state[16];      /* preparing, ready, pausing, paused, resuming, verifying, held, closed,
                            refused, aborted */
    int64_t from, until; /* the asked window, UTC; WHEN_NONE = open */
    int64_t resume_by;   /* derived from the runway; WHEN_NONE = none */
    uint64_t muted;      /* expected alarms that were counted and not sent */
};

/* One point of the history. */
struct report_point {
    int64_t when;            /* UTC */
    int64_t weakest;         /* runway in seconds; INT64_MIN = nothing usable */
    int64_t visible_seconds; /* publish-to-visible; -1 = no publication at this point */
};

/* A reachability and key-test sample of the HSM. */
struct report_hsm {
    bool known;                 /* false = no key test configured */
    bool good;                  /* of the last test */
    int64_t when;               /* last test, UTC */
    int64_t latency_ms;         /* last */
    int64_t baseline_ms;        /* median of the past; -1 = none */
    uint32_t samples, failures; /* in the history kept */
};

/* Reserve CRLs (docs/maintenance.md). */
struct report_reserve {
    uint32_t sealed, in_use;
    int64_t end; /* when the first of them ends, UTC; WHEN_NONE = there is none */
};

struct report {
    char ca[128];     /* common name; "" for a check of URLs alone */
    char config[256]; /* "HOST\\CA Common Name" or "" */
    char host[128];   /* where the report was made */
    char phase[16];   /* "", "before", "during", "after" */
    int64_t generated;
    int64_t propagation; /* seconds taken off the runway */
    const struct probe_target *targets;
    const struct probe_result *results;
    const uint32_t *verdicts; /* enum crl_verdict bits per probe; NULL = none were judged */
    size_t n;
    const struct runway *runway;
    const struct findings *findings;
    const struct report_maintenance *maintenance; /* NULL = none */
    const struct report_point *history;
    size_t n_history;
    const struct report_hsm *hsm;         /* NULL = not watched */
    const struct report_reserve *reserve; /* NULL = not known here */
    const struct report *before;          /* the report to compare with; NULL = none */
};

enum report_format {
    REPORT_TEXT,
    REPORT_JSON,
    REPORT_XML,
    REPORT_HTML,
    REPORT_METRICS,
    REPORT_NAGIOS
};
/* "text", "json", "xml", "html", "metrics", "nagios"; ERR_INVALID names the choices. */
MUST_CHECK int report_format_parse(const char *text, enum report_format *ret, struct err *err);

struct report_style {
    bool colour; /* text: ANSI colours; only for a console */
    int columns; /* text: width; at most 100 is used, 0 = 100 */
};

/* Appends the rendering to *ret. style may be NULL. ERR_NOMEM, ERR_INTERNAL (libxml2). */
MUST_CHECK int report_render(const struct report *r, enum report_format format,
                             const struct report_style *style, struct buf *ret, struct err *err);

/* Worst of the findings and of what the figures say by themselves: SEV_CRITICAL when no CRL
 * location serves anything usable or clients that try the URLs in order get nothing that lives, at
 * least SEV_WARNING when some location has no runway. */
enum severity report_worst(const struct report *r);

/* 0, 1 or 2 for OK, WARNING, CRITICAL; a warning counts only when fail_on is SEV_WARNING or lower.
 * 3 (UNKNOWN) when no CRL location was looked at and nothing was found. */
int report_exit_code(const struct report *r, enum severity fail_on);

#endif
