/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Expansion of AD CS location templates (%1 to %14 and <CRLPartitionIndex>). Needed only for what
 * the CA does not expand itself: write targets, and URLs while CertSvc is stopped and nothing is
 * cached. Two-digit tokens are recognised before one-digit ones. Source: certsrv.h wszFCSAPARM_*,
 * [MS-WCCE] 3.1.1.4.1.1 (sanitizing). */
#ifndef CRLAGENT_CDP_TOKENS_H
#define CRLAGENT_CDP_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct token_values {
    const char *server_dns;     /* %1 */
    const char *server_netbios; /* %2; NULL = first label of server_dns, upper case */
    const char *ca_name;        /* the CA's common name: %3 and %7 are made from it */
    uint32_t cert_index;        /* %4: "" for 0, "(n)" */
    const char *domain_dn;      /* %5; NULL = unknown */
    const char *config_dn;      /* %6; NULL = unknown */
    uint32_t key_index;         /* %8: "" for 0, "(n)" */
    bool delta;                 /* %9 and %10 */
    uint32_t partition;         /* <CRLPartitionIndex>: "" for 0, "_PartitionNNNNN" */
    bool url_encode;            /* percent-encode what names contribute (http, ldap URLs) */
};

/* Expands a template into dst. ERR_INVALID when a token is unknown or its value is not known
 * (%12 to %14 hold text that no public source gives); ERR_LIMIT when dst is too small. */
MUST_CHECK int tokens_expand(const char *pattern, const struct token_values *v, char *dst,
                             size_t dst_size, struct err *err);

/* Sanitized name: each character outside letters, digits and a few signs becomes '!' and four hex
 * digits of its UTF-16 unit. ERR_LIMIT when dst is too small, ERR_PARSE for bad UTF-8. */
MUST_CHECK int tokens_sanitize(const char *name, char *dst, size_t dst_size, struct err *err);

/* The short form: at most 51 characters, never cut inside an escape, then '-' and five decimal
 * digits made from the rest. */
MUST_CHECK int tokens_sanitize_short(const char *name, char *dst, size_t dst_size, struct err *err);

#endif
