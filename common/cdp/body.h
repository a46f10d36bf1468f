/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Inside cdp only: the bytes of one answer on their way into the CRL reader (or, for AIA and OCSP
 * locations, into a small buffer), and the verdict on them. The same for HTTP, LDAP and files. */
#ifndef CRLAGENT_CDP_BODY_H
#define CRLAGENT_CDP_BODY_H

#include "base/buf.h"
#include "cdp/probe.h"

#define BODY_BLOB_MAX                                                                              \
    (1024u * 1024) /* AIA and OCSP answers; a PKCS#7 with many certificates fits */

struct body {
    const struct probe_target *target;
    const struct crl_issuers *issuers;
    struct crl_reader *reader; /* made with the first byte of a CRL */
    struct buf blob;           /* AIA and OCSP */
    uint64_t bytes, max;       /* so far; limit */
    uint8_t first[16];         /* for the message about something that is no CRL */
    size_t n_first;
    struct err err; /* why it ended early */
    bool too_large;
};

void body_begin(struct body *b, const struct probe_target *target,
                const struct crl_issuers *issuers);
/* Non-zero: enough seen, stop; body_finish says why. */
int body_feed(struct body *b, const void *data, size_t len);
/* All bytes arrived: fills status, detail, facts and signature of the result. */
void body_finish(struct body *b, struct probe_result *result);
/* The answer ended before its end. */
void body_release(struct body *b);

/* "0-byte", "an HTML page", "a gzip stream", "text", "bytes 3c 21 44 4f": what the first bytes look
 * like. Returns dst. */
const char *body_describe(const uint8_t *first, size_t n, char *dst, size_t dst_size);

#endif
