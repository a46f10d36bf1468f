/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Certificates that the CA has issued, read for the locations they carry. */
#ifndef CRLAGENT_CDP_ISSUED_H
#define CRLAGENT_CDP_ISSUED_H

#include "base/buf.h"
#include "cdp/locations.h"

/* One CA key and a certificate for it (DER). */
struct issued_ca {
    const void *cert;
    size_t len;
    uint32_t key_index;
};

struct issued_visit {
    /* For each certificate that one of the keys has signed, in the order given: its bytes, the key,
     * its end (UTC seconds) and what it names (roles and URLs; valid during the call). Non-zero
     * ends the walk and is returned. */
    int (*each)(void *arg, const void *cert, size_t len, uint32_t key_index, int64_t not_after,
                const struct locations *names, struct err *err);
    void *arg;
};

/* certs: DER, one after the other. A certificate of another issuer is left out (a CA database also
 * holds its own cross certificates); bytes that are no certificate end the walk with ERR_PARSE. */
MUST_CHECK int issued_walk(const void *certs, size_t len, const struct issued_ca *ca, size_t n_ca,
                           const struct issued_visit *visit, struct err *err);

#endif
