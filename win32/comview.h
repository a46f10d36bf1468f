/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Rows of the CA's database through ICertView. Calls block without a limit. */
#ifndef CRLAGENT_WIN32_COMVIEW_H
#define CRLAGENT_WIN32_COMVIEW_H

#include <wchar.h>

#include "ca/admin.h"

/* The certificates issued most recently, as struct ca_admin_ops' issued. The thread has joined a
 * COM apartment. ERR_UNSUPPORTED when the class is not registered. */
MUST_CHECK int com_view_issued(const wchar_t *config_string, const struct ca_issued_query *query,
                               struct buf *ret, struct err *err);

#endif
