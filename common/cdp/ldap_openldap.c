/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* LDAP for the native build: anonymous, signed in nowhere. The Windows one is win32/ldapfetch.c. */
#include <lber.h>
#include <ldap.h>

#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "base/str.h"
#include "base/when.h"
#include "cdp/ldap.h"

struct session {
    LDAP *ld;
    const struct ldap_request *rq;
    struct ldap_answer *ret;
    int64_t deadline; /* monotonic milliseconds */
};

static void unbind(LDAP **ld)
{
    if (*ld)
        ldap_unbind_ext_s(*ld, NULL, NULL);
}

static struct timeval time_left(const struct session *s)
{
    int64_t ms = s->deadline - clock_mono_ms(clock_system());
    ms = ms > 1 ? ms : 1;
    return (struct timeval){ms / 1000, (ms % 1000) * 1000};
}

/* Result codes become states in this one place; the number stays in os_code. */
static int failed(struct session *s, int code, const char *doing)
{
    static const struct {
        int code;
        enum probe_status status;
    } table[] = {
        {LDAP_SERVER_DOWN, PROBE_CONNECT},
        {LDAP_CONNECT_ERROR, PROBE_TLS},
        {LDAP_TIMEOUT, PROBE_TIMEOUT},
        {LDAP_TIMELIMIT_EXCEEDED, PROBE_TIMEOUT},
        {LDAP_NO_SUCH_OBJECT, PROBE_NOT_FOUND},
        {LDAP_NO_SUCH_ATTRIBUTE, PROBE_NO_ATTRIBUTE},
        {LDAP_REFERRAL, PROBE_REDIRECT},
        {LDAP_PARTIAL_RESULTS, PROBE_REDIRECT},
        {LDAP_INSUFFICIENT_ACCESS, PROBE_DENIED},
        {LDAP_INAPPROPRIATE_AUTH, PROBE_DENIED},
        {LDAP_INVALID_CREDENTIALS, PROBE_DENIED},
        {LDAP_STRONG_AUTH_REQUIRED, PROBE_DENIED},
        {LDAP_OPERATIONS_ERROR, PROBE_DENIED}, /* AD: "a successful bind must be completed" */
        {LDAP_SIZELIMIT_EXCEEDED, PROBE_TOO_LARGE},
    };
    s->ret->status = PROBE_INTERNAL;
    s->ret->os_code = code;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].code == code)
            s->ret->status = table[i].status;
    }
    snprintf(s->ret->detail, sizeof s->ret->detail, "%s, entry '%.300s': %s (LDAP %d)", doing,
             s->rq->dn, ldap_err2string(code), code);
    return code;
}

static int open_session(struct session *s)
{
    char uri[512] = "";
    const struct ldap_request *rq = s->rq;
    int version = LDAP_VERSION3;
    struct timeval left = time_left(s);
    bool v6 = strchr(rq->server, ':') != NULL;
    if (rq->server[0])
        snprintf(uri, sizeof uri, "%s://%s%s%s:%u", rq->tls ? "ldaps" : "ldap", v6 ? "[" : "",
                 rq->server, v6 ? "]" : "",
                 rq->port  ? rq->port
                 : rq->tls ? 636u
                           : 389u);
    int rc = ldap_initialize(&s->ld, uri[0] ? uri : NULL);
    if (rc)
        return failed(s, rc, "opening");
    ldap_set_option(s->ld, LDAP_OPT_PROTOCOL_VERSION, &version);
    ldap_set_option(s->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    ldap_set_option(s->ld, LDAP_OPT_NETWORK_TIMEOUT, &left);
    ldap_set_option(s->ld, LDAP_OPT_TIMEOUT, &left);
    struct berval nobody = {0, NULL};
    rc = ldap_sasl_bind_s(s->ld, NULL, LDAP_SASL_SIMPLE, &nobody, NULL, NULL, NULL);
    return rc ? failed(s, rc, "signing in anonymously") : LDAP_SUCCESS;
}

static int deliver(struct session *s, LDAPMessage *entry,
                   int (*on_value)(void *arg, const void *data, size_t len), void *arg)
{
    struct berval **values = ldap_get_values_len(s->ld, entry, s->rq->attribute);
    uint64_t bytes = 0;
    for (size_t i = 0; values && values[i]; i++) {
        bytes += values[i]->bv_len;
        if (s->rq->max_bytes && bytes > s->rq->max_bytes) {
            ldap_value_free_len(values);
            return failed(s, LDAP_SIZELIMIT_EXCEEDED, "the values are larger than the limit");
        }
        s->ret->values++;
        if (on_value(arg, values[i]->bv_val, values[i]->bv_len))
            break;
    }
    if (values)
        ldap_value_free_len(values);
    return LDAP_SUCCESS;
}

static int search(struct session *s, int (*on_value)(void *arg, const void *data, size_t len),
                  void *arg)
{
    char attribute[128];
    char *attributes[] = {attribute, NULL};
    LDAPMessage *answer = NULL;
    struct timeval left = time_left(s);
    str_copy(attribute, sizeof attribute, s->rq->attribute);
    int rc = ldap_search_ext_s(s->ld, s->rq->dn, s->rq->scope, s->rq->filter, attributes, 0, NULL,
                               NULL, &left, 1, &answer);
    LDAPMessage *entry = rc ? NULL : ldap_first_entry(s->ld, answer);
    if (rc)
        rc = failed(s, rc, "searching");
    else if (!entry && ldap_first_reference(s->ld, answer))
        rc = failed(s, LDAP_REFERRAL, "the server refers to another one");
    else if (!entry)
        rc = failed(s, LDAP_NO_SUCH_OBJECT, "no entry matches the filter");
    else
        rc = deliver(s, entry, on_value, arg);
    if (!rc && s->ret->values == 0)
        rc = failed(s, LDAP_NO_SUCH_ATTRIBUTE, "the entry lacks the attribute");
    ldap_msgfree(answer);
    return rc;
}

static void fetch(void *self, const struct ldap_request *rq,
                  int (*on_value)(void *arg, const void *data, size_t len), void *arg,
                  struct ldap_answer *ret)
{
    (void)self;
    const struct clock *clock = clock_system();
    int64_t start = clock_mono_ms(clock);
    struct session s = {.rq = rq, .ret = ret, .deadline = start + rq->timeout_ms};
    memset(ret, 0, sizeof *ret);
    ret->connect_ms = -1;
    str_copy(ret->address, sizeof ret->address, rq->server);
    if (!open_session(&s)) {
        ret->connect_ms = clock_mono_ms(clock) - start;
        if (!search(&s, on_value, arg))
            ret->status = PROBE_OK;
    }
    unbind(&s.ld);
}

static int servers(void *self, char (*ret)[80], size_t max, size_t *ret_n, struct err *err)
{
    (void)self;
    (void)ret;
    (void)max;
    (void)ret_n;
    return err_set(err, ERR_UNSUPPORTED, "this host belongs to no Windows domain");
}

const struct ldap_fetcher *ldap_system(void)
{
    static const struct ldap_fetcher f = {fetch, servers, NULL};
    return &f;
}
