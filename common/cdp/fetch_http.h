/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Inside cdp only: one HTTP transfer, from a target to a result. */
#ifndef CRLAGENT_CDP_FETCH_HTTP_H
#define CRLAGENT_CDP_FETCH_HTTP_H

#include <curl/curl.h>

#include "cdp/body.h"
#include "cdp/fetch.h"
#include "cdp/url.h"

struct http_transfer {
    CURL *easy;    /* kept between transfers */
    CURLcode code; /* how the transfer ended */
    const struct probe_target *target;
    struct probe_result *result;
    struct body body;
    struct curl_slist *headers, *connect_to;
    char curl_text[CURL_ERROR_SIZE];
    char location[256]; /* of the last redirect answer */
    char encoding[32];  /* Content-Encoding */
    int64_t announced;  /* Content-Length, -1 = none */
    uint32_t host;      /* index for the cap per host */
};

/* Sets the handle up; a failure is already in the result. */
int http_begin(struct http_transfer *t, const struct fetch_options *opt,
               const struct crl_issuers *issuers, const struct probe_target *target,
               struct probe_result *result);
/* Turns curl's code and what arrived into the result and releases what http_begin took. */
void http_end(struct http_transfer *t, CURLcode code);

/* Options that every request of this program carries: limits, schemes, TLS, proxy, no secrets. */
void http_common_options(CURL *easy, const struct fetch_options *opt, int64_t timeout_ms,
                         bool direct);

#endif
