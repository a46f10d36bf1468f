/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "health/keys.h"
#include "health/rules.h"
#include "support/pki.h"

#define NOW 1795420800ll
#define DAY 86400ll
#define PLACES 6

/* Real keys, certificates and CRLs: what is tested is which of them belong together. */
struct lab {
    struct pki_ca *ca[3]; /* a CA, the same renewed with another key, another CA */
    struct crl_issuers *issuers;
    struct health_ca_certs certs;
    struct probe_target t[PLACES];
    struct probe_result r[PLACES];
    size_t of[PLACES]; /* whose CRL */
    size_t n;
};

static int open_lab(void **state)
{
    struct lab *l = calloc(1, sizeof *l);
    if (!l)
        return -1;
    l->ca[0] = pki_ca_new("Lab CA", PKI_P256);
    l->ca[1] = pki_ca_renew(l->ca[0], PKI_P256);
    l->ca[2] = pki_ca_new("Root CA", PKI_P256);
    *state = l;
    return 0;
}

static int close_lab(void **state)
{
    struct lab *l = *state;
    for (size_t i = 0; i < ARRAY_LEN(l->ca); i++)
        pki_ca_free(&l->ca[i]);
    crl_issuers_free(&l->issuers);
    health_ca_certs_free(&l->certs);
    free(l);
    return 0;
}

static void trust(struct lab *l, size_t ca)
{
    SCOPED(buf_free) struct buf pem = BUF_INIT;
    pki_ca_add_issuer(l->ca[ca], &l->issuers);
    pki_ca_cert_pem(l->ca[ca], &pem);
    assert_int_equal(health_ca_certs_add(&l->certs, buf_str(&pem), pem.len, HEALTH_KEY_NEXT, NULL),
                     ERR_OK);
}

static void serve(struct lab *l, const char *url, const char *address, size_t ca, uint64_t number)
{
    SCOPED(buf_free) struct buf der = BUF_INIT;
    const struct pki_crl spec = {
        .this_update = NOW - DAY, .next_update = NOW + 6 * DAY, .number = number};
    struct probe_target *t = &l->t[l->n];
    struct probe_result *r = &l->r[l->n++];
    str_copy(t->url, sizeof t->url, url);
    str_copy(t->address, sizeof t->address, address);
    str_copy(r->address, sizeof r->address, address);
    t->kind = LOC_FILE;
    t->origin = FROM_COMMAND_LINE;
    l->of[l->n - 1] = ca;
    for (size_t i = 0; i + 1 < l->n; i++) {
        if (l->of[i] == ca) { /* signed once only */
            r->facts = l->r[i].facts;
            r->signature = l->r[i].signature;
            return;
        }
    }
    pki_crl_make(l->ca[ca], &spec, &der);
    assert_int_equal(
        crl_read_memory(url, buf_str(&der), der.len, l->issuers, &r->facts, &r->signature, NULL),
        ERR_OK);
}

/* Ids of the findings after the keys are told, in their order. */
static const char *judge(struct lab *l, char ids[200])
{
    SCOPED(findings_free) struct findings found = {0};
    const struct health_input in = {.targets = l->t,
                                    .results = l->r,
                                    .n = l->n,
                                    .certs = l->certs.item,
                                    .n_certs = l->certs.n,
                                    .now = NOW};
    assert_int_equal(keys_assign(l->t, l->r, l->n, &l->certs, NULL), ERR_OK);
    assert_int_equal(health_evaluate(&in, NULL, &found, NULL), ERR_OK);
    ids[0] = '\0';
    for (size_t i = 0; i < found.n; i++)
        snprintf(ids + strlen(ids), 200 - strlen(ids), "%s%u", i ? " " : "", found.item[i].id);
    return ids;
}

static void keys_assign__renewed_ca_and_another__each_its_own(void **state)
{
    struct lab *l = *state;
    char ids[200];
    for (size_t i = 0; i < 3; i++)
        trust(l, i);
    trust(l, 0); /* the same certificate again is the same key */
    assert_int_equal(l->certs.item[3].key_index, 0);
    serve(l, "http://pki/k1.crl", "", 1, 18);
    serve(l, "http://pki/k0.crl", "", 0, 17);
    serve(l, "http://pki/root.crl", "", 2, 3);
    assert_string_equal(judge(l, ids), "");
    assert_int_equal(l->t[0].key_index, 1);
    assert_int_equal(l->t[1].key_index, 0);
    assert_int_equal(l->t[2].key_index, 2);
}

static void keys_assign__one_server_of_a_farm_has_the_other_key__foreign(void **state)
{
    struct lab *l = *state;
    char ids[200];
    trust(l, 0);
    trust(l, 1);
    serve(l, "http://pki/k0.crl", "10.0.0.1", 1, 99);
    serve(l, "http://pki/k0.crl", "10.0.0.2", 0, 17);
    serve(l, "http://pki/k0.crl", "10.0.0.3", 0, 17);
    serve(l, "http://pki/k1.crl", "10.0.0.1", 1, 99);
    assert_string_equal(judge(l, ids), "4008");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(l->t[i].key_index, 0);
    assert_int_equal(l->t[3].key_index, 1);
}

static void keys_assign__the_ca_said_whose_it_is__stays_and_is_foreign(void **state)
{
    struct lab *l = *state;
    char ids[200];
    trust(l, 0);
    trust(l, 1);
    serve(l, "http://pki/k0.crl", "", 1, 99);
    l->t[0].origin |= FROM_CA_CDP; /* of key 0, and the only one: nothing to compare it with */
    assert_string_equal(judge(l, ids), "4033 4008");
    assert_int_equal(l->t[0].key_index, 0);
}

static void keys_assign__nothing_verified__issuers_apart(void **state)
{
    struct lab *l = *state;
    char ids[200];
    serve(l, "http://pki/a.crl", "", 0, 17);
    serve(l, "http://pki/root.crl", "", 2, 3);
    serve(l, "http://pki/b.crl", "", 0, 17);
    serve(l, "http://pki/down.crl", "", 0, 17);
    l->r[3].status = PROBE_CONNECT;
    assert_string_equal(judge(l, ids), "4041 4024");
    assert_int_equal(l->t[0].key_index, 0);
    assert_int_equal(l->t[1].key_index, 1);
    assert_int_equal(l->t[2].key_index, 0);
    assert_int_equal(l->t[3].key_index, 0);
}

static void keys_signer_of__certificate_of_the_second_key__its_index(void **state)
{
    struct lab *l = *state;
    SCOPED(buf_free) struct buf pem = BUF_INIT;
    const struct pki_cert spec = {.common_name = "leaf"};
    struct pki_ca *leaf = pki_issue(l->ca[1], &spec);
    pki_ca_cert_pem(leaf, &pem);
    assert_int_equal(keys_signer_of(&l->certs, l->issuers, buf_str(&pem), pem.len), 0);
    trust(l, 0);
    trust(l, 1);
    assert_int_equal(keys_signer_of(&l->certs, l->issuers, "x", 1), 0);
    assert_int_equal(keys_signer_of(&l->certs, l->issuers, buf_str(&pem), pem.len), 1);
    pki_ca_free(&leaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_assign__renewed_ca_and_another__each_its_own, open_lab,
                                        close_lab),
        cmocka_unit_test_setup_teardown(
            keys_assign__one_server_of_a_farm_has_the_other_key__foreign, open_lab, close_lab),
        cmocka_unit_test_setup_teardown(keys_assign__the_ca_said_whose_it_is__stays_and_is_foreign,
                                        open_lab, close_lab),
        cmocka_unit_test_setup_teardown(keys_assign__nothing_verified__issuers_apart, open_lab,
                                        close_lab),
        cmocka_unit_test_setup_teardown(keys_signer_of__certificate_of_the_second_key__its_index,
                                        open_lab, close_lab),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
