/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Every limit that foreign input meets, in one place. A limit met is a named error that shows the
 * limit. */
#ifndef CRLAGENT_BASE_LIMITS_H
#define CRLAGENT_BASE_LIMITS_H

/* CRLs and fetching */
#define LIMIT_CRL_BYTES (512ull * 1024 * 1024)    /* body of one CRL; an endless body stops here */
#define LIMIT_CRL_HELD_BYTES (4ull * 1024 * 1024) /* signed part kept for Ed25519, ML-DSA */
#define LIMIT_CRL_SIGNATURE_BYTES (64u * 1024)
#define LIMIT_CRL_EXT_BYTES (64u * 1024) /* crlExtensions, read as a whole */
#define LIMIT_CRL_ENTRY_BYTES 4096u      /* one revokedCertificates entry */
#define LIMIT_CRL_NAME_BYTES 2048u       /* issuer name, DER */
#define LIMIT_SERIAL_BYTES 20u           /* RFC 5280 section 4.1.2.2 */
#define LIMIT_URL_CHARS 2048u
#define LIMIT_LOCATIONS 20000u /* per check */
#define LIMIT_ADDRESSES 64u    /* per host name */
#define LIMIT_REDIRECTS 5u
#define LIMIT_FETCH_MS 15000 /* default per location, the CA's own limit (MS-WCCE) */
#define LIMIT_CA_CERTS 64u   /* CA certificates and keys */
#define LIMIT_CERT_BYTES (64u * 1024)
#define LIMIT_ISSUED_BYTES (32u * 1024 * 1024) /* of issued certificates, read in one go */

/* Configuration, plans, pipe */
#define LIMIT_XML_BYTES (1024u * 1024)
#define LIMIT_PIPE_MESSAGE (64u * 1024)
#define LIMIT_PIPE_CLIENTS 64u
#define LIMIT_PIPE_IDLE_MS 10000 /* a client that connects and says nothing */
#define LIMIT_CHILD_OUTPUT (1024u * 1024)

/* Maintenance */
#define LIMIT_SERVICES 32u        /* CertSvc and those stopped with it */
#define LIMIT_RESERVES 32u        /* reserve CRLs shown in a status */
#define LIMIT_CHANGE_ID_CHARS 64u /* change ticket number */
#define LIMIT_REASON_CHARS 512u
#define LIMIT_WINDOW_SECONDS (30ll * 86400)

#endif
