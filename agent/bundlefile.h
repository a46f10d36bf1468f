/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Writes the evidence bundle when a maintenance has ended, once. */
#ifndef CRLAGENT_AGENT_BUNDLEFILE_H
#define CRLAGENT_AGENT_BUNDLEFILE_H

#include "agent/document.h"
#include "store/store.h"

/* After every call of the engine. *ret: where the bundle of a->row is (also one written earlier);
 * path "" = the maintenance has not ended. ERR_* when it could not be written: the maintenance has
 * ended all the same; the same call and bundlefile_retry try again. *ret_written = just now. */
MUST_CHECK int bundlefile_settle(struct store *store, const char *verb, const char *ca,
                                 const struct maint_answer *a, int64_t now,
                                 struct document_evidence *ret, bool *ret_written, struct err *err);

#define BUNDLEFILE_RETRY_SECONDS 300

/* UTC of the next try of a bundle that could not be written; WHEN_NONE = there is none. */
int64_t bundlefile_next(struct store *store);
/* Tries it; change (of the maintenance) is filled with it. Not written: due again later. */
MUST_CHECK int bundlefile_retry(struct store *store, const char *ca, int64_t now, char *change,
                                size_t change_size, struct document_evidence *ret,
                                bool *ret_written, struct err *err);

#endif
