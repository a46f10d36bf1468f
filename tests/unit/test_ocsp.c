/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Requests for a real certificate, and answers by signers of every sort; keys are made here. */
#include "unit/cmocka_unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cdp/locations.h"
#include "ocsp/ocsp.h"
#include "support/pki.h"

#define THIS 1795417200ll
#define NEXT 1795503600ll
#define URL "http://ocsp.test/ocsp"

static struct pki_ca *ca, *renewed, *other, *leaf;
static struct buf leaf_der, ca_der;
static struct crl_issuers *issuers;

static int make_pki(void **state)
{
    (void)state;
    ca = pki_ca_new("Lab CA", PKI_RSA2048);
    renewed = pki_ca_renew(ca, PKI_P256);
    other = pki_ca_new("Other CA", PKI_P256);
    leaf = pki_issue(ca, &(struct pki_cert){.common_name = "leaf", .ocsp = URL});
    pki_ca_cert_der(leaf, &leaf_der);
    pki_ca_cert_der(ca, &ca_der);
    pki_ca_add_issuer(renewed, &issuers);
    pki_ca_add_issuer(ca, &issuers);
    return 0;
}

static int free_pki(void **state)
{
    (void)state;
    pki_ca_free(&ca);
    pki_ca_free(&renewed);
    pki_ca_free(&other);
    pki_ca_free(&leaf);
    buf_free(&leaf_der);
    buf_free(&ca_der);
    crl_issuers_free(&issuers);
    return 0;
}

static void ocsp_request__not_a_certificate__refused(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    uint8_t rq[OCSP_REQUEST_MAX];
    uint16_t len = 7;
    assert_int_equal(ocsp_request_make("x", 1, issuers, false, rq, &len, &err), ERR_PARSE);
    assert_int_equal(
        ocsp_request_make(buf_str(&leaf_der), leaf_der.len, NULL, false, rq, &len, &err),
        ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "Lab CA"));
    assert_int_equal(len, 7);
}

/* A renewed CA: the name fits two certificates, only one key signed. */
static void ocsp_request__two_keys_of_one_name__the_one_that_signed(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    uint8_t rq[OCSP_REQUEST_MAX];
    uint16_t len = 0;
    struct ocsp_facts f;
    SCOPED(buf_free) struct buf answer = BUF_INIT;
    assert_int_equal(
        ocsp_request_make(buf_str(&leaf_der), leaf_der.len, issuers, false, rq, &len, &err),
        ERR_OK);
    pki_ocsp_make(ca, ca, &(struct pki_ocsp){.this_update = THIS, .subject = leaf}, rq, len,
                  &answer);
    assert_int_equal(ocsp_answer_read(rq, len, answer.data, answer.len, issuers, &f, &err), ERR_OK);
    assert_true(f.matched);
}

struct sample {
    const char *name;
    struct pki_ocsp spec;
    enum { BY_CA, BY_DELEGATED, BY_PLAIN, BY_OTHER_CA, BY_RENEWED_KEY } by;
    bool nonce;
    struct ocsp_facts want; /* enums and flags; times are the same for all */
};

static const struct sample samples[] = {
    {"by the CA",
     {.this_update = THIS, .next_update = NEXT},
     BY_CA,
     false,
     {.matched = true,
      .signature = OCSP_SIG_GOOD,
      .signer = OCSP_SIGNER_CA,
      .status = OCSP_STATUS_GOOD}},
    {"without its certificate: it is known",
     {.this_update = THIS, .next_update = NEXT, .no_certs = true},
     BY_CA,
     false,
     {.matched = true,
      .signature = OCSP_SIG_GOOD,
      .signer = OCSP_SIGNER_CA,
      .status = OCSP_STATUS_GOOD}},
    {"delegated",
     {.this_update = THIS, .next_update = NEXT, .status = 1},
     BY_DELEGATED,
     true,
     {.matched = true,
      .no_check = true,
      .signature = OCSP_SIG_GOOD,
      .signer = OCSP_SIGNER_DELEGATED,
      .status = OCSP_STATUS_REVOKED,
      .nonce = OCSP_NONCE_SAME}},
    {"delegated, its certificate left out",
     {.this_update = THIS, .next_update = NEXT, .no_certs = true},
     BY_DELEGATED,
     false,
     {.matched = true, .signature = OCSP_SIG_NO_SIGNER, .status = OCSP_STATUS_GOOD}},
    {"without OCSP Signing",
     {.this_update = THIS, .next_update = NEXT},
     BY_PLAIN,
     false,
     {.matched = true,
      .signature = OCSP_SIG_GOOD,
      .signer = OCSP_SIGNER_NOBODY,
      .status = OCSP_STATUS_GOOD}},
    {"for OCSP Signing, of another CA",
     {.this_update = THIS, .next_update = NEXT},
     BY_OTHER_CA,
     false,
     {.matched = true,
      .signature = OCSP_SIG_GOOD,
      .signer = OCSP_SIGNER_NOBODY,
      .status = OCSP_STATUS_GOOD}},
    {"for OCSP Signing, of the CA's newer key",
     {.this_update = THIS, .next_update = NEXT},
     BY_RENEWED_KEY,
     false,
     {.matched = true,
      .signature = OCSP_SIG_GOOD,
      .signer = OCSP_SIGNER_NOBODY,
      .status = OCSP_STATUS_GOOD}},
    {"spoilt",
     {.this_update = THIS, .next_update = NEXT, .spoil = true},
     BY_CA,
     false,
     {.matched = true, .signature = OCSP_SIG_BAD, .status = OCSP_STATUS_GOOD}},
    {"unknown, another nonce",
     {.this_update = THIS, .next_update = NEXT, .status = 2, .other_nonce = true},
     BY_CA,
     true,
     {.matched = true,
      .signature = OCSP_SIG_GOOD,
      .signer = OCSP_SIGNER_CA,
      .status = OCSP_STATUS_UNKNOWN,
      .nonce = OCSP_NONCE_OTHER}},
    {"unauthorized", {.response = 6}, BY_CA, false, {.response = 6}},
    {"try later", {.response = 3}, BY_CA, false, {.response = 3}},
};

static struct pki_ca *signer_of(const struct sample *s)
{
    struct pki_cert spec = {.common_name = "responder",
                            .serial = 5,
                            .ocsp_signing = s->by != BY_PLAIN,
                            .no_check = s->by == BY_DELEGATED};
    const struct pki_ca *of = s->by == BY_OTHER_CA ? other : s->by == BY_RENEWED_KEY ? renewed : ca;
    return pki_issue(of, &spec);
}

static void check_sample(const struct sample *s)
{
    struct err err = ERR_INIT;
    uint8_t rq[OCSP_REQUEST_MAX];
    uint16_t len = 0;
    struct ocsp_facts f;
    SCOPED(buf_free) struct buf answer = BUF_INIT;
    SCOPED(pki_ca_free) struct pki_ca *delegate = s->by == BY_CA ? NULL : signer_of(s);
    assert_int_equal(
        ocsp_request_make(buf_str(&leaf_der), leaf_der.len, issuers, s->nonce, rq, &len, &err),
        ERR_OK);
    pki_ocsp_make(delegate ? delegate : ca, ca, &s->spec, rq, len, &answer);
    assert_int_equal(ocsp_answer_read(rq, len, answer.data, answer.len, issuers, &f, &err), ERR_OK);
    assert_true(f.asked && f.answered);
    assert_int_equal(f.response, s->want.response);
    assert_int_equal(f.matched, s->want.matched);
    assert_int_equal(f.no_check, s->want.no_check);
    assert_int_equal(f.signature, s->want.signature);
    assert_int_equal(f.signer, s->want.signer);
    assert_int_equal(f.status, s->want.status);
    assert_int_equal(f.nonce, s->want.nonce);
    assert_int_equal(f.this_update, s->spec.response ? WHEN_NONE : THIS);
    assert_int_equal(f.next_update, s->spec.response ? WHEN_NONE : NEXT);
    bool told = f.signature == OCSP_SIG_BAD || f.signature == OCSP_SIG_NO_SIGNER ||
                f.signer == OCSP_SIGNER_NOBODY;
    assert_int_equal(f.why[0] != 0, told);
}

static void ocsp_answer__signers_and_states__told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        print_message("  %s\n", samples[i].name);
        check_sample(&samples[i]);
    }
}

static void ocsp_answer__about_another__not_matched(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    uint8_t rq[OCSP_REQUEST_MAX];
    uint16_t len = 0;
    struct ocsp_facts f;
    SCOPED(buf_free) struct buf answer = BUF_INIT;
    SCOPED(pki_ca_free)
    struct pki_ca *twin = pki_issue(ca, &(struct pki_cert){.common_name = "twin", .serial = 4712});
    assert_int_equal(
        ocsp_request_make(buf_str(&leaf_der), leaf_der.len, issuers, false, rq, &len, &err),
        ERR_OK);
    pki_ocsp_make(ca, ca, &(struct pki_ocsp){.this_update = THIS, .subject = twin}, rq, len,
                  &answer);
    assert_int_equal(ocsp_answer_read(rq, len, answer.data, answer.len, issuers, &f, &err), ERR_OK);
    assert_false(f.matched);
    assert_int_equal(f.signature, OCSP_SIG_GOOD);
}

/* Every prefix and every changed byte: refused or told, never another content believed. */
static void ocsp_answer__damaged_bytes__never_believed(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    uint8_t rq[OCSP_REQUEST_MAX];
    uint16_t len = 0;
    struct ocsp_facts f;
    SCOPED(buf_free) struct buf answer = BUF_INIT;
    assert_int_equal(
        ocsp_request_make(buf_str(&leaf_der), leaf_der.len, issuers, false, rq, &len, &err),
        ERR_OK);
    pki_ocsp_make(ca, ca, &(struct pki_ocsp){.this_update = THIS, .no_certs = true}, rq, len,
                  &answer);
    assert_int_equal(ocsp_answer_read(rq, len, answer.data, answer.len, issuers, &f, &err), ERR_OK);
    int64_t produced = f.produced;
    for (size_t n = 0; n < answer.len; n++)
        assert_int_equal(ocsp_answer_read(rq, len, answer.data, n, issuers, &f, &err), ERR_PARSE);
    for (size_t i = 0; i < answer.len; i++) {
        answer.data[i] = (char)(answer.data[i] ^ 0x10);
        memset(&f, 0, sizeof f);
        int rc = ocsp_answer_read(rq, len, answer.data, answer.len, issuers, &f, &err);
        /* The parameters of the signature's algorithm are not signed; nothing else may change. */
        if (!rc && f.response == 0 && f.matched && f.signature == OCSP_SIG_GOOD)
            assert_true(f.this_update == THIS && f.status == OCSP_STATUS_GOOD &&
                        f.produced == produced && f.next_update == WHEN_NONE);
        answer.data[i] = (char)(answer.data[i] ^ 0x10);
    }
}

static void locations_ask_ocsp__url_of_a_leaf__gets_its_request(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    SCOPED(locations_free) struct locations l = {0};
    const struct ocsp_subject none[] = {{buf_str(&leaf_der), leaf_der.len, 1, 0},
                                        {buf_str(&leaf_der), leaf_der.len, 0, 1},
                                        {"junk", 4, 0, 0}};
    const struct ocsp_subject own = {buf_str(&leaf_der), leaf_der.len, 0, 0};
    assert_int_equal(
        locations_add_certificate(&l, buf_str(&leaf_der), leaf_der.len, FROM_CERTIFICATE, 0, &err),
        ERR_OK);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.item[0].role, ROLE_OCSP);
    /* Another key, a parent, no certificate: no question. */
    assert_int_equal(locations_ask_ocsp(&l, none, ARRAY_LEN(none), issuers, false, &err), ERR_OK);
    assert_int_equal(l.item[0].ocsp_request_len, 0);
    assert_int_equal(locations_ask_ocsp(&l, &own, 1, NULL, false, &err), ERR_OK);
    assert_int_equal(l.item[0].ocsp_request_len, 0);
    assert_int_equal(locations_ask_ocsp(&l, &own, 1, issuers, false, &err), ERR_OK);
    assert_in_range(l.item[0].ocsp_request_len, 60, 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ocsp_request__not_a_certificate__refused),
        cmocka_unit_test(ocsp_request__two_keys_of_one_name__the_one_that_signed),
        cmocka_unit_test(ocsp_answer__signers_and_states__told_apart),
        cmocka_unit_test(ocsp_answer__about_another__not_matched),
        cmocka_unit_test(ocsp_answer__damaged_bytes__never_believed),
        cmocka_unit_test(locations_ask_ocsp__url_of_a_leaf__gets_its_request),
    };
    return cmocka_run_group_tests(tests, make_pki, free_pki);
}
