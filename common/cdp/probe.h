/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* One probe = one location asked at one address. Request and result are flat structs without
 * pointers: they cross from the restricted worker process to the service as they are. */
#ifndef CRLAGENT_CDP_PROBE_H
#define CRLAGENT_CDP_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "crl/facts.h"
#include "crl/reader.h"
#include "ocsp/ocsp.h"

enum location_kind { LOC_HTTP, LOC_HTTPS, LOC_LDAP, LOC_FILE /* local path or UNC */ };
enum location_role { ROLE_CRL_BASE, ROLE_CRL_DELTA, ROLE_AIA, ROLE_OCSP };
/* Where a location comes from; bits, one location can have several. */
enum location_origin {
    FROM_CA_CDP = 1,      /* CR_PROP_CERTCDPURLS: what issued certificates carry */
    FROM_CA_PUBLISH = 2,  /* CRLPublicationURLs with a write bit: where the CA writes */
    FROM_CERTIFICATE = 4, /* CDP of an issued certificate */
    FROM_CONFIG = 8,
    FROM_COMMAND_LINE = 16,
    FROM_FRESHEST = 32, /* Freshest CRL extension */
    FROM_PARENT = 64,   /* CDP of a CA certificate: the parent's CRL */
};

struct probe_target {
    char url[LIMIT_URL_CHARS + 1]; /* as clients have it, expanded and percent-encoded */
    char address[80]; /* ask this IP address or DC (Host header kept); "" = as resolved */
    enum location_kind kind;
    enum location_role role;
    uint32_t origin;    /* enum location_origin bits */
    uint32_t key_index; /* CA key (index of the certificate at which the key first appeared) */
    uint32_t partition; /* CRL partition, 0 = none */
    uint8_t parent;     /* 0 = this CA's own; 1 = named by this CA's certificate, so its parent's;
                           2 = named by the parent's, and so on */
    /* Until when living certificates carry this URL, as read from the CA's database (UTC seconds);
     * 0 = not read there. */
    int64_t carried_until;
    /* A certificate that was read for it names so many CRL URLs, this one among them; 0 = none was.
     */
    uint32_t named_with;
    int64_t timeout_ms; /* whole probe; 0 = LIMIT_FETCH_MS */
    uint64_t max_bytes; /* 0 = LIMIT_CRL_BYTES */
    bool as_client;     /* caches may answer; false = Cache-Control: no-cache */
    bool by_name;       /* asked once, by its name: a proxy does the rest, or as clients do */
    bool unresolved;    /* the name was looked up already and has no address: not asked again */
    bool direct;        /* go past the proxy; a target with an address always does */
    /* Conditional request of the periodic loop (http): what the last full answer carried; "" =
     * ask for the whole. An unchanged CRL is PROBE_NOT_MODIFIED. */
    char if_etag[128];
    char if_modified[48];
    /* OCSP over http: the request (DER) to send by POST; without one the URL is only asked by GET,
     * which tells a responder from silence. */
    uint8_t ocsp_request[OCSP_REQUEST_MAX];
    uint16_t ocsp_request_len;
};

/* Only certificates issued earlier name it: neither the CA's configuration nor anybody here does.
 */
static inline bool probe_carried_only(const struct probe_target *t)
{
    return t->carried_until && !(t->origin & ~(uint32_t)FROM_CERTIFICATE);
}

enum probe_status {
    PROBE_OK = 0,  /* a CRL arrived and was read */
    PROBE_DNS,     /* the name does not resolve */
    PROBE_CONNECT, /* no connection */
    PROBE_TLS,     /* certificate or handshake */
    PROBE_TIMEOUT,
    PROBE_HTTP_STATUS, /* an answer other than 200 */
    PROBE_REDIRECT,    /* loop, too many, or to a forbidden scheme */
    PROBE_TOO_LARGE,
    PROBE_TRUNCATED,    /* fewer bytes than announced */
    PROBE_NOT_FOUND,    /* file absent, LDAP noSuchObject */
    PROBE_NO_ATTRIBUTE, /* LDAP entry without the CRL attribute */
    PROBE_PLACEHOLDER,  /* LDAP attribute with a placeholder (one zero byte) */
    PROBE_DENIED,
    PROBE_NOT_A_CRL,   /* bytes that are no CRL: detail says which rule */
    PROBE_EMPTY,       /* zero bytes */
    PROBE_UNSUPPORTED, /* scheme */
    PROBE_PROXY,
    PROBE_INTERNAL,
    PROBE_NOT_MODIFIED, /* 304 to a conditional request: facts are those of the last time */
};

struct probe_result {
    enum probe_status status;
    char address[80];          /* who answered: IP address, DC name, path */
    char detail[ERR_TEXT_MAX]; /* for a status other than OK: what was expected and found */
    long os_code;              /* curl, LDAP or system number */
    int32_t http_status;       /* 0 = none */
    uint32_t redirects;
    uint64_t bytes;  /* on the wire, body only */
    int64_t started; /* UTC seconds */
    int64_t connect_ms, total_ms;
    /* HTTP hygiene */
    char content_type[96];
    char etag[128];
    char last_modified[48];
    char cache_control[128];
    int64_t age;         /* seconds, -1 = no header */
    int64_t server_date; /* UTC seconds, WHEN_NONE = no Date header */
    bool via_proxy;
    /* the CRL, when status is PROBE_OK */
    enum crl_signature signature;
    char signature_why[256];
    struct crl_facts facts;
    struct ocsp_facts ocsp; /* of an OCSP location that was asked about a certificate */
};

const char *probe_status_name(enum probe_status s); /* "http-status" ... */

/* Seam: asks all targets (at once, with a cap per host) and fills results[i] for targets[i].
 * Returns an error only when the prober itself broke (worker died): a location that fails is a
 * result. Implementations: in-process (common/cdp) and through the restricted worker (win32/),
 * tests have a fake. */
struct prober {
    int (*run)(void *self, const struct probe_target *targets, size_t n,
               const struct crl_issuers *issuers, struct probe_result *results, struct err *err);
    void *self;
};

#endif
