/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <string.h>

#include "base/ossl.h"
#include "crl/reader.h"
#include "support/pki.h"

#define T0 1767225600 /* 2026-01-01 */

static struct pki_crl spec(void)
{
    return (struct pki_crl){
        .this_update = T0, .next_update = T0 + 7 * 86400, .number = 9, .entries = 3, .reason = 1};
}

static enum crl_signature check(const struct buf *crl, const struct crl_issuers *issuers,
                                struct crl_facts *f, struct err *why)
{
    struct crl_reader *r = NULL;
    struct err err = ERR_INIT;
    enum crl_signature sig = CRL_SIG_NOT_CHECKED;
    struct crl_reader_options opt = {.issuers = issuers};
    assert_int_equal(crl_reader_new("crl", &opt, &r, &err), ERR_OK);
    if (crl_reader_feed(r, crl->data, crl->len, &err) || crl_reader_finish(r, f, &sig, why, &err))
        fail_msg("%s", err.text);
    crl_reader_free(&r);
    return sig;
}

static void verify__each_key_type__good_and_any_flipped_bit_bad(void **state)
{
    (void)state;
    static const struct {
        enum pki_key key;
        const char *digest, *name;
        bool pss;
    } kinds[] = {
        {PKI_RSA2048, "SHA256", "sha256WithRSAEncryption", false},
        {PKI_RSA2048, "SHA512", "sha512WithRSAEncryption", false},
        {PKI_RSA2048, "SHA384", "rsassaPss", true},
        {PKI_P256, "SHA256", "ecdsa-with-SHA256", false},
        {PKI_P384, "SHA384", "ecdsa-with-SHA384", false},
        {PKI_P521, "SHA512", "ecdsa-with-SHA512", false},
        {PKI_ED25519, NULL, "ED25519", false},
        {PKI_ED448, NULL, "ED448", false},
        {PKI_MLDSA65, NULL, "ML-DSA-65", false},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct pki_ca *ca = pki_ca_new("Kinds CA", kinds[i].key);
        if (!ca) { /* ML-DSA came with OpenSSL 3.5 */
            assert_int_equal(kinds[i].key, PKI_MLDSA65);
            assert_true(OPENSSL_VERSION_NUMBER < 0x30500000L);
            continue;
        }
        struct crl_issuers *set = NULL;
        struct buf crl = BUF_INIT;
        struct crl_facts f;
        struct err why = ERR_INIT;
        struct pki_crl s = spec();
        s.digest = kinds[i].digest;
        s.pss = kinds[i].pss;
        pki_ca_add_issuer(ca, &set);
        pki_crl_make(ca, &s, &crl);
        if (check(&crl, set, &f, &why) != CRL_SIG_GOOD)
            fail_msg("%s: %s", kinds[i].name, why.text);
        assert_string_equal(f.signature_name, kinds[i].name);
        assert_int_equal(f.tbs_digest_len > 0, kinds[i].digest != NULL);
        assert_int_equal(f.warnings, 0);
        /* a serial number's last octet */
        char *at = memchr(crl.data + 60, 0x02, crl.len - 60);
        while (at && !(at[1] == 1 && at[2] == 1 && at[3] == 0x17))
            at = memchr(at + 1, 0x02, (size_t)(crl.data + crl.len - at - 1));
        assert_non_null(at);
        at[2] = 0x41;
        assert_int_equal(check(&crl, set, &f, &why), CRL_SIG_BAD);
        assert_non_null(strstr(why.text, "does not verify with the key of"));
        at[2] = 1;
        crl.data[crl.len - 3] = (char)(crl.data[crl.len - 3] ^ 0x10);
        assert_int_equal(check(&crl, set, &f, &why), CRL_SIG_BAD);
        buf_free(&crl);
        crl_issuers_free(&set);
        pki_ca_free(&ca);
    }
}

static void verify__renewed_key__chosen_by_aki(void **state)
{
    (void)state;
    struct pki_ca *old = pki_ca_new("Renewed CA", PKI_P256);
    struct pki_ca *new = pki_ca_renew(old, PKI_P256);
    struct pki_ca *other = pki_ca_new("Other CA", PKI_P256);
    struct crl_issuers *both = NULL, *old_only = NULL, *other_only = NULL;
    struct buf crl = BUF_INIT;
    struct crl_facts f;
    struct err why = ERR_INIT;
    struct pki_crl s = spec();
    pki_ca_add_issuer(other, &both);
    pki_ca_add_issuer(old, &both);
    pki_ca_add_issuer(new, &both);
    pki_ca_add_issuer(old, &old_only);
    pki_ca_add_issuer(other, &other_only);
    assert_int_equal(crl_issuers_count(both), 3);
    pki_crl_make(new, &s, &crl);
    assert_int_equal(check(&crl, both, &f, &why), CRL_SIG_GOOD);
    assert_int_equal(check(&crl, old_only, &f, &why), CRL_SIG_NO_ISSUER);
    assert_non_null(strstr(why.text, "none has the key identifier"));
    assert_int_equal(check(&crl, other_only, &f, &why), CRL_SIG_NO_ISSUER);
    assert_non_null(strstr(why.text, "none of the 1 given CA certificates is named"));
    assert_int_equal(check(&crl, NULL, &f, &why), CRL_SIG_NOT_CHECKED);
    buf_free(&crl);
    s.no_aki = true;
    pki_crl_make(new, &s, &crl);
    assert_int_equal(check(&crl, both, &f, &why), CRL_SIG_GOOD);
    assert_int_equal(check(&crl, old_only, &f, &why), CRL_SIG_BAD);
    assert_true(f.warnings & CRL_WARN_NO_AKI);
    buf_free(&crl);
    crl_issuers_free(&both);
    crl_issuers_free(&old_only);
    crl_issuers_free(&other_only);
    pki_ca_free(&old);
    pki_ca_free(&new);
    pki_ca_free(&other);
}

static void verify__key_usage_without_crl_sign__no_issuer(void **state)
{
    (void)state;
    struct pki_ca *ca = pki_ca_new_no_crlsign("Strict CA", PKI_P256);
    struct crl_issuers *set = NULL;
    struct buf crl = BUF_INIT;
    struct crl_facts f;
    struct err why = ERR_INIT;
    struct pki_crl s = spec();
    pki_ca_add_issuer(ca, &set);
    pki_crl_make(ca, &s, &crl);
    assert_int_equal(check(&crl, set, &f, &why), CRL_SIG_NO_ISSUER);
    assert_non_null(strstr(why.text, "key usage"));
    buf_free(&crl);
    crl_issuers_free(&set);
    pki_ca_free(&ca);
}

static void verify__sha1__good_with_warning(void **state)
{
    (void)state;
    struct pki_ca *ca = pki_ca_new("Old CA", PKI_RSA2048);
    struct crl_issuers *set = NULL;
    struct buf crl = BUF_INIT;
    struct crl_facts f;
    struct err why = ERR_INIT;
    struct pki_crl s = spec();
    s.digest = "SHA1";
    pki_ca_add_issuer(ca, &set);
    pki_crl_make(ca, &s, &crl);
    assert_int_equal(check(&crl, set, &f, &why), CRL_SIG_GOOD);
    assert_true(f.warnings & CRL_WARN_WEAK_DIGEST);
    buf_free(&crl);
    crl_issuers_free(&set);
    pki_ca_free(&ca);
}

static void verify__ed25519_beyond_what_is_held__unsupported_and_says_why(void **state)
{
    (void)state;
    struct pki_ca *ca = pki_ca_new("Ed CA", PKI_ED25519);
    struct crl_issuers *set = NULL;
    struct buf crl = BUF_INIT;
    struct crl_facts f;
    struct err err = ERR_INIT, why = ERR_INIT;
    struct crl_reader *r = NULL;
    enum crl_signature sig = CRL_SIG_GOOD;
    struct pki_crl s = spec();
    pki_ca_add_issuer(ca, &set);
    pki_crl_make(ca, &s, &crl);
    struct crl_reader_options opt = {.issuers = set, .max_held_bytes = 100};
    assert_int_equal(crl_reader_new("crl", &opt, &r, &err), ERR_OK);
    assert_int_equal(crl_reader_feed(r, crl.data, crl.len, &err), ERR_OK);
    assert_int_equal(crl_reader_finish(r, &f, &sig, &why, &err), ERR_OK);
    assert_int_equal(sig, CRL_SIG_UNSUPPORTED);
    assert_non_null(strstr(why.text, "signs the whole message"));
    crl_reader_free(&r);
    buf_free(&crl);
    crl_issuers_free(&set);
    pki_ca_free(&ca);
}

static void issuers_add__no_certificate__is_refused_and_set_unchanged(void **state)
{
    (void)state;
    struct crl_issuers *set = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(crl_issuers_add(&set, "f", "", 0, &err), ERR_NOT_FOUND);
    assert_int_equal(crl_issuers_add(&set, "f", "hello", 5, &err), ERR_NOT_FOUND);
    assert_int_equal(crl_issuers_add(&set, "f", "\x30\x03\x02\x01\x01", 5, &err), ERR_PARSE);
    static const char pem[] = "-----BEGIN CERTIFICATE-----\nMAMC\n-----END CERTIFICATE-----\n";
    assert_int_equal(crl_issuers_add(&set, "f", pem, sizeof pem - 1, &err), ERR_PARSE);
    assert_null(set);
    assert_int_equal(crl_issuers_count(set), 0);
}

static void issuers_add__pem_bundle_and_der__all_taken(void **state)
{
    (void)state;
    struct pki_ca *a = pki_ca_new("A", PKI_P256), *b = pki_ca_new("B", PKI_P256);
    struct buf pem = BUF_INIT, der = BUF_INIT;
    struct crl_issuers *set = NULL;
    struct err err = ERR_INIT;
    pki_ca_cert_pem(a, &pem);
    pki_ca_cert_pem(b, &pem);
    pki_ca_cert_der(a, &der);
    pki_ca_cert_der(b, &der);
    assert_int_equal(crl_issuers_add(&set, "f", pem.data, pem.len, &err), ERR_OK);
    assert_int_equal(crl_issuers_count(set), 2);
    assert_int_equal(crl_issuers_add(&set, "f", der.data, der.len, &err), ERR_OK);
    assert_int_equal(crl_issuers_count(set), 4);
    /* a damaged third one takes nothing in */
    assert_int_equal(crl_issuers_add(&set, "f", der.data, der.len - 1, &err), ERR_PARSE);
    assert_int_equal(crl_issuers_count(set), 4);
    buf_free(&pem);
    buf_free(&der);
    crl_issuers_free(&set);
    pki_ca_free(&a);
    pki_ca_free(&b);
}

static void facts__ad_cs_delta__all_extensions(void **state)
{
    (void)state;
    struct pki_ca *ca = pki_ca_new("Contoso Issuing CA", PKI_P256);
    struct buf crl = BUF_INIT;
    struct crl_facts f;
    struct err why = ERR_INIT;
    struct pki_crl s = spec();
    s.delta = true;
    s.delta_base = 300;
    s.number = 301;
    s.ca_version = 0x10001;
    s.next_publish = T0 + 86400;
    s.idp_url = "http://pki.test/a.crl";
    s.freshest = "http://pki.test/a+.crl";
    s.published = "ldap:///CN=a";
    pki_crl_make(ca, &s, &crl);
    assert_int_equal(check(&crl, NULL, &f, &why), CRL_SIG_NOT_CHECKED);
    assert_true(crl_is_delta(&f));
    assert_string_equal(f.issuer, "CN=Contoso Issuing CA,DC=test");
    assert_int_equal(f.delta_base.len, 2);
    assert_int_equal(f.ca_version, 0x10001);
    assert_int_equal(f.next_publish, T0 + 86400);
    assert_string_equal(f.idp.url[0], "http://pki.test/a.crl");
    assert_string_equal(f.freshest.url[0], "http://pki.test/a+.crl");
    assert_string_equal(f.published.url[0], "ldap:///CN=a");
    assert_int_equal(f.entries, 3);
    assert_int_equal(f.reason[1], 3);
    assert_int_equal(f.latest_revocation, T0);
    assert_int_equal(f.earliest_revocation, T0 - 2);
    assert_int_equal(f.warnings, 0);
    buf_free(&crl);
    pki_ca_free(&ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issuers_add__no_certificate__is_refused_and_set_unchanged),
        cmocka_unit_test(issuers_add__pem_bundle_and_der__all_taken),
        cmocka_unit_test(verify__each_key_type__good_and_any_flipped_bit_bad),
        cmocka_unit_test(verify__renewed_key__chosen_by_aki),
        cmocka_unit_test(verify__key_usage_without_crl_sign__no_issuer),
        cmocka_unit_test(verify__sha1__good_with_warning),
        cmocka_unit_test(verify__ed25519_beyond_what_is_held__unsupported_and_says_why),
        cmocka_unit_test(facts__ad_cs_delta__all_extensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
