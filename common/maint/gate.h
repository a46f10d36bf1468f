/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* The gate: may this CA's HSM be taken away now, for how long? A pure judgement over what was
 * discovered and probed; each refusal names what decides and the command to type. */
#ifndef CRLAGENT_MAINT_GATE_H
#define CRLAGENT_MAINT_GATE_H

#include "ca/service.h"
#include "health/finding.h"
#include "maint/policy.h"
#include "maint/view.h"

#define GATE_ITEMS_MAX 128

enum gate_verdict {
    GATE_PASSED,
    GATE_SHORT, /* only the runway is too short; gate_report.cover says whether a cover CRL helps */
    GATE_REFUSED
};

struct gate_report {
    enum gate_verdict verdict;
    int64_t when;
    int64_t need;          /* window + reserve, seconds */
    int64_t weakest;       /* runway found, seconds */
    int64_t weakest_until; /* nextUpdate that decides */
    int64_t resume_by;     /* weakest_until - propagation - reserve; WHEN_NONE = unknown */
    /* GATE_SHORT, and pre-upgrade publishes a cover CRL that mends it: the one judgement on which
     * both the dry run and the call itself act. The items of the runway are warnings then. */
    bool cover;
    int64_t cover_until;                 /* UTC, what that CRL must last until; set with cover */
    char decides[LIMIT_URL_CHARS + 128]; /* "key 0 delta at http://... (10.0.0.7)" */
    struct finding *item; /* refusals (SEV_CRITICAL), warnings and remarks; malloc'ed */
    size_t n;
};
void gate_report_free(struct gate_report *r); /* for SCOPED(); takes a zeroed one */

/* What the gate looks at. */
struct gate_input {
    const struct ca_view *view;
    const struct probe_round *round;
    const struct svc_info *service; /* in the order of stopping: CertSvc is the last */
    size_t n_services;
    int64_t window, reserve; /* seconds */
    bool covered; /* a cover CRL was published for this call already: there is no second one */
    int64_t now;
    uint32_t roles; /* enum ca_role bits */
    bool roles_known;
    bool key_tested;    /* key_err and key_failed say what came out */
    int32_t key_failed; /* certificate index of the key that failed; -1 = none */
    const struct err *key_err;
    const int32_t *cpf; /* publish status per line of ca_view_lines, -1 = not read */
    const struct crl_line *line;
    size_t n_lines;
};
/* ERR_NOMEM only. */
MUST_CHECK int gate_judge(const struct gate_input *in, const struct maint_policy *policy,
                          struct gate_report *ret, struct err *err);

/* The first refusal as one sentence with what to do, else the first runway that is too short; ""
 * when there is neither. */
const char *gate_refusal(const struct gate_report *r, char *dst, size_t dst_size);

#endif
