/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Seam: is the CA's private key there and does it sign? win32/ has CNG/CAPI (in a process of its
 * own, because a hung provider must not hang the service) and certutil -verifykeys; tests have a
 * fake. */
#ifndef CRLAGENT_CA_KEYPROBE_H
#define CRLAGENT_CA_KEYPROBE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct key_probe_result {
    uint32_t sign_ms; /* time of one test signature, milliseconds */
    char provider[128];
    char detail[256]; /* for people, UTF-8 */
};

struct key_probe {
    /* Opens the private key that belongs to the CA certificate (DER), compares public keys, signs a
     * test digest and verifies it with the certificate. Returns within timeout_ms in any case.
     * ERR_UNAVAILABLE: provider or HSM does not answer; ERR_NOT_FOUND: no such key; ERR_CRYPTO:
     * wrong key or bad signature; ERR_TIMEOUT. */
    int (*probe)(void *self, const uint8_t *cert_der, size_t cert_len, int64_t timeout_ms,
                 struct key_probe_result *ret, struct err *err);
    void *self;
};

#endif
