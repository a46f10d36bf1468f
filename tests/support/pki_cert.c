/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Certificates below a CA, and OCSP answers. */
#include "support/pki_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void add_ext(X509 *cert, X509 *issuer, int nid, const char *fmt, const char *value)
{
    char text[700];
    X509V3_CTX ctx;
    snprintf(text, sizeof text, "%s%s", fmt, value);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, &ctx, nid, text);
    MUST(x && X509_add_ext(cert, x, -1));
    X509_EXTENSION_free(x);
}

static void add_aia(X509 *cert, X509 *issuer, const struct pki_cert *spec)
{
    char text[1200];
    snprintf(text, sizeof text, "%s%s%s%s%s", spec->aia ? "caIssuers;URI:" : "",
             spec->aia ? spec->aia : "", spec->aia && spec->ocsp ? "," : "",
             spec->ocsp ? "OCSP;URI:" : "", spec->ocsp ? spec->ocsp : "");
    if (text[0])
        add_ext(cert, issuer, NID_info_access, "", text);
}

struct pki_ca *pki_issue(const struct pki_ca *issuer, const struct pki_cert *spec)
{
    struct pki_ca *c = calloc(1, sizeof *c);
    MUST(c);
    c->key = pki_new_key(PKI_P256);
    c->cert = X509_new();
    MUST(c->key && c->cert && X509_set_version(c->cert, 2));
    MUST(X509_NAME_add_entry_by_txt(X509_get_subject_name(c->cert), "CN", MBSTRING_UTF8,
                                    (const unsigned char *)spec->common_name, -1, -1, 0));
    MUST(X509_set_issuer_name(c->cert, X509_get_subject_name(issuer->cert)));
    MUST(ASN1_INTEGER_set_uint64(X509_get_serialNumber(c->cert),
                                 spec->serial ? spec->serial : 4711));
    MUST(ASN1_TIME_set(X509_getm_notBefore(c->cert), spec->from ? spec->from : 1577836800));
    MUST(ASN1_TIME_set(X509_getm_notAfter(c->cert), spec->until ? spec->until : 2524608000));
    MUST(X509_set_pubkey(c->cert, c->key));
    add_ext(c->cert, issuer->cert, NID_authority_key_identifier, "keyid", "");
    add_ext(c->cert, issuer->cert, NID_subject_key_identifier, "hash", "");
    if (spec->ca)
        add_ext(c->cert, issuer->cert, NID_basic_constraints, "critical,CA:TRUE", "");
    if (spec->ocsp_signing)
        add_ext(c->cert, issuer->cert, NID_ext_key_usage, "OCSPSigning", "");
    if (spec->no_check)
        add_ext(c->cert, issuer->cert, NID_id_pkix_OCSP_noCheck, "ignored", "");
    if (spec->cdp)
        add_ext(c->cert, issuer->cert, NID_crl_distribution_points, "URI:", spec->cdp);
    add_aia(c->cert, issuer->cert, spec);
    MUST(X509_sign(c->cert, issuer->key, pki_signs_message(issuer->key) ? NULL : EVP_sha256()));
    return c;
}

struct pki_ca *pki_cross(const struct pki_ca *issuer, const struct pki_ca *subject)
{
    struct pki_ca *c = calloc(1, sizeof *c);
    MUST(c);
    c->cert = X509_dup(subject->cert);
    c->key = subject->key;
    MUST(c->cert && EVP_PKEY_up_ref(c->key));
    MUST(X509_set_issuer_name(c->cert, X509_get_subject_name(issuer->cert)));
    MUST(X509_sign(c->cert, issuer->key, pki_signs_message(issuer->key) ? NULL : EVP_sha256()));
    return c;
}

static OCSP_CERTID *id_of(const struct pki_ocsp *spec, const struct pki_ca *issuer,
                          OCSP_REQUEST *rq)
{
    OCSP_ONEREQ *one = OCSP_request_onereq_get0(rq, 0);
    MUST(one);
    return spec->subject ? OCSP_cert_to_id(EVP_sha1(), spec->subject->cert, issuer->cert)
                         : OCSP_CERTID_dup(OCSP_onereq_get0_id(one));
}

static OCSP_BASICRESP *basic(const struct pki_ca *signer, const struct pki_ca *issuer,
                             const struct pki_ocsp *spec, OCSP_REQUEST *rq)
{
    OCSP_BASICRESP *b = OCSP_BASICRESP_new();
    OCSP_CERTID *id = id_of(spec, issuer, rq);
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)spec->this_update);
    ASN1_TIME *until = spec->next_update ? ASN1_TIME_set(NULL, (time_t)spec->next_update) : NULL;
    ASN1_TIME *revoked = spec->status == 1 ? ASN1_TIME_set(NULL, (time_t)spec->this_update) : NULL;
    MUST(b && id && from);
    MUST(OCSP_basic_add1_status(b, id, spec->status, 0, revoked, from, until));
    if (spec->other_nonce)
        MUST(OCSP_basic_add1_nonce(b, NULL, 16));
    else
        MUST(OCSP_copy_nonce(b, rq) >= 0);
    MUST(OCSP_basic_sign(b, signer->cert, signer->key, EVP_sha256(), NULL,
                         spec->no_certs ? OCSP_NOCERTS : 0));
    if (spec->spoil) {
        const ASN1_OCTET_STRING *sig = OCSP_resp_get0_signature(b);
        MUST(ASN1_STRING_length(sig) > 8);
        ((unsigned char *)(uintptr_t)ASN1_STRING_get0_data(sig))[7] ^= 1;
    }
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    ASN1_TIME_free(revoked);
    return b;
}

void pki_ocsp_make(const struct pki_ca *signer, const struct pki_ca *issuer,
                   const struct pki_ocsp *spec, const void *request, size_t len, struct buf *out)
{
    const unsigned char *p = request;
    OCSP_REQUEST *rq = d2i_OCSP_REQUEST(NULL, &p, (long)len);
    MUST(rq);
    OCSP_BASICRESP *b = spec->response ? NULL : basic(signer, issuer, spec, rq);
    OCSP_RESPONSE *r = OCSP_response_create(spec->response, b);
    unsigned char *der = NULL;
    int n = r ? i2d_OCSP_RESPONSE(r, &der) : 0;
    MUST(n > 0 && buf_add(out, der, (size_t)n) == 0);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(r);
    OCSP_BASICRESP_free(b);
    OCSP_REQUEST_free(rq);
}
