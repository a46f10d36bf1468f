/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* One small function per rule of RFC 6960 section 3.2. OCSP_basic_verify would answer yes or no; a
 * person needs to know which of the rules does not hold. */
#include "ocsp/ocsp.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/when.h"
#include "crl/x509.h"
#include "ocsp/ocsp_int.h"

struct reading {
    struct ocsp_facts *f;
    OCSP_REQUEST *request;
    OCSP_RESPONSE *response;
    OCSP_BASICRESP *basic;
    OCSP_CERTID *id; /* belongs to the request */
    STACK_OF(X509) * known;
    X509 *issuer; /* of the certificate that was asked for; NULL = not among the known */
};

static void reading_free(struct reading *r)
{
    OCSP_BASICRESP_free(r->basic);
    OCSP_RESPONSE_free(r->response);
    OCSP_REQUEST_free(r->request);
    ocsp_issuers_free(&r->known);
}

static void find_issuer(struct reading *r)
{
    for (int i = 0; r->id && i < sk_X509_num(r->known) && !r->issuer; i++) {
        X509 *cert = sk_X509_value(r->known, i);
        OCSP_CERTID *mine = OCSP_cert_to_id(EVP_sha1(), NULL, cert);
        if (mine && OCSP_id_issuer_cmp(mine, r->id) == 0)
            r->issuer = cert;
        OCSP_CERTID_free(mine);
    }
}

static void read_single(struct reading *r)
{
    struct ocsp_facts *f = r->f;
    ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *until = NULL;
    int status = -1, reason = -1;
    f->produced = x509_when(OCSP_resp_get0_produced_at(r->basic));
    if (!r->id ||
        !OCSP_resp_find_status(r->basic, r->id, &status, &reason, &revoked, &from, &until))
        return;
    f->matched = true;
    f->status = status == V_OCSP_CERTSTATUS_GOOD      ? OCSP_STATUS_GOOD
                : status == V_OCSP_CERTSTATUS_REVOKED ? OCSP_STATUS_REVOKED
                                                      : OCSP_STATUS_UNKNOWN;
    f->this_update = x509_when(from);
    f->next_update = x509_when(until);
    f->revoked = x509_when(revoked);
}

/* 1 same, 2 neither has one, 3 only the answer, -1 only the request, 0 different. */
static void read_nonce(struct reading *r)
{
    int n = OCSP_check_nonce(r->request, r->basic);
    r->f->nonce = n == 1   ? OCSP_NONCE_SAME
                  : n < 0  ? OCSP_NONCE_ABSENT
                  : n == 0 ? OCSP_NONCE_OTHER
                           : OCSP_NONCE_NOT_ASKED;
}

/* RFC 6960 section 4.2.2.2. AD CS renews the signer's certificate with the CA's newest key; clients
 * of an older key then reject it (the same section wants the very key of the CertID).
 */
static void judge_signer(struct reading *r, X509 *signer)
{
    struct ocsp_facts *f = r->f;
    f->signer = OCSP_SIGNER_NOBODY;
    if (!r->issuer) {
        str_copy(f->why, sizeof f->why,
                 "the issuer of the certificate asked for is not known here");
        f->signer = OCSP_SIGNER_UNKNOWN;
    } else if (X509_cmp(signer, r->issuer) == 0 ||
               EVP_PKEY_eq(X509_get0_pubkey(signer), X509_get0_pubkey(r->issuer)) == 1) {
        f->signer = OCSP_SIGNER_CA;
    } else if (!ocsp_issued_by(signer, r->issuer)) {
        snprintf(f->why, sizeof f->why,
                 "it was not issued with the CA key of the certificates it "
                 "answers for");
    } else if (!(X509_get_extended_key_usage(signer) & XKU_OCSP_SIGN) ||
               !(X509_get_extension_flags(signer) & EXFLAG_XKUSAGE)) {
        snprintf(f->why, sizeof f->why,
                 "it lacks the extended key usage OCSP Signing "
                 "(1.3.6.1.5.5.7.3.9)");
    } else {
        f->signer = OCSP_SIGNER_DELEGATED;
        f->no_check = X509_get_ext_by_NID(signer, NID_id_pkix_OCSP_noCheck, -1) >= 0;
    }
}

/* A renewed CA has several certificates of one name: a responder id by name can mean each of them.
 */
static bool is_responder(const struct reading *r, X509 *cert)
{
    const ASN1_OCTET_STRING *hash = NULL;
    const X509_NAME *name = NULL;
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(cert);
    uint8_t sha1[20];
    if (!OCSP_resp_get0_id(r->basic, &hash, &name))
        return false;
    if (name)
        return X509_NAME_cmp(name, X509_get_subject_name(cert)) == 0;
    return key && ASN1_STRING_length(hash) == (int)sizeof sha1 &&
           EVP_Digest(ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key), sha1, NULL,
                      EVP_sha1(), NULL) &&
           memcmp(sha1, ASN1_STRING_get0_data(hash), sizeof sha1) == 0;
}

static bool signed_by(const struct reading *r, X509 *cert)
{
    return ASN1_item_verify(ASN1_ITEM_rptr(OCSP_RESPDATA), OCSP_resp_get0_tbs_sigalg(r->basic),
                            OCSP_resp_get0_signature(r->basic), OCSP_resp_get0_respdata(r->basic),
                            X509_get0_pubkey(cert)) == 1;
}

/* The certificate whose key signed; else the last one that should have. */
static X509 *find_signer(struct reading *r, const STACK_OF(X509) * list, X509 *found)
{
    for (int i = 0; i < sk_X509_num(list) && r->f->signature != OCSP_SIG_GOOD; i++) {
        X509 *cert = sk_X509_value(list, i);
        if (!is_responder(r, cert))
            continue;
        found = cert;
        r->f->signature = signed_by(r, cert) ? OCSP_SIG_GOOD : OCSP_SIG_BAD;
    }
    return found;
}

static void read_signature(struct reading *r)
{
    struct ocsp_facts *f = r->f;
    f->signature = OCSP_SIG_NO_SIGNER;
    X509 *signer = find_signer(r, OCSP_resp_get0_certs(r->basic), NULL);
    signer = find_signer(r, r->known, signer);
    if (!signer) {
        str_copy(
            f->why, sizeof f->why,
            "the answer holds no certificate for its responder id, and it is none of the known");
        return;
    }
    X509_NAME_oneline(X509_get_subject_name(signer), f->signer_name, sizeof f->signer_name);
    f->signer_from = x509_when(X509_get0_notBefore(signer));
    f->signer_until = x509_when(X509_get0_notAfter(signer));
    if (f->signature == OCSP_SIG_GOOD)
        judge_signer(r, signer);
    else
        str_copy(f->why, sizeof f->why, "it does not verify with the responder's certificate");
}

static int decode(struct reading *r, const void *request, size_t request_len, const void *data,
                  size_t len, struct err *err)
{
    const unsigned char *p = data, *q = request;
    r->request = d2i_OCSP_REQUEST(NULL, &q, (long)request_len);
    r->response = d2i_OCSP_RESPONSE(NULL, &p, (long)len);
    if (!r->request)
        return err_set(err, ERR_PARSE, "the OCSP request is damaged");
    if (!r->response)
        return err_set(err, ERR_PARSE, "expected an OCSP answer (RFC 6960 section 4.2.1)");
    OCSP_ONEREQ *one = OCSP_request_onereq_get0(r->request, 0);
    r->id = one ? OCSP_onereq_get0_id(one) : NULL;
    r->f->asked = r->f->answered = true;
    r->f->response = OCSP_response_status(r->response);
    return ERR_OK;
}

int ocsp_answer_read(const void *request, size_t request_len, const void *data, size_t len,
                     const struct crl_issuers *issuers, struct ocsp_facts *ret, struct err *err)
{
    struct ocsp_facts f = {.response = -1,
                           .produced = WHEN_NONE,
                           .this_update = WHEN_NONE,
                           .next_update = WHEN_NONE,
                           .revoked = WHEN_NONE,
                           .signer_from = WHEN_NONE,
                           .signer_until = WHEN_NONE};
    SCOPED(reading_free) struct reading r = {.f = &f};
    int rc = decode(&r, request, request_len, data, len, err);
    if (!rc && f.response == OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        r.basic = OCSP_response_get1_basic(r.response);
        rc = r.basic ? ocsp_issuers_read(issuers, &r.known, err)
                     : err_set(err, ERR_PARSE,
                               "the OCSP answer says 'successful' and holds no "
                               "basic answer (RFC 6960 section 4.2.1)");
    }
    if (!rc && r.basic) {
        find_issuer(&r);
        read_single(&r);
        read_nonce(&r);
        read_signature(&r);
    }
    ERR_clear_error();
    if (!rc)
        *ret = f;
    return rc;
}
