/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The lab CA as its registry and certificate store describe it: names, certificates, keys, and the
 * expansion of %1..%14 in its locations. */
#ifndef LAB_CAMODEL_H
#define LAB_CAMODEL_H

#include <windows.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ossl.h"

#include "base/buf.h"

enum { CA_CERTS_MAX = 16, CA_URLS_MAX = 16 };

struct ca_cert {
    unsigned index; /* CA certificate index */
    unsigned key;   /* index of the certificate with which this key first appeared */
    X509 *x509;     /* NULL when CACertHash names one that is not in the store, or "-" */
    EVP_PKEY *public_key;
    char label[128]; /* key container = label in the HSM */
};

struct ca {
    char name[256]; /* sanitized; sub-key of Configuration */
    char short_name[80];
    char common_name[256];
    char server[256]; /* DNS name */
    char netbios[32];
    char config_dn[512]; /* empty without a directory */
    char domain_dn[512];
    char key[512]; /* registry key below HKLM */
    struct ca_cert certs[CA_CERTS_MAX];
    size_t n_certs;
};

struct ca_location {
    unsigned flags; /* CRLPublicationURLs bits */
    char *url;      /* template */
};

/* Everything from the registry and LocalMachine\My; NTE_NOT_FOUND names a missing certificate. */
HRESULT ca_load(struct ca *ret);

/* Newest certificate of a key; NULL when the key has none that is valid now. */
const struct ca_cert *ca_key_cert(const struct ca *ca, unsigned key);
/* CA_DISP_* of a certificate row: 3 valid, 4 expired, 1 another certificate stands for this key. */
long ca_cert_state(const struct ca *ca, size_t index);

size_t ca_locations(const struct ca *ca, const char *value, struct ca_location *ret, size_t max);
void ca_locations_free(struct ca_location *list, size_t n);

/* Which CRL a template is expanded for. */
struct ca_scope {
    unsigned key;       /* %8 */
    unsigned cert;      /* %4 */
    unsigned partition; /* <CRLPartitionIndex>; 0 = the whole */
    bool delta;         /* %9, %10 */
};

/* Number of CRL partitions beside the whole one (CRLMaxPartitions); 0 = the feature is off. */
unsigned ca_partitions(const struct ca *ca);

/* Template to text. escape: percent-encode as in certificates; raw for file paths and LDAP names.
 */
void ca_expand(const struct ca *ca, const char *url, const struct ca_scope *scope, bool escape,
               struct buf *ret);

/* A period pair (CRLPeriod / CRLPeriodUnits ...) in seconds; 0 when the count is 0. */
int64_t ca_period(const struct ca *ca, const char *unit_name, const char *count_name,
                  const char *unit_default, DWORD count_default);

/* [MS-WCCE] sanitized name: "!" and four hex digits for each character that is not allowed. */
void ca_sanitize(const char *common_name, char *dst, size_t size);

#endif
