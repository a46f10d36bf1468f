/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "crl/sigalg.h"

#include <string.h>

#include "base/str.h"

static int nid_of_oid(const struct der_tlv *oid)
{
    const unsigned char *p = oid->raw;
    ASN1_OBJECT *obj = d2i_ASN1_OBJECT(NULL, &p, (long)oid->raw_len);
    int nid = obj ? OBJ_obj2nid(obj) : NID_undef;
    ASN1_OBJECT_free(obj);
    return nid;
}

/* AlgorithmIdentifier of a digest: OID, and NULL or nothing. */
static int digest_read(struct der d, const EVP_MD **ret)
{
    struct der_tlv seq, oid, null;
    int rc = der_expect(&d, DER_SEQUENCE, &seq);
    if (!rc)
        rc = der_done(&d);
    if (!rc)
        rc = der_expect(&seq.body, DER_OID, &oid);
    if (!rc && der_left(&seq.body))
        rc = der_expect(&seq.body, DER_NULL, &null);
    if (!rc)
        rc = der_done(&seq.body);
    if (rc)
        return rc;
    *ret = EVP_get_digestbynid(nid_of_oid(&oid));
    return CRL_RULE_OK;
}

static int mgf1_read(struct der d, const EVP_MD **ret)
{
    struct der_tlv seq, oid;
    int rc = der_expect(&d, DER_SEQUENCE, &seq);
    if (!rc)
        rc = der_expect(&seq.body, DER_OID, &oid);
    if (!rc && nid_of_oid(&oid) != NID_mgf1)
        rc = CRL_RULE_ALGORITHM;
    return rc ? rc : digest_read(seq.body, ret);
}

static int small_integer(struct der d, int *ret)
{
    struct der_tlv t;
    int rc = der_expect(&d, DER_INTEGER, &t);
    if (!rc)
        rc = der_done(&d);
    if (!rc)
        rc = der_integer_check(t.body.p, der_left(&t.body));
    if (rc)
        return rc;
    if (der_left(&t.body) > 2 || t.body.p[0] >= 0x80)
        return CRL_RULE_ALGORITHM;
    *ret = 0;
    for (const uint8_t *p = t.body.p; p < t.body.end; p++)
        *ret = *ret << 8 | *p;
    return CRL_RULE_OK;
}

/* RSASSA-PSS-params (RFC 4055 section 3.1): all four fields are optional and default to SHA-1. */
static int pss_read(struct der d, struct sigalg *a)
{
    struct der_tlv seq, t;
    int trailer = 1;
    a->md = a->mgf1 = EVP_sha1();
    a->salt_len = 20;
    int rc = der_expect(&d, DER_SEQUENCE, &seq);
    if (!rc)
        rc = der_done(&d);
    for (uint8_t tag = 0; !rc && tag < 4; tag++) {
        if (!der_tag_is(&seq.body, DER_CONTEXT_0 | tag))
            continue;
        rc = der_next(&seq.body, &t);
        if (rc)
            break;
        rc = tag == 0   ? digest_read(t.body, &a->md)
             : tag == 1 ? mgf1_read(t.body, &a->mgf1)
             : tag == 2 ? small_integer(t.body, &a->salt_len)
                        : small_integer(t.body, &trailer);
    }
    if (!rc)
        rc = der_done(&seq.body);
    if (!rc && trailer != 1)
        rc = CRL_RULE_ALGORITHM;
    a->known = a->md && a->mgf1;
    return rc;
}

static bool is_null(struct der d)
{
    return der_left(&d) == 2 && d.p[0] == DER_NULL && d.p[1] == 0;
}

static int parameters_read(struct der rest, struct sigalg *a, const char **ret_what)
{
    if (a->nid == NID_rsassaPss) {
        *ret_what = "RSASSA-PSS parameters (RFC 4055 section 3.1)";
        a->pss = true;
        return pss_read(rest, a);
    }
    if (a->key_nid == NID_rsaEncryption) {
        *ret_what = "the parameters of an RSA signature are NULL (RFC 4055 section 5)";
        a->lax_parameters = der_left(&rest) == 0;
        return a->lax_parameters || is_null(rest) ? CRL_RULE_OK : CRL_RULE_ALGORITHM;
    }
    *ret_what = "this algorithm has no parameters (RFC 5758 section 3.2, RFC 8410, RFC 9881)";
    if (a->key_nid == NID_X9_62_id_ecPublicKey && is_null(rest)) {
        a->lax_parameters = true; /* seen from old issuers; OpenSSL and Windows accept it */
        return CRL_RULE_OK;
    }
    return der_left(&rest) == 0 ? CRL_RULE_OK : CRL_RULE_ALGORITHM;
}

int sigalg_read(struct der body, struct sigalg *ret, const char **ret_what)
{
    struct sigalg a = {0};
    struct der_tlv oid;
    int md_nid = NID_undef;
    *ret_what = "AlgorithmIdentifier begins with an OID";
    int rc = der_expect(&body, DER_OID, &oid);
    if (!rc)
        rc = der_oid_check(oid.body.p, der_left(&oid.body));
    if (rc)
        return rc;
    der_oid_text(oid.body.p, der_left(&oid.body), a.oid, sizeof a.oid);
    a.nid = nid_of_oid(&oid);
    const char *name = a.nid == NID_undef ? NULL : OBJ_nid2ln(a.nid);
    str_copy(a.name, sizeof a.name, name ? name : a.oid);
    if (a.nid == NID_undef || !OBJ_find_sigid_algs(a.nid, &md_nid, &a.key_nid)) {
        *ret_what = "parameters are one well-formed element at most";
        rc = der_check_deep(body, 16);
    } else {
        if (md_nid != NID_undef)
            a.md = EVP_get_digestbynid(md_nid);
        a.known = md_nid == NID_undef || a.md;
        rc = parameters_read(body, &a, ret_what);
    }
    if (rc)
        return rc;
    a.weak = a.md && (EVP_MD_get_type(a.md) == NID_sha1 || EVP_MD_get_type(a.md) == NID_md5 ||
                      EVP_MD_get_type(a.md) == NID_md4);
    *ret = a;
    return CRL_RULE_OK;
}
