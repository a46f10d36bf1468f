/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* CA certificates as the rules want them. */
#ifndef CRLAGENT_HEALTH_CACERT_H
#define CRLAGENT_HEALTH_CACERT_H

#include "health/rules.h"

struct health_ca_certs {
    struct health_ca_cert *item;
    size_t n;
};
void health_ca_certs_free(struct health_ca_certs *c); /* for SCOPED() */

/* For key_index: that of the certificate with the same key, else the next free one. */
#define HEALTH_KEY_NEXT UINT32_MAX
/* One above the highest key index. */
uint32_t health_ca_certs_next_key(const struct health_ca_certs *c);

/* Adds every certificate of a PEM or DER blob; cert_index counts on, key_index is given. ERR_PARSE
 * when there is none. */
MUST_CHECK int health_ca_certs_add(struct health_ca_certs *c, const void *data, size_t len,
                                   uint32_t key_index, struct err *err);

#endif
