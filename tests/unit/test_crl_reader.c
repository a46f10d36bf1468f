/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "unit/cmocka_unit.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "crl/reader.h"
#include "support/dertext.h"
#include "support/pki.h"

#define RSA_SHA256 "30( 06(2a864886f70d01010b) 0500 )"
#define ECDSA_SHA256 "30( 06(2a8648ce3d040302) )"
#define NAME_CA "30( 31( 30( 06(550403) 0c('CA') ) ) )"
#define THIS "17('260101000000Z')"
#define NEXT "17('260201000000Z')"
#define ENTRY "30( 02(05) 17('251231235959Z') 30( 30( 06(551d15) 04( 0a(01) ) ) ) )"
#define NUMBER_7 "30( 06(551d14) 04( 02(07) ) )"

/* A CRL in pieces; NULL = the piece of a good one. */
struct pieces {
    const char *version, *alg, *issuer, *this_update, *next_update, *revoked, *exts, *outer_alg,
        *signature, *after_signature, *after;
};

static const char * or (const char *a, const char *b)
{
    return a ? a : b;
}

static void assemble(const struct pieces *p, struct buf *out)
{
    char text[4096];
    snprintf(text, sizeof text, "30( 30( %s %s %s %s %s %s %s ) %s %s %s ) %s",
             or (p->version, "02(01)"), or (p->alg, RSA_SHA256), or (p->issuer, NAME_CA),
             or (p->this_update, THIS), or (p->next_update, NEXT), or (p->revoked, "30(" ENTRY ")"),
             or (p->exts, "a0( 30( " NUMBER_7 " ) )"), or (p->outer_alg, or (p->alg, RSA_SHA256)),
             or (p->signature, "03(00 01020304)"), or (p->after_signature, ""), or (p->after, ""));
    dertext(out, text);
}

/* Reads in chunks of that size. */
static int read_chunks(const struct buf *b, size_t chunk, struct crl_facts *f, enum crl_rule *rule,
                       struct err *err)
{
    struct crl_reader *r = NULL;
    assert_int_equal(crl_reader_new("t", NULL, &r, err), ERR_OK);
    int rc = ERR_OK;
    for (size_t i = 0; i < b->len && !rc; i += chunk)
        rc = crl_reader_feed(r, b->data + i, b->len - i < chunk ? b->len - i : chunk, err);
    if (!rc)
        rc = crl_reader_finish(r, f, NULL, NULL, err);
    *rule = crl_reader_rule(r);
    crl_reader_free(&r);
    return rc;
}

static const struct {
    struct pieces p;
    const char *rule;
} refused[] = {
    {{.version = "02(00)"}, "bad-version"},
    {{.version = "02(02)"}, "bad-version"},
    {{.version = "02(0001)"}, "bad-version"},
    {{.version = ""}, "v1-with-extensions"},
    {{.version = "", .exts = ""}, "v1-with-extensions"}, /* in the entry */
    {{.alg = "0500"}, "unexpected-element"},
    {{.alg = "30()"}, "bad-algorithm"},
    {{.alg = "30( 06() )"}, "bad-algorithm"},
    {{.alg = "30( 06(2a864886f70d01010b) 0400 )"}, "bad-algorithm"},
    {{.alg = "30( 06(2a8648ce3d040302) 06(550403) )"}, "bad-algorithm"},
    {{.outer_alg = ECDSA_SHA256}, "algorithm-mismatch"},
    {{.outer_alg = "30( 06(2a864886f70d01010b) )"}, "algorithm-mismatch"},
    {{.issuer = "30()"}, "bad-issuer"},
    {{.issuer = "30( 31() )"}, "bad-issuer"},
    {{.issuer = "30( 30( 30( 06(550403) 0c('CA') ) ) )"}, "bad-issuer"},
    {{.issuer = "30( 31( 30( 06(550403) 0c('CA') 0500 ) ) )"}, "trailing-in-element"},
    {{.issuer = "31( 31( 30( 06(550403) 0c('CA') ) ) )"}, "unexpected-element"},
    {{.this_update = "17('2601010000Z')"}, "bad-time"},
    {{.this_update = "17('260101000000+0100')"}, "bad-time"},
    {{.this_update = "17('260229000000Z')"}, "bad-time"},
    {{.this_update = "17('261301000000Z')"}, "bad-time"},
    {{.this_update = "17('260100000000Z')"}, "bad-time"},
    {{.this_update = "17('260101240000Z')"}, "bad-time"},
    {{.this_update = "17('260101000060Z')"}, "bad-time"},
    {{.this_update = "18('20260101000000.5Z')"}, "bad-time"},
    {{.this_update = "17('2601010000')"}, "bad-time"},
    {{.this_update = "17()"}, "bad-time"},
    {{.this_update = "16('260101000000Z')"}, "unexpected-element"},
    {{.this_update = ""}, NULL}, /* nextUpdate is taken for it: allowed, only without nextUpdate */
    {{.this_update = "", .next_update = ""}, "unexpected-element"},
    {{.next_update = NEXT NEXT}, "unexpected-element"},
    {{.revoked = "30( 30() )"}, "bad-entry"},
    {{.revoked = "30( 0500 )"}, "unexpected-element"},
    {{.revoked = "30( 30( 02() " THIS " ) )"}, "bad-integer"},
    {{.revoked = "30( 30( 02(0005) " THIS " ) )"}, "bad-integer"},
    {{.revoked = "30( 30( 02(ff85) " THIS " ) )"}, "bad-integer"},
    {{.revoked = "30( 30( 04(05) " THIS " ) )"}, "bad-entry"},
    {{.revoked = "30( 30( 02(05) ) )"}, "bad-entry"},
    {{.revoked = "30( 30( 02(05) 17('251331235959Z') ) )"}, "bad-time"},
    {{.revoked = "30( 30( 02(05) 17('25123123595 Z') ) )"}, "bad-time"},
    {{.revoked = "30( 30( 02(05) " THIS " 30() ) )"}, "bad-extension"},
    {{.revoked = "30( 30( 02(05) " THIS " 30( 30( 06(551d15) 04( 0a(01) ) ) ) 0500 ) )"},
     "trailing-in-element"},
    {{.revoked = "30( 30( 02(05) " THIS " 30( 30( 06(551d15) 04( 02(01) ) ) ) ) )"},
     "bad-extension-value"},
    {{.revoked = "30( 30( 02(05) " THIS
                 " 30( 30( 06(551d15) 04( 0a(01) ) ) 30( 06(551d15) 04( 0a(01) ) ) ) ) )"},
     "duplicate-extension"},
    {{.revoked = "30( 30( 02(05) " THIS " 30( 30( 06(551d18) 04( 17('2601010000Z') ) ) ) ) )"},
     "bad-extension-value"},
    {{.exts = "a0( 30() )"}, "bad-extension"},
    {{.exts = "a0()"}, "bad-extension"},
    {{.exts = "a0( 30( " NUMBER_7 " ) 0500 )"}, "trailing-in-element"},
    {{.exts = "a0( 30( " NUMBER_7 NUMBER_7 " ) )"}, "duplicate-extension"},
    {{.exts = "a0( 30( 30( 06(551d14) 04( 02(87) ) ) ) )"}, "bad-number"},
    {{.exts = "a0( 30( 30( 06(551d14) 04( 02(0007) ) ) ) )"}, "bad-integer"},
    {{.exts = "a0( 30( 30( 06(551d14) 04( 02(010203040506070809101112131415161718192021) ) ) ) )"},
     "bad-number"},
    {{.exts = "a0( 30( 30( 06(551d14) 04( 02(07) 0500 ) ) ) )"}, "trailing-in-element"},
    {{.exts = "a0( 30( 30( 06(551d14) 02(07) ) ) )"}, "bad-extension"},
    {{.exts = "a0( 30( 30( 06(551d14) 0101ff 04( 02(07) ) 0500 ) ) )"}, "trailing-in-element"},
    {{.exts = "a0( 30( 30( 06(551d23) 04( 30( 81(00) ) ) ) ) )"}, "bad-extension-value"},
    {{.exts = "a0( 30( 30( 06(551d1c) 04( 30( 8201ff 8101ff ) ) ) ) )"}, "bad-extension-value"},
    {{.exts = "a0( 30( 30( 06(2b0601040182371504) 04( 17('26') ) ) ) )"}, "bad-time"},
    {{.exts = "a0( 30( 30( 06(2b060104018237150e) 04( 30() ) ) ) )"}, "bad-extension-value"},
    {{.exts = "a0( 30( " NUMBER_7 " ) ) 0500"}, "trailing-in-element"}, /* after crlExtensions */
    {{.exts = "a1( 30( " NUMBER_7 " ) )"}, "unexpected-element"},
    {{.signature = "03(01 0102)"}, "bad-signature-value"},
    {{.signature = "03(00)"}, "bad-signature-value"},
    {{.signature = "04(00 0102)"}, "unexpected-element"},
    {{.signature = ""}, "unexpected-element"},
    {{.outer_alg = "", .signature = ""}, "unexpected-element"},
    {{.after_signature = "0500"}, "trailing-in-element"},
    {{.after = "00"}, "trailing-bytes"},
    /* lengths */
    {{.version = "02 8101 01"}, "non-minimal-length"},
    {{.version = "02 80 01 0000"}, "indefinite-length"},
    {{.issuer = "30 82000f 310d300b060355040a0c024341"}, "non-minimal-length"},
    {{.this_update = "17 84ffffffff"}, "element-overrun"},
    {{.this_update = "17 89010101010101010101"}, "length-too-large"},
    {{.revoked = "30( 30 80 )"}, "indefinite-length"},
    {{.revoked = "30( 30 7f 0205 )"}, "element-overrun"},
    {{.exts = "a0( 30( 30( 06(551d14) 04( 02 05 07 ) ) ) )"}, "element-overrun"},
};

static void reader__broken_piece__names_the_rule_for_every_chunking(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct buf b = BUF_INIT;
        struct crl_facts f, g;
        struct err whole = ERR_INIT, one = ERR_INIT;
        enum crl_rule rule = CRL_RULE_OK;
        assemble(&refused[i].p, &b);
        int rc = read_chunks(&b, b.len, &f, &rule, &whole);
        const char *name = rc ? crl_rule_info(rule)->name : "accepted";
        const char *want = refused[i].rule ? refused[i].rule : "accepted";
        if (strcmp(name, want) != 0)
            fail_msg("row %zu: expected %s, found %s (%s)", i, want, name, whole.text);
        for (size_t chunk = 1; chunk <= 7; chunk++) {
            assert_int_equal(read_chunks(&b, chunk, &g, &rule, &one), rc);
            assert_string_equal(one.text, whole.text);
            if (!rc)
                assert_memory_equal(&f, &g, sizeof f);
        }
        buf_free(&b);
    }
}

static void reader__every_cut__is_truncated(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    struct pieces good = {0};
    assemble(&good, &b);
    for (size_t len = 0; len < b.len; len++) {
        struct crl_facts f;
        struct err err = ERR_INIT;
        enum crl_rule rule = CRL_RULE_OK;
        struct buf cut = {.data = b.data, .len = len};
        assert_int_equal(read_chunks(&cut, len ? len : 1, &f, &rule, &err), ERR_PARSE);
        assert_int_equal(rule, CRL_RULE_TRUNCATED);
    }
    buf_free(&b);
}

static void reader__error__tells_offset_rule_expected_and_found(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    struct crl_facts f;
    struct err err = ERR_INIT;
    struct pieces p = {.this_update = "17('260231000000Z')"};
    assemble(&p, &b);
    assert_int_equal(crl_read_memory("x.crl", b.data, b.len, NULL, &f, NULL, &err), ERR_PARSE);
    assert_string_equal(err.text, "'x.crl': at offset 40: bad-time (RFC 5280 section 5.1.2.4): "
                                  "thisUpdate: expected YYMMDDHHMMSSZ, found '260231000000Z'");
    buf_free(&b);
}

static void reader__html_page__says_so(void **state)
{
    (void)state;
    struct crl_facts f;
    struct err err = ERR_INIT;
    assert_int_equal(crl_read_memory("u", "<!DOCTYPE html>", 15, NULL, &f, NULL, &err), ERR_PARSE);
    assert_non_null(strstr(err.text, "an HTML or XML page?"));
}

static void reader__after_error__keeps_it_and_leaves_outputs(void **state)
{
    (void)state;
    struct crl_reader *r = NULL;
    struct crl_facts f;
    struct err err = ERR_INIT, again = ERR_INIT;
    memset(&f, 0x5A, sizeof f);
    assert_int_equal(crl_reader_new("u", NULL, &r, &err), ERR_OK);
    assert_int_equal(crl_reader_feed(r, "x", 1, &err), ERR_PARSE);
    assert_int_equal(crl_reader_feed(r, "\x30", 1, &again), ERR_PARSE);
    assert_string_equal(again.text, err.text);
    assert_int_equal(crl_reader_finish(r, &f, NULL, NULL, &again), ERR_PARSE);
    assert_int_equal(((unsigned char *)&f)[0], 0x5A);
    crl_reader_free(&r);
    assert_null(r);
}

static void reader__limit_of_bytes__is_named(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    struct pieces good = {0};
    struct err err = ERR_INIT;
    struct crl_reader *r = NULL;
    struct crl_reader_options opt = {.max_bytes = 60};
    assemble(&good, &b);
    assert_int_equal(crl_reader_new("u", &opt, &r, &err), ERR_OK);
    assert_int_equal(crl_reader_feed(r, b.data, b.len, &err), ERR_LIMIT);
    assert_string_equal(err.text, "'u' is larger than 60 bytes");
    crl_reader_free(&r);
    buf_free(&b);
}

static const struct {
    struct pieces p;
    uint32_t warning;
} tolerated[] = {
    {{.next_update = ""}, CRL_WARN_NO_NEXT_UPDATE},
    {{.version = "", .exts = "", .revoked = ""}, CRL_WARN_V1},
    {{.revoked = "30()"}, CRL_WARN_EMPTY_REVOKED},
    {{.revoked = "30( 30( 02(00) " THIS " ) )"}, CRL_WARN_SERIAL_NEGATIVE_OR_ZERO},
    {{.revoked = "30( 30( 02(85) " THIS " ) )"}, CRL_WARN_SERIAL_NEGATIVE_OR_ZERO},
    {{.revoked = "30( 30( 02(0102030405060708091011121314151617181920 21) " THIS " ) )"},
     CRL_WARN_SERIAL_LONG},
    {{.this_update = "18('20260101000000Z')"}, CRL_WARN_GENERALIZED_BEFORE_2050},
    {{.revoked = "30( 30( 02(05) 18('20260101000000Z') ) )"}, CRL_WARN_GENERALIZED_BEFORE_2050},
    {{.exts = ""}, CRL_WARN_NO_NUMBER | CRL_WARN_NO_AKI},
    {{.exts = "a0( 30( 30( 06(551d1b) 04( 02(05) ) ) ) )"}, CRL_WARN_DELTA_NOT_CRITICAL},
    {{.exts = "a0( 30( 30( 06(551d1c) 04( 30( 8101ff ) ) ) ) )"}, CRL_WARN_IDP_NOT_CRITICAL},
    {{.exts = "a0( 30( 30( 06(2a03) 0101ff 04( 0500 ) ) ) )"}, CRL_WARN_UNKNOWN_CRITICAL},
    {{.exts = "a0( 30( 30( 06(551d14) 010100 04( 02(07) ) ) ) )"}, CRL_WARN_NOT_DER},
    {{.exts = "a0( 30( 30( 06(551d14) 010101 04( 02(07) ) ) ) )"}, CRL_WARN_NOT_DER},
    {{.alg = "30( 06(2a864886f70d010105) 0500 )"}, CRL_WARN_WEAK_DIGEST},
    {{.alg = "30( 06(2a864886f70d010104) 0500 )"}, CRL_WARN_WEAK_DIGEST},
    {{.alg = "30( 06(2a864886f70d010103) 0500 )"}, CRL_WARN_WEAK_DIGEST}, /* MD4: known by name */
    {{.alg = "30( 06(2a864886f70d01010b) )"}, CRL_WARN_ALG_PARAMETERS},
    {{.next_update = "17('251201000000Z')"}, CRL_WARN_NEXT_BEFORE_THIS},
    {{.revoked = "30( 30( 02(05) " THIS " 30( 30( 06(551d15) 04( 0a(07) ) ) ) ) )"},
     CRL_WARN_REASON_UNKNOWN},
    {{.revoked = "30( 30( 02(05) " THIS " 30( 30( 06(551d1d) 0101ff 04( 30() ) ) ) ) )"},
     CRL_WARN_OTHER_ISSUER},
    {{.revoked = "30( 30( 02(05) " THIS " 30( 30( 06(551d18) 04( 17('260101000000Z') ) ) ) ) )"},
     CRL_WARN_INVALIDITY_UTC},
};

static void reader__tolerated_breakage__is_a_warning(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tolerated / sizeof tolerated[0]; i++) {
        struct buf b = BUF_INIT;
        struct crl_facts f;
        struct err err = ERR_INIT;
        assemble(&tolerated[i].p, &b);
        if (crl_read_memory("u", b.data, b.len, NULL, &f, NULL, &err))
            fail_msg("row %zu: %s", i, err.text);
        if ((f.warnings & tolerated[i].warning) != tolerated[i].warning)
            fail_msg("row %zu: expected warning 0x%x, found 0x%x", i, tolerated[i].warning,
                     f.warnings);
        buf_free(&b);
    }
}

static void reader__good_pieces__give_the_facts(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    struct crl_facts f;
    struct err err = ERR_INIT;
    struct pieces p = {
        .exts = "a0( 30( 30( 06(551d23) 04( 30( 80(a1a2a3) ) ) ) " NUMBER_7
                "30( 06(551d1b) 0101ff 04( 02(05) ) )"
                "30( 06(551d1c) 0101ff 04( 30( a0( a0( 86('http://a/b.crl') ) ) 8101ff 8401ff ) ) )"
                "30( 06(551d2e) 04( 30( 30( a0( a0( 86('http://a/d.crl') ) ) ) ) ) )"
                "30( 06(2b060104018237150e) 04( 30( 30( a0( a0( 86('ldap:///x') ) ) ) "
                "30( a0( a0( 86('file://y') ) ) ) ) ) )"
                "30( 06(2b0601040182371501) 04( 02(020003) ) )"
                "30( 06(2b0601040182371503) 04( 02(04) ) )"
                "30( 06(2b0601040182371504) 04( 17('260131000000Z') ) ) ) )"};
    assemble(&p, &b);
    if (crl_read_memory("u", b.data, b.len, NULL, &f, NULL, &err))
        fail_msg("%s", err.text);
    assert_int_equal(f.version, 2);
    assert_string_equal(f.issuer, "CN=CA");
    assert_string_equal(f.signature_name, "sha256WithRSAEncryption");
    assert_string_equal(f.signature_oid, "1.2.840.113549.1.1.11");
    assert_int_equal(f.this_update, 1767225600);
    assert_int_equal(f.next_update, 1769904000);
    assert_int_equal(f.next_publish, 1769817600);
    assert_int_equal(f.number.len, 1);
    assert_int_equal(f.number.bytes[0], 7);
    assert_true(crl_is_delta(&f));
    assert_int_equal(f.delta_base.bytes[0], 5);
    assert_int_equal(f.virtual_base.bytes[0], 4);
    assert_true(f.has_ca_version);
    assert_int_equal(f.ca_version, 0x20003);
    assert_int_equal(f.aki_len, 3);
    assert_int_equal(f.idp_scope, CRL_IDP_USER | CRL_IDP_INDIRECT);
    assert_string_equal(f.idp.url[0], "http://a/b.crl");
    assert_string_equal(f.freshest.url[0], "http://a/d.crl");
    assert_int_equal(f.published.count, 2);
    assert_string_equal(f.published.url[1], "file://y");
    assert_int_equal(f.entries, 1);
    assert_int_equal(f.reason[1], 1);
    assert_int_equal(f.entries_without_reason, 0);
    assert_int_equal(f.earliest_revocation, 1767225599);
    assert_int_equal(f.latest_revocation, 1767225599);
    assert_int_equal(f.bytes, b.len);
    assert_int_equal(f.warnings, 0);
    assert_int_equal(f.tbs_digest_len, 32);
    buf_free(&b);
}

static void reader__pem__decodes_and_says_so(void **state)
{
    (void)state;
    struct buf der = BUF_INIT, pem = BUF_INIT, crlf = BUF_INIT;
    struct crl_facts a, b;
    struct err err = ERR_INIT;
    enum crl_rule rule;
    struct pieces good = {0};
    assemble(&good, &der);
    pki_crl_pem(&der, &pem);
    buf_puts(&crlf, "\xEF\xBB\xBF\r\n");
    for (size_t i = 0; i < pem.len; i++)
        buf_puts(&crlf, pem.data[i] == '\n' ? "\r\n" : (char[]){pem.data[i], 0});
    assert_int_equal(read_chunks(&der, der.len, &a, &rule, &err), ERR_OK);
    a.warnings |= CRL_WARN_PEM;
    for (size_t chunk = 1; chunk < 70; chunk += 3) {
        assert_int_equal(read_chunks(&pem, chunk, &b, &rule, &err), ERR_OK);
        assert_memory_equal(&a, &b, sizeof a);
        assert_int_equal(read_chunks(&crlf, chunk, &b, &rule, &err), ERR_OK);
        assert_memory_equal(&a, &b, sizeof a);
    }
    buf_free(&der);
    buf_free(&pem);
    buf_free(&crlf);
}

static void reader__broken_pem__is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        "-----BEGIN X509 CRL-----\nMA*=\n-----END X509 CRL-----\n",
        "-----BEGIN X509 CRL-----\nMAA\n-----END X509 CRL-----\n",
        "-----BEGIN X509 CRL-----\nM===\n-----END X509 CRL-----\n",
        "-----BEGIN X509 CRL-----\n=AAA\n-----END X509 CRL-----\n",
        "-----BEGIN X509 CRL-----\nMD==AA\n-----END X509 CRL-----\n",
        "-----BEGIN X509 CRL-----\nMAAA",
        " \n -x",
        "\n\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buf b = {.data = (char *)(uintptr_t)texts[i], .len = strlen(texts[i])};
        struct crl_facts f;
        struct err whole = ERR_INIT, one = ERR_INIT;
        enum crl_rule rule;
        assert_int_equal(read_chunks(&b, b.len, &f, &rule, &whole), ERR_PARSE);
        assert_int_equal(read_chunks(&b, 1, &f, &rule, &one), ERR_PARSE);
        assert_string_equal(whole.text, one.text);
    }
}

static int count_entry(void *arg, const struct crl_entry *e)
{
    size_t *n = arg;
    assert_true(e->serial_len >= 1);
    return ++*n == 3 ? 1 : 0;
}

static void reader__callback_stops__is_cancelled(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    size_t n = 0;
    struct crl_reader_options opt = {.on_entry = count_entry, .arg = &n};
    struct crl_reader *r = NULL;
    struct err err = ERR_INIT;
    struct pieces p = {.revoked = "30(" ENTRY ENTRY ENTRY ENTRY ENTRY ")"};
    assemble(&p, &b);
    assert_int_equal(crl_reader_new("u", &opt, &r, &err), ERR_OK);
    assert_int_equal(crl_reader_feed(r, b.data, b.len, &err), ERR_CANCELLED);
    assert_int_equal(n, 3);
    crl_reader_free(&r);
    buf_free(&b);
}

static void documentation__names_every_rule_and_warning(void **state)
{
    (void)state;
    struct buf page = BUF_INIT;
    struct err err = ERR_INIT;
    char want[128];
    assert_int_equal(file_read(TEST_CORPUS "/../../docs/crl-engine.md", 1u << 20, &page, &err), 0);
    for (int i = 1; i < CRL_RULE_COUNT; i++) {
        const struct crl_rule_info *r = crl_rule_info((enum crl_rule)i);
        snprintf(want, sizeof want, "| `%s` | %s |", r->name, r->reference);
        if (!strstr(buf_str(&page), want))
            fail_msg("docs/crl-engine.md lacks: %s", want);
    }
    for (unsigned i = 0; i < CRL_WARN_COUNT; i++) {
        snprintf(want, sizeof want, "| `%s` |", crl_warning_name((enum crl_warning)(1u << i)));
        if (!strstr(buf_str(&page), want))
            fail_msg("docs/crl-engine.md lacks: %s", want);
    }
    buf_free(&page);
}

static void number__compare_and_format(void **state)
{
    (void)state;
    char text[48];
    struct crl_number none = {0}, zero = {1, {0}}, small = {1, {255}}, big = {2, {1, 0}};
    struct crl_number huge = {20, {0x7F}};
    assert_int_equal(crl_number_compare(&none, &zero), -1);
    assert_int_equal(crl_number_compare(&big, &small), 1);
    assert_int_equal(crl_number_compare(&big, &big), 0);
    assert_string_equal(crl_number_format(&none, text), "-");
    assert_string_equal(crl_number_format(&zero, text), "0");
    assert_string_equal(crl_number_format(&big, text), "256");
    assert_string_equal(crl_number_format(&huge, text),
                        "0x7f00000000000000000000000000000000000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader__broken_piece__names_the_rule_for_every_chunking),
        cmocka_unit_test(reader__every_cut__is_truncated),
        cmocka_unit_test(reader__error__tells_offset_rule_expected_and_found),
        cmocka_unit_test(reader__html_page__says_so),
        cmocka_unit_test(reader__after_error__keeps_it_and_leaves_outputs),
        cmocka_unit_test(reader__limit_of_bytes__is_named),
        cmocka_unit_test(reader__broken_pem__is_refused),
        cmocka_unit_test(reader__tolerated_breakage__is_a_warning),
        cmocka_unit_test(reader__good_pieces__give_the_facts),
        cmocka_unit_test(reader__pem__decodes_and_says_so),
        cmocka_unit_test(reader__callback_stops__is_cancelled),
        cmocka_unit_test(number__compare_and_format),
        cmocka_unit_test(documentation__names_every_rule_and_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
