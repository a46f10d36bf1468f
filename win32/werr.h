/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Win32 and HRESULT codes translated in one place each. Capture GetLastError() on the failing line
 * and pass it. */
#ifndef CRLAGENT_WIN32_WERR_H
#define CRLAGENT_WIN32_WERR_H

#include <stdint.h>

#include "base/err.h"

/* text + ": message of the system (error n)"; os_code = n. */
int err_set_win32(struct err *err, unsigned long win32, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* text + ": message (0x8...)"; os_code = hresult. */
int err_set_hresult(struct err *err, long hresult, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
