/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The state machine of the streaming reader. Bytes of a chunk are first understood (advance), then
 * hashed; what the digests need to know (where the tbsCertList begins and which digest it wants) is
 * known by then. Nothing depends on how the input is cut: a unit is looked at only when it is
 * whole, and a header is refused by the same rule whether it arrives at once or byte by byte. */
#include "crl/reader_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define HASH_BLOCK (64u * 1024) /* understood and hashed while it is in the cache */
#define PEM_BLOCK 4096u

int crl_refuse(struct crl_reader *r, int rule, uint64_t offset, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->rule = (enum crl_rule)rule;
    const struct crl_rule_info *info = crl_rule_info(r->rule);
    return err_set(&r->error, rule == CRL_RULE_TOO_LARGE ? ERR_LIMIT : ERR_PARSE,
                   "'%s': at offset %llu: %s (%s): %s", r->label, (unsigned long long)offset,
                   info->name, info->reference, text);
}

enum crl_rule crl_reader_rule(const struct crl_reader *r)
{
    return r->rule;
}

const char *crl_quote(char dst[40], const uint8_t *p, size_t len)
{
    size_t n = len < 32 ? len : 32;
    for (size_t i = 0; i < n; i++)
        dst[i] = p[i] >= 0x20 && p[i] < 0x7F ? (char)p[i] : '.';
    memcpy(dst + n, len > n ? "..." : "", len > n ? 4 : 1);
    return dst;
}

static const char *state_name(enum reader_state s)
{
    static const char *const names[] = {
        [AT_OUTER] = "CertificateList",
        [AT_TBS] = "tbsCertList",
        [AT_VERSION] = "version",
        [AT_ALGORITHM] = "signature algorithm",
        [AT_ISSUER] = "issuer",
        [AT_THIS_UPDATE] = "thisUpdate",
        [AT_NEXT_UPDATE] = "nextUpdate",
        [AT_REVOKED] = "revokedCertificates",
        [AT_ENTRY] = "revoked entry",
        [AT_EXTENSIONS] = "crlExtensions",
        [AT_OUTER_ALGORITHM] = "signatureAlgorithm",
        [AT_SIGNATURE] = "signatureValue",
        [AT_END] = "end",
    };
    return names[s];
}

/* Largest whole element that a state may ask to be held. */
static uint64_t state_limit(enum reader_state s)
{
    switch (s) {
    case AT_ISSUER:
        return LIMIT_CRL_NAME_BYTES;
    case AT_ENTRY:
        return LIMIT_CRL_ENTRY_BYTES;
    case AT_EXTENSIONS:
        return LIMIT_CRL_EXT_BYTES;
    case AT_SIGNATURE:
        return LIMIT_CRL_SIGNATURE_BYTES;
    default:
        return ALG_BYTES_MAX;
    }
}

static uint64_t state_end(const struct crl_reader *r)
{
    switch (r->state) {
    case AT_OUTER:
        return UINT64_MAX;
    case AT_TBS:
    case AT_OUTER_ALGORITHM:
    case AT_SIGNATURE:
    case AT_END:
        return r->outer_end;
    case AT_ENTRY:
        return r->list_end;
    default:
        return r->tbs_end;
    }
}

static bool is_time(uint8_t tag)
{
    return tag == DER_UTC_TIME || tag == DER_GENERALIZED_TIME;
}

/* Optional fields and ends of lists: moves to the state that the next tag belongs to. tag is -1 at
 * the end of the element that holds the state. Returns the tag the state wants, 0 = a time. */
static int settle(struct crl_reader *r, int tag)
{
    for (;;) {
        switch (r->state) {
        case AT_VERSION:
            if (tag == DER_INTEGER)
                return DER_INTEGER;
            r->facts.version = 1;
            r->facts.warnings |= CRL_WARN_V1;
            r->state = AT_ALGORITHM;
            break;
        case AT_NEXT_UPDATE:
            if (tag >= 0 && is_time((uint8_t)tag))
                return 0;
            r->facts.warnings |= CRL_WARN_NO_NEXT_UPDATE;
            r->state = AT_REVOKED;
            break;
        case AT_REVOKED:
            if (tag == DER_SEQUENCE)
                return DER_SEQUENCE;
            r->state = AT_EXTENSIONS;
            break;
        case AT_ENTRY:
            if (tag >= 0)
                return DER_SEQUENCE;
            r->state = AT_EXTENSIONS;
            return -1; /* look again: the list has ended, the tbsCertList perhaps not */
        case AT_EXTENSIONS:
            if (tag >= 0)
                return DER_CONTEXT_0;
            r->state = AT_OUTER_ALGORITHM;
            return -1;
        case AT_THIS_UPDATE:
            return 0;
        case AT_SIGNATURE:
            return DER_BIT_STRING;
        default:
            return DER_SEQUENCE;
        }
    }
}

/* Day numbers of 1 January of each UTCTime year, for the fast path of entries. */
static void fill_years(struct crl_reader *r)
{
    for (int yy = 0; yy < 100; yy++) {
        struct when_civil c = {.year = yy + (yy < 50 ? 2000 : 1900), .month = 1, .day = 1};
        r->year_start[yy] = (int32_t)(when_from_civil(&c) / 86400);
    }
}

static int begin_entries(struct crl_reader *r, const struct der_head *h)
{
    fill_years(r);
    r->list_end = r->offset + h->head + h->len;
    if (h->len == 0)
        r->facts.warnings |= CRL_WARN_EMPTY_REVOKED;
    r->state = AT_ENTRY;
    return ERR_OK;
}

/* A header that opens a container; returns false for elements that are taken whole. */
static bool open_container(struct crl_reader *r, const struct der_head *h)
{
    uint64_t body = r->offset + h->head;
    switch (r->state) {
    case AT_OUTER:
        r->outer_end = body + h->len;
        r->tbs_start = body;
        r->state = AT_TBS;
        return true;
    case AT_TBS:
        r->tbs_end = body + h->len;
        r->facts.tbs_bytes = h->head + h->len;
        r->state = AT_VERSION;
        return true;
    case AT_REVOKED:
        begin_entries(r, h);
        return true;
    default:
        return false;
    }
}

static int take_whole(struct crl_reader *r, const struct der_tlv *t)
{
    switch (r->state) {
    case AT_VERSION:
        r->state = AT_ALGORITHM;
        return crl_field_version(r, t);
    case AT_ALGORITHM:
        r->state = AT_ISSUER;
        return crl_field_algorithm(r, t);
    case AT_ISSUER:
        r->state = AT_THIS_UPDATE;
        return crl_field_issuer(r, t);
    case AT_THIS_UPDATE:
        r->state = AT_NEXT_UPDATE;
        return crl_field_time(r, t, "thisUpdate", &r->facts.this_update);
    case AT_NEXT_UPDATE:
        r->state = AT_REVOKED;
        return crl_field_time(r, t, "nextUpdate", &r->facts.next_update);
    case AT_ENTRY:
        return crl_entry_slow(r, t);
    case AT_EXTENSIONS:
        r->state = AT_OUTER_ALGORITHM;
        if (r->offset + t->raw_len != r->tbs_end)
            return crl_refuse(r, CRL_RULE_INNER_TRAILING, r->offset + t->raw_len,
                              "%llu bytes follow crlExtensions in the tbsCertList",
                              (unsigned long long)(r->tbs_end - r->offset - t->raw_len));
        return crl_extensions(r, t);
    case AT_OUTER_ALGORITHM:
        r->state = AT_SIGNATURE;
        return crl_field_outer_algorithm(r, t);
    default:
        r->state = AT_END;
        return crl_field_signature(r, t);
    }
}

static int wrong_tag(struct crl_reader *r, int want, uint8_t found)
{
    if (r->state == AT_OUTER)
        return crl_refuse(r, CRL_RULE_NOT_A_CRL, 0,
                          "expected a DER SEQUENCE (0x30) or PEM, found 0x%02x%s", found,
                          found == '<' ? " ('<', an HTML or XML page?)" : "");
    if (want == 0)
        return crl_refuse(r, CRL_RULE_STRUCTURE, r->offset,
                          "%s: expected UTCTime (0x17) or GeneralizedTime (0x18), found tag 0x%02x",
                          state_name(r->state), found);
    return crl_refuse(r, CRL_RULE_STRUCTURE, r->offset, "%s: expected tag 0x%02x, found 0x%02x",
                      state_name(r->state), (unsigned)want, found);
}

/* The container that should hold the state's element is at its end. */
static int missing(struct crl_reader *r)
{
    return crl_refuse(r, CRL_RULE_STRUCTURE, r->offset, "expected %s, found the end of the %s",
                      state_name(r->state),
                      state_end(r) == r->outer_end ? "CertificateList" : "tbsCertList");
}

static int check_size(struct crl_reader *r, const struct der_head *h, bool whole)
{
    uint64_t end = state_end(r);
    if (h->len > end - r->offset || h->head + h->len > end - r->offset)
        return crl_refuse(r, CRL_RULE_OVERRUN, r->offset,
                          "%s has %llu bytes, but only %llu are left around it",
                          state_name(r->state), (unsigned long long)(h->head + h->len),
                          (unsigned long long)(end - r->offset));
    if (whole && h->head + h->len > state_limit(r->state))
        return crl_refuse(r, CRL_RULE_TOO_LARGE, r->offset, "%s has %llu bytes, at most %llu",
                          state_name(r->state), (unsigned long long)(h->head + h->len),
                          (unsigned long long)state_limit(r->state));
    return ERR_OK;
}

/* One step at p. *ret_used = bytes understood; 0 with r->want set means that more are needed. */
static int step(struct crl_reader *r, const uint8_t *p, size_t avail, size_t *ret_used)
{
    struct der_head h;
    *ret_used = 0;
    r->want = 0;
    int want_tag;
    do {
        bool at_end = r->offset == state_end(r);
        if (r->state == AT_END) {
            if (!at_end)
                return crl_refuse(r, CRL_RULE_INNER_TRAILING, r->offset,
                                  "%llu bytes follow the signature inside the CertificateList",
                                  (unsigned long long)(r->outer_end - r->offset));
            return crl_refuse(
                r, CRL_RULE_TRAILING, r->offset,
                "more bytes follow the CRL, which ends after %llu bytes: the answer is "
                "padded or does not end",
                (unsigned long long)r->offset);
        }
        want_tag = settle(r, at_end ? -1 : p[0]);
        if (want_tag >= 0 && at_end)
            return missing(r);
    } while (want_tag < 0);
    if (want_tag ? p[0] != want_tag : !is_time(p[0]))
        return wrong_tag(r, want_tag, p[0]);
    if (r->state == AT_ENTRY) {
        int rc = crl_entries_fast(r, p, avail, ret_used);
        if (rc || *ret_used)
            return rc;
    }
    int rule = der_head(p, avail, &h);
    if (rule == DER_MORE) {
        r->want = avail + 1;
        return ERR_OK;
    }
    if (rule)
        return crl_refuse(r, rule, r->offset, "%s: %s", state_name(r->state),
                          crl_rule_info((enum crl_rule)rule)->meaning);
    bool container = r->state == AT_OUTER || r->state == AT_TBS || r->state == AT_REVOKED;
    int rc = check_size(r, &h, !container);
    if (rc)
        return rc;
    if (open_container(r, &h)) {
        *ret_used = h.head;
    } else {
        size_t total = h.head + (size_t)h.len;
        if (avail < total) {
            r->want = total;
            return ERR_OK;
        }
        struct der_tlv t = {h.tag, p, total, {p + h.head, p + total, r->offset + h.head}};
        *ret_used = total;
        rc = take_whole(r, &t);
    }
    r->offset += *ret_used;
    return rc;
}

/* Understands a block: first what waits in carry, then straight from the block. */
static int advance(struct crl_reader *r, const uint8_t *p, size_t len)
{
    size_t used = 0;
    while (len) {
        if (r->carry.len) {
            size_t n = r->want - r->carry.len < len ? r->want - r->carry.len : len;
            if (buf_add(&r->carry, p, n))
                return buf_check(&r->carry, r->label, &r->error);
            p += n;
            len -= n;
            int rc = step(r, (const uint8_t *)r->carry.data, r->carry.len, &used);
            if (rc)
                return rc;
            if (used)
                r->carry.len = 0;
            continue;
        }
        int rc = step(r, p, len, &used);
        if (rc)
            return rc;
        if (!used) {
            if (buf_add(&r->carry, p, len))
                return buf_check(&r->carry, r->label, &r->error);
            return ERR_OK;
        }
        p += used;
        len -= used;
    }
    return ERR_OK;
}

static int digest_failed(struct crl_reader *r)
{
    return err_set(&r->error, ERR_CRYPTO, "'%s': OpenSSL could not compute a digest", r->label);
}

/* The tbs bytes p..p+len, once the algorithm is known. */
static int tbs_take(struct crl_reader *r, const void *p, size_t len)
{
    if (r->alg.md)
        return EVP_DigestUpdate(r->tbs, p, len) ? ERR_OK : digest_failed(r);
    if (!r->alg.known || r->held_over)
        return ERR_OK;
    if (r->facts.tbs_bytes > r->opt.max_held_bytes) {
        r->held_over = true;
        return ERR_OK;
    }
    return buf_add(&r->held, p, len) ? buf_check(&r->held, r->label, &r->error) : ERR_OK;
}

static int tbs_feed(struct crl_reader *r, const uint8_t *p, size_t len)
{
    if (r->state <= AT_ALGORITHM)
        return buf_add(&r->head, p, len) ? buf_check(&r->head, r->label, &r->error) : ERR_OK;
    if (!r->tbs_known) {
        r->tbs_known = true;
        if (r->alg.md && !EVP_DigestInit_ex(r->tbs, r->alg.md, NULL)) {
            ERR_clear_error(); /* MD4 and its like are known by name only */
            r->alg.md = NULL;
            r->alg.known = false;
        }
        int rc = tbs_take(r, buf_str(&r->head), r->head.len);
        if (rc)
            return rc;
    }
    return tbs_take(r, p, len);
}

/* Hashes a block that was understood. */
static int hash(struct crl_reader *r, const uint8_t *p, size_t len)
{
    uint64_t from = r->hashed, to = from + len;
    r->hashed = to;
    if (r->opt.entries_only)
        return ERR_OK;
    if (!r->whole_elsewhere && !EVP_DigestUpdate(r->whole, p, len))
        return digest_failed(r);
    uint64_t a = from > r->tbs_start ? from : r->tbs_start;
    uint64_t b = to < r->tbs_end ? to : r->tbs_end;
    return a < b ? tbs_feed(r, p + (a - from), (size_t)(b - a)) : ERR_OK;
}

static int feed_der(struct crl_reader *r, const uint8_t *p, size_t len)
{
    int rc = ERR_OK;
    while (len && !rc) {
        uint64_t room = r->opt.max_bytes - r->hashed;
        size_t n = len < HASH_BLOCK ? len : HASH_BLOCK;
        n = n < room ? n : (size_t)room;
        if (n == 0)
            return err_set(&r->error, ERR_LIMIT, "'%s' is larger than %llu bytes", r->label,
                           (unsigned long long)r->opt.max_bytes);
        rc = advance(r, p, n);
        if (!rc)
            rc = hash(r, p, n);
        p += n;
        len -= n;
    }
    return rc;
}

static int feed_pem(struct crl_reader *r, const uint8_t *p, size_t len)
{
    uint8_t out[PEM_BLOCK];
    size_t n_out = 0;
    int rc = ERR_OK;
    while (len && !rc) {
        size_t n = len < PEM_BLOCK ? len : PEM_BLOCK;
        const char *bad = pem_feed(&r->pem, p, n, out, &n_out);
        rc = feed_der(r, out, n_out);
        if (!rc && bad)
            rc = crl_refuse(r, CRL_RULE_PEM, r->pem.offset, "%s", bad);
        p += n;
        len -= n;
    }
    return rc;
}

static int copy_error(const struct crl_reader *r, struct err *err)
{
    if (err)
        *err = r->error;
    return (int)r->error.code;
}

int crl_reader_feed(struct crl_reader *r, const void *data, size_t len, struct err *err)
{
    if (r->error.code)
        return copy_error(r, err);
    if (len == 0)
        return ERR_OK;
    if (r->input == INPUT_UNKNOWN) {
        r->input = pem_looks_like(*(const uint8_t *)data) ? INPUT_PEM : INPUT_DER;
        if (r->input == INPUT_PEM)
            r->facts.warnings |= CRL_WARN_PEM;
    }
    int rc = r->input == INPUT_PEM ? feed_pem(r, data, len) : feed_der(r, data, len);
    return rc ? copy_error(r, err) : ERR_OK;
}

static int cut_short(struct crl_reader *r)
{
    if (r->hashed == 0 && r->input != INPUT_PEM)
        return crl_refuse(r, CRL_RULE_TRUNCATED, 0, "the input is empty");
    if (r->input == INPUT_PEM && pem_finish(&r->pem))
        return crl_refuse(r, CRL_RULE_PEM, r->pem.offset, "%s", pem_finish(&r->pem));
    if (r->outer_end == UINT64_MAX)
        return crl_refuse(r, CRL_RULE_TRUNCATED, r->hashed, "the input ends in the first header");
    if (r->offset == r->outer_end) { /* complete by its own length, but a field is not there */
        while (settle(r, -1) < 0)
            ;
        return missing(r);
    }
    return crl_refuse(r, CRL_RULE_TRUNCATED, r->hashed,
                      "expected %llu bytes in all, the input ends after %llu (in %s)",
                      (unsigned long long)r->outer_end, (unsigned long long)r->hashed,
                      state_name(r->state));
}

/* Facts that need the whole CRL. */
static int conclude(struct crl_reader *r)
{
    struct crl_facts *f = &r->facts;
    unsigned n = 0;
    f->bytes = r->hashed;
    f->warnings |= f->aki_len ? 0 : CRL_WARN_NO_AKI;
    f->warnings |= f->number.len ? 0 : CRL_WARN_NO_NUMBER;
    if (f->next_update != WHEN_NONE && f->next_update <= f->this_update)
        f->warnings |= CRL_WARN_NEXT_BEFORE_THIS;
    if (f->entries_other_issuer && !(f->idp_scope & CRL_IDP_INDIRECT))
        f->warnings |= CRL_WARN_OTHER_ISSUER;
    if (r->opt.entries_only)
        return ERR_OK;
    if (!r->whole_elsewhere && !EVP_DigestFinal_ex(r->whole, f->sha256, &n))
        return digest_failed(r);
    if (r->alg.md) {
        if (!EVP_DigestFinal_ex(r->tbs, f->tbs_digest, &n))
            return digest_failed(r);
        f->tbs_digest_len = (uint8_t)n;
    }
    return ERR_OK;
}

int crl_reader_finish(struct crl_reader *r, struct crl_facts *ret_facts,
                      enum crl_signature *ret_sig, struct err *sig_why, struct err *err)
{
    if (!r->error.code && r->state == AT_END && r->offset != r->outer_end)
        crl_refuse(r, CRL_RULE_INNER_TRAILING, r->offset,
                   "%llu bytes follow the signature inside the CertificateList",
                   (unsigned long long)(r->outer_end - r->offset));
    if (!r->error.code && (r->state != AT_END || (r->input == INPUT_PEM && pem_finish(&r->pem))))
        cut_short(r);
    if (!r->error.code)
        conclude(r);
    if (r->error.code)
        return copy_error(r, err);
    enum crl_signature sig = CRL_SIG_NOT_CHECKED;
    if (r->opt.issuers && !r->opt.entries_only)
        sig = crl_verify(r, sig_why);
    *ret_facts = r->facts;
    if (ret_sig)
        *ret_sig = sig;
    return ERR_OK;
}

int crl_reader_new(const char *label, const struct crl_reader_options *opt, struct crl_reader **ret,
                   struct err *err)
{
    SCOPED(crl_reader_free) struct crl_reader *r = calloc(1, sizeof *r);
    if (!r)
        return err_nomem(err);
    str_copy(r->label, sizeof r->label, label ? label : "CRL");
    if (opt)
        r->opt = *opt;
    r->opt.max_bytes = r->opt.max_bytes ? r->opt.max_bytes : LIMIT_CRL_BYTES;
    r->opt.max_held_bytes = r->opt.max_held_bytes ? r->opt.max_held_bytes : LIMIT_CRL_HELD_BYTES;
    r->outer_end = r->tbs_start = r->tbs_end = r->list_end = UINT64_MAX;
    struct crl_facts *f = &r->facts;
    f->this_update = f->next_update = f->next_publish = WHEN_NONE;
    f->earliest_revocation = f->latest_revocation = WHEN_NONE;
    r->whole = EVP_MD_CTX_new();
    r->tbs = EVP_MD_CTX_new();
    if (!r->whole || !r->tbs)
        return err_nomem(err);
    if (!EVP_DigestInit_ex(r->whole, EVP_sha256(), NULL))
        return err_set(err, ERR_CRYPTO, "OpenSSL has no SHA-256");
    *ret = steal_ptr(r);
    return ERR_OK;
}

void crl_reader_free(struct crl_reader **r)
{
    if (!r || !*r)
        return;
    EVP_MD_CTX_free((*r)->whole);
    EVP_MD_CTX_free((*r)->tbs);
    buf_free(&(*r)->carry);
    buf_free(&(*r)->head);
    buf_free(&(*r)->held);
    buf_free(&(*r)->alg_raw);
    buf_free(&(*r)->signature);
    free(*r);
    *r = NULL;
}

int crl_read_memory(const char *label, const void *data, size_t len,
                    const struct crl_issuers *issuers, struct crl_facts *ret_facts,
                    enum crl_signature *ret_sig, struct err *err)
{
    SCOPED(crl_reader_free) struct crl_reader *r = NULL;
    struct crl_reader_options opt = {.issuers = issuers};
    int rc = crl_reader_new(label, &opt, &r, err);
    if (!rc)
        rc = crl_reader_feed(r, data, len, err);
    return rc ? rc : crl_reader_finish(r, ret_facts, ret_sig, NULL, err);
}
