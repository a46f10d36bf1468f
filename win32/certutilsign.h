/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* certutil -sign behind the seam of ca/resign.h: by full path, without a shell, judged by its exit
 * code and by the file it writes. Its files lie in a folder that only we may enter. Syntax:
 * Microsoft's certutil reference; what it does on a real CA is in docs/verification.md. */
#ifndef CRLAGENT_WIN32_CERTUTILSIGN_H
#define CRLAGENT_WIN32_CERTUTILSIGN_H

#include <stdint.h>

#include "ca/resign.h"

struct certutil_sign_setup {
    const char *program; /* NULL = System32\\certutil.exe */
    const char *folder;  /* for the files in between; made and secured by the caller */
    int64_t timeout_ms;
};

struct certutil_sign;
/* ERR_NOT_FOUND when there is no such program. One call at a time. */
MUST_CHECK int certutil_sign_open(const struct certutil_sign_setup *setup,
                                  struct certutil_sign **ret, struct err *err);
struct ca_resigner certutil_sign_seam(struct certutil_sign *s);
void certutil_sign_close(struct certutil_sign **s); /* takes NULL */

/* The extension file (INF) for one request, appended. Exposed for tests. */
int certutil_sign__extensions(const struct ca_resign *what, struct buf *ret);

#endif
