/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Locations that a certificate names. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cdp/locations.h"
#include "cdp/url.h"
#include "crl/x509.h"

struct found {
    struct locations *l;
    uint32_t origin, key_index;
    uint8_t level;
    uint32_t cdp_urls; /* in the CDP extension, also those that cannot be used */
    struct err *err;
};

/* Of several certificates that name the URL the one with most. */
static void note_company(const struct found *f, const char *url)
{
    for (size_t i = 0; i < f->l->n; i++) {
        struct probe_target *t = &f->l->item[i];
        if (t->role == ROLE_CRL_BASE && t->key_index == f->key_index && t->parent == f->level &&
            t->named_with < f->cdp_urls && url_same(t->url, url))
            t->named_with = f->cdp_urls;
    }
}

/* The parent's CRL of a CA certificate is another key's: it stays apart by FROM_PARENT. */
static int add_name(struct found *f, const GENERAL_NAME *name, enum location_role role,
                    uint32_t origin)
{
    char url[LIMIT_URL_CHARS + 1], why[80];
    if (name->type != GEN_URI)
        return ERR_OK;
    int len = ASN1_STRING_length(name->d.uniformResourceIdentifier);
    if (len < 0 || (size_t)len >= sizeof url) {
        const struct probe_target like = {
            .role = role, .origin = origin, .key_index = f->key_index};
        snprintf(why, sizeof why, "the URL has %d characters, the limit is %u", len,
                 LIMIT_URL_CHARS);
        locations_skip(f->l, "(a URL that is too long)", &like, SKIP_UNUSABLE, why);
        return ERR_OK;
    }
    memcpy(url, ASN1_STRING_get0_data(name->d.uniformResourceIdentifier), (size_t)len);
    url[len] = '\0';
    int rc = locations_add_parent_url(f->l, url, role, origin, f->key_index, f->level, f->err);
    if (!rc && role == ROLE_CRL_BASE)
        note_company(f, url);
    return rc == ERR_NOMEM || f->l->n >= LIMIT_LOCATIONS ? rc : ERR_OK;
}

static uint32_t count_cdp_urls(X509 *cert)
{
    CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
    uint32_t n = 0;
    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT *p = sk_DIST_POINT_value(points, i);
        if (!p->distpoint || p->distpoint->type != 0)
            continue;
        const GENERAL_NAMES *names = p->distpoint->name.fullname;
        for (int k = 0; k < sk_GENERAL_NAME_num(names); k++)
            n += sk_GENERAL_NAME_value(names, k)->type == GEN_URI;
    }
    CRL_DIST_POINTS_free(points);
    return n;
}

static int add_points(struct found *f, X509 *cert, int nid, enum location_role role,
                      uint32_t origin)
{
    CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, nid, NULL, NULL);
    int rc = ERR_OK;
    for (int i = 0; !rc && i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT *p = sk_DIST_POINT_value(points, i);
        if (!p->distpoint || p->distpoint->type != 0)
            continue;
        const GENERAL_NAMES *names = p->distpoint->name.fullname;
        for (int k = 0; !rc && k < sk_GENERAL_NAME_num(names); k++)
            rc = add_name(f, sk_GENERAL_NAME_value(names, k), role, origin);
    }
    CRL_DIST_POINTS_free(points);
    return rc;
}

static int add_access(struct found *f, X509 *cert)
{
    AUTHORITY_INFO_ACCESS *list = X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
    int rc = ERR_OK;
    for (int i = 0; !rc && i < sk_ACCESS_DESCRIPTION_num(list); i++) {
        const ACCESS_DESCRIPTION *d = sk_ACCESS_DESCRIPTION_value(list, i);
        int nid = OBJ_obj2nid(d->method);
        if (nid == NID_ad_OCSP)
            rc = add_name(f, d->location, ROLE_OCSP, f->origin);
        else if (nid == NID_ad_ca_issuers)
            rc = add_name(f, d->location, ROLE_AIA, f->origin);
    }
    AUTHORITY_INFO_ACCESS_free(list);
    return rc;
}

static int add_certificate(struct found f, const void *data, size_t len, struct err *err)
{
    if (len > LIMIT_CERT_BYTES)
        return err_set(err, ERR_LIMIT, "the certificate has %zu bytes, the limit is %u", len,
                       LIMIT_CERT_BYTES);
    SCOPED(x509_free) X509 *cert = x509_read(data, len);
    if (!cert)
        return err_set(err, ERR_PARSE,
                       "expected a certificate (PEM or DER), found none in %zu "
                       "bytes",
                       len);
    f.cdp_urls = count_cdp_urls(cert);
    int rc = add_points(&f, cert, NID_crl_distribution_points, ROLE_CRL_BASE, f.origin);
    if (!rc)
        rc = add_points(&f, cert, NID_freshest_crl, ROLE_CRL_DELTA, f.origin | FROM_FRESHEST);
    return rc ? rc : add_access(&f, cert);
}

int locations_add_certificate(struct locations *l, const void *data, size_t len, uint32_t origin,
                              uint32_t key_index, struct err *err)
{
    const struct found f = {l, origin, key_index, (origin & FROM_PARENT) != 0, 0, err};
    return add_certificate(f, data, len, err);
}

int locations_add_parent(struct locations *l, const void *data, size_t len, uint32_t key_index,
                         uint8_t level, struct err *err)
{
    const struct found f = {l, FROM_PARENT, key_index, level, 0, err};
    return add_certificate(f, data, len, err);
}
