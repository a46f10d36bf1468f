/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Our own service in the SCM's database: install, uninstall, start, stop. */
#ifndef CRLAGENT_WIN32_SVCINSTALL_H
#define CRLAGENT_WIN32_SVCINSTALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct svc_setup {
    const char *name;    /* "crlagent" */
    const char *display; /* shown in the services console */
    const char *description;
    const char *program;   /* full path; it is quoted in ImagePath */
    const char *arguments; /* after the program, or NULL */
    const char *account;   /* NULL = LocalSystem; "NT SERVICE\\crlagent" = virtual account */
    bool change_account;   /* of an existing service too */
    const char *const *privileges; /* required privileges, NULL-terminated; NULL = all kept */
    uint32_t preshutdown_ms;       /* how long Windows waits for us at shutdown */
};

/* Creates the service: delayed automatic start, restart three times after 60 s (counter reset
 * after a day, also for a non-zero exit), service SID, or brings an existing one of that name to
 * these settings (the start type of an existing one is
 * kept, its account too unless change_account says so). */
MUST_CHECK int svc_install(const struct svc_setup *setup, struct err *err);

/* Stops it first (waits up to timeout_ms); ERR_NOT_FOUND when there is none. */
MUST_CHECK int svc_uninstall(const char *name, int64_t timeout_ms, struct err *err);

/* Start or stop and wait for it; ERR_TIMEOUT tells the state it hangs in, ERR_STATE that it ended
 * at once, with its exit code. Fine when it is there already. */
MUST_CHECK int svc_start_wait(const char *name, int64_t timeout_ms, struct err *err);
MUST_CHECK int svc_stop_wait(const char *name, int64_t timeout_ms, struct err *err);

#endif
