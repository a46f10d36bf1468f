/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Which certificate each OCSP responder is asked about. */
#include "cdp/locations.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct candidate {
    const struct ocsp_subject *subject;
    struct locations names; /* what its AIA and CDP name */
    uint8_t request[OCSP_REQUEST_MAX];
    uint16_t len; /* 0 = its issuer is not known */
};

static bool names_url(const struct candidate *c, const char *url)
{
    for (size_t i = 0; i < c->names.n; i++) {
        if (c->names.item[i].role == ROLE_OCSP && strcmp(c->names.item[i].url, url) == 0)
            return true;
    }
    return false;
}

static bool fits(const struct candidate *c, const struct probe_target *t)
{
    return c->len && c->subject->key_index == t->key_index && c->subject->parent == t->parent;
}

static void equip(struct probe_target *t, const struct candidate *c, size_t n)
{
    const struct candidate *best = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!fits(&c[i], t))
            continue;
        if (!best)
            best = &c[i];
        if (names_url(&c[i], t->url)) {
            best = &c[i];
            break;
        }
    }
    if (!best)
        return;
    memcpy(t->ocsp_request, best->request, best->len);
    t->ocsp_request_len = best->len;
}

static int prepare(struct candidate *c, const struct ocsp_subject *s,
                   const struct crl_issuers *issuers, bool nonce, struct err *err)
{
    struct err why = ERR_INIT;
    c->subject = s;
    int rc = locations_add_certificate(&c->names, s->cert, s->len, FROM_CERTIFICATE, 0, &why);
    if (!rc)
        rc = ocsp_request_make(s->cert, s->len, issuers, nonce, c->request, &c->len, &why);
    return rc == ERR_NOMEM ? err_nomem(err) : ERR_OK;
}

int locations_ask_ocsp(struct locations *l, const struct ocsp_subject *subject, size_t n,
                       const struct crl_issuers *issuers, bool nonce, struct err *err)
{
    size_t wanted = 0;
    for (size_t i = 0; i < l->n; i++)
        wanted += l->item[i].role == ROLE_OCSP;
    if (!wanted || !n)
        return ERR_OK;
    struct candidate *c = calloc(n, sizeof *c);
    int rc = c ? ERR_OK : err_nomem(err);
    for (size_t i = 0; i < n && !rc; i++)
        rc = prepare(&c[i], &subject[i], issuers, nonce, err);
    for (size_t i = 0; i < l->n && !rc; i++) {
        if (l->item[i].role == ROLE_OCSP && l->item[i].kind <= LOC_HTTPS)
            equip(&l->item[i], c, n);
    }
    for (size_t i = 0; c && i < n; i++)
        locations_free(&c[i].names);
    free(c);
    return rc;
}
