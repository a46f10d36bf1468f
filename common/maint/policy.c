/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "maint/policy.h"

struct maint_policy maint_policy_default(void)
{
    return (struct maint_policy){
        .service = "CertSvc",
        .reserve = 2 * 3600,
        .window_max = 14 * 86400,
        .propagation = 15 * 60,
        .skew = 300,
        .test_key = true,
        .accept_unknown_status = false,
        .cover = true,
        .cover_margin = 30 * 60,
        .cover_max = 30 * 86400,
        .reserve_mode = RESERVE_OFF,
        .reserve_life = 14 * 86400,
        .propagation_timeout = 600,
        .probe_retry_ms = 2000,
        .stop_timeout_ms = 10 * 60 * 1000,
        .start_timeout_ms = 10 * 60 * 1000,
        .answer_timeout_ms = 120 * 1000,
        .poll_min_ms = 20,
        .poll_max_ms = 1000,
        .min_gap = -1,
        .change_start_type = true,
        .watch = WATCH_ALARM,
        .key_timeout_ms = 30 * 1000,
        .sign_max_ms = 0,
        .deadline_action = DEADLINE_HOLD,
        .paused_probe = 300,
        .burn = {50, 75, 90},
        .alarm_repeat = 900,
    };
}
