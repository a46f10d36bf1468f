/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "health/skipped.h"

#include <stdio.h>

#include "base/str.h"
#include "cdp/url.h"
#include "health/rules_int.h"

static const struct {
    uint32_t id;
    enum severity severity; /* of an unverified CRL there are findings of its own */
    const char *expected;
} kinds[] = {
    [SKIP_UNUSABLE] = {FIND_LOCATION_UNUSABLE, SEV_WARNING, "an http, https, ldap or file URL"},
    [SKIP_FOREIGN] = {FIND_LOC_NOT_FOLLOWED, SEV_WARNING, "http://, https:// or ldap:///"},
    [SKIP_UNVERIFIED] = {FIND_LOC_NOT_FOLLOWED, SEV_INFO, "a CRL with a good signature"},
};

int health_skipped(const struct locations *l, const char *ca, struct findings *ret, struct err *err)
{
    for (size_t i = 0; i < l->n_skips; i++) {
        const struct location_skip *s = &l->skip[i];
        struct finding *f = findings_add(ret, kinds[s->reason].id);
        if (!f)
            return err_nomem(err);
        f->severity = kinds[s->reason].severity;
        f->key_index = s->key_index;
        (void)str_copy(f->ca, sizeof f->ca, ca);
        (void)str_copy(f->url, sizeof f->url, s->url);
        (void)str_copy(f->expected, sizeof f->expected, kinds[s->reason].expected);
        if (s->reason == SKIP_UNUSABLE)
            (void)str_copy(f->found, sizeof f->found, s->why);
        else
            snprintf(f->found, sizeof f->found, "%s location, not followed: %.400s",
                     location_role_name(s->role), s->why);
        finding_fill_remedy(f);
    }
    if (l->n_skipped <= l->n_skips)
        return ERR_OK;
    char more[80];
    snprintf(more, sizeof more, "%zu more locations were not asked", l->n_skipped - l->n_skips);
    return findings_tell(ret, FIND_LOCATION_UNUSABLE, "locations that can be asked", more, err);
}

/* The first key and no partition stand for all: they differ in numbers only. */
void rules_unusable(struct rules *x)
{
    const struct ca_settings *s = x->in->settings;
    SCOPED(locations_free) struct locations l = {0};
    struct err ignored = ERR_INIT;
    if (!s)
        return;
    struct ca_settings one = *s;
    one.crl_partitions = 0;
    const struct token_values values = {
        .server_dns = s->server_name,
        .ca_name = s->common_name,
        .domain_dn = s->domain_dn,
        .config_dn = s->ds_config_dn,
    };
    if (locations_add_settings(&l, &one, &values, &ignored) ||
        health_skipped(&l, x->in->ca, x->out, &ignored))
        x->out_of_memory = true;
}
