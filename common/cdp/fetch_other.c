/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "cdp/fetch_other.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "cdp/body.h"
#include "cdp/url.h"

static int64_t limit_ms(const struct probe_target *t)
{
    return t->timeout_ms ? t->timeout_ms : LIMIT_FETCH_MS;
}

static void refuse(struct probe_result *r, enum probe_status status, const char *text, long os_code)
{
    r->status = status;
    r->os_code = os_code;
    str_copy(r->detail, sizeof r->detail, text);
}

static void refuse_file(struct probe_result *r, const struct err *err)
{
    enum probe_status s = err->code == ERR_NOT_FOUND     ? PROBE_NOT_FOUND
                          : err->code == ERR_DENIED      ? PROBE_DENIED
                          : err->code == ERR_TIMEOUT     ? PROBE_TIMEOUT
                          : err->code == ERR_UNAVAILABLE ? PROBE_CONNECT
                                                         : PROBE_INTERNAL;
    refuse(r, s, err->text, err->os_code);
}

/* The clock is looked at between blocks: a share that drips cannot hold the probe for ever. */
static int stream_file(FILE *f, struct body *b, const struct clock *clock, int64_t deadline,
                       struct err *err)
{
    char block[65536];
    for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;) {
        if (body_feed(b, block, n))
            return ERR_OK;
        if (clock_mono_ms(clock) > deadline)
            return err_set(err, ERR_TIMEOUT,
                           "expected the whole file in time, found %" PRIu64 " bytes", b->bytes);
    }
    return ferror(f) ? err_set(err, ERR_IO, "reading failed after %" PRIu64 " bytes", b->bytes)
                     : ERR_OK;
}

void probe_file(const struct probe_target *t, const struct crl_issuers *issuers,
                const struct clock *clock, struct probe_result *r)
{
    struct err err = ERR_INIT;
    struct file_info info = {0};
    struct url u;
    FILE *f = NULL;
    struct body b;
    int64_t start = clock_mono_ms(clock);
    body_begin(&b, t, issuers);
    int rc = url_parse(t->url, &u, &err);
    if (!rc)
        str_copy(r->address, sizeof r->address, u.host[0] ? u.host : u.path);
    if (!rc)
        rc = file_stat(u.path, &info, &err);
    if (!rc && info.is_dir)
        rc = err_set(&err, ERR_NOT_FOUND, "expected a file, found a folder: '%.500s'", u.path);
    if (!rc)
        rc = file_open(u.path, "rb", &f, &err);
    if (!rc)
        rc = stream_file(f, &b, clock, start + limit_ms(t), &err);
    if (f)
        fclose(f);
    if (rc)
        refuse_file(r, &err);
    else
        body_finish(&b, r);
    body_release(&b);
    r->total_ms = clock_mono_ms(clock) - start;
    r->connect_ms = 0;
}

/* Values of one attribute: the newest CRL counts (deltaRevocationList is multi-valued). */
struct ldap_values {
    const struct probe_target *target;
    const struct crl_issuers *issuers;
    struct probe_result *result;
    size_t n;
    bool have_crl;
};

static bool newer(const struct crl_facts *a, const struct crl_facts *b)
{
    int c = crl_number_compare(&a->number, &b->number);
    return c > 0 || (c == 0 && a->this_update > b->this_update);
}

static int on_value(void *arg, const void *data, size_t len)
{
    struct ldap_values *v = arg;
    struct probe_result *r = v->result;
    struct probe_result one = *r;
    struct body b;
    v->n++;
    r->bytes += len;
    if (len == 1 && *(const char *)data == '\0') {
        if (!v->have_crl)
            refuse(r, PROBE_PLACEHOLDER,
                   "the attribute holds a placeholder (one zero byte): nothing was ever published "
                   "there",
                   0);
        return 0;
    }
    body_begin(&b, v->target, v->issuers);
    if (len)
        (void)body_feed(&b, data, len);
    body_finish(&b, &one);
    if (one.status == PROBE_OK && (!v->have_crl || newer(&one.facts, &r->facts))) {
        uint64_t bytes = r->bytes;
        *r = one;
        r->bytes = bytes;
        r->detail[0] = '\0';
        v->have_crl = true;
    } else if (one.status != PROBE_OK && !v->have_crl) {
        refuse(r, one.status, one.detail, 0);
    }
    return 0;
}

static const char *default_attribute(enum location_role role)
{
    switch (role) {
    case ROLE_CRL_DELTA:
        return "deltaRevocationList";
    case ROLE_AIA:
        return "cACertificate";
    default:
        return "certificateRevocationList";
    }
}

void probe_ldap(const struct probe_target *t, const struct crl_issuers *issuers,
                const struct fetch_options *opt, struct probe_result *r)
{
    struct err err = ERR_INIT;
    struct url u;
    int64_t start = clock_mono_ms(opt->clock);
    if (url_parse(t->url, &u, &err)) {
        refuse(r, PROBE_UNSUPPORTED, err.text, 0);
        return;
    }
    if (!opt->ldap) {
        refuse(r, PROBE_UNSUPPORTED, "this build has no LDAP client", 0);
        return;
    }
    struct ldap_request rq = {
        .server = t->address[0] ? t->address : u.host,
        .port = u.port,
        .tls = u.tls,
        .dn = u.path,
        .attribute = u.attribute[0] ? u.attribute : default_attribute(t->role),
        .filter = u.filter[0] ? u.filter : "(objectClass=*)",
        .scope = u.scope,
        .timeout_ms = limit_ms(t),
        .max_bytes = t->max_bytes ? t->max_bytes : LIMIT_CRL_BYTES,
    };
    struct ldap_values v = {.target = t, .issuers = issuers, .result = r};
    struct ldap_answer answer = {0};
    opt->ldap->fetch(opt->ldap->self, &rq, on_value, &v, &answer);
    if (answer.status != PROBE_OK)
        refuse(r, answer.status, answer.detail, answer.os_code);
    else if (v.n == 0)
        refuse(r, PROBE_NO_ATTRIBUTE, "the entry has the attribute without a value", 0);
    str_copy(r->address, sizeof r->address, answer.address[0] ? answer.address : rq.server);
    r->connect_ms = answer.connect_ms;
    r->total_ms = clock_mono_ms(opt->clock) - start;
}
