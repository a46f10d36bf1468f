/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What the registry says about a CA: HKLM\SYSTEM\CurrentControlSet\Services\CertSvc\Configuration.
 * Readable while CertSvc is stopped. win32/ reads the real registry; tests fill the struct. */
#ifndef CRLAGENT_CA_SETTINGS_H
#define CRLAGENT_CA_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* CRLPublicationURLs flag bits ([MS-CSRA] GetConfigEntry; certsrv.h CSURL_*). */
enum ca_url_flag {
    CA_URL_PUBLISH_BASE = 0x01,
    CA_URL_CERT_CDP = 0x02,
    CA_URL_FRESHEST = 0x04,
    CA_URL_CRL_LOCATIONS = 0x08,
    CA_URL_OCSP = 0x20,
    CA_URL_PUBLISH_DELTA = 0x40,
    CA_URL_IDP = 0x80,
};

struct ca_url {
    uint32_t flags; /* enum ca_url_flag bits */
    char *url;      /* with tokens (%1..%14), as in the registry */
};

struct ca_period {
    char unit[16];  /* "Hours", "Days", "Weeks" ... as in the registry */
    uint32_t count; /* 0 = automatic publication disabled */
};

struct ca_settings {
    char *registry_name; /* sub-key = sanitized CA name */
    char *common_name;
    char *server_name;   /* CAServerName, DNS name of the host */
    char *config_string; /* "HOST\CA Common Name" */
    char *ds_config_dn;  /* %6; NULL without a directory */
    char *domain_dn;     /* %5 where known */
    uint32_t ca_type;    /* ENUM_CATYPES: 0 enterprise root, 1 enterprise sub, 3 standalone root, 4
                            standalone sub */
    bool use_ds;
    struct ca_period crl_period, delta_period, overlap, delta_overlap;
    struct ca_period validity; /* ValidityPeriod: longest life of a certificate issued now; count 0
                                  = not there */
    uint32_t clock_skew_minutes;
    int64_t next_publish, delta_next_publish; /* UTC seconds, WHEN_NONE when absent */
    uint32_t crl_flags;                       /* CRLF_*; 8 = ignore offline revocation at start */
    uint32_t interface_flags;                 /* 0x20 = no local ICertAdmin */
    uint32_t audit_filter;
    uint32_t role_separation;
    char *provider;         /* CSP\Provider */
    uint32_t provider_type; /* 0 = KSP (CNG) */
    char *hash_algorithm;   /* CSP\CNGHashAlgorithm, or the CAPI algorithm id in decimal */
    struct ca_url *crl_urls;
    size_t n_crl_urls;
    struct ca_url *aia_urls;
    size_t n_aia_urls;
    char *
        *cert_hashes; /* CACertHash, lower-case hex, index = CA certificate index; "-" = missing */
    size_t n_cert_hashes;
    uint32_t crl_partitions; /* CRLMaxPartitions; 0 = off */
    bool wrong_overlap_name; /* CRLOverlapPeriodUnits exists: the CA does not read that name */
    bool clustered;          /* CertSvc is a failover-cluster resource */
};

/* For SCOPED(ca_settings_free); takes a zeroed or half-filled struct. */
void ca_settings_free(struct ca_settings *s);

/* Length of a period in seconds (months 30 d, years 365 d); 0 when count is 0; ERR_PARSE for an
 * unknown unit. */
MUST_CHECK int ca_period_seconds(const struct ca_period *p, int64_t *ret, struct err *err);

struct ca_settings_reader {
    /* Fills *ret for the active CA. ERR_NOT_FOUND when this host has no CA. */
    int (*read)(void *self, struct ca_settings *ret, struct err *err);
    void *self;
};

#endif
