/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* certutil.exe behind the seam of ca/admin.h: by full path, without a shell, judged by its exit
 * code and by the files it writes, never by its localised text. What certutil only prints is
 * ERR_UNSUPPORTED here. */
#ifndef CRLAGENT_WIN32_CERTUTILADMIN_H
#define CRLAGENT_WIN32_CERTUTILADMIN_H

#include <stdint.h>

#include "ca/admin.h"

struct certutil_setup {
    const char *config_string;
    const char *program;       /* NULL = System32\\certutil.exe */
    const char *registry_root; /* NULL = CA_REGISTRY_ROOT */
    int64_t timeout_ms;
    int64_t publish_timeout_ms;
};

/* ERR_NOT_FOUND when there is no such program. */
MUST_CHECK int certutil_admin_open(const struct certutil_setup *setup, struct ca_admin *ret,
                                   struct err *err);
void certutil_admin_close(struct ca_admin *admin);

#endif
