/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What comes back from the signing tool is not believed: one small rule each. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "maint/reserve.h"

#define HOUR 3600

static int same_key(const struct reserve_want *w, const struct crl_facts *got, struct err *err)
{
    if (!w->signature_good)
        return err_set(err, ERR_CRYPTO,
                       "expected a signature that verifies with the CA certificate, found: %.300s",
                       w->signature_why ? w->signature_why : "not good");
    if (got->issuer_der_len != w->of->issuer_der_len ||
        memcmp(got->issuer_der, w->of->issuer_der, got->issuer_der_len) != 0)
        return err_set(err, ERR_CRYPTO, "expected the issuer '%.200s', found '%.200s'",
                       w->of->issuer, got->issuer);
    if (got->aki_len != w->of->aki_len || memcmp(got->aki, w->of->aki, got->aki_len) != 0 ||
        got->has_ca_version != w->of->has_ca_version || got->ca_version != w->of->ca_version)
        return err_set(err, ERR_CRYPTO,
                       "expected the key of the CRL it was made of, found another key identifier "
                       "or CA version");
    return ERR_OK;
}

static int same_scope(const struct reserve_want *w, const struct crl_facts *got, struct err *err)
{
    if (got->warnings & CRL_WARN_PEM)
        return err_set(err, ERR_INVALID, "expected DER, found PEM armour");
    if (crl_is_delta(got))
        return err_set(err, ERR_INVALID, "expected a base CRL, found a delta CRL");
    if (got->has_idp != w->of->has_idp || got->idp_scope != w->of->idp_scope ||
        memcmp(&got->idp, &w->of->idp, sizeof got->idp) != 0)
        return err_set(err, ERR_INVALID,
                       "expected the issuing distribution point of the CRL it was made of, found "
                       "another one");
    if (got->freshest.count)
        return err_set(err, ERR_INVALID,
                       "expected no Freshest CRL extension (no delta will come), found '%.200s'",
                       got->freshest.url[0]);
    if (got->next_publish != WHEN_NONE)
        return err_set(err, ERR_INVALID,
                       "expected no Next CRL Publish extension (no publication is planned), found "
                       "one");
    return ERR_OK;
}

static int whole(const struct reserve_want *w, const struct crl_facts *got, struct err *err)
{
    char want[48], found[48];
    if (w->missing || w->changed || got->entries < w->of->entries)
        return err_set(err, ERR_STATE,
                       "expected every entry of the CRL it was made of (%" PRIu64
                       "), found %" PRIu64 ": %" PRIu64 " are missing, %" PRIu64 " are different",
                       w->of->entries, got->entries, w->missing, w->changed);
    if (crl_number_compare(&got->number, &w->number) != 0)
        return err_set(err, ERR_STATE, "expected the CRL number %s, found %s",
                       crl_number_format(&w->number, want), crl_number_format(&got->number, found));
    return ERR_OK;
}

static int times(const struct reserve_want *w, const struct crl_facts *got, struct err *err)
{
    char a[WHEN_TEXT_MAX], b[WHEN_TEXT_MAX];
    int64_t longest = w->now + w->life + HOUR + w->skew;
    longest = longest < w->at_most ? longest : w->at_most;
    if (got->this_update > w->now + w->skew || got->this_update < w->of->this_update)
        return err_set(err, ERR_INVALID, "expected thisUpdate from %s until now, found %s",
                       when_format(w->of->this_update, a), when_format(got->this_update, b));
    if (got->next_update == WHEN_NONE || got->next_update < w->need_until)
        return err_set(err, ERR_INVALID, "expected nextUpdate at %s or later, found %s",
                       when_format(w->need_until, a), when_format(got->next_update, b));
    if (got->next_update > longest)
        return err_set(
            err, ERR_INVALID,
            "expected nextUpdate at %s at the latest (what was asked for, and the end of "
            "the CA certificate), found %s",
            when_format(longest, a), when_format(got->next_update, b));
    return ERR_OK;
}

int reserve_judge(const struct reserve_want *want, const struct crl_facts *got, struct err *err)
{
    int rc = same_key(want, got, err);
    if (!rc)
        rc = same_scope(want, got, err);
    if (!rc)
        rc = whole(want, got, err);
    return rc ? rc : times(want, got, err);
}

bool reserve_is(const struct store_reserve *r, const char *state)
{
    return strcmp(r->state, state) == 0;
}

bool reserve_in_use(const struct store_reserve *r)
{
    return reserve_is(r, "releasing") || reserve_is(r, "released") || reserve_is(r, "recalling");
}
