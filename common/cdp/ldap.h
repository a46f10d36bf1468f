/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Seam: reading one attribute of one directory entry. Windows: win32/ldapfetch.c (wldap32, signed
 * in as the process's own account); natively cdp/ldap_openldap.c (anonymous). Callers use one
 * fetcher from several threads at once: an implementation keeps no state between calls. */
#ifndef CRLAGENT_CDP_LDAP_H
#define CRLAGENT_CDP_LDAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdp/probe.h"

struct ldap_request {
    const char *server; /* host name or IP address of a DC; "" = hostless: the system finds a DC of
                           the own domain (Windows), or the client configuration does (native) */
    uint16_t port;      /* 0 = 389, or 636 with tls. Never a global catalogue port: neither CRL
                           attribute is in the partial attribute set */
    bool tls;           /* ldaps */
    const char *dn;     /* UTF-8, not percent-encoded */
    const char *attribute; /* certificateRevocationList, deltaRevocationList, cACertificate */
    const char *filter;    /* "(objectClass=*)" when the URL has none */
    int scope;             /* 0 base, 1 one level, 2 subtree (LDAP numbers) */
    int64_t timeout_ms; /* connect, bind and search together, as far as the library keeps to it */
    uint64_t max_bytes; /* of all values together; more is PROBE_TOO_LARGE */
};

/* What happened. Only these states are used: OK (at least one value was delivered), DNS, CONNECT,
 * TLS, TIMEOUT, TOO_LARGE, NOT_FOUND (no such object), NO_ATTRIBUTE (entry without the attribute),
 * DENIED (bind or rights), REDIRECT (a referral came back: referrals are never followed),
 * UNSUPPORTED, INTERNAL. */
struct ldap_answer {
    enum probe_status status;
    char address[80];          /* the server that answered: name or address */
    char detail[ERR_TEXT_MAX]; /* for a status other than OK: what was asked, expected and found */
    long os_code;              /* LDAP result code */
    size_t values;             /* delivered */
    int64_t connect_ms;        /* until bound; -1 = never */
};

struct ldap_fetcher {
    /* Delivers each value in the order of the server: on_value(arg, bytes, length). The bytes live
     * during the callback only; non-zero ends the delivery. Neither library keeps a limit in a TLS
     * handshake or a bind: whoever must go on sends it as an errand (base/errand.h). */
    void (*fetch)(void *self, const struct ldap_request *request,
                  int (*on_value)(void *arg, const void *data, size_t len), void *arg,
                  struct ldap_answer *ret);
    /* Names of the DCs of the own domain (DsGetDcOpen/DsGetDcNext), at most max; ERR_UNSUPPORTED
     * where there is no domain. */
    int (*servers)(void *self, char (*ret)[80], size_t max, size_t *ret_n, struct err *err);
    void *self;
};

/* The platform's own: win32/ldapfetch.c or cdp/ldap_openldap.c. */
const struct ldap_fetcher *ldap_system(void);

#endif
