/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* PEM decoder for bytes that arrive in pieces (RFC 7468): one "X509 CRL" block, line ends of any
 * kind, white space before and after it. Keeps nothing but its place. */
#ifndef CRLAGENT_CRL_PEM_H
#define CRLAGENT_CRL_PEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pem {
    enum { PEM_BEFORE, PEM_BEGIN, PEM_BODY, PEM_CLOSE, PEM_AFTER } state;
    uint64_t offset; /* of the next character, for messages */
    uint32_t bits;   /* characters of an unfinished group of four */
    uint8_t n_bits;  /* how many of them, 0-3 */
    uint8_t pad;     /* '=' seen */
    uint8_t mark_at; /* characters of the BEGIN or END line matched */
    bool line_start;
};

/* Could these first bytes be PEM? (White space, a byte order mark or a dash.) */
bool pem_looks_like(uint8_t first);

/* Decodes up to len characters into dst, which has room for len bytes. *ret_len bytes are
 * written. Returns NULL, or what is wrong at p->offset (static text). */
const char *pem_feed(struct pem *p, const uint8_t *src, size_t len, uint8_t *dst, size_t *ret_len);

/* At the end of the input: NULL, or what is missing. */
const char *pem_finish(const struct pem *p);

#endif
