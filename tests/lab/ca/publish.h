/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A publication run: what [MS-CSRA] PublishCRLs does, with its bookkeeping. Called under the CA's
 * lock. */
#ifndef LAB_PUBLISH_H
#define LAB_PUBLISH_H

#include "camodel.h"
#include "hsmclient.h"

enum { PUBLISH_BASE = 1, PUBLISH_DELTA = 2, PUBLISH_REPUBLISH = 0x10 };

/* until: explicit Date in UTC seconds, 0 = by the registry's periods. caller: NULL = the timer.
 * Result: HRESULT of the first failed location, or of the failed creation. */
HRESULT publish_run(const struct ca *ca, struct hsm *hsm, unsigned flags, int64_t until,
                    const char *caller);

/* Has a write failed, so that the retry timer must run? */
bool publish_retry_wanted(void);
/* One try of the retry timer: copies what is not everywhere yet. Event 67 after the last one. */
void publish_retry(const struct ca *ca);

/* "text. 0x80070005 (WIN32: 5)" */
const char *publish_error_text(HRESULT hr, char *dst, size_t size);

#endif
