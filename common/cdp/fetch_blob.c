/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "cdp/fetch_blob.h"

#include <stdlib.h>

#include "base/errand.h"
#include "base/file.h"
#include "base/limits.h"
#include "cdp/body.h"
#include "cdp/fetch_http.h"
#include "cdp/url.h"

static void free_easy(CURL **c)
{
    curl_easy_cleanup(*c);
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct buf *b = arg;
    size_t len = size * n;
    return b->len + len > BODY_BLOB_MAX || buf_add(b, data, len) ? 0 : len;
}

static int get_http(const struct fetch_options *opt, const struct url *u, int64_t timeout_ms,
                    struct buf *ret, struct err *err)
{
    SCOPED(free_easy) CURL *easy = curl_easy_init();
    long status = 0;
    if (!easy)
        return err_nomem(err);
    http_common_options(easy, opt, timeout_ms, false);
    curl_easy_setopt(easy, CURLOPT_URL, u->text);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)LIMIT_REDIRECTS);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, ret);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_WRITE_ERROR)
        return err_set(err, ERR_LIMIT, "expected a certificate, found more than %u bytes",
                       BODY_BLOB_MAX);
    if (code)
        return err_set_os(err, code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_UNAVAILABLE,
                          (long)code, "%s", curl_easy_strerror(code));
    return status == 200 ? ERR_OK : err_set(err, ERR_NOT_FOUND, "expected 200, found %ld", status);
}

/* What may be held up by the system for longer than the caller waits: it owns what it uses. */
struct blob_errand {
    struct errand errand;
    const struct ldap_fetcher *ldap;
    struct url url;
    int64_t timeout_ms;
    struct buf got;
    struct err err;
    int rc;
};

/* All values: a directory holds the certificates of all keys of a CA. */
static int on_value(void *arg, const void *data, size_t len)
{
    return buf_add(arg, data, len) != 0;
}

static int get_ldap(struct blob_errand *e)
{
    struct ldap_answer answer = {0};
    const struct url *u = &e->url;
    if (!e->ldap)
        return err_set(&e->err, ERR_UNSUPPORTED, "this build has no LDAP client");
    const struct ldap_request rq = {
        .server = u->host,
        .port = u->port,
        .tls = u->tls,
        .dn = u->path,
        .attribute = u->attribute[0] ? u->attribute : "cACertificate",
        .filter = u->filter[0] ? u->filter : "(objectClass=*)",
        .scope = u->scope,
        .timeout_ms = e->timeout_ms,
        .max_bytes = BODY_BLOB_MAX,
    };
    e->ldap->fetch(e->ldap->self, &rq, on_value, &e->got, &answer);
    return answer.status == PROBE_OK ? ERR_OK
                                     : err_set(&e->err, ERR_UNAVAILABLE, "%.500s", answer.detail);
}

static void blob_run(struct errand *errand)
{
    struct blob_errand *e = (struct blob_errand *)(void *)errand;
    e->rc = e->url.kind == LOC_LDAP ? get_ldap(e)
                                    : file_read(e->url.path, BODY_BLOB_MAX, &e->got, &e->err);
}

static void blob_drop(struct errand *errand)
{
    struct blob_errand *e = (struct blob_errand *)(void *)errand;
    buf_free(&e->got);
    free(e);
}

static int get_blocking(const struct fetch_options *opt, const struct url *u, int64_t timeout_ms,
                        struct buf *ret, struct err *err)
{
    struct blob_errand *e = calloc(1, sizeof *e);
    if (!e)
        return err_nomem(err);
    e->errand = (struct errand){blob_run, blob_drop};
    e->ldap = opt->ldap;
    e->url = *u;
    e->timeout_ms = timeout_ms;
    int rc = errand_run(&e->errand, timeout_ms, err);
    if (rc)
        return rc;
    rc = e->rc;
    if (rc && err)
        *err = e->err;
    if (!rc)
        buf_add(ret, e->got.data, e->got.len);
    blob_drop(&e->errand);
    return rc;
}

int fetch_blob(const struct fetch_options *opt, const char *url, int64_t timeout_ms,
               struct buf *ret, struct err *err)
{
    struct url u;
    int rc = url_parse(url, &u, err);
    if (rc)
        return rc;
    switch (u.kind) {
    case LOC_HTTP:
    case LOC_HTTPS:
        rc = get_http(opt, &u, timeout_ms, ret, err);
        break;
    case LOC_LDAP:
    case LOC_FILE:
        rc = get_blocking(opt, &u, timeout_ms, ret, err);
        break;
    }
    return rc ? rc : buf_check(ret, "a certificate", err);
}
