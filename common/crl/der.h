/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* DER walker: reads tags and lengths strictly (X.690 section 10) and never copies. Portable, no
 * I/O, no allocation. Functions return an enum crl_rule: 0 is fine, DER_MORE asks for more bytes.
 */
#ifndef CRLAGENT_CRL_DER_H
#define CRLAGENT_CRL_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum crl_rule {
    CRL_RULE_OK = 0,
#define CRL_RULE(symbol, name, reference, meaning) CRL_RULE_##symbol,
#include "crl/rules.def"
#undef CRL_RULE
    CRL_RULE_COUNT
};

struct crl_rule_info {
    const char *name, *reference, *meaning;
};
/* Never NULL; an unknown rule gives "internal". */
const struct crl_rule_info *crl_rule_info(enum crl_rule rule);

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0A,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT_0 = 0xA0,
};

#define DER_MORE (-1) /* the header is not complete yet */
#define DER_HEAD_MAX 10

struct der_head {
    uint8_t tag;
    uint8_t head; /* octets of tag and length */
    uint64_t len; /* octets of the content */
};
/* Header at p. DER_MORE when avail is too short, else CRL_RULE_OK or the broken rule. */
int der_head(const uint8_t *p, size_t avail, struct der_head *ret);

/* A piece of memory being walked; offset is the place of p in the whole input. */
struct der {
    const uint8_t *p, *end;
    uint64_t offset;
};
struct der_tlv {
    uint8_t tag;
    const uint8_t *raw; /* from the tag on */
    size_t raw_len;
    struct der body; /* the content, ready to be walked */
};
static inline size_t der_left(const struct der *d)
{
    return (size_t)(d->end - d->p);
}
static inline bool der_tag_is(const struct der *d, uint8_t tag)
{
    return d->p < d->end && *d->p == tag;
}
/* Next element; CRL_RULE_STRUCTURE at the end, CRL_RULE_OVERRUN when it does not fit. On an error
 * d stays where it was. */
int der_next(struct der *d, struct der_tlv *ret);
/* Next element, which must have that tag (CRL_RULE_STRUCTURE). */
int der_expect(struct der *d, uint8_t tag, struct der_tlv *ret);
/* CRL_RULE_INNER_TRAILING unless everything was read. */
int der_done(const struct der *d);

/* INTEGER or ENUMERATED content: not empty, minimal. */
int der_integer_check(const uint8_t *p, size_t len);
/* BOOLEAN content. *ret_der is false for a TRUE that is not 0xFF (BER). */
int der_boolean(const struct der *body, bool *ret, bool *ret_der);
/* OBJECT IDENTIFIER content: not empty, complete, minimal sub-identifiers. */
int der_oid_check(const uint8_t *p, size_t len);
/* Dotted text, cut with "..." when it does not fit. */
void der_oid_text(const uint8_t *p, size_t len, char *dst, size_t dst_size);
/* Every element inside is well-formed DER down to the leaves; depth is bounded. */
int der_check_deep(struct der d, int depth);

/* UTCTime (00-49 is 20xx) or GeneralizedTime with seconds and Z. Returns 0, or the bad-time rule.
 */
int der_time(uint8_t tag, const uint8_t *p, size_t len, int64_t *ret);

#endif
