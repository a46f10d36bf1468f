/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* PKI fixtures made at run time with OpenSSL: CA keys, certificates and CRLs with the extensions of
 * AD CS. Failures abort the test program: a fixture that cannot be made is no test result. */
#ifndef CRLAGENT_TESTS_SUPPORT_PKI_H
#define CRLAGENT_TESTS_SUPPORT_PKI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/when.h"
#include "crl/reader.h"

struct pki_ca;

enum pki_key { PKI_P256, PKI_P384, PKI_P521, PKI_RSA2048, PKI_ED25519, PKI_ED448, PKI_MLDSA65 };

/* Self-signed CA certificate with SKI and keyUsage keyCertSign, cRLSign. NULL when OpenSSL has no
 * such key type (ML-DSA before 3.5). */
struct pki_ca *pki_ca_new(const char *common_name, enum pki_key kind);
/* The same name with another key: a renewed CA. */
struct pki_ca *pki_ca_renew(const struct pki_ca *ca, enum pki_key kind);
/* keyUsage without cRLSign. */
struct pki_ca *pki_ca_new_no_crlsign(const char *common_name, enum pki_key kind);
void pki_ca_free(struct pki_ca **ca);
void pki_ca_cert_pem(const struct pki_ca *ca, struct buf *out);
void pki_ca_cert_der(const struct pki_ca *ca, struct buf *out);
/* Adds the certificate to a set of issuers. */
void pki_ca_add_issuer(const struct pki_ca *ca, struct crl_issuers **set);

struct pki_crl {
    int64_t this_update; /* UTC seconds */
    int64_t next_update; /* WHEN_NONE or 0 = absent */
    int64_t next_publish;
    uint64_t number; /* 0 = no CRL number extension */
    bool delta;      /* with delta_base, critical as RFC 5280 section 5.2.4 wants it */
    uint64_t delta_base;
    uint32_t ca_version;   /* 0 = absent */
    const char *idp_url;   /* NULL = absent */
    const char *freshest;  /* NULL = absent */
    const char *published; /* NULL = absent */
    size_t entries;        /* serials first_serial, +1, ...; revoked at this_update - i seconds */
    uint64_t first_serial; /* 0 = 1 */
    int reason;            /* of every entry; 0 = none */
    const char *digest;    /* "SHA256" when NULL */
    bool pss;              /* RSA only */
    bool no_aki;
    const char *unknown_critical_oid; /* adds this extension, critical; NULL = none */
};

/* Signed CRL, DER, appended to *out. */
void pki_crl_make(const struct pki_ca *ca, const struct pki_crl *spec, struct buf *out);
/* PEM armour around any DER CRL. */
void pki_crl_pem(const struct buf *der, struct buf *out);

/* A certificate of that CA (its issuer keeps its own life). */
struct pki_cert {
    const char *common_name;
    uint64_t serial;     /* 0 = 4711 */
    int64_t from, until; /* UTC seconds; 0 = 2020 and 2050 */
    bool ca, ocsp_signing, no_check;
    const char *cdp, *aia, *ocsp; /* URLs; NULL = absent */
};
/* The certificate with its new key, as a CA of its own (free it as one). */
struct pki_ca *pki_issue(const struct pki_ca *issuer, const struct pki_cert *spec);

/* Another certificate for the name and key of subject, signed by issuer: a cross certificate. */
struct pki_ca *pki_cross(const struct pki_ca *issuer, const struct pki_ca *subject);

struct pki_ocsp {
    int response;                 /* OCSPResponseStatus; not 0: without a body */
    int status;                   /* 0 good, 1 revoked, 2 unknown */
    int64_t this_update;          /* UTC seconds */
    int64_t next_update;          /* 0 = absent */
    bool no_certs;                /* the signer's certificate is left out */
    bool spoil;                   /* one bit of the signature is turned */
    bool other_nonce;             /* a nonce nobody asked for */
    const struct pki_ca *subject; /* the certificate it is about; NULL = as asked */
};
/* The answer of signer to a request (DER), appended to *out; issuer is that of subject. */
void pki_ocsp_make(const struct pki_ca *signer, const struct pki_ca *issuer,
                   const struct pki_ocsp *spec, const void *request, size_t len, struct buf *out);

#endif
