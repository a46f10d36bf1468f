/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "cdp/climb.h"

#include <string.h>

#include "base/str.h"
#include "cdp/blob.h"
#include "cdp/url.h"
#include "crl/reader.h"
#include "crl/x509.h"

void climb_free(struct climb *c)
{
    for (size_t i = 0; i < CLIMB_LEVELS; i++)
        buf_free(&c->cert[i]);
    c->n = 0;
}

static X509 *parse(const struct buf *der)
{
    const unsigned char *p = (const unsigned char *)buf_str(der);
    X509 *cert = d2i_X509(NULL, &p, (long)der->len);
    ERR_clear_error();
    return cert;
}

static bool signed_by(X509 *cert, X509 *issuer)
{
    bool yes = X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) == 0 &&
               X509_verify(cert, X509_get0_pubkey(issuer)) == 1;
    ERR_clear_error();
    return yes;
}

/* Among DER certificates one after the other; DER of the one that signed goes to ret. */
static bool find_in(const struct buf *certs, X509 *child, struct buf *ret)
{
    const unsigned char *p = (const unsigned char *)buf_str(certs), *end = p + certs->len;
    while (p < end) {
        const unsigned char *from = p;
        SCOPED(x509_free) X509 *cert = d2i_X509(NULL, &p, (long)(end - p));
        ERR_clear_error();
        if (!cert)
            return false;
        if (signed_by(child, cert))
            return buf_add(ret, from, (size_t)(p - from)) == 0;
    }
    return false;
}

static int find_known(const struct crl_issuers *issuers, X509 *child, struct buf *ret,
                      struct err *err)
{
    SCOPED(buf_free) struct buf certs = BUF_INIT;
    int rc = crl_issuers_export(issuers, &certs, err);
    if (!rc && !find_in(&certs, child, ret))
        rc = ERR_NOT_FOUND;
    return rc;
}

/* The first AIA location that serves a certificate which signed the child. */
static int find_at_aia(const struct locations *names, X509 *child, const struct climb_fetch *fetch,
                       struct buf *ret, struct err *err)
{
    for (size_t i = 0; fetch && i < names->n; i++) {
        SCOPED(buf_free) struct buf data = BUF_INIT;
        SCOPED(buf_free) struct buf certs = BUF_INIT;
        const char *url = names->item[i].url;
        if (names->item[i].role != ROLE_AIA)
            continue;
        err_clear(err);
        if (!url_may_follow(url)) {
            err_set(err, ERR_DENIED, "%s: a certificate does not send this host there", url);
            continue;
        }
        if (fetch->get(fetch->self, url, &data, err) ||
            blob_certificates(buf_str(&data), data.len, &certs, err)) {
            err_context(err, "%s", url);
            continue;
        }
        if (find_in(&certs, child, ret)) {
            err_clear(err);
            return ERR_OK;
        }
        err_set(err, ERR_NOT_FOUND, "%s: what is there did not sign the certificate below", url);
    }
    return ERR_NOT_FOUND;
}

/* Where the walk ends for want of a certificate; the text names whose. */
static void missing(struct climb *c, X509 *child, const struct err *detail)
{
    char name[256];
    X509_NAME_oneline(X509_get_issuer_name(child), name, sizeof name);
    err_set(&c->why, ERR_NOT_FOUND, "the certificate of '%s' is not known%s%.500s", name,
            detail->code ? ": " : " and no AIA location was asked", detail->text);
}

/* ERR_OK: the next certificate is c->cert[c->n]. ERR_NOT_FOUND: the end. */
static int step_up(struct climb *c, X509 *child, const struct locations *names,
                   struct crl_issuers **issuers, const struct climb_fetch *fetch, struct err *err)
{
    struct buf *next = &c->cert[c->n];
    struct err detail = ERR_INIT;
    int rc = find_known(*issuers, child, next, err);
    if (rc != ERR_NOT_FOUND)
        return rc;
    rc = find_at_aia(names, child, fetch, next, &detail);
    if (!rc)
        return crl_issuers_add(issuers, "AIA", next->data, next->len, err);
    missing(c, child, &detail);
    return rc;
}

/* The same certificate again: two CAs that signed each other. */
static bool seen_before(const struct climb *c)
{
    const struct buf *last = &c->cert[c->n];
    for (size_t i = 0; i < c->n; i++) {
        if (c->cert[i].len == last->len && memcmp(c->cert[i].data, last->data, last->len) == 0)
            return true;
    }
    return false;
}

static int climb_one(struct climb *c, struct locations *l, uint32_t key_index,
                     struct crl_issuers **issuers, const struct climb_fetch *fetch, struct err *err)
{
    const struct buf *at = &c->cert[c->n - 1];
    SCOPED(locations_free) struct locations names = {0};
    SCOPED(x509_free) X509 *cert = parse(at);
    if (!cert)
        return err_set(err, ERR_PARSE, "expected a certificate, found none in %zu bytes", at->len);
    if (signed_by(cert, cert)) {
        c->rooted = true;
        return ERR_NOT_FOUND;
    }
    int rc = locations_add_parent(l, at->data, at->len, key_index, (uint8_t)c->n, err);
    if (!rc)
        rc = locations_add_parent(&names, at->data, at->len, key_index, (uint8_t)c->n, err);
    if (!rc && c->n == CLIMB_LEVELS) {
        err_set(&c->why, ERR_LIMIT, "no root after %d certificates", CLIMB_LEVELS);
        return ERR_NOT_FOUND;
    }
    if (!rc)
        rc = step_up(c, cert, &names, issuers, fetch, err);
    if (!rc && seen_before(c)) {
        err_set(&c->why, ERR_LIMIT, "the certificates above lead back to themselves");
        return ERR_NOT_FOUND;
    }
    return rc;
}

static int to_der(const void *cert, size_t len, struct buf *ret, struct err *err)
{
    SCOPED(buf_free) struct buf all = BUF_INIT;
    int rc = blob_certificates(cert, len, &all, err);
    const unsigned char *p = (const unsigned char *)buf_str(&all), *from = p;
    X509 *x = rc ? NULL : d2i_X509(NULL, &p, (long)all.len);
    if (x && buf_add(ret, from, (size_t)(p - from)))
        rc = buf_check(ret, "a certificate", err);
    X509_free(x);
    return rc;
}

int locations_climb(struct locations *l, const void *cert, size_t len, uint32_t key_index,
                    struct crl_issuers **issuers, const struct climb_fetch *fetch,
                    struct climb *ret, struct err *err)
{
    int rc = to_der(cert, len, &ret->cert[0], err);
    for (ret->n = rc ? 0 : 1; !rc;) {
        rc = climb_one(ret, l, key_index, issuers, fetch, err);
        if (!rc)
            ret->n++;
    }
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}
