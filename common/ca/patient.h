/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* A CA whose service runs can answer RPC_S_SERVER_UNAVAILABLE for a moment: its interface comes up
 * after the SCM calls it running, and under load a connection is refused. Such a call never reached
 * the CA, so it is made again, a few times with short waits, as long as the SCM says that the
 * service runs. When that does not help, further calls are tried once only for a while: a dead CA
 * must not add seconds to every question. */
#ifndef CRLAGENT_CA_PATIENT_H
#define CRLAGENT_CA_PATIENT_H

#include "base/when.h"
#include "ca/admin.h"
#include "ca/service.h"

#define CA_PATIENT_TRIES 4
#define CA_PATIENT_REST_MS 30000 /* tried once only for so long after a failure */

struct ca_patient {
    struct ca_admin inner;
    struct svc_control svc;
    const struct clock *clock;
    const char *service; /* of the CA */
    int64_t rest_until;  /* mono_ms; 0 = patient. One thread at a time, as the conductor's seams */
};

/* *p is filled by the caller and must outlive the seam. */
struct ca_admin ca_patient_seam(struct ca_patient *p);

#endif
