/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
/* Every figure a maintenance depends on, in one plain struct that the configuration fills. */
#ifndef CRLAGENT_MAINT_POLICY_H
#define CRLAGENT_MAINT_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "ca/service.h"
#include "maint/reserve.h"

enum maint_deadline_action { DEADLINE_HOLD = 0, DEADLINE_RESUME };
/* Somebody starts the CA while it is paused. */
enum maint_watch { WATCH_ALARM = 0, WATCH_STOP_AGAIN };

struct maint_policy {
    char service[SVC_NAME_MAX];                   /* "CertSvc" */
    char stop_with[LIMIT_SERVICES][SVC_NAME_MAX]; /* go down before the CA and its dependants */
    size_t n_stop_with;
    /* gate */
    int64_t reserve;     /* seconds asked for beyond the window when the request names none */
    int64_t window_max;  /* longest window accepted */
    int64_t propagation; /* seconds a new CRL needs to reach every client; taken off every runway */
    int64_t skew;        /* tolerated clock difference, seconds */
    bool test_key;       /* one test signature per CA key before the pause */
    bool accept_unknown_status; /* a publish status of 0 ("unknown") is no obstacle to a proof */
    /* cover CRL */
    bool cover;           /* publish one when the runway is short */
    int64_t cover_margin; /* seconds added for publishing, proving and stopping */
    int64_t cover_max;    /* longest cover, seconds from now */
    /* reserve CRL (maint/reserve.h) */
    enum reserve_mode reserve_mode;
    int64_t reserve_life;     /* seconds from now */
    bool reserve_auto;        /* released when the runway ends with the HSM still away */
    bool reserve_same_number; /* it keeps the number of the CRL it is made of */
    /* publish and prove */
    int64_t propagation_timeout; /* seconds to wait for every location to serve the new CRL */
    int64_t probe_retry_ms;      /* between two looks at locations that are still behind */
    /* services */
    int64_t stop_timeout_ms, start_timeout_ms; /* per service, upper limits */
    int64_t answer_timeout_ms;                 /* CertSvc running until it answers */
    int64_t poll_min_ms, poll_max_ms;          /* between two looks at a pending service */
    int64_t min_gap; /* seconds between stop and start; -1 = 60 with the SafeNet provider, else 0 */
    bool change_start_type; /* set to manual during the pause where the rights allow it */
    enum maint_watch watch;
    /* HSM acceptance */
    int64_t key_timeout_ms;
    int64_t sign_max_ms; /* slower test signatures are not accepted; 0 = no limit */
    /* while paused */
    enum maint_deadline_action deadline_action;
    int64_t paused_probe; /* seconds between two looks at the locations */
    int64_t burn[3];      /* percent of the runway used up at which people are told */
    int64_t alarm_repeat; /* seconds between two alarms of the same kind while held */
};

/* The defaults of the configuration. */
struct maint_policy maint_policy_default(void);

#endif
