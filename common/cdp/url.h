/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Addresses of locations: parsing and one normal form per location, so that the same location
 * named twice is probed once. No I/O. */
#ifndef CRLAGENT_CDP_URL_H
#define CRLAGENT_CDP_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "cdp/probe.h"

struct url {
    enum location_kind kind;
    bool tls;       /* https, ldaps */
    char host[256]; /* lower case, IPv6 without brackets; "" = local file or hostless LDAP */
    uint16_t port;  /* 0 = the scheme's own */
    char path[LIMIT_URL_CHARS + 1]; /* http: path and query, percent-encoded, begins with '/'; ldap:
                                       the DN, decoded; file: path for base/file.h */
    char attribute[128];            /* ldap: "" when the URL names none */
    char filter[512];               /* ldap: with parentheses, decoded; "" when none */
    int scope;                      /* ldap: 0 base, 1 one, 2 sub; base when the URL has none */
    char text[LIMIT_URL_CHARS + 1]; /* normal form: what is fetched, printed and compared */
};

/* Takes http, https, ldap, ldaps, file URLs, UNC (\\server\share) and plain local paths. Spaces
 * and non-ASCII characters are percent-encoded, the scheme and host put in lower case, a default
 * port dropped. ERR_INVALID: control characters, a user name or password in the URL (credentials
 * are never sent), a fragment, no host, a bad port, an escape that is none; ERR_UNSUPPORTED:
 * another scheme; ERR_LIMIT: longer than LIMIT_URL_CHARS. */
MUST_CHECK int url_parse(const char *text, struct url *ret, struct err *err);

/* Percent-decoding into dst (always terminated); ERR_PARSE for a bad escape or an encoded NUL. */
MUST_CHECK int url_decode(const char *text, char *dst, size_t dst_size, struct err *err);

/* May this host go where somebody else says? http and https send no credentials; an LDAP URL
 * without a host asks the own domain. A file, a share or a named LDAP server would have this host
 * open it or log on there, so that is only done for somebody who may say so. */
bool url_may_follow(const char *url);

/* The text with *** for a user name and password, for messages; it need not be a URL that can be
 * used. Returns dst. */
const char *url_mask(const char *text, char *dst, size_t dst_size);

/* Same location? Scheme and host without case, path with case (RFC 3986 section 6.2.2). */
bool url_same(const char *a, const char *b);

const char *location_kind_name(enum location_kind kind); /* "http", "https", "ldap", "file" */
const char *location_role_name(enum location_role role); /* "base", "delta", "aia", "ocsp" */

#endif
