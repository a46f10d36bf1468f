/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Seam: administration of the running CA. win32/ has ICertAdmin2 over COM and certutil.exe; tests
 * have a fake. No call may be made while CertSvc is stopped (DCOM would try to launch it and fill
 * the System log); the caller asks the SCM first. Calls block: a deadline is the caller's (own
 * thread). Property ids: [MS-WCCE] 3.2.1.4.3.2; flags: certadm.h. */
#ifndef CRLAGENT_CA_ADMIN_H
#define CRLAGENT_CA_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum ca_crl_kind { CA_CRL_BASE = 0x1, CA_CRL_DELTA = 0x2 };
#define CA_CRL_REPUBLISH 0x10 /* copies the newest CRLs again; signs nothing */

enum ca_prop {
    CA_PROP_FILE_VERSION = 0x01,
    CA_PROP_NAME = 0x06,
    CA_PROP_SANITIZED_NAME = 0x07,
    CA_PROP_TYPE = 0x0A,
    CA_PROP_CERT_COUNT = 0x0B,
    CA_PROP_CERT = 0x0C,
    CA_PROP_BASE_CRL = 0x11,
    CA_PROP_DELTA_CRL = 0x12,
    CA_PROP_CERT_STATE = 0x13,
    CA_PROP_CRL_STATE = 0x14,
    CA_PROP_DNS_NAME = 0x16,
    CA_PROP_ROLE_SEPARATION = 0x17,
    CA_PROP_BASE_CRL_STATUS = 0x1E,
    CA_PROP_DELTA_CRL_STATUS = 0x1F,
    CA_PROP_CERT_STATUS_CODE = 0x22,
    CA_PROP_CERT_VERSION = 0x27,
    CA_PROP_SANITIZED_SHORT_NAME = 0x28,
    CA_PROP_CERT_CDP_URLS = 0x29,
    CA_PROP_CERT_AIA_URLS = 0x2A,
    CA_PROP_CERT_OCSP_URLS = 0x2B,
    CA_PROP_CRL_PARTITION_COUNT = 0x2E,
    CA_PROP_PART_BASE_CRL = 0x2F,
    CA_PROP_PART_DELTA_CRL = 0x30,
    CA_PROP_PART_BASE_STATUS = 0x31,
    CA_PROP_PART_DELTA_STATUS = 0x32,
};
/* The CAXCHG properties (0x0E-0x10, 0x21) are absent on purpose: reading them can create keys in
 * the HSM. */

/* Publish status bits, CPF_* of certsrv.h ([MS-CSRA] 3.1.4.1.6). */
enum ca_cpf {
    CPF_BASE = 0x1,
    CPF_DELTA = 0x2,
    CPF_COMPLETE = 0x4,
    CPF_SHADOW = 0x8,
    CPF_CASTORE_ERROR = 0x10,
    CPF_BADURL_ERROR = 0x20,
    CPF_MANUAL = 0x40,
    CPF_SIGNATURE_ERROR = 0x80,
    CPF_LDAP_ERROR = 0x100,
    CPF_FILE_ERROR = 0x200,
    CPF_FTP_ERROR = 0x400,
    CPF_HTTP_ERROR = 0x800,
    CPF_POSTPONED_BASE_LDAP = 0x1000,
    CPF_POSTPONED_BASE_FILE = 0x2000,
};
#define CPF_ERROR_MASK 0x3FB0u

/* CA_DISP_* of certsrv.h: state of a CA certificate or of its CRL. */
enum ca_disp {
    CA_DISP_INCOMPLETE = 0,
    CA_DISP_ERROR = 1,
    CA_DISP_REVOKED = 2,
    CA_DISP_VALID = 3,
    CA_DISP_INVALID = 4
};

/* Access bits of GetMyRoles. */
enum ca_role { CA_ROLE_ADMIN = 0x1, CA_ROLE_OFFICER = 0x2, CA_ROLE_READ = 0x100 };

/* Which of the certificates that the CA issued: those that still live, newest first. */
struct ca_issued_query {
    uint32_t max;  /* at most so many */
    int64_t now;   /* UTC seconds; what has expired by then is left out */
    int64_t since; /* valid from then on; 0 = any */
};

struct ca_admin_ops {
    const char *name; /* "ICertAdmin2" or "certutil", for messages */
    /* PublishCRLs. what = CA_CRL_* bits; until = explicit Date in UTC seconds, 0 = from the CA's
     * own periods. A failing HRESULT (err->os_code) is the first failed location: it proves neither
     * success nor failure. */
    int (*publish)(void *self, unsigned what, int64_t until, struct err *err);
    /* index: CA certificate index (or partition<<16|index), -1 = current where allowed.
     * ERR_NOT_FOUND when the property is empty (0x80094004) or unknown to this CA version.
     * ERR_UNAVAILABLE when the CA does not answer. */
    int (*prop_long)(void *self, enum ca_prop id, int32_t index, int32_t *ret, struct err *err);
    int (*prop_text)(void *self, enum ca_prop id, int32_t index, struct buf *ret, struct err *err);
    int (*prop_blob)(void *self, enum ca_prop id, int32_t index, struct buf *ret, struct err *err);
    /* Does the CA answer its administration interface? Cheap. */
    int (*ping)(void *self, struct err *err);
    /* Bits of enum ca_role of the calling account. ERR_UNSUPPORTED where there is no such call. */
    int (*roles)(void *self, uint32_t *ret, struct err *err);
    /* Appends the certificates that the CA issued recently, DER one after the other, newest first;
     * at most LIMIT_ISSUED_BYTES. ERR_UNSUPPORTED where there is no such question. NULL = as that.
     */
    int (*issued)(void *self, const struct ca_issued_query *query, struct buf *ret,
                  struct err *err);
};
struct ca_admin {
    const struct ca_admin_ops *ops;
    void *self;
};

/* "COMPLETE", "LDAP_ERROR|FILE_ERROR" ... into dst; "0 (unknown)" for 0. Returns dst. */
const char *ca_cpf_format(uint32_t flags, char *dst, size_t dst_size);

enum ca_publish_verdict {
    CA_PUBLISH_UNKNOWN,
    CA_PUBLISH_COMPLETE,
    CA_PUBLISH_PARTIAL,
    CA_PUBLISH_FAILED
};
/* What the status bits say: 0 = UNKNOWN, COMPLETE set and no error bit = COMPLETE, SIGNATURE_ERROR
 * = FAILED, any other error bit = PARTIAL (created, not everywhere delivered). */
enum ca_publish_verdict ca_cpf_verdict(uint32_t flags);

/* Where an HRESULT of the CA points: "hsm", "access", "location", "ca-not-running", "argument",
 * "directory", "parent-crl", "other"; and a short sentence for people. Source:
 * certadm.h/winerror.h, domain notes section 1.4. */
struct ca_hresult_hint {
    const char *side;
    const char *text;
};
struct ca_hresult_hint ca_hresult_explain(uint32_t hresult);

#endif
