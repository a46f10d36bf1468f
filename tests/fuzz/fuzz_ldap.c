/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* What a directory may hold where a CRL should be. First byte: role and what the server says; then
 * the values of the attribute, each with two bytes of length before it. */
#include <string.h>

#include "base/str.h"
#include "base/when.h"
#include "cdp/fetch_other.h"
#include "fuzz/harness.h"

struct values {
    const uint8_t *data;
    size_t size;
    uint8_t how;
};

static void fetch(void *self, const struct ldap_request *request,
                  int (*on_value)(void *arg, const void *data, size_t len), void *arg,
                  struct ldap_answer *ret)
{
    static const enum probe_status says[] = {PROBE_OK,      PROBE_OK,     PROBE_NO_ATTRIBUTE,
                                             PROBE_TIMEOUT, PROBE_DENIED, PROBE_TOO_LARGE,
                                             PROBE_OK,      PROBE_OK};
    const struct values *v = self;
    FUZZ_CHECK(request->attribute[0] && request->filter[0] && request->dn);
    memset(ret, 0, sizeof *ret);
    size_t at = 0;
    while (at + 2 <= v->size) {
        size_t len = (size_t)v->data[at] << 8 | v->data[at + 1];
        at += 2;
        len = len < v->size - at ? len : v->size - at;
        ret->values++;
        if (on_value(arg, v->data + at, len))
            break;
        at += len;
    }
    ret->status = says[v->how >> 2 & 7];
    str_copy(ret->detail, sizeof ret->detail, ret->status == PROBE_OK ? "" : "as the server says");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum location_role roles[] = {ROLE_CRL_BASE, ROLE_CRL_DELTA, ROLE_AIA,
                                               ROLE_CRL_BASE};
    static struct probe_target t;
    static struct probe_result r;
    if (size < 1)
        return 0;
    struct values v = {data + 1, size - 1, data[0]};
    const struct ldap_fetcher fetcher = {fetch, NULL, &v};
    const struct fetch_options opt = {.ldap = &fetcher, .clock = clock_system()};
    t = (struct probe_target){.role = roles[data[0] & 3],
                              .kind = LOC_LDAP,
                              .url = "ldap:///CN=CA,DC=lab?certificateRevocationList?base"};
    memset(&r, 0, sizeof r);
    probe_ldap(&t, NULL, &opt, &r);
    FUZZ_CHECK(r.status >= PROBE_OK && r.status <= PROBE_NOT_MODIFIED);
    FUZZ_CHECK(r.status == PROBE_OK || r.detail[0]);
    FUZZ_CHECK(str_is_utf8(r.detail, strlen(r.detail)));
    if (r.status == PROBE_OK && t.role != ROLE_AIA)
        FUZZ_CHECK(r.facts.bytes > 0 && r.facts.bytes <= size);
    return 0;
}
