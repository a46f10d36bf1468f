/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Writes the evidence bundle when a maintenance has ended, once. */
#ifndef CRLAGENT_AGENT_BUNDLEFILE_H
#define CRLAGENT_AGENT_BUNDLEFILE_H

#include "agent/document.h"
#include "store/store.h"

/* After every call of the engine. *ret: where the bundle of a->row is (also one written earlier);
 * path "" = the maintenance has not ended. ERR_* when it could not be written: the maintenance has
 * ended all the same, and the next call tries again. *ret_written = just now. */
MUST_CHECK int bundlefile_settle(struct store *store, const char *verb, const char *ca,
                                 const struct maint_answer *a, int64_t now,
                                 struct document_evidence *ret, bool *ret_written, struct err *err);

#endif
