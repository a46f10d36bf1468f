/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "cdp/body.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "base/str.h"
#include "cdp/blob.h"

static bool is_crl_role(enum location_role role)
{
    return role == ROLE_CRL_BASE || role == ROLE_CRL_DELTA;
}

void body_begin(struct body *b, const struct probe_target *target,
                const struct crl_issuers *issuers)
{
    memset(b, 0, sizeof *b);
    b->target = target;
    b->issuers = issuers;
    b->max = target->max_bytes ? target->max_bytes : LIMIT_CRL_BYTES;
    if (!is_crl_role(target->role) && b->max > BODY_BLOB_MAX)
        b->max = BODY_BLOB_MAX;
}

int body_feed(struct body *b, const void *data, size_t len)
{
    if (b->err.code)
        return 1;
    for (size_t i = 0; b->n_first < sizeof b->first && i < len; i++)
        b->first[b->n_first++] = ((const uint8_t *)data)[i];
    if (len > b->max - b->bytes) {
        b->bytes += len;
        b->too_large = true;
        err_set(&b->err, ERR_LIMIT, "the answer is larger than the limit of %" PRIu64 " bytes",
                b->max);
        return 1;
    }
    b->bytes += len;
    if (!is_crl_role(b->target->role)) {
        if (buf_add(&b->blob, data, len))
            buf_check(&b->blob, "the answer", &b->err);
        return b->err.code != ERR_OK;
    }
    if (!b->reader) {
        struct crl_reader_options opt = {.issuers = b->issuers, .max_bytes = b->max};
        if (crl_reader_new("answer", &opt, &b->reader, &b->err))
            return 1;
    }
    return crl_reader_feed(b->reader, data, len, &b->err) != ERR_OK;
}

const char *body_describe(const uint8_t *first, size_t n, char *dst, size_t dst_size)
{
    char text[17] = "";
    size_t printable = 0;
    for (size_t i = 0; i < n && i < 16; i++) {
        text[i] = first[i] >= 0x20 && first[i] < 0x7F ? (char)first[i] : '.';
        printable += text[i] == (char)first[i] || first[i] == '\r' || first[i] == '\n';
        text[i + 1] = '\0';
    }
    if (n == 0)
        snprintf(dst, dst_size, "nothing");
    else if (str_starts_nocase(text, "<!doctype") || str_starts_nocase(text, "<html") ||
             str_starts_nocase(text, "<head"))
        snprintf(dst, dst_size, "an HTML page");
    else if (n >= 2 && first[0] == 0x1F && first[1] == 0x8B)
        snprintf(dst, dst_size, "a gzip stream");
    else if (str_starts(text, "<?xml"))
        snprintf(dst, dst_size, "an XML document");
    else if (printable == (n < 16 ? n : 16))
        snprintf(dst, dst_size, "text that begins with '%s'", text);
    else if (first[0] == 0x30)
        snprintf(dst, dst_size, "a DER SEQUENCE that does not read as one");
    else
        snprintf(dst, dst_size, "bytes that begin with %02x %02x", first[0], n > 1 ? first[1] : 0);
    return dst;
}

static void refuse(struct probe_result *r, enum probe_status status, const char *text)
{
    r->status = status;
    str_copy(r->detail, sizeof r->detail, text);
}

static void not_a_crl(struct body *b, struct probe_result *r)
{
    char what[64], text[ERR_TEXT_MAX];
    if (b->err.code == ERR_NOMEM || b->err.code == ERR_INTERNAL) {
        refuse(r, PROBE_INTERNAL, b->err.text);
        return;
    }
    body_describe(b->first, b->n_first, what, sizeof what);
    snprintf(text, sizeof text, "expected a CRL, found %s: %.900s", what, b->err.text);
    refuse(r, PROBE_NOT_A_CRL, text);
}

/* What the outermost DER header says of the whole length; 0 when it is none or indefinite. */
static uint64_t der_length(const uint8_t *p, size_t n)
{
    uint64_t len = 0;
    if (n < 2 || p[0] != 0x30)
        return 0;
    if (p[1] < 0x80)
        return 2u + p[1];
    size_t more = p[1] & 0x7Fu;
    if (more == 0 || more > 7 || n < 2 + more)
        return 0;
    for (size_t i = 0; i < more; i++)
        len = len << 8 | p[2 + i];
    return len + 2 + more;
}

/* Without a Content-Length nobody else notices that the end is missing. */
static bool cut_off(struct body *b, struct probe_result *r)
{
    char text[160];
    uint64_t want = der_length(b->first, b->n_first);
    if (want <= b->bytes)
        return false;
    snprintf(text, sizeof text,
             "expected %" PRIu64 " bytes (the length in the DER header), found %" PRIu64, want,
             b->bytes);
    refuse(r, PROBE_TRUNCATED, text);
    return true;
}

static void finish_crl(struct body *b, struct probe_result *r)
{
    struct err why = ERR_INIT;
    bool whole = !b->err.code; /* a reader that refused has not seen the end */
    if (whole)
        (void)!crl_reader_finish(b->reader, &r->facts, &r->signature, &why, &b->err);
    if (b->err.code) {
        if (!whole || !cut_off(b, r))
            not_a_crl(b, r);
        return;
    }
    r->status = PROBE_OK;
    str_copy(r->signature_why, sizeof r->signature_why, why.text);
}

/* 1 = it is no OCSP answer, and told so. */
static int finish_ocsp(struct body *b, struct probe_result *r)
{
    struct err err = ERR_INIT;
    char what[64], text[ERR_TEXT_MAX];
    const struct probe_target *t = b->target;
    int rc = ocsp_answer_read(t->ocsp_request, t->ocsp_request_len, buf_str(&b->blob), b->blob.len,
                              b->issuers, &r->ocsp, &err);
    if (!rc)
        return 0;
    if (cut_off(b, r))
        return 1;
    body_describe(b->first, b->n_first, what, sizeof what);
    snprintf(text, sizeof text, "expected an OCSP answer, found %s: %.900s", what, err.text);
    refuse(r, rc == ERR_PARSE ? PROBE_NOT_A_CRL : PROBE_INTERNAL, text);
    return 1;
}

/* AIA and OCSP answers keep their digest in facts.sha256: that of the first certificate's DER, or
 * of the whole OCSP answer. */
static void finish_blob(struct body *b, struct probe_result *r)
{
    struct err err = ERR_INIT;
    if (b->target->role == ROLE_OCSP && b->target->ocsp_request_len && finish_ocsp(b, r))
        return;
    if (b->target->role == ROLE_AIA &&
        blob_certificate_digest(buf_str(&b->blob), b->blob.len, r->facts.sha256, &err)) {
        if (!cut_off(b, r))
            refuse(r, PROBE_NOT_A_CRL, err.text);
        return;
    }
    if (b->target->role != ROLE_AIA)
        EVP_Digest(buf_str(&b->blob), b->blob.len, r->facts.sha256, NULL, EVP_sha256(), NULL);
    r->facts.bytes = b->blob.len;
    r->status = PROBE_OK;
}

void body_finish(struct body *b, struct probe_result *r)
{
    r->bytes = b->bytes;
    if (b->too_large)
        refuse(r, PROBE_TOO_LARGE, b->err.text);
    else if (b->bytes == 0 && !b->err.code)
        refuse(r, PROBE_EMPTY,
               b->target->role == ROLE_OCSP  ? "expected an OCSP answer, found 0 bytes"
               : b->target->role == ROLE_AIA ? "expected a certificate, found 0 bytes"
                                             : "expected a CRL, found 0 bytes");
    else if (is_crl_role(b->target->role))
        finish_crl(b, r);
    else
        finish_blob(b, r);
    body_release(b);
}

void body_release(struct body *b)
{
    crl_reader_free(&b->reader);
    buf_free(&b->blob);
}
