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
/* How the table colours a state word; "" without colours. */
struct text_paint {
    const char *(*of_state)(const void *arg, const char *state);
    const void *arg;
    const char *plain;
};
int text_table(const struct report *r, size_t columns, const struct text_paint *paint,
               struct buf *out, struct err *err);

/* Writes text with & < > " ' escaped for HTML; control characters become spaces. */
void html_text(struct buf *out, const char *text);
/* The runway chart, one row per location, worst first. */
void html_chart(struct buf *out, const struct report *r);
void html_history(struct buf *out, const struct report *r);

#endif
