/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The CA's settings from the registry and its CRLs from the local machine's store. Both can be read
 * while CertSvc is stopped. */
#ifndef CRLAGENT_WIN32_CASETTINGS_H
#define CRLAGENT_WIN32_CASETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "ca/settings.h"

#define CA_REGISTRY_ROOT "SYSTEM\\CurrentControlSet\\Services\\CertSvc\\Configuration"
#define CA_CRL_STORE_ROOT "SOFTWARE\\Microsoft\\SystemCertificates\\CA\\CRLs"

/* Reads CA_REGISTRY_ROOT; static. */
const struct ca_settings_reader *ca_settings_registry(void);

/* The same below another key of HKEY_LOCAL_MACHINE. Values that are missing get the documented
 * defaults; a value of a wrong type is an error that names it. */
MUST_CHECK int ca_settings_read_from(const char *root, struct ca_settings *ret, struct err *err);

/* Calls each() with the DER of every CRL in the local machine's intermediate store: the CA's own
 * reference copies. root is CA_CRL_STORE_ROOT but for tests. A non-zero return ends the walk and is
 * returned. An entry that cannot be read is skipped and counted in *ret_skipped (may be NULL). */
MUST_CHECK int ca_store_each_crl(const char *root,
                                 int (*each)(void *arg, const uint8_t *der, size_t len), void *arg,
                                 size_t *ret_skipped, struct err *err);

/* Finds the CRL inside a store entry's Blob value: properties of {id, 1, length, bytes}, the CRL
 * being property 0x21. ERR_PARSE with the offset. The result points into blob. */
MUST_CHECK int ca_store_blob_crl(const uint8_t *blob, size_t len, const uint8_t **ret_der,
                                 size_t *ret_len, struct err *err);

#endif
