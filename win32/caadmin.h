/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Administration of the CA on this host: ICertAdmin2 over COM, certutil.exe where the class is not
 * registered or the configuration says so; each call with a time limit of its own. */
#ifndef CRLAGENT_WIN32_CAADMIN_H
#define CRLAGENT_WIN32_CAADMIN_H

#include <stdint.h>

#include "ca/admin.h"

enum ca_admin_way { CA_ADMIN_AUTO, CA_ADMIN_COM, CA_ADMIN_CERTUTIL };

struct ca_admin_setup {
    const char *config_string; /* "HOST\\CA Common Name" */
    enum ca_admin_way way;
    const char *certutil;       /* full path, NULL = System32\\certutil.exe */
    const char *registry_root;  /* NULL = CA_REGISTRY_ROOT */
    int64_t timeout_ms;         /* one call; 0 = 60 s */
    int64_t publish_timeout_ms; /* one publication, which can be long with a slow HSM; 0 = 15 min */
};

/* ret->ops->name tells which way was taken. The returned object may be used from any thread. A call
 * that hangs returns ERR_TIMEOUT while its thread is left behind until the provider lets it go;
 * with four of those left behind, further calls are refused with ERR_BUSY. Close with
 * ca_admin_close. */
MUST_CHECK int ca_admin_open(const struct ca_admin_setup *setup, struct ca_admin *ret,
                             struct err *err);
void ca_admin_close(struct ca_admin *admin);

#endif
