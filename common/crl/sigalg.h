/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Signature algorithms of CRLs: what is hashed, and which parameters are allowed (RFC 4055, RFC
 * 5758, RFC 8410, RFC 9881). */
#ifndef CRLAGENT_CRL_SIGALG_H
#define CRLAGENT_CRL_SIGALG_H

#include "base/ossl.h"
#include "crl/der.h"

struct sigalg {
    bool known;          /* this build can verify it */
    int nid;             /* OpenSSL's number of the algorithm, 0 = unknown */
    int key_nid;         /* type of key */
    const EVP_MD *md;    /* NULL: the message itself is signed */
    bool weak;           /* MD5 or SHA-1 */
    bool lax_parameters; /* RSA without NULL */
    bool pss;
    const EVP_MD *mgf1; /* PSS */
    int salt_len;       /* PSS */
    char oid[64];       /* dotted */
    char name[64];      /* OpenSSL's long name, or the dotted OID */
};

/* AlgorithmIdentifier (the whole element's content in body). Returns 0 or the broken rule;
 * ret_what names what was wrong (static text). An unknown OID is fine (known = false). */
int sigalg_read(struct der body, struct sigalg *ret, const char **ret_what);

#endif
