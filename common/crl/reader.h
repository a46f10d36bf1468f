/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The streaming CRL reader: bytes go in as they arrive, in chunks of any size; one pass, constant
 * memory; at the end there are facts, and, when an issuer was given, the verdict on the signature.
 */
#ifndef CRLAGENT_CRL_READER_H
#define CRLAGENT_CRL_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "crl/der.h"
#include "crl/facts.h"

/* CA certificates among which the signer is chosen by name and AKI (several keys of a renewed CA).
 */
struct crl_issuers;
/* Adds every certificate of a PEM or DER blob. label names the source in errors. */
MUST_CHECK int crl_issuers_add(struct crl_issuers **set, const char *label, const void *data,
                               size_t len, struct err *err);
size_t crl_issuers_count(const struct crl_issuers *set);
/* Appends them all as DER, one after the other, as crl_issuers_add takes them again. */
MUST_CHECK int crl_issuers_export(const struct crl_issuers *set, struct buf *ret, struct err *err);
void crl_issuers_free(struct crl_issuers **set); /* for SCOPED() */

enum crl_signature {
    CRL_SIG_NOT_CHECKED, /* no issuer was given */
    CRL_SIG_GOOD,
    CRL_SIG_BAD,       /* an issuer of that name and key exists and the signature does not verify */
    CRL_SIG_NO_ISSUER, /* no given certificate has that name (and AKI) */
    CRL_SIG_UNSUPPORTED, /* algorithm unknown to this build */
};
const char *crl_signature_name(enum crl_signature s);

/* One revoked entry, valid during the callback only. */
struct crl_entry {
    const uint8_t *serial; /* big-endian content bytes of the INTEGER */
    size_t serial_len;
    int64_t revoked;    /* UTC seconds */
    int8_t reason;      /* -1 = no reason extension */
    int64_t invalidity; /* WHEN_NONE = absent */
};

struct crl_reader;

struct crl_reader_options {
    const struct crl_issuers *issuers; /* NULL: do not verify; must outlive the reader */
    uint64_t max_bytes;                /* 0 = LIMIT_CRL_BYTES */
    /* Ed25519, Ed448 and ML-DSA sign the message itself, not its digest: the signed part is kept up
     * to this many bytes, beyond that the signature is CRL_SIG_UNSUPPORTED. 0 =
     * LIMIT_CRL_HELD_BYTES. All other algorithms keep nothing. */
    uint64_t max_held_bytes;
    /* No digests, so no signature and no SHA-256 in the facts: a second walk over known bytes. */
    bool entries_only;
    /* Called for each entry when set; non-zero ends the reading with ERR_CANCELLED. */
    int (*on_entry)(void *arg, const struct crl_entry *entry);
    void *arg;
};

MUST_CHECK int crl_reader_new(const char *label, const struct crl_reader_options *opt,
                              struct crl_reader **ret, struct err *err);
/* Feeds bytes. After an error the reader stays in error and returns the same one. ERR_PARSE texts
 * name the offset, the rule (RFC section), expected and found; ERR_LIMIT. */
MUST_CHECK int crl_reader_feed(struct crl_reader *r, const void *data, size_t len, struct err *err);
/* End of input. ret_facts and ret_sig stay untouched on failure (a truncated CRL is ERR_PARSE).
 * ret_sig may be NULL. sig_why (may be NULL) gets a sentence for a signature that is not good. */
MUST_CHECK int crl_reader_finish(struct crl_reader *r, struct crl_facts *ret_facts,
                                 enum crl_signature *ret_sig, struct err *sig_why, struct err *err);
void crl_reader_free(struct crl_reader **r); /* for SCOPED() */

/* Which rule a reader in error has met, CRL_RULE_OK when none (an I/O error or a limit of bytes).
 */
enum crl_rule crl_reader_rule(const struct crl_reader *r);

/* Whole buffer at once: reader over one chunk. */
MUST_CHECK int crl_read_memory(const char *label, const void *data, size_t len,
                               const struct crl_issuers *issuers, struct crl_facts *ret_facts,
                               enum crl_signature *ret_sig, struct err *err);
struct crl_progress {
    void (*tell)(void *arg, uint64_t done, uint64_t total); /* bytes; NULL = nobody listens */
    void *arg;
    uint64_t total; /* 0 = unknown */
};
/* From an open binary stream to its end; two threads for more than a megabyte. progress may be
 * NULL.
 */
MUST_CHECK int crl_read_stream(FILE *f, const char *label, const struct crl_reader_options *opt,
                               const struct crl_progress *progress, struct crl_facts *ret_facts,
                               enum crl_signature *ret_sig, struct err *sig_why, struct err *err);
/* File by UTF-8 path. progress(arg, done, total) may be NULL. */
MUST_CHECK int crl_read_file(const char *path, const struct crl_reader_options *opt,
                             void (*progress)(void *arg, uint64_t done, uint64_t total),
                             void *progress_arg, struct crl_facts *ret_facts,
                             enum crl_signature *ret_sig, struct err *err);

#endif
