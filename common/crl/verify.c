/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Who signed, and does the signature verify. The signer is chosen among the given CA certificates
 * by name and authority key identifier; when no key identifier matches, every key of that name is
 * tried (relying parties do so when identifiers were made by another method), and that is a
 * warning. */
#include <string.h>

#include "crl/issuers_int.h"
#include "crl/reader_int.h"

const char *crl_signature_name(enum crl_signature s)
{
    static const char *const names[] = {[CRL_SIG_NOT_CHECKED] = "not-checked",
                                        [CRL_SIG_GOOD] = "good",
                                        [CRL_SIG_BAD] = "bad",
                                        [CRL_SIG_NO_ISSUER] = "no-issuer",
                                        [CRL_SIG_UNSUPPORTED] = "unsupported"};
    return (unsigned)s < ARRAY_LEN(names) ? names[s] : "unknown";
}

static void ctx_free(EVP_PKEY_CTX **c)
{
    EVP_PKEY_CTX_free(*c);
}

static void md_ctx_free(EVP_MD_CTX **c)
{
    EVP_MD_CTX_free(*c);
}

static bool rsa_setup(EVP_PKEY_CTX *ctx, const struct sigalg *a)
{
    if (!a->pss)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, a->mgf1) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, a->salt_len) > 0;
}

/* Signature over a digest: RSA, ECDSA, DSA. */
static bool verify_digest(const struct crl_reader *r, EVP_PKEY *key)
{
    SCOPED(ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool rsa = r->alg.pss || r->alg.key_nid == EVP_PKEY_RSA;
    if (!ctx || EVP_PKEY_verify_init(ctx) <= 0 || (rsa && !rsa_setup(ctx, &r->alg)) ||
        EVP_PKEY_CTX_set_signature_md(ctx, r->alg.md) <= 0)
        return false;
    return EVP_PKEY_verify(ctx, (const unsigned char *)r->signature.data, r->signature.len,
                           r->facts.tbs_digest, r->facts.tbs_digest_len) == 1;
}

/* Signature over the message: Ed25519, Ed448, ML-DSA. */
static bool verify_message(const struct crl_reader *r, EVP_PKEY *key)
{
    SCOPED(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) <= 0)
        return false;
    return EVP_DigestVerify(ctx, (const unsigned char *)r->signature.data, r->signature.len,
                            (const unsigned char *)buf_str(&r->held), r->held.len) == 1;
}

static bool key_fits(const struct sigalg *a, EVP_PKEY *key)
{
    int id = key ? EVP_PKEY_get_base_id(key) : NID_undef;
    if (a->pss)
        return id == EVP_PKEY_RSA || id == EVP_PKEY_RSA_PSS;
    if (id > 0)
        return id == a->key_nid;
    /* Algorithms of providers have no number of their own on the key. */
    return key && EVP_PKEY_is_a(key, OBJ_nid2sn(a->key_nid));
}

static bool name_matches(const struct crl_reader *r, const struct crl_issuer *c, X509_NAME *issuer)
{
    const unsigned char *der = NULL;
    size_t len = 0;
    X509_NAME *subject = X509_get_subject_name(c->cert);
    if (X509_NAME_get0_der(subject, &der, &len) && len == r->facts.issuer_der_len &&
        memcmp(der, r->facts.issuer_der, len) == 0)
        return true;
    return issuer && X509_NAME_cmp(subject, issuer) == 0;
}

static bool aki_matches(const struct crl_facts *f, const struct crl_issuer *c)
{
    if (c->ski_len)
        return c->ski_len == f->aki_len && memcmp(c->ski, f->aki, f->aki_len) == 0;
    return f->aki_len == sizeof c->key_sha1 && memcmp(c->key_sha1, f->aki, f->aki_len) == 0;
}

/* RFC 5280 section 6.3.3 (f): with a key usage extension, cRLSign must be in it. */
static bool may_sign(const struct crl_issuer *c)
{
    return (X509_get_key_usage(c->cert) & KU_CRL_SIGN) != 0;
}

static bool try_key(const struct crl_reader *r, const struct crl_issuer *c)
{
    EVP_PKEY *key = X509_get0_pubkey(c->cert);
    bool good =
        key_fits(&r->alg, key) && (r->alg.md ? verify_digest(r, key) : verify_message(r, key));
    ERR_clear_error();
    return good;
}

struct candidates {
    size_t named, keyed, tried, unusable;
    bool good;
};

static void try_all(struct crl_reader *r, X509_NAME *issuer, bool by_key, struct candidates *c)
{
    const struct crl_issuers *set = r->opt.issuers;
    for (size_t i = 0; i < set->n && !c->good; i++) {
        const struct crl_issuer *item = &set->item[i];
        if (!name_matches(r, item, issuer))
            continue;
        c->named++;
        if (by_key && !aki_matches(&r->facts, item))
            continue;
        c->keyed++;
        if (!may_sign(item)) {
            c->unusable++;
            continue;
        }
        c->tried++;
        c->good = try_key(r, item);
        if (c->good)
            memcpy(r->facts.signer, item->key_sha1, sizeof r->facts.signer);
    }
}

static enum crl_signature unsupported(const struct crl_reader *r, struct err *why)
{
    if (r->held_over)
        err_set(why, ERR_LIMIT,
                "%s signs the whole message: %llu bytes would have to be kept, at most %llu are",
                r->alg.name, (unsigned long long)r->facts.tbs_bytes,
                (unsigned long long)r->opt.max_held_bytes);
    else
        err_set(why, ERR_UNSUPPORTED, "signature algorithm %s is not known to this build",
                r->alg.name);
    return CRL_SIG_UNSUPPORTED;
}

static enum crl_signature no_issuer(const struct crl_reader *r, const struct candidates *by_name,
                                    struct err *why)
{
    char aki[2 * sizeof r->facts.aki + 1] = "";
    for (size_t i = 0; i < r->facts.aki_len; i++)
        snprintf(aki + 2 * i, 3, "%02x", r->facts.aki[i]);
    if (by_name->named == 0)
        err_set(why, ERR_NOT_FOUND, "none of the %zu given CA certificates is named '%s'",
                r->opt.issuers->n, r->facts.issuer);
    else if (by_name->unusable == by_name->keyed)
        err_set(why, ERR_NOT_FOUND,
                "the key usage of '%s' does not allow signing CRLs (RFC 5280 section 6.3.3)",
                r->facts.issuer);
    else
        err_set(why, ERR_NOT_FOUND,
                "of the %zu CA certificates named '%s' none has the key identifier %s",
                by_name->named, r->facts.issuer, aki[0] ? aki : "(none in the CRL)");
    return CRL_SIG_NO_ISSUER;
}

enum crl_signature crl_verify(struct crl_reader *r, struct err *why)
{
    struct candidates keyed = {0}, named = {0};
    if (!r->alg.known || r->held_over)
        return unsupported(r, why);
    const unsigned char *p = r->facts.issuer_der;
    X509_NAME *issuer = d2i_X509_NAME(NULL, &p, r->facts.issuer_der_len);
    if (r->facts.aki_len)
        try_all(r, issuer, true, &keyed);
    if (!keyed.tried)
        try_all(r, issuer, false, &named);
    X509_NAME_free(issuer);
    ERR_clear_error();
    if (keyed.good || named.good) {
        if (named.good && r->facts.aki_len)
            r->facts.warnings |= CRL_WARN_KEY_BY_NAME;
        return CRL_SIG_GOOD;
    }
    if (keyed.tried || (named.tried && !r->facts.aki_len)) {
        err_set(why, ERR_CRYPTO, "the %s signature does not verify with the key of '%s'",
                r->alg.name, r->facts.issuer);
        return CRL_SIG_BAD;
    }
    return no_issuer(r, &named, why);
}
