/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The evidence bundle of a change: entries in order (snapshots, audit lines, the verdict), each
 * with the hash of the one before in it, so that an entry that is edited, removed, inserted or
 * moved later shows. The last hash (the head) belongs on the ticket and in the event log: with it a
 * bundle that was replaced as a whole shows too. */
#ifndef CRLAGENT_REPORT_EVIDENCE_H
#define CRLAGENT_REPORT_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define EVIDENCE_BYTES_MAX (256u * 1024 * 1024)

struct evidence;
MUST_CHECK int evidence_new(const char *ca, const char *change_id, struct evidence **ret,
                            struct err *err);
void evidence_free(struct evidence **e); /* for SCOPED() */

/* kind: "before", "during", "after", "audit", "verdict"...; data is a JSON value, kept as it is. */
MUST_CHECK int evidence_add_json(struct evidence *e, int64_t when, const char *kind,
                                 const char *json, struct err *err);
/* The same for a line of text. */
MUST_CHECK int evidence_add_text(struct evidence *e, int64_t when, const char *kind,
                                 const char *text, struct err *err);
void evidence_head(const struct evidence *e, char ret_hex[65]);
MUST_CHECK int evidence_write(const struct evidence *e, struct buf *ret, struct err *err);

struct evidence_facts {
    size_t entries;
    char ca[128], change_id[80];
    char head[65]; /* hex; compare with the ticket */
    size_t bad;    /* number of the first entry that does not fit, from 1; 0 = all fit */
};
/* ERR_PARSE: no evidence bundle. ERR_CRYPTO: it was changed (ret is filled, err says where). */
MUST_CHECK int evidence_verify(const void *data, size_t len, struct evidence_facts *ret,
                               struct err *err);

/* Appends the data of the last entry of that kind, as JSON text. The bundle is not verified here.
 * ERR_NOT_FOUND: there is no such entry. */
MUST_CHECK int evidence_entry(const void *data, size_t len, const char *kind, struct buf *ret,
                              struct err *err);

#endif
