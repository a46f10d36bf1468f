/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Publish and prove. The HRESULT of PublishCRLs is the first location that could not be written: it
 * proves neither success nor failure ([MS-CSRA] 3.1.4.1.6). The proof is: the CA itself holds a
 * higher CRL number, with a sane thisUpdate, its publish status says COMPLETE and no error, and
 * every location at every address serves the same bytes. */
#ifndef CRLAGENT_MAINT_PROVE_H
#define CRLAGENT_MAINT_PROVE_H

#include "maint/policy.h"
#include "maint/view.h"

enum prove_verdict {
    PROVE_UNKNOWN = 0, /* the CA cannot be read, or keeps no status: neither yes nor no */
    PROVE_PROVEN,
    PROVE_NOT_DELIVERED, /* created, not everywhere delivered */
    PROVE_NOT_CREATED,
};
const char *prove_verdict_name(enum prove_verdict v); /* "created-not-delivered" ... */

struct prove_line {
    struct crl_line line;
    struct crl_number before, after; /* as the CA itself holds them */
    int64_t this_update, next_update;
    uint64_t entries;
    uint8_t sha256[32];
    int32_t cpf; /* status bits after, -1 = not read */
    enum prove_verdict verdict;
    char why[512]; /* for a verdict other than proven */
};

struct prove_location {
    char url[LIMIT_URL_CHARS + 1];
    char address[80];
    size_t line; /* index into prove_report.line */
    bool proven;
    int64_t visible; /* seconds from publishing to seen here; -1 = never */
    char why[512];   /* what is served instead */
};

struct prove_report {
    enum prove_verdict verdict;
    int64_t published;      /* UTC, when PublishCRLs returned */
    bool asked;             /* PublishCRLs was called (false: the CRL was there already) */
    struct err publish_err; /* what PublishCRLs said; code ERR_OK = nothing to say */
    struct prove_line *line;
    size_t n_lines;
    struct prove_location *location;
    size_t n_locations;
    struct err probe_err;    /* the prober itself broke at the last look; code ERR_OK = no */
    char text[ERR_TEXT_MAX]; /* one sentence: what holds, what does not, what to do */
};
void prove_report_free(struct prove_report *r); /* for SCOPED(); takes a zeroed one */

struct prove_input {
    const struct ca_view *view;
    const struct ca_admin *admin;
    const struct maint_locate *locate;
    const struct prober *prober;
    const struct clock *clock;
    const struct maint_policy *policy;
    struct store *store;         /* visible seconds go to the probe history; may be NULL */
    bool (*stopping)(void *arg); /* ends waits; may be NULL */
    void (*progress)(void *arg, const char *text); /* may be NULL */
    void *arg;
    int64_t since;      /* thisUpdate must not be before this; WHEN_NONE = no such rule */
    int64_t need_until; /* nextUpdate must not be before this; WHEN_NONE = no such rule */
};

/* Reads the numbers the CA holds now into ret->line[].before: the first half of the proof, made
 * (and written down) before anything is published. */
MUST_CHECK int prove_before(const struct prove_input *in, struct prove_report *ret,
                            struct err *err);
/* PublishCRLs for base and (when enabled) delta. Never fails because of what the CA answers: that
 * goes to ret->publish_err. until: explicit Date, 0 = the CA's own periods. */
void prove_publish(const struct prove_input *in, int64_t until, struct prove_report *ret);
/* The second half: fills the rest of *ret. ERR_CANCELLED when the program should stop; any other
 * trouble is a verdict. */
MUST_CHECK int prove_finish(const struct prove_input *in, struct prove_report *ret,
                            struct err *err);

/* The second half alone, for CRLs that the CA does not have: line[] says what must be served
 * (after, sha256, verdict PROVEN). The CA is not asked; directories are left out, nobody writes
 * there. ERR_CANCELLED as above. */
MUST_CHECK int prove_served(const struct prove_input *in, struct prove_report *ret,
                            struct err *err);

/* Have the numbers moved since they were proven? (A running CA replaces a long cover CRL by a
 * normal one at its next publish time.) ERR_STATE names the line. */
MUST_CHECK int prove_unchanged(const struct prove_input *in, const struct prove_report *proven,
                               struct err *err);

#endif
