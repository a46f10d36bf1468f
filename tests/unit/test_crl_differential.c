/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The reader against OpenSSL's parser: over the corpus, public vectors, generated CRLs and
 * thousands of damaged copies of them. What both accept must give the same facts; what only one of
 * them accepts must be one of the differences that docs/crl-engine.md explains. */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "base/str.h"
#include "crl/reader.h"
#include "support/pki.h"

#define T0 INT64_C(1767225600)

/* Rules that OpenSSL's d2i_X509_CRL does not hold: it reads BER, leaves dates, versions, serials
 * and extension values to later checks, and compares the two algorithms when it verifies. */
static const enum crl_rule stricter[] = {
    CRL_RULE_LENGTH_INDEFINITE, CRL_RULE_LENGTH_NON_MINIMAL, CRL_RULE_VERSION,
    CRL_RULE_V1_EXTENSIONS, CRL_RULE_ALGORITHM, CRL_RULE_ALGORITHM_MISMATCH, CRL_RULE_ISSUER,
    CRL_RULE_TIME, CRL_RULE_INTEGER, CRL_RULE_EXTENSION, CRL_RULE_EXTENSION_DUPLICATE,
    CRL_RULE_EXTENSION_VALUE, CRL_RULE_NUMBER, CRL_RULE_SIGNATURE,
    CRL_RULE_ENTRY, /* OpenSSL takes a SEQUENCE whose constructed bit is missing */
    /* inside opaque values, which OpenSSL keeps as bytes */
    CRL_RULE_OVERRUN, CRL_RULE_INNER_TRAILING, CRL_RULE_TAG_HIGH, CRL_RULE_LENGTH_TOO_LARGE,
    CRL_RULE_TOO_LARGE, CRL_RULE_STRUCTURE};

struct tally {
    unsigned both, neither, stricter, laxer;
    unsigned by_rule[CRL_RULE_COUNT];
};

static bool may_be_stricter(enum crl_rule rule)
{
    for (size_t i = 0; i < sizeof stricter / sizeof stricter[0]; i++) {
        if (stricter[i] == rule)
            return true;
    }
    return false;
}

static int64_t ossl_time(const ASN1_TIME *t)
{
    struct tm tm = {0};
    if (!t)
        return WHEN_NONE;
    assert_int_equal(ASN1_TIME_to_tm(t, &tm), 1);
    struct when_civil c = {tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                           tm.tm_hour,        tm.tm_min,     tm.tm_sec};
    return when_from_civil(&c);
}

static void same_number(X509_CRL *crl, int nid, const struct crl_number *n)
{
    int critical = 0;
    ASN1_INTEGER *v = X509_CRL_get_ext_d2i(crl, nid, &critical, NULL);
    assert_int_equal(v != NULL, n->len > 0);
    if (v) {
        BIGNUM *bn = ASN1_INTEGER_to_BN(v, NULL);
        unsigned char bytes[64] = {0};
        int len = BN_bn2bin(bn, bytes);
        assert_int_equal(len ? len : 1, n->len);
        assert_memory_equal(bytes, n->bytes, n->len);
        BN_free(bn);
    }
    ASN1_INTEGER_free(v);
}

static void same_entries(X509_CRL *crl, const struct crl_facts *f)
{
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
    int n = list ? sk_X509_REVOKED_num(list) : 0;
    int64_t earliest = WHEN_NONE, latest = WHEN_NONE;
    uint64_t without = 0;
    assert_int_equal(n, f->entries);
    for (int i = 0; i < n; i++) {
        X509_REVOKED *rev = sk_X509_REVOKED_value(list, i);
        int64_t t = ossl_time(X509_REVOKED_get0_revocationDate(rev));
        earliest = earliest == WHEN_NONE || t < earliest ? t : earliest;
        latest = t > latest ? t : latest;
        without += X509_REVOKED_get_ext_by_NID(rev, NID_crl_reason, -1) < 0;
    }
    assert_true(earliest == f->earliest_revocation && latest == f->latest_revocation);
    assert_int_equal(without, f->entries_without_reason);
}

static void same_facts(X509_CRL *crl, const struct buf *b, const struct crl_facts *f)
{
    unsigned char *name = NULL, digest[32];
    int len = i2d_X509_NAME(X509_CRL_get_issuer(crl), &name);
    assert_int_equal(f->version, X509_CRL_get_version(crl) + 1);
    assert_int_equal(f->issuer_der_len, len);
    assert_memory_equal(f->issuer_der, name, (size_t)len);
    assert_true(f->this_update == ossl_time(X509_CRL_get0_lastUpdate(crl)));
    assert_true(f->next_update == ossl_time(X509_CRL_get0_nextUpdate(crl)));
    if (X509_CRL_get_signature_nid(crl) != NID_undef)
        assert_string_equal(f->signature_name, OBJ_nid2ln(X509_CRL_get_signature_nid(crl)));
    same_number(crl, NID_crl_number, &f->number);
    same_number(crl, NID_delta_crl, &f->delta_base);
    same_entries(crl, f);
    EVP_Digest(b->data, b->len, digest, NULL, EVP_sha256(), NULL);
    assert_memory_equal(digest, f->sha256, 32);
    OPENSSL_free(name);
}

/* Does any certificate of that name verify it, for OpenSSL? */
static bool ossl_verifies(X509_CRL *crl, STACK_OF(X509) * cas)
{
    bool good = false;
    for (int i = 0; i < sk_X509_num(cas) && !good; i++) {
        X509 *ca = sk_X509_value(cas, i);
        if (X509_NAME_cmp(X509_get_subject_name(ca), X509_CRL_get_issuer(crl)) == 0 &&
            (X509_get_key_usage(ca) & KU_CRL_SIGN))
            good = X509_CRL_verify(crl, X509_get0_pubkey(ca)) == 1;
    }
    ERR_clear_error();
    return good;
}

static struct crl_issuers *issuers_named(X509_CRL *crl, STACK_OF(X509) * cas)
{
    struct crl_issuers *set = NULL;
    for (int i = 0; i < sk_X509_num(cas); i++) {
        X509 *ca = sk_X509_value(cas, i);
        unsigned char *der = NULL;
        struct err err = ERR_INIT;
        if (X509_NAME_cmp(X509_get_subject_name(ca), X509_CRL_get_issuer(crl)) != 0)
            continue;
        int len = i2d_X509(ca, &der);
        assert_int_equal(crl_issuers_add(&set, "ca", der, (size_t)len, &err), ERR_OK);
        OPENSSL_free(der);
    }
    return set;
}

static void compare(const char *name, const struct buf *b, STACK_OF(X509) * cas, struct tally *t)
{
    static struct crl_facts f;
    const unsigned char *p = (const unsigned char *)b->data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)b->len);
    bool theirs = crl && p == (const unsigned char *)b->data + b->len;
    struct crl_issuers *set = crl && cas ? issuers_named(crl, cas) : NULL;
    struct crl_reader_options opt = {.issuers = set};
    enum crl_signature sig = CRL_SIG_NOT_CHECKED;
    struct err err = ERR_INIT;
    struct crl_reader *r = NULL;
    ERR_clear_error();
    assert_int_equal(crl_reader_new(name, &opt, &r, &err), ERR_OK);
    int rc = crl_reader_feed(r, b->data, b->len, &err);
    if (!rc)
        rc = crl_reader_finish(r, &f, &sig, NULL, &err);
    enum crl_rule rule = crl_reader_rule(r);
    crl_reader_free(&r);
    if (!rc && theirs) {
        t->both++;
        same_facts(crl, b, &f);
        if (set && (sig == CRL_SIG_GOOD) != ossl_verifies(crl, cas))
            fail_msg("%s: signature: ours %s, OpenSSL the other way", name,
                     crl_signature_name(sig));
    } else if (rc && theirs) {
        t->stricter++;
        t->by_rule[rule]++;
        if (!may_be_stricter(rule))
            fail_msg("%s: OpenSSL accepts, ours not: %s", name, err.text);
    } else if (!rc) {
        t->laxer++;
        fail_msg("%s: OpenSSL refuses, ours accepts", name);
    } else {
        t->neither++;
    }
    crl_issuers_free(&set);
    X509_CRL_free(crl);
}

/* xorshift: the same damage in every run */
static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void damage(const char *name, const struct buf *good, unsigned times, struct tally *t)
{
    uint64_t seed = 0x1234567887654321u + good->len;
    struct buf b = BUF_INIT;
    for (unsigned i = 0; i < times; i++) {
        char label[128];
        b.len = 0;
        buf_add(&b, good->data, good->len);
        unsigned spots = 1 + (unsigned)(next_random(&seed) % 3);
        for (unsigned k = 0; k < spots; k++) {
            size_t at = next_random(&seed) % good->len;
            uint64_t v = next_random(&seed);
            b.data[at] =
                (char)(v & 1 ? (uint8_t)(v >> 8) : (uint8_t)b.data[at] ^ (1u << (v >> 8 & 7)));
        }
        snprintf(label, sizeof label, "%s, damage %u", name, i);
        compare(label, &b, NULL, t);
    }
    buf_free(&b);
}

static STACK_OF(X509) * load_cas(const char *path)
{
    struct buf b = BUF_INIT;
    struct err err = ERR_INIT;
    STACK_OF(X509) *cas = sk_X509_new_null();
    assert_int_equal(file_read(path, 1u << 20, &b, &err), ERR_OK);
    const unsigned char *p = (const unsigned char *)b.data, *end = p + b.len;
    while (p < end) {
        X509 *x = d2i_X509(NULL, &p, (long)(end - p));
        assert_non_null(x);
        sk_X509_push(cas, x);
    }
    buf_free(&b);
    return cas;
}

struct folder {
    const char *dir;
    STACK_OF(X509) * cas;
    struct tally tally;
    unsigned damaged;
};

static int one_file(void *arg, const char *name)
{
    struct folder *f = arg;
    struct buf path = BUF_INIT, b = BUF_INIT;
    struct err err = ERR_INIT;
    buf_printf(&path, "%s/%s", f->dir, name);
    if (str_ends_nocase(name, ".crl") || str_ends_nocase(name, ".der")) {
        assert_int_equal(file_read(buf_str(&path), 1u << 20, &b, &err), ERR_OK);
        if (b.len && b.data[0] == 0x30) { /* PEM has its own tests */
            compare(name, &b, f->cas, &f->tally);
            damage(name, &b, f->damaged, &f->tally);
        }
    }
    buf_free(&b);
    buf_free(&path);
    return 0;
}

static void report(const char *what, const struct tally *t)
{
    printf("%s: both accept %u, both refuse %u, ours stricter %u\n", what, t->both, t->neither,
           t->stricter);
    for (int i = 1; i < CRL_RULE_COUNT; i++) {
        if (t->by_rule[i])
            printf("    %-24s %u\n", crl_rule_info((enum crl_rule)i)->name, t->by_rule[i]);
    }
}

static void differential__corpus(void **state)
{
    (void)state;
    struct folder f = {.dir = TEST_CORPUS "/crl", .damaged = 20};
    struct err err = ERR_INIT;
    assert_int_equal(file_list(f.dir, one_file, &f, &err), 0);
    assert_true(f.tally.both > 20 && f.tally.stricter > 20);
    report("corpus", &f.tally);
}

static void differential__pkits__same_facts_and_signatures(void **state)
{
    (void)state;
    struct folder f = {.dir = TEST_CORPUS "/crl-public/pkits", .damaged = 10};
    struct err err = ERR_INIT;
    f.cas = load_cas(TEST_CORPUS "/crl-public-ca/pkits-ca.der");
    assert_int_equal(file_list(f.dir, one_file, &f, &err), 0);
    assert_true(f.tally.both >= 172);
    report("PKITS", &f.tally);
    sk_X509_pop_free(f.cas, X509_free);
}

static void differential__webpki_vectors(void **state)
{
    (void)state;
    struct folder f = {.dir = TEST_CORPUS "/crl-public/webpki", .damaged = 50};
    struct err err = ERR_INIT;
    assert_int_equal(file_list(f.dir, one_file, &f, &err), 0);
    assert_true(f.tally.both > 15);
    report("webpki", &f.tally);
}

static void differential__generated_and_damaged(void **state)
{
    (void)state;
    static const enum pki_key keys[] = {PKI_P256, PKI_RSA2048, PKI_ED25519};
    struct tally t = {0};
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        struct pki_ca *ca = pki_ca_new("Differential CA", keys[k]);
        STACK_OF(X509) *cas = sk_X509_new_null();
        struct buf der = BUF_INIT;
        pki_ca_cert_der(ca, &der);
        const unsigned char *p = (const unsigned char *)der.data;
        sk_X509_push(cas, d2i_X509(NULL, &p, (long)der.len));
        for (unsigned v = 0; v < 8; v++) {
            struct buf crl = BUF_INIT;
            struct pki_crl s = {.this_update = T0,
                                .next_update = v & 1 ? T0 + 86400 : 0,
                                .number = v & 2 ? 0x1234567890u : 0,
                                .entries = v * 3,
                                .reason = (int)v % 5,
                                .delta = v == 7,
                                .delta_base = 5,
                                .idp_url = v & 4 ? "http://pki.test/x.crl" : NULL,
                                .no_aki = v == 2};
            pki_crl_make(ca, &s, &crl);
            compare("generated", &crl, cas, &t);
            damage("generated", &crl, 300, &t);
            buf_free(&crl);
        }
        sk_X509_pop_free(cas, X509_free);
        buf_free(&der);
        pki_ca_free(&ca);
    }
    assert_true(t.both >= 24);
    report("generated", &t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differential__corpus),
        cmocka_unit_test(differential__pkits__same_facts_and_signatures),
        cmocka_unit_test(differential__webpki_vectors),
        cmocka_unit_test(differential__generated_and_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
