/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "crl/pem.h"

#include <string.h>

static const char begin_mark[] = "-----BEGIN X509 CRL-----";
static const char end_mark[] = "-----END X509 CRL-----";
static const uint8_t utf8_bom[] = {0xEF, 0xBB, 0xBF};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

bool pem_looks_like(uint8_t first)
{
    return is_space(first) || first == '-' || first == utf8_bom[0];
}

/* Value of a base64 character, -1 when it is none. */
static int sextet(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static const char *before(struct pem *p, uint8_t c)
{
    if (p->offset < sizeof utf8_bom && c == utf8_bom[p->offset])
        return NULL;
    if (is_space(c))
        return NULL;
    if (c != '-')
        return "expected '-----BEGIN X509 CRL-----'";
    p->state = PEM_BEGIN;
    p->mark_at = 1;
    return NULL;
}

/* One more character of the BEGIN or END line. */
static const char *mark(struct pem *p, uint8_t c)
{
    bool begin = p->state == PEM_BEGIN;
    const char *want = begin ? begin_mark : end_mark;
    if (c != (uint8_t)want[p->mark_at])
        return begin ? "expected '-----BEGIN X509 CRL-----'" : "expected '-----END X509 CRL-----'";
    if (want[++p->mark_at] == '\0') {
        p->state = begin ? PEM_BODY : PEM_AFTER;
        p->line_start = false;
    }
    return NULL;
}

/* A group of four is complete: its bytes go out. Unused bits must be zero (RFC 4648 section 3.5).
 */
static const char *flush(struct pem *p, uint8_t **dst)
{
    uint32_t v = p->bits << (6 * (4u - p->n_bits));
    unsigned bytes = p->n_bits - 1u;
    if (v & ((1u << (8 * (3 - bytes))) - 1) & 0xFFFFFF)
        return "bits are left over in the last base64 group";
    for (unsigned i = 0; i < bytes; i++)
        *(*dst)++ = (uint8_t)(v >> (16 - 8 * i));
    p->bits = 0;
    p->n_bits = 0;
    return NULL;
}

static const char *padding(struct pem *p, uint8_t **dst)
{
    if (p->pad == 0) {
        if (p->n_bits < 2)
            return "'=' in the wrong place";
        p->pad = (uint8_t)(4 - p->n_bits);
        const char *bad = flush(p, dst);
        if (bad)
            return bad;
        p->pad |= 0x80;
    }
    if ((p->pad & 0x7F) == 0)
        return "too many '='";
    p->pad--;
    return NULL;
}

static const char *body(struct pem *p, uint8_t c, uint8_t **dst)
{
    int v = sextet(c);
    if (is_space(c)) {
        p->line_start |= c == '\n' || c == '\r';
        return NULL;
    }
    if (c == '-') {
        if (!p->line_start || p->n_bits || (p->pad & 0x7F))
            return "the base64 ends inside a group of four";
        p->state = PEM_CLOSE;
        p->mark_at = 1;
        return NULL;
    }
    if (!p->line_start)
        return "expected the end of the BEGIN line";
    if (c == '=')
        return padding(p, dst);
    if (v < 0)
        return "expected a base64 character";
    if (p->pad)
        return "base64 goes on after '='";
    p->bits = p->bits << 6 | (uint32_t)v;
    p->n_bits++;
    return p->n_bits == 4 ? flush(p, dst) : NULL;
}

const char *pem_feed(struct pem *p, const uint8_t *src, size_t len, uint8_t *dst, size_t *ret_len)
{
    uint8_t *out = dst;
    const char *bad = NULL;
    for (size_t i = 0; i < len && !bad; i++) {
        switch (p->state) {
        case PEM_BEFORE:
            bad = before(p, src[i]);
            break;
        case PEM_BEGIN:
        case PEM_CLOSE:
            bad = mark(p, src[i]);
            break;
        case PEM_BODY:
            bad = body(p, src[i], &out);
            break;
        case PEM_AFTER:
            bad = is_space(src[i]) ? NULL : "text follows the END line";
            break;
        }
        p->offset += !bad;
    }
    *ret_len = (size_t)(out - dst);
    return bad;
}

const char *pem_finish(const struct pem *p)
{
    switch (p->state) {
    case PEM_BEFORE:
    case PEM_BEGIN:
        return "the input ends before '-----BEGIN X509 CRL-----' is complete";
    case PEM_BODY:
    case PEM_CLOSE:
        return "the input ends before '-----END X509 CRL-----'";
    case PEM_AFTER:
        return NULL;
    }
    return NULL;
}
