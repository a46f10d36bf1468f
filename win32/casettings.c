/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Defaults of missing values: [MS-CSRA] GetConfigEntry; certsrv.h. */
#include "win32/casettings.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "base/when.h"
#include "win32/regread.h"

#define CLOCK_SKEW_MINUTES 10u

/* Lists --------------------------------------------------------------------------------------- */

struct urls {
    struct ca_url **list;
    size_t *n;
    const char *value; /* for messages */
};

/* "79:ldap:///CN=..." */
static int add_url(void *arg, const char *text, struct err *err)
{
    struct urls *u = arg;
    uint64_t flags = 0;
    char number[12];
    const char *colon = strchr(text, ':');
    if (!colon || colon - text >= (ptrdiff_t)sizeof number)
        return err_set(err, ERR_PARSE,
                       "an entry of %s is '%.100s'; expected a number, a colon and a URL", u->value,
                       text);
    memcpy(number, text, (size_t)(colon - text));
    number[colon - text] = '\0';
    int rc = str_parse_u64(number, 0, UINT32_MAX, &flags, err);
    if (rc)
        return err_context(err, "the flags of '%.100s' in %s", text, u->value);
    struct ca_url *grown = realloc(*u->list, (*u->n + 1) * sizeof **u->list);
    if (!grown)
        return err_nomem(err);
    *u->list = grown;
    grown[*u->n] = (struct ca_url){(uint32_t)flags, str_dup(colon + 1)};
    if (!grown[*u->n].url)
        return err_nomem(err);
    ++*u->n;
    return ERR_OK;
}

/* "d4 aa 03 ..." in either case, with or without blanks, or "-". */
static int add_hash(void *arg, const char *text, struct err *err)
{
    struct ca_settings *s = arg;
    char **grown = realloc(s->cert_hashes, (s->n_cert_hashes + 1) * sizeof *grown);
    if (!grown)
        return err_nomem(err);
    s->cert_hashes = grown;
    char *hash = calloc(strlen(text) + 1, 1);
    if (!hash)
        return err_nomem(err);
    size_t n = 0;
    for (; *text; text++) {
        if (*text != ' ')
            hash[n++] = *text >= 'A' && *text <= 'Z' ? (char)(*text + 32) : *text;
    }
    grown[s->n_cert_hashes++] = hash;
    return ERR_OK;
}

/* Periods and times --------------------------------------------------------------------------- */

static int read_period(const struct reg_key *key, const char *unit_name, const char *unit_default,
                       const char *count_name, uint32_t count_default, struct ca_period *ret,
                       struct err *err)
{
    SCOPED(scope_free) char *unit = NULL;
    int rc = reg_text(key, unit_name, unit_default, &unit, err);
    if (!rc)
        rc = reg_dword(key, count_name, count_default, &ret->count, err);
    if (!rc && !str_copy(ret->unit, sizeof ret->unit, unit))
        rc = err_set(err, ERR_PARSE,
                     "'HKLM\\%s', value '%s' is '%.40s'; expected a unit such as "
                     "Weeks",
                     key->path, unit_name, unit);
    return rc;
}

/* An 8-byte little-endian FILETIME, UTC. */
static int read_time(const struct reg_key *key, const char *name, int64_t *ret, struct err *err)
{
    SCOPED(buf_free) struct buf bytes = BUF_INIT;
    uint64_t ticks = 0;
    int rc = reg_bytes(key, name, &bytes, err);
    if (rc)
        return rc;
    if (bytes.len && bytes.len != sizeof ticks)
        return err_set(err, ERR_PARSE, "'HKLM\\%s', value '%s' has %zu bytes; expected 8",
                       key->path, name, bytes.len);
    *ret = WHEN_NONE;
    if (bytes.len) {
        memcpy(&ticks, bytes.data, sizeof ticks);
        if (ticks)
            *ret = (int64_t)(ticks / 10000000u) - 11644473600;
    }
    return ERR_OK;
}

static int read_periods(const struct reg_key *key, struct ca_settings *s, struct err *err)
{
    int rc = read_period(key, "CRLPeriod", "Weeks", "CRLPeriodUnits", 1, &s->crl_period, err);
    if (!rc)
        rc = read_period(key, "CRLDeltaPeriod", "Days", "CRLDeltaPeriodUnits", 1, &s->delta_period,
                         err);
    if (!rc)
        rc = read_period(key, "CRLOverlapPeriod", "Hours", "CRLOverlapUnits", 0, &s->overlap, err);
    if (!rc)
        rc = read_period(key, "CRLDeltaOverlapPeriod", "Minutes", "CRLDeltaOverlapUnits", 0,
                         &s->delta_overlap, err);
    if (!rc)
        rc = read_period(key, "ValidityPeriod", "Years", "ValidityPeriodUnits", 0, &s->validity,
                         err);
    if (!rc)
        rc = read_time(key, "CRLNextPublish", &s->next_publish, err);
    if (!rc)
        rc = read_time(key, "CRLDeltaNextPublish", &s->delta_next_publish, err);
    s->wrong_overlap_name =
        reg_has(key, "CRLOverlapPeriodUnits") || reg_has(key, "CRLDeltaOverlapPeriodUnits");
    return rc;
}

static int read_numbers(const struct reg_key *key, struct ca_settings *s, struct err *err)
{
    uint32_t use_ds = 0;
    const struct {
        const char *name;
        uint32_t missing;
        uint32_t *ret;
    } rows[] = {
        {"CAType", 0, &s->ca_type},
        {"UseDS", 0, &use_ds},
        {"ClockSkewMinutes", CLOCK_SKEW_MINUTES, &s->clock_skew_minutes},
        {"CRLFlags", 0, &s->crl_flags},
        {"InterfaceFlags", 0, &s->interface_flags},
        {"AuditFilter", 0, &s->audit_filter},
        {"RoleSeparationEnabled", 0, &s->role_separation},
        {"CRLMaxPartitions", 0, &s->crl_partitions},
    };
    int rc = ERR_OK;
    for (size_t i = 0; !rc && i < ARRAY_LEN(rows); i++)
        rc = reg_dword(key, rows[i].name, rows[i].missing, rows[i].ret, err);
    s->use_ds = use_ds != 0;
    return rc;
}

static int read_lists(const struct reg_key *key, struct ca_settings *s, struct err *err)
{
    struct urls crl = {&s->crl_urls, &s->n_crl_urls, "CRLPublicationURLs"};
    struct urls aia = {&s->aia_urls, &s->n_aia_urls, "CACertPublicationURLs"};
    int rc = reg_lines(key, "CRLPublicationURLs", add_url, &crl, err);
    if (!rc)
        rc = reg_lines(key, "CACertPublicationURLs", add_url, &aia, err);
    if (!rc)
        rc = reg_lines(key, "CACertHash", add_hash, s, err);
    return rc;
}

/* CSP\Provider and its kind. CNGHashAlgorithm is a name; the CAPI one is an ALG_ID. */
static int read_provider(const struct reg_key *key, struct ca_settings *s, struct err *err)
{
    SCOPED(reg_close) struct reg_key csp = {0};
    uint32_t alg_id = 0;
    char number[16];
    int rc = reg_open_sub(key, "CSP", &csp, err);
    if (rc == ERR_NOT_FOUND) {
        err_clear(err);
        return ERR_OK;
    }
    if (!rc)
        rc = reg_text(&csp, "Provider", NULL, &s->provider, err);
    if (!rc)
        rc = reg_dword(&csp, "ProviderType", 0, &s->provider_type, err);
    if (!rc)
        rc = reg_text(&csp, "CNGHashAlgorithm", NULL, &s->hash_algorithm, err);
    if (rc || s->hash_algorithm)
        return rc;
    rc = reg_dword(&csp, "HashAlgorithm", 0, &alg_id, err);
    if (!rc && alg_id) {
        snprintf(number, sizeof number, "%u", (unsigned)alg_id);
        s->hash_algorithm = str_dup(number);
    }
    return rc;
}

/* "CN=Configuration,DC=corp,DC=example" belongs to the domain root "DC=corp,DC=example" in a
 * single-domain forest; elsewhere the CA's own domain is not known from here. */
static int derive(struct ca_settings *s, struct err *err)
{
    SCOPED(buf_free) struct buf config = BUF_INIT;
    if (s->ds_config_dn && !*s->ds_config_dn) {
        free(s->ds_config_dn);
        s->ds_config_dn = NULL;
    }
    if (s->ds_config_dn && str_starts_nocase(s->ds_config_dn, "CN=Configuration,"))
        s->domain_dn = str_dup(s->ds_config_dn + strlen("CN=Configuration,"));
    buf_printf(&config, "%s\\%s", s->server_name, s->common_name);
    s->config_string = buf_steal(&config);
    return s->config_string ? ERR_OK : err_nomem(err);
}

/* Cluster ------------------------------------------------------------------------------------- */

struct cluster_scan {
    const struct reg_key *resources;
    bool found;
};

static int is_certsvc_resource(void *arg, const char *name)
{
    struct cluster_scan *scan = arg;
    SCOPED(reg_close) struct reg_key resource = {0};
    SCOPED(reg_close) struct reg_key parameters = {0};
    SCOPED(scope_free) char *service = NULL;
    if (!reg_open_sub(scan->resources, name, &resource, NULL) &&
        !reg_open_sub(&resource, "Parameters", &parameters, NULL) &&
        !reg_text(&parameters, "ServiceName", NULL, &service, NULL) && service &&
        str_eq_nocase(service, "CertSvc"))
        scan->found = true;
    return 0;
}

/* A node of a failover cluster has its database loaded as HKLM\Cluster; CertSvc in it is a generic
 * service resource. */
static bool is_clustered(void)
{
    SCOPED(reg_close) struct reg_key resources = {0};
    struct cluster_scan scan = {&resources, false};
    if (reg_open("Cluster\\Resources", &resources, NULL))
        return false;
    if (reg_subkeys(&resources, is_certsvc_resource, &scan, NULL))
        return false;
    return scan.found;
}

/* The reader ---------------------------------------------------------------------------------- */

static int read_ca(const struct reg_key *root, struct ca_settings *s, struct err *err)
{
    SCOPED(reg_close) struct reg_key ca = {0};
    int rc = reg_open_sub(root, s->registry_name, &ca, err);
    if (!rc)
        rc = reg_text(&ca, "CommonName", s->registry_name, &s->common_name, err);
    if (!rc)
        rc = reg_text(&ca, "CAServerName", "localhost", &s->server_name, err);
    if (!rc)
        rc = reg_text(&ca, "DSConfigDN", NULL, &s->ds_config_dn, err);
    if (!rc)
        rc = read_numbers(&ca, s, err);
    if (!rc)
        rc = read_periods(&ca, s, err);
    if (!rc)
        rc = read_lists(&ca, s, err);
    if (!rc)
        rc = read_provider(&ca, s, err);
    return rc ? rc : derive(s, err);
}

int ca_settings_read_from(const char *root, struct ca_settings *ret, struct err *err)
{
    SCOPED(reg_close) struct reg_key key = {0};
    SCOPED(ca_settings_free) struct ca_settings s = {0};
    int rc = reg_open(root, &key, err);
    if (rc == ERR_NOT_FOUND)
        return err_set(err, rc,
                       "this host has no CA: there is no registry key 'HKLM\\%s' (is the role "
                       "Active Directory Certificate Services installed and configured?)",
                       root);
    if (!rc)
        rc = reg_text(&key, "Active", NULL, &s.registry_name, err);
    if (!rc && (!s.registry_name || !*s.registry_name))
        rc = err_set(err, ERR_NOT_FOUND,
                     "this host has no active CA: 'HKLM\\%s', value 'Active' is missing or empty",
                     root);
    if (!rc)
        rc = read_ca(&key, &s, err);
    if (rc)
        return rc;
    s.clustered = is_clustered();
    *ret = s;
    memset(&s, 0, sizeof s); /* handed over */
    return ERR_OK;
}

static int read_registry(void *self, struct ca_settings *ret, struct err *err)
{
    (void)self;
    return ca_settings_read_from(CA_REGISTRY_ROOT, ret, err);
}

const struct ca_settings_reader *ca_settings_registry(void)
{
    static const struct ca_settings_reader reader = {read_registry, NULL};
    return &reader;
}
