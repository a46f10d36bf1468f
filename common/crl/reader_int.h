/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Inside of the streaming reader, shared by reader.c, fields.c, entry.c, ext.c and verify.c only.
 */
#ifndef CRLAGENT_CRL_READER_INT_H
#define CRLAGENT_CRL_READER_INT_H

#include "base/ossl.h"
#include "base/buf.h"
#include "crl/der.h"
#include "crl/pem.h"
#include "crl/reader.h"
#include "crl/sigalg.h"

/* What comes next. Each step needs one unit in one piece: a header, or a whole small element. A
 * unit that is cut by the end of a chunk waits in carry, which never holds more than that unit. */
enum reader_state {
    AT_OUTER,
    AT_TBS,
    AT_VERSION,
    AT_ALGORITHM,
    AT_ISSUER,
    AT_THIS_UPDATE,
    AT_NEXT_UPDATE,
    AT_REVOKED,
    AT_ENTRY,
    AT_EXTENSIONS,
    AT_OUTER_ALGORITHM,
    AT_SIGNATURE,
    AT_END,
};

#define ALG_BYTES_MAX 1024u

struct crl_reader {
    char label[256];
    struct crl_reader_options opt;
    enum { INPUT_UNKNOWN, INPUT_DER, INPUT_PEM } input;
    struct pem pem;
    /* place */
    enum reader_state state;
    uint64_t offset; /* of the next DER byte to be understood */
    uint64_t hashed; /* DER bytes fed to the digests */
    uint64_t outer_end, tbs_start, tbs_end, list_end;
    struct buf carry;
    size_t want; /* bytes that carry needs for the next try */
    /* digests */
    EVP_MD_CTX *whole, *tbs;
    bool whole_elsewhere; /* somebody else computes the SHA-256 of the input */
    bool tbs_known;       /* the algorithm is known: tbs bytes go to the digest or to held */
    struct buf head;      /* tbs bytes from before the algorithm was known */
    struct buf held;      /* the tbs for algorithms without a separate digest */
    bool held_over;       /* it would not fit */
    /* signature */
    struct sigalg alg;
    struct buf alg_raw;
    struct buf signature;
    /* result */
    struct crl_facts facts;
    int32_t year_start[100]; /* days since 1970 of each UTCTime year */
    enum crl_rule rule;
    struct err error;
};

/* Puts the reader into error: "'label': at offset N: RULE (REFERENCE): TEXT". Returns its code. */
int crl_refuse(struct crl_reader *r, int rule, uint64_t offset, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* The bytes for a message: printable ones as they are, others as a dot, cut at 32. Returns dst. */
const char *crl_quote(char dst[40], const uint8_t *p, size_t len);

/* fields.c: each takes one whole element. */
int crl_field_version(struct crl_reader *r, const struct der_tlv *t);
int crl_field_algorithm(struct crl_reader *r, const struct der_tlv *t);
int crl_field_issuer(struct crl_reader *r, const struct der_tlv *t);
int crl_field_time(struct crl_reader *r, const struct der_tlv *t, const char *what, int64_t *ret);
int crl_field_outer_algorithm(struct crl_reader *r, const struct der_tlv *t);
int crl_field_signature(struct crl_reader *r, const struct der_tlv *t);

/* entry.c: as many plain entries as lie whole in p..avail; *ret_used may be 0. The one at which it
 * stops is for crl_entry_slow or cut by the end. */
int crl_entries_fast(struct crl_reader *r, const uint8_t *p, size_t avail, size_t *ret_used);
int crl_entry_slow(struct crl_reader *r, const struct der_tlv *t);

/* ext.c */
struct crl_ext {
    const uint8_t *oid; /* content octets */
    size_t oid_len;
    bool critical;
    struct der value; /* content of the OCTET STRING */
    uint64_t offset;  /* of the extension */
};
#define CRL_EXTS_MAX 64
struct crl_ext_list {
    size_t n;
    struct crl_ext item[CRL_EXTS_MAX];
};
/* The SEQUENCE OF Extension in body: not empty, no duplicates. */
int crl_ext_list_read(struct crl_reader *r, struct der body, struct crl_ext_list *ret);
bool crl_ext_is(const struct crl_ext *e, const char *oid, size_t len);
void crl_ext_unknown(struct crl_reader *r, const struct crl_ext *e);
/* crlExtensions: [0] element. */
int crl_extensions(struct crl_reader *r, const struct der_tlv *t);

/* verify.c */
enum crl_signature crl_verify(struct crl_reader *r, struct err *why);

#endif
