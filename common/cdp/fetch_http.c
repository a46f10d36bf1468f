/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "cdp/fetch_http.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* Bodies of answers other than 200 are read a little, so that the connection can be used again. */
#define OTHER_BODY_MAX (64u * 1024)

static void trim_copy(char *dst, size_t dst_size, const char *text, size_t len)
{
    char line[512];
    while (len && (*text == ' ' || *text == '\t')) {
        text++;
        len--;
    }
    while (len && (text[len - 1] == '\r' || text[len - 1] == '\n' || text[len - 1] == ' '))
        len--;
    len = len < sizeof line - 1 ? len : sizeof line - 1;
    for (size_t i = 0; i < len; i++) /* a header is shown to people: no control characters */
        line[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7F ? ' ' : text[i];
    line[len] = '\0';
    if (!str_is_utf8(line, len)) {
        for (size_t i = 0; i < len; i++)
            line[i] = (unsigned char)line[i] >= 0x80 ? '?' : line[i];
    }
    str_copy(dst, dst_size, line);
}

/* A redirect brings a new set of headers: forget those of the answer before. */
static void new_answer(struct http_transfer *t)
{
    struct probe_result *r = t->result;
    r->content_type[0] = r->etag[0] = r->last_modified[0] = r->cache_control[0] = '\0';
    t->encoding[0] = '\0';
    t->announced = -1;
    r->age = -1;
    r->server_date = WHEN_NONE;
}

static void take_number(const char *text, int64_t *ret)
{
    uint64_t v;
    if (!str_parse_u64(text, 0, INT64_MAX, &v, NULL))
        *ret = (int64_t)v;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
    struct http_transfer *t = arg;
    struct probe_result *r = t->result;
    size_t len = size * n;
    const char *colon = memchr(data, ':', len);
    if (len >= 5 && memcmp(data, "HTTP/", 5) == 0)
        new_answer(t);
    if (!colon)
        return len;
    char name[40], value[512];
    size_t name_len = (size_t)(colon - data);
    if (name_len >= sizeof name)
        return len;
    memcpy(name, data, name_len);
    name[name_len] = '\0';
    trim_copy(value, sizeof value, colon + 1, len - name_len - 1);
    if (str_eq_nocase(name, "content-type"))
        str_copy(r->content_type, sizeof r->content_type, value);
    else if (str_eq_nocase(name, "etag"))
        str_copy(r->etag, sizeof r->etag, value);
    else if (str_eq_nocase(name, "last-modified"))
        str_copy(r->last_modified, sizeof r->last_modified, value);
    else if (str_eq_nocase(name, "cache-control"))
        str_copy(r->cache_control, sizeof r->cache_control, value);
    else if (str_eq_nocase(name, "content-encoding"))
        str_copy(t->encoding, sizeof t->encoding, value);
    else if (str_eq_nocase(name, "location"))
        str_copy(t->location, sizeof t->location, value);
    else if (str_eq_nocase(name, "age"))
        take_number(value, &r->age);
    else if (str_eq_nocase(name, "content-length"))
        take_number(value, &t->announced);
    else if (str_eq_nocase(name, "date") && curl_getdate(value, NULL) > 0)
        r->server_date = (int64_t)curl_getdate(value, NULL);
    return len;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct http_transfer *t = arg;
    size_t len = size * n;
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        t->result->bytes += len;
        return t->result->bytes > OTHER_BODY_MAX ? 0 : len;
    }
    return body_feed(&t->body, data, len) ? 0 : len;
}

void http_common_options(CURL *easy, const struct fetch_options *opt, int64_t timeout_ms,
                         bool direct)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A resolver that is late must not hold the clean-up beyond the time-out. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_UNRESTRICTED_AUTH, 0L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "crlagent/" CRLAGENT_VERSION);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (opt->ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, opt->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    } else {
        curl_easy_setopt(easy, CURLOPT_SSL_OPTIONS, (long)CURLSSLOPT_NATIVE_CA);
    }
    if (direct)
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    else if (opt->proxy)
        curl_easy_setopt(easy, CURLOPT_PROXY, opt->proxy);
}

static void add_header(struct http_transfer *t, const char *name, const char *value)
{
    char line[256];
    snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *more = curl_slist_append(t->headers, line);
    t->headers = more ? more : t->headers;
}

static void set_headers(struct http_transfer *t)
{
    const struct probe_target *target = t->target;
    bool crl = target->role == ROLE_CRL_BASE || target->role == ROLE_CRL_DELTA;
    add_header(t, "Accept", crl ? "application/pkix-crl, */*" : "*/*");
    if (target->ocsp_request_len)
        add_header(t, "Content-Type", "application/ocsp-request");
    if (!target->as_client) {
        add_header(t, "Cache-Control", "no-cache");
        add_header(t, "Pragma", "no-cache");
    }
    if (target->if_etag[0])
        add_header(t, "If-None-Match", target->if_etag);
    if (target->if_modified[0])
        add_header(t, "If-Modified-Since", target->if_modified);
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

/* RFC 6960 appendix A.1: by POST, also after a redirect. */
static void set_request(struct http_transfer *t)
{
    const struct probe_target *target = t->target;
    if (!target->ocsp_request_len)
        return;
    curl_easy_setopt(t->easy, CURLOPT_POSTREDIR, (long)CURL_REDIR_POST_ALL);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE, (long)target->ocsp_request_len);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, target->ocsp_request);
}

/* The connection goes to the address, the Host header and the TLS name stay those of the URL. */
static void set_address(struct http_transfer *t, const struct url *u)
{
    bool v6 = strchr(t->target->address, ':') != NULL;
    bool host6 = strchr(u->host, ':') != NULL;
    char line[512];
    unsigned port = u->port ? u->port : u->tls ? 443 : 80;
    if (!t->target->address[0])
        return;
    snprintf(line, sizeof line, "%s%s%s:%u:%s%s%s:%u", host6 ? "[" : "", u->host, host6 ? "]" : "",
             port, v6 ? "[" : "", t->target->address, v6 ? "]" : "", port);
    t->connect_to = curl_slist_append(NULL, line);
    curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to);
}

int http_begin(struct http_transfer *t, const struct fetch_options *opt,
               const struct crl_issuers *issuers, const struct probe_target *target,
               struct probe_result *result)
{
    struct err err = ERR_INIT;
    struct url u;
    t->target = target;
    t->result = result;
    t->announced = -1;
    t->location[0] = t->encoding[0] = t->curl_text[0] = '\0';
    body_begin(&t->body, target, issuers);
    if (url_parse(target->url, &u, &err)) {
        result->status = PROBE_UNSUPPORTED;
        str_copy(result->detail, sizeof result->detail, err.text);
        return 1;
    }
    if (target->unresolved && !target->address[0]) {
        result->status = PROBE_DNS;
        snprintf(result->detail, sizeof result->detail, "the name '%s' does not resolve", u.host);
        return 1;
    }
    curl_easy_reset(t->easy);
    http_common_options(t->easy, opt, target->timeout_ms ? target->timeout_ms : LIMIT_FETCH_MS,
                        target->direct || target->address[0]);
    curl_easy_setopt(t->easy, CURLOPT_URL, u.text);
    curl_easy_setopt(t->easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(t->easy, CURLOPT_MAXREDIRS, (long)LIMIT_REDIRECTS);
    curl_easy_setopt(t->easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->body.max);
    curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->curl_text);
    curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    set_headers(t);
    set_request(t);
    set_address(t, &u);
    return 0;
}

static void say(struct probe_result *r, enum probe_status status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
static void say(struct probe_result *r, enum probe_status status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    r->status = status;
    vsnprintf(r->detail, sizeof r->detail, fmt, ap);
    va_end(ap);
}

static void say_timeout(struct http_transfer *t)
{
    struct probe_result *r = t->result;
    int64_t limit = t->target->timeout_ms ? t->target->timeout_ms : LIMIT_FETCH_MS;
    if (t->announced >= 0)
        say(r, PROBE_TIMEOUT,
            "expected the whole answer within %.1f s, found %" PRIu64 " of %" PRId64 " bytes",
            (double)limit / 1000, t->body.bytes, t->announced);
    else if (r->http_status)
        say(r, PROBE_TIMEOUT,
            "expected the whole answer within %.1f s, found an answer without end after %" PRIu64
            " bytes",
            (double)limit / 1000, t->body.bytes);
    else
        say(r, PROBE_TIMEOUT, "expected an answer within %.1f s, found none: %s",
            (double)limit / 1000, t->curl_text);
}

/* curl's codes become ours in this one place; the number itself stays in os_code. */
static void translate(struct http_transfer *t, CURLcode code)
{
    struct probe_result *r = t->result;
    const char *text = t->curl_text[0] ? t->curl_text : curl_easy_strerror(code);
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        say(r, PROBE_DNS, "the name does not resolve: %s", text);
        break;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
        say(r, PROBE_PROXY, "the proxy cannot be used: %s", text);
        break;
    case CURLE_COULDNT_CONNECT:
        say(r, PROBE_CONNECT, "no connection: %s", text);
        break;
    case CURLE_OPERATION_TIMEDOUT:
        say_timeout(t);
        break;
    case CURLE_TOO_MANY_REDIRECTS:
        say(r, PROBE_REDIRECT,
            "expected at most %u redirects, found more; the last one points to '%s'",
            LIMIT_REDIRECTS, t->location);
        break;
    case CURLE_UNSUPPORTED_PROTOCOL:
        say(r, PROBE_REDIRECT, "a redirect to '%s' is not followed: expected http or https",
            t->location);
        break;
    case CURLE_FILESIZE_EXCEEDED:
        say(r, PROBE_TOO_LARGE, "the answer announces %" PRId64 " bytes, the limit is %" PRIu64,
            t->announced, t->body.max);
        break;
    case CURLE_PARTIAL_FILE:
        if (t->announced >= 0)
            say(r, PROBE_TRUNCATED, "expected %" PRId64 " bytes, found %" PRIu64, t->announced,
                t->body.bytes);
        else
            say(r, PROBE_TRUNCATED,
                "expected the last chunk, found the end after %" PRIu64 " bytes", t->body.bytes);
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CERTPROBLEM:
        say(r, PROBE_TLS, "TLS: %s", text);
        break;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
        say(r, PROBE_TRUNCATED, "the connection ended without a whole answer: %s", text);
        break;
    default:
        say(r, PROBE_INTERNAL, "%s (curl %d)", text, (int)code);
    }
}

static void judge_status(struct http_transfer *t)
{
    struct probe_result *r = t->result;
    if (r->http_status == 304 && (t->target->if_etag[0] || t->target->if_modified[0]))
        say(r, PROBE_NOT_MODIFIED, "unchanged since the last full answer");
    else if (r->http_status == 304)
        say(r, PROBE_HTTP_STATUS,
            "expected 200, found 304: 'not modified' to a request without a condition, so that "
            "nobody gets the CRL");
    else if (r->http_status == 407)
        say(r, PROBE_PROXY, "the proxy wants a password (407); credentials are never sent");
    else if (r->http_status == 401 || r->http_status == 403)
        say(r, PROBE_HTTP_STATUS, "expected 200, found %d: clients have no right to read it",
            r->http_status);
    else
        say(r, PROBE_HTTP_STATUS, "expected 200, found %d", r->http_status);
}

static void take_info(struct http_transfer *t, CURLcode code)
{
    struct probe_result *r = t->result;
    long status = 0, redirects = 0, proxy = 0;
    curl_off_t connect_us = 0, total_us = 0;
    char *ip = NULL;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_COUNT, &redirects);
    curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connect_us);
    curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &total_us);
    curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &ip);
#if LIBCURL_VERSION_NUM >= 0x080700 /* older ones do not tell */
    curl_easy_getinfo(t->easy, CURLINFO_USED_PROXY, &proxy);
#endif
    r->http_status = (int32_t)status;
    r->redirects = (uint32_t)redirects;
    r->connect_ms = connect_us / 1000;
    r->total_ms = total_us / 1000;
    r->via_proxy = proxy != 0;
    r->os_code = (long)code;
    if (ip && *ip)
        str_copy(r->address, sizeof r->address, ip);
    else
        str_copy(r->address, sizeof r->address, t->target->address);
}

void http_end(struct http_transfer *t, CURLcode code)
{
    struct probe_result *r = t->result;
    long proxy_status = 0;
    take_info(t, code);
    curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    bool other = r->http_status && r->http_status != 200;
    if (proxy_status == 407)
        say(r, PROBE_PROXY, "the proxy wants a password (407); credentials are never sent");
    else if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && (other || t->body.err.code))) {
        if (other)
            judge_status(t);
        else
            body_finish(&t->body, r);
    } else {
        translate(t, code);
        r->bytes = t->body.bytes;
    }
    if (r->status == PROBE_NOT_A_CRL && t->encoding[0]) {
        size_t n = strlen(r->detail);
        snprintf(r->detail + n, sizeof r->detail - n, " (Content-Encoding: %s was not asked for)",
                 t->encoding);
    }
    body_release(&t->body);
    curl_slist_free_all(t->headers);
    curl_slist_free_all(t->connect_to);
    t->headers = t->connect_to = NULL;
}
