/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Inside report only: what the renderings share. */
#ifndef CRLAGENT_REPORT_REPORT_INT_H
#define CRLAGENT_REPORT_REPORT_INT_H

#include "report/report.h"

int report_text(const struct report *r, const struct report_style *style, struct buf *out,
                struct err *err);
int report_json(const struct report *r, struct buf *out, struct err *err);
int report_xml(const struct report *r, struct buf *out, struct err *err);
int report_html(const struct report *r, struct buf *out, struct err *err);
int report_metrics(const struct report *r, struct buf *out, struct err *err);
int report_nagios(const struct report *r, struct buf *out, struct err *err);

/* Name of bit i of enum location_origin. */
#define REPORT_ORIGINS 7
const char *report_origin_name(size_t i);

/* What became of the nonce of an OCSP request: enum ocsp_nonce. */
const char *report_nonce_name(size_t nonce);

/* pkiview state word of probe i. */
const char *report_state(const struct report *r, size_t i);
bool report_is_crl(const struct report *r, size_t i);  /* a CRL location */
bool report_has_crl(const struct report *r, size_t i); /* and a CRL was read there */
/* Runway of probe i in seconds; INT64_MIN = nothing usable. */
int64_t report_left(const struct report *r, size_t i);
/* "6d 22h", or "none" for INT64_MIN. Returns dst. */
const char *report_left_text(int64_t seconds, char dst[WHEN_TEXT_MAX]);
/* The probe that decides the weakest runway; SIZE_MAX = none. */
size_t report_weakest(const struct report *r);
size_t report_count(const struct report *r, enum severity s);
const char *report_title(const struct report *r); /* the CA's name, or what stands for it */

/* One difference to the report before. */
struct report_change {
    bool worse;
    size_t now;    /* probe index, SIZE_MAX = the location is gone */
    size_t before; /* probe index in before, SIZE_MAX = the location is new */
    char text[400];
};
/* Calls each() for every location that differs; returns how many are worse. */
size_t report_compare(const struct report *r,
                      void (*each)(void *arg, const struct report_change *c), void *arg);

/* Who answered probe i, "" when that is only the location again (files). */
const char *report_server(const struct report *r, size_t i);

/* Characters on the screen: UTF-8 continuation bytes take no room. */
size_t text_width(const char *text, size_t bytes);
/* The location in at most room columns (at least 16): the middle gives way; host and file name, or
 * CN and attribute, stay as long as they fit. */
void text_shorten(const char *url, enum location_kind kind, size_t room, char *dst, size_t size);
/* The location and, behind it, who answered, in at most room columns (at least 24). */
void text_place(const struct report *r, size_t i, size_t room, char *dst, size_t size);
/* The probes by parent, key, kind and partition, as clients try them within: *ret for free(). */
int report_order(const struct report *r, size_t **ret, struct err *err);

/* Findings, worst first, those of one kind together. Of each kind REPORT_ALIKE are told in full. */
#define REPORT_ALIKE 3
struct report_ranked {
    const struct finding *f;
    size_t nth, of; /* 0-based place among the findings of this kind and severity, and how many */
    size_t first;   /* index of the first of them */
};
/* *ret for free(), NULL when there are none. ERR_NOMEM. */
int report_rank_findings(const struct report *r, struct report_ranked **ret, size_t *ret_n,
                         struct err *err);
/* There was something to look at, or a finding says why not. */
bool report_known(const struct report *r);

/* How the table colours a state word; "" without colours. */
struct text_paint {
    const char *(*of_state)(const void *arg, const char *state);
    const void *arg;
    const char *plain;
};
int text_table(const struct report *r, size_t columns, const struct text_paint *paint,
               struct buf *out, struct err *err);

/* The first line of each form that people read, built once: "6d 22h until ... at the weakest
 * location" and so on, each combination of figures in words that are true for it. */
struct headline {
    const char *word; /* OK, WARNING, CRITICAL, UNKNOWN */
    enum severity severity;
    enum severity runway_severity; /* of the runway alone */
    char runway[WHEN_TEXT_MAX];    /* "6d 22h", "none", "expired", "unknown" */
    char weakest[160];             /* what stands behind it: " until ... at the weakest location" */
    char clients[160];             /* for clients that try the URLs in order */
};
void report_headline(const struct report *r, struct headline *ret);

/* Writes text with & < > " ' escaped for HTML; control characters become spaces. */
void html_text(struct buf *out, const char *text);
/* The same for sentences: times and options of commands do not break at their hyphens. */
void html_prose(struct buf *out, const char *text);
/* "good", "warn" or "bad" */
const char *html_class(enum severity s);
const char *html_class_of_state(const char *state);
/* The runway chart, one row per location, worst first. */
void html_chart(struct buf *out, const struct report *r);
void html_history(struct buf *out, const struct report *r);
/* Findings with remedies, the comparison, the table of all locations. */
int html_findings(struct buf *out, const struct report *r, struct err *err);
void html_comparison(struct buf *out, const struct report *r);
int html_table(struct buf *out, const struct report *r, struct err *err);

/* The time from left to right of a chart. */
struct chart_axis {
    int64_t from, to;
};
double chart_percent(const struct chart_axis *a, int64_t when); /* 0 to 100 */

#endif
