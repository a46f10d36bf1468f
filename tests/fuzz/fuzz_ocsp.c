/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What an OCSP responder, or who stands in its place, may answer. The input is the certificates at
 * hand, the request and the answer, the first two each with two bytes of length before it. */
#include <string.h>

#include "base/str.h"
#include "fuzz/harness.h"
#include "ocsp/ocsp.h"

struct part {
    const uint8_t *data;
    size_t len;
};

static struct part take(const uint8_t **p, size_t *left)
{
    struct part one = {*p, 0};
    if (*left < 2)
        return one;
    size_t len = (size_t)(*p)[0] << 8 | (*p)[1];
    len = len < *left - 2 ? len : *left - 2;
    one = (struct part){*p + 2, len};
    *p += 2 + len;
    *left -= 2 + len;
    return one;
}

static void check(const struct ocsp_facts *f)
{
    FUZZ_CHECK(f->answered);
    FUZZ_CHECK(f->signature <= OCSP_SIG_NO_SIGNER && f->signer <= OCSP_SIGNER_NOBODY);
    FUZZ_CHECK(f->status <= OCSP_STATUS_UNKNOWN && f->nonce <= OCSP_NONCE_OTHER);
    FUZZ_CHECK(f->signature == OCSP_SIG_GOOD || !f->matched || f->why[0] || f->response != 0);
    FUZZ_CHECK(str_is_utf8(f->signer_name, strlen(f->signer_name)));
    FUZZ_CHECK(str_is_utf8(f->why, strlen(f->why)));
    FUZZ_CHECK(ocsp_response_name(f->response)[0] && ocsp_status_name(f->status)[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct crl_issuers *issuers = NULL;
    static struct ocsp_facts f;
    uint8_t request[OCSP_REQUEST_MAX];
    uint16_t request_len = 0;
    struct err err = ERR_INIT;
    struct part certs = take(&data, &size), asked = take(&data, &size);
    if (crl_issuers_add(&issuers, "at hand", certs.data, certs.len, &err))
        FUZZ_CHECK(err.text[0]);
    err_clear(&err);
    memset(&f, 0, sizeof f);
    if (ocsp_answer_read(asked.data, asked.len, data, size, issuers, &f, &err))
        FUZZ_CHECK(err.text[0]);
    else
        check(&f);
    err_clear(&err);
    if (ocsp_request_make(data, size, issuers, false, request, &request_len, &err))
        FUZZ_CHECK(err.text[0]);
    else
        FUZZ_CHECK(request_len && request_len <= OCSP_REQUEST_MAX);
    crl_issuers_free(&issuers);
    return 0;
}
