/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The in-process prober: all targets at once over libcurl (http, https), the LDAP seam and
 * base/file.h, streamed into the CRL reader as the bytes arrive. Sends no credentials, keeps no
 * cookies, follows redirects only to http and https, and ends every probe within its time-out: a
 * call into the system that does not come back by then is left behind on its thread. */
#ifndef CRLAGENT_CDP_FETCH_H
#define CRLAGENT_CDP_FETCH_H

#include "base/when.h"
#include "cdp/ldap.h"
#include "cdp/probe.h"

struct fetch_options {
    uint32_t max_total;    /* transfers at once; 0 = 64 */
    uint32_t max_per_host; /* of these to one host; 0 = 8 */
    const char *proxy;     /* "http://proxy:3128"; NULL = as the environment says; "" = none. A
                              target with an address or with direct set never uses it */
    const char *ca_file;   /* PEM for TLS; NULL = the system's store */
    const struct ldap_fetcher *ldap; /* NULL = LDAP locations are PROBE_UNSUPPORTED */
    const struct clock *clock;       /* NULL = the system's */
    /* Called on the calling thread as results arrive; may be NULL. */
    void (*progress)(void *arg, size_t done, size_t total);
    void *progress_arg;
};

/* Global set-up of libcurl, once per process, before threads are started. */
MUST_CHECK int fetch_setup(struct err *err);

/* ret->run asks all targets. Options (and what they point to) must outlive it; ldap also the
 * threads that were left behind. One run at a time per prober. prober_free for the self pointer. */
MUST_CHECK int fetch_prober_new(const struct fetch_options *opt, struct prober *ret,
                                struct err *err);
void fetch_prober_free(struct prober *p); /* for SCOPED(); takes a zeroed one */

#endif
