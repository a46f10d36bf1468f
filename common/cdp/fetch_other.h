/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Inside cdp only: locations that block while they are read: files and directory entries. */
#ifndef CRLAGENT_CDP_FETCH_OTHER_H
#define CRLAGENT_CDP_FETCH_OTHER_H

#include "cdp/fetch.h"

/* Both fill the result completely, and may be held up longer than the time-out by the system: they
 * are called on threads that can be left behind, with arguments that these own. */
void probe_file(const struct probe_target *t, const struct crl_issuers *issuers,
                const struct clock *clock, struct probe_result *r);
void probe_ldap(const struct probe_target *t, const struct crl_issuers *issuers,
                const struct fetch_options *opt, struct probe_result *r);

#endif
