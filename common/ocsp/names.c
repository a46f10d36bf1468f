/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "ocsp/ocsp.h"

#include "base/str.h"

static const char *name_of(const char *const *names, size_t n, size_t i, const char *other)
{
    return i < n && names[i] ? names[i] : other;
}

const char *ocsp_response_name(int32_t response)
{
    static const char *const names[] = {
        "successful", "malformedRequest", "internalError", "tryLater",
        NULL,         "sigRequired",      "unauthorized"};
    return name_of(names, ARRAY_LEN(names), (size_t)response, "an unknown status");
}

const char *ocsp_status_name(uint8_t status)
{
    static const char *const names[] = {"none", "good", "revoked", "unknown"};
    return name_of(names, ARRAY_LEN(names), status, "none");
}

const char *ocsp_signer_name(uint8_t signer)
{
    static const char *const names[] = {"unknown", "ca", "delegated", "nobody"};
    return name_of(names, ARRAY_LEN(names), signer, "unknown");
}

const char *ocsp_signature_name(uint8_t sig)
{
    static const char *const names[] = {"none", "good", "bad", "no-signer"};
    return name_of(names, ARRAY_LEN(names), sig, "none");
}
