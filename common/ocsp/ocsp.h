/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* OCSP (RFC 6960): the request for one certificate, and what an answer says and who vouches for it.
 * No I/O and no clock: whether the answer is still good is judged elsewhere (health/rules_ocsp.c).
 */
#ifndef CRLAGENT_OCSP_OCSP_H
#define CRLAGENT_OCSP_OCSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crl/reader.h"

/* A request for one certificate: about 75 bytes, 110 with a nonce; more for a long serial. */
#define OCSP_REQUEST_MAX 256

enum ocsp_signature {
    OCSP_SIG_NONE, /* no signed answer arrived */
    OCSP_SIG_GOOD,
    OCSP_SIG_BAD,       /* the signer is known and the signature does not verify */
    OCSP_SIG_NO_SIGNER, /* no certificate in the answer or at hand belongs to the responder id */
};

/* RFC 6960 section 4.2.2.2: the CA itself, or a certificate that this CA signed for the purpose. */
enum ocsp_signer { OCSP_SIGNER_UNKNOWN, OCSP_SIGNER_CA, OCSP_SIGNER_DELEGATED, OCSP_SIGNER_NOBODY };

enum ocsp_status { OCSP_STATUS_NONE, OCSP_STATUS_GOOD, OCSP_STATUS_REVOKED, OCSP_STATUS_UNKNOWN };

enum ocsp_nonce { OCSP_NONCE_NOT_ASKED, OCSP_NONCE_ABSENT, OCSP_NONCE_SAME, OCSP_NONCE_OTHER };

/* Flat, as it crosses from the worker. Times are UTC seconds, WHEN_NONE = absent. */
struct ocsp_facts {
    bool asked;       /* a request for a certificate was sent */
    bool answered;    /* an OCSPResponse came back */
    bool matched;     /* it holds an answer about the certificate that was asked for */
    bool no_check;    /* delegated signer with id-pkix-ocsp-nocheck */
    int32_t response; /* OCSPResponseStatus, 0 = successful; -1 = none */
    uint8_t signature, signer, status, nonce; /* enums above */
    int64_t produced, this_update, next_update;
    int64_t revoked; /* when status says so */
    int64_t signer_from, signer_until;
    char signer_name[256]; /* subject of the signing certificate */
    char why[256];         /* for a signature or a signer that does not hold */
};

/* DER of a request for the certificate (DER or PEM), by the SHA-1 CertID that every responder knows
 * (RFC 5019 section 2.1.1). Its issuer is looked for among the issuers, by signature; ERR_NOT_FOUND
 * when it is none of them, ERR_PARSE when it is no certificate. With a nonce a responder cannot
 * answer from a cache; Windows clients send none. */
MUST_CHECK int ocsp_request_make(const void *cert, size_t len, const struct crl_issuers *issuers,
                                 bool nonce, uint8_t ret[OCSP_REQUEST_MAX], uint16_t *ret_len,
                                 struct err *err);

/* What came back for that request. ERR_PARSE when it is no OCSP answer; an answer that does not
 * hold is no error but told in the facts. */
MUST_CHECK int ocsp_answer_read(const void *request, size_t request_len, const void *data,
                                size_t len, const struct crl_issuers *issuers,
                                struct ocsp_facts *ret, struct err *err);

/* "successful", "malformedRequest", "internalError", "tryLater", "sigRequired", "unauthorized". */
const char *ocsp_response_name(int32_t response);
const char *ocsp_status_name(uint8_t status); /* "good", "revoked", "unknown", "none" */
const char *ocsp_signer_name(uint8_t signer); /* "ca", "delegated", "nobody", "unknown" */
const char *ocsp_signature_name(uint8_t sig); /* "good", "bad", "no-signer", "none" */

#endif
